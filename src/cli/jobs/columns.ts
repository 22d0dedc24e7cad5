import { ConfigError } from '../../errors.js'
import { tellMs } from '../../job/duration.js'
import type { Job } from '../../job/job.js'
import { toPlainText } from '../../job/json.js'
import { hint } from '../../job/suggest.js'

/** What is told beside the job itself. */
export interface Around {
  /** Relative times on a terminal; elsewhere, and in files, ISO. */
  readonly isTerminal: boolean
  readonly now: Date
  readonly toShownJson: (value: unknown) => string
  /** Names of workers by id. */
  readonly workers: ReadonlyMap<string, string>
}

type Column = (job: Job, around: Around) => string

const columns: Readonly<Record<string, Column>> = {
  id: ({ id }) => id,
  task: ({ task }) => task,
  queue: ({ queue }) => queue,
  state: ({ state }) => state,
  priority: ({ priority }) => String(priority),
  attempt: ({ attempt, maxAttempts }) => `${attempt}/${maxAttempts}`,
  created: ({ createdAt }, around) => moment(createdAt, around),
  due: ({ runAt }, around) => moment(runAt, around),
  started: ({ startedAt }, around) => moment(startedAt, around),
  ended: ({ finishedAt }, around) => moment(finishedAt, around),
  took: (job, around) => duration(job, around),
  worker: ({ workerId }, { workers }) => (workerId === null ? '-' : (workers.get(workerId) ?? workerId)),
  owner: ({ owner }) => owner ?? '-',
  tags: ({ tags }) => tags.join(', ') || '-',
  parent: ({ parentId }) => parentId ?? '-',
  payload: ({ payload }, { toShownJson }) => toShownJson(payload),
  result: ({ result }, { toShownJson }) => (result === undefined ? '-' : toShownJson(result)),
  error: ({ error }) => (error ? `${error.name}: ${error.message}` : '-'),
}

const usual = ['id', 'task', 'queue', 'state', 'created', 'took', 'attempt', 'error'] as const

/** @throws {ConfigError} when there is no such column */
export function toColumns(names: readonly string[] = usual): readonly string[] {
  for (const name of names) {
    if (Object.hasOwn(columns, name)) continue
    throw new ConfigError(
      `There is no column "${name}".${hint(name, Object.keys(columns))} Known: ${Object.keys(columns).join(', ')}.`,
    )
  }
  return names
}

export function toRow(job: Job, names: readonly string[], around: Around): string[] {
  return names.map((name) => oneLine(columns[name]?.(job, around) ?? ''))
}

/** What a handler wrote must neither break the table nor steer the terminal. */
export function oneLine(text: string): string {
  return toPlainText(text)
    .replace(/\s+/g, ' ')
    .replace(/\p{Cc}/gu, '\ufffd')
}

export function moment(date: Date | null, { isTerminal, now }: Pick<Around, 'isTerminal' | 'now'>): string {
  if (date === null) return '-'
  if (!isTerminal) return date.toISOString()
  const ms = now.getTime() - date.getTime()
  return ms >= 0 ? `${tellMs(ms)} ago` : `in ${tellMs(-ms)}`
}

export function duration({ state, startedAt, finishedAt }: Job, { now }: Pick<Around, 'now'>): string {
  if (startedAt === null || (finishedAt === null && state !== 'running')) return '-'
  return tellMs(Math.max(0, (finishedAt ?? now).getTime() - startedAt.getTime()))
}

/** Cuts the last column where the terminal ends; one that is too narrow for the others gets them whole. */
export function fitted(rows: readonly (readonly string[])[], width: number | undefined): string[][] {
  if (width === undefined) return rows.map((row) => [...row])
  const widths =
    rows[0]?.slice(0, -1).map((_, at) => Math.max(...rows.map((row) => (row[at] ?? '').length))) ?? []
  const left = width - widths.reduce((sum, each) => sum + each + 2, 0)
  const most = Math.max(left, 10)
  return rows.map((row) => row.map((cell, at) => (at === row.length - 1 ? cut(cell, most) : cell)))
}

function cut(text: string, most: number): string {
  return text.length <= most ? text : `${text.slice(0, most - 1)}…`
}
