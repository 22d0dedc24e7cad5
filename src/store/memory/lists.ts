import type { Values } from '../../job/codec.js'
import type { Job } from '../../job/job.js'
import { largestListed } from '../lists.js'
import { toLine } from '../log.js'
import { toJob } from '../rows.js'
import type {
  JobListing,
  KeptLine,
  ListedJobs,
  LoadQuestion,
  Look,
  NewLogLine,
  QueueCount,
  QueueLoad,
  Sight,
} from '../store.js'
import { isHeld } from './moves.js'
import { isWaiting, type Row } from './row.js'
import { current, type Table } from './table.js'

const states: Readonly<Record<ListedJobs, readonly string[]>> = {
  running: ['running'],
  queued: ['queued'],
  delayed: ['scheduled', 'retrying'],
  succeeded: ['succeeded'],
  unsuccessful: ['failed', 'cancelled', 'expired'],
  failed: ['failed'],
}

export function listJobs(table: Table, { queue, jobs, limit, offset }: JobListing, values: Values): Job[] {
  const found = [...table.rows.values()].filter(
    (row) => row.queue === queue && states[jobs].includes(row.state),
  )
  return found
    .sort(byAge)
    .slice(offset, offset + limit)
    .map((row) => toListed(row, values))
}

/** Open ones oldest first, ended ones newest first. */
function byAge(one: Row, other: Row): number {
  if (one.finishedAt === null || other.finishedAt === null) return one.id < other.id ? -1 : 1
  return other.finishedAt.getTime() - one.finishedAt.getTime() || (one.id < other.id ? 1 : -1)
}

export function toListed(row: Row, values: Values, largestValue = largestListed): Job {
  const shortened = (json: string) => shortenedTo(largestValue, json)
  const { payload, result, progress } = row
  const short = {
    payload: shortened(payload),
    result: result === null ? null : shortened(result),
    progress: progress === null ? null : shortened(progress),
  }
  return toJob({ ...row, ...short }, values)
}

function shortenedTo(largestValue: number, json: string): string {
  const bytes = Buffer.byteLength(json)
  return bytes > largestValue ? JSON.stringify(`(${bytes} bytes: shown on the page of the job)`) : json
}

export function countJobs(table: Table, queues: readonly string[]): QueueCount[] {
  const counts = new Map<string, { queue: string; state: Row['state']; count: number }>()
  for (const { queue, state } of table.rows.values()) {
    if (!queues.includes(queue)) continue
    const key = JSON.stringify([queue, state])
    const known = counts.get(key) ?? { queue, state, count: 0 }
    counts.set(key, { ...known, count: known.count + 1 })
  }
  return [...counts.values()]
}

export function knownQueues(table: Table): string[] {
  const ofJobs = [...table.rows.values()].map(({ queue }) => queue)
  return [...new Set([...ofJobs, ...[...table.workers.values()].flatMap(({ queues }) => queues)])]
}

export function readLoad(table: Table, questions: readonly LoadQuestion[]): QueueLoad[] {
  const now = table.now().getTime()
  return questions.map(({ queue, waiting, share, owners }) => {
    const open = [...table.rows.values()].filter((row) => row.queue === queue && isWaiting(row))
    const due = open.filter(({ runAt }) => runAt.getTime() <= now).slice(0, waiting)
    const oldest = Math.min(...due.map(({ runAt }) => runAt.getTime()))
    return {
      queue,
      waiting: due.length,
      ageMs: due.length === 0 ? null : now - oldest,
      owners: share === null ? [] : sharesOf(open, share, owners),
    }
  })
}

function sharesOf(open: readonly Row[], share: number, asked: readonly string[]): [string, number][] {
  const jobs = new Map<string, number>()
  for (const { owner } of open) if (owner !== null) jobs.set(owner, (jobs.get(owner) ?? 0) + 1)
  const named = [...jobs].filter(([owner, count]) => count >= share || asked.includes(owner))
  return named.sort(([, one], [, other]) => other - one)
}

export function saveLogs(table: Table, lines: readonly NewLogLine[]): void {
  for (const { jobId, delivery, workerId, number, attempt, level, message, details, agoMs } of lines) {
    const row = current(table, { jobId, number: delivery })
    const isOwn = row && (row.workerId === workerId || isHeld(row, workerId))
    const kept = table.logs.get(jobId) ?? []
    if (!isOwn || kept.some((line) => line.number === number)) continue
    const at = new Date(table.now().getTime() - agoMs).toISOString()
    const line = { number, attempt, level, message, details, at }
    table.logs.set(
      jobId,
      [...kept, line].sort((one, other) => one.number - other.number),
    )
  }
}

export function trimLogs(table: Table, jobId: string, keep: number): void {
  const kept = table.logs.get(jobId)
  if (kept) table.logs.set(jobId, keep === 0 ? [] : kept.slice(-keep))
}

export function listLogs(table: Table, jobId: string, after: number, limit: number): KeptLine[] {
  const lines = table.logs.get(jobId) ?? []
  return lines
    .filter(({ number }) => number > after)
    .slice(0, limit)
    .map(toLine)
}

export function lastLogs(
  table: Table,
  jobId: string,
  limit: number,
  before = Number.MAX_SAFE_INTEGER,
): KeptLine[] {
  const lines = table.logs.get(jobId) ?? []
  return lines
    .filter(({ number }) => number < before)
    .slice(-limit)
    .map(toLine)
}

const mostLines = 200

export function look(table: Table, { jobId, after, version }: Look): Sight | undefined {
  const row = table.rows.get(jobId)
  if (!row) return { isGone: true, lines: [], hasMore: false }
  const lines = listLogs(table, jobId, after, mostLines)
  const isChanged = table.versionOf(row) !== version
  if (!isChanged && lines.length === 0) return undefined
  const changed = { version: table.versionOf(row), job: toJob({ ...row, payload: 'null' }) }
  return { isGone: false, ...(isChanged ? { changed } : {}), lines, hasMore: lines.length === mostLines }
}
