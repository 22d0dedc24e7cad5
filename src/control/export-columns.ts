import { ConfigError } from '../errors.js'
import type { Job } from '../job/job.js'
import { hint } from '../job/suggest.js'
import type { WorkerNames } from './export.js'

type Column = (job: Job, workers: WorkerNames) => unknown

/** The fields of a job, by the names that they have over HTTP, and what people look for in it. */
const columns = {
  id: (job) => job.id,
  task: (job) => job.task,
  queue: (job) => job.queue,
  state: (job) => job.state,
  createdAt: (job) => job.createdAt,
  runAt: (job) => job.runAt,
  startedAt: (job) => job.startedAt,
  finishedAt: (job) => job.finishedAt,
  /** Of the last attempt. */
  durationMs: ({ startedAt, finishedAt }) => between(startedAt, finishedAt),
  /** From when it was due to its start. */
  waitMs: ({ runAt, startedAt }) => between(runAt, startedAt),
  attempt: (job) => job.attempt,
  failures: (job) => job.failures,
  maxAttempts: (job) => job.maxAttempts,
  priority: (job) => job.priority,
  worker: ({ workerId }, workers) => workerId && (workers.get(workerId) ?? workerId),
  owner: (job) => job.owner,
  tags: (job) => job.tags,
  parentId: (job) => job.parentId,
  payload: (job) => job.payload,
  result: (job) => job.result,
  resultError: (job) => job.resultError,
  errorName: (job) => job.error?.name,
  errorMessage: (job) => job.error?.message,
  error: (job) => job.error,
  progress: (job) => job.progress,
  attempts: (job) => job.attempts,
  options: (job) => job.options,
  context: (job) => job.context,
  idempotencyKey: (job) => job.idempotencyKey,
  requestId: (job) => job.requestId,
  traceparent: (job) => job.traceparent,
  expiresAt: (job) => job.expiresAt,
  cancelRequestedAt: (job) => job.cancelRequestedAt,
  cancelledBy: (job) => job.cancelledBy,
  cancelReason: (job) => job.cancelReason,
} satisfies Readonly<Record<string, Column>>

export type ExportColumn = keyof typeof columns

export const exportColumns = Object.keys(columns) as ExportColumn[]

/** What most tables need. */
const usual: readonly ExportColumn[] = [
  ...(['id', 'task', 'queue', 'state', 'createdAt', 'startedAt', 'finishedAt', 'durationMs'] as const),
  ...(['attempt', 'priority', 'worker', 'owner', 'tags', 'parentId', 'payload', 'result'] as const),
  ...(['errorName', 'errorMessage'] as const),
]

/** @throws {ConfigError} when there is no such column, or one is named twice */
export function checkColumns(names: readonly string[] | undefined): readonly ExportColumn[] {
  if (names === undefined) return usual
  if (names.length === 0)
    throw new ConfigError('"columns" is an empty list. Leave it out for the usual ones.')
  const known = names.map(checkColumn)
  const twice = known.find((name, at) => known.indexOf(name) !== at)
  if (twice) throw new ConfigError(`"columns" names "${twice}" twice.`)
  return known
}

function checkColumn(name: string): ExportColumn {
  const known = exportColumns.find((each) => each === name)
  if (known) return known
  throw new ConfigError(
    `There is no column "${String(name).slice(0, 100)}".${hint(String(name), exportColumns)} Known: ${exportColumns.join(', ')}.`,
  )
}

export function cellOf(name: ExportColumn, job: Job, workers: WorkerNames): unknown {
  return columns[name](job, workers) ?? null
}

function between(from: Date | null, to: Date | null): number | null {
  return from && to ? Math.max(0, to.getTime() - from.getTime()) : null
}
