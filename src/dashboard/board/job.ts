import type { QueueJobJson } from '@bull-board/api/dist/types.js'
import { toShownJson } from '../../job/codec.js'
import type { Job, PastAttempt, StoredError } from '../../job/job.js'
import type { LiveWorker } from '../../store/store.js'

/** A job in the words of bull-board. */
export function toBoardJob(job: Job, workers: readonly LiveWorker[]): QueueJobJson {
  const delayMs = Math.max(0, job.runAt.getTime() - job.createdAt.getTime())
  return {
    id: job.id,
    name: job.task,
    data: toPlain(job.payload),
    returnvalue: job.resultError === null ? toPlain(job.result) : { resultError: job.resultError },
    progress: toProgress(job.progress),
    timestamp: job.createdAt.getTime(),
    processedOn: job.startedAt?.getTime() ?? null,
    // Of what never started, the pages would say that it took since 1970. Its reason says when it ended.
    finishedOn: job.startedAt && job.finishedAt ? job.finishedAt.getTime() : null,
    processedBy: nameOf(job.workerId, workers),
    attemptsMade: job.attempt,
    delay: delayMs,
    failedReason: reasonOf(job),
    stacktrace: job.state === 'succeeded' ? [] : stacksOf(job),
    opts: toOptions(job, delayMs, workers),
  }
}

/** bull-board writes it as JSON, whatever a codec has made of it. */
function toPlain(value: unknown): unknown {
  return value === undefined ? null : JSON.parse(toShownJson(value))
}

/** The pages draw a ring for a number and for what has one under `progress`, and print every object. */
function toProgress(progress: unknown): QueueJobJson['progress'] {
  if (typeof progress === 'number' || typeof progress === 'string') return progress
  if (typeof progress !== 'object' || progress === null) return 0
  const percent: unknown = 'percent' in progress ? progress.percent : undefined
  return typeof percent === 'number' ? { progress: percent, ...progress } : progress
}

/** Why it ended as it did, or what its last attempt died of. */
function reasonOf(job: Job): string {
  switch (job.state) {
    case 'cancelled':
      return `Cancelled${by(job)} at ${timeOf(job.finishedAt)}${job.cancelReason ? `: ${job.cancelReason}` : '.'}`
    case 'expired':
      return `Expired: it had not started by ${timeOf(job.expiresAt)}.`
    case 'failed':
      return job.error ? headOf(job.error) : 'Failed, and no error was kept.'
    default:
      return ''
  }
}

function by({ cancelledBy }: Job): string {
  return cancelledBy ? ` by ${cancelledBy}` : ''
}

function timeOf(date: Date | null): string {
  return date?.toISOString() ?? 'an unknown time'
}

/** Oldest first: bull-board turns them round. */
function stacksOf({ attempts, attempt, error, finishedAt }: Job): string[] {
  const past = attempts.map(({ number, outcome, finishedAt: at, error: why }) =>
    [`Attempt ${number}: ${outcome} at ${at}`, ...(why ? [stackOf(why)] : [])].join('\n'),
  )
  if (!error || !finishedAt) return past
  return [...past, `Attempt ${attempt}: failed at ${finishedAt.toISOString()}\n${stackOf(error)}`]
}

function stackOf(error: StoredError): string {
  return error.stack ?? headOf(error)
}

function headOf({ name, message }: StoredError): string {
  return `${name}: ${message}`
}

/** What else is known of the job. */
function toOptions(job: Job, delayMs: number, workers: readonly LiveWorker[]): Record<string, unknown> {
  const past = job.attempts.map((attempt) => toPastAttempt(attempt, workers))
  return {
    state: job.state,
    attempts: job.maxAttempts,
    failures: job.failures,
    ...(job.lost > 0 ? { lost: job.lost } : {}),
    ...(delayMs > 0 ? { delay: delayMs, runAt: job.runAt.toISOString() } : {}),
    ...(job.priority > 0 ? { priority: job.priority } : {}),
    ...job.options,
    ...stated({
      expiresAt: job.expiresAt?.toISOString(),
      owner: job.owner,
      tags: job.tags.length > 0 ? job.tags : undefined,
      idempotencyKey: job.idempotencyKey,
      requestId: job.requestId,
      traceparent: job.traceparent,
      cancelRequestedAt: job.cancelRequestedAt?.toISOString(),
      cancelledBy: job.cancelledBy,
      cancelReason: job.cancelReason,
      pastAttempts: past.length > 0 ? past : undefined,
    }),
  }
}

function toPastAttempt({ worker, error, ...attempt }: PastAttempt, workers: readonly LiveWorker[]) {
  return stated({ ...attempt, worker: nameOf(worker, workers), error: error && headOf(error) })
}

function stated(facts: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(facts).filter(([, value]) => value !== undefined && value !== null),
  )
}

function nameOf(id: string | null, workers: readonly LiveWorker[]): string | null {
  const worker = workers.find((known) => known.id === id)
  return worker ? `${worker.name} (process ${worker.pid})` : id
}
