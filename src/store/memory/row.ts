import type { Job as JobRow } from '../generated/prisma/client.js'
import type { NewJob, Redelivery } from '../store.js'

/** A job as PostgreSQL would have it: JSON values are text. */
export type Row = { -readonly [Column in keyof JobRow]: JobRow[Column] }

/** What must be one of a kind; `undefined` where there is no such key. */
export function idempotencyOf({
  task,
  owner,
  idempotencyKey,
}: Pick<NewJob, 'task' | 'owner' | 'idempotencyKey'>): string | undefined {
  return idempotencyKey === null ? undefined : JSON.stringify([task, owner ?? '', idempotencyKey])
}

/** Handed over at once is what falls due soon; as in the statement of an insert. */
const handedOverMs = 59_000

export function toRow(job: NewJob, now: Date): Row {
  const runAt = new Date(
    Math.max(now.getTime(), job.runAt?.getTime() ?? 0, now.getTime() + (job.delayMs ?? 0)),
  )
  const columns = {
    id: job.id,
    task: job.task,
    queue: job.queue,
    state: runAt > now ? 'scheduled' : 'queued',
    payload: job.payload,
    options: job.options,
    result: null,
    resultError: null,
    error: null,
    progress: null,
    priority: job.priority,
    attempt: 0,
    maxAttempts: job.maxAttempts,
    failures: 0,
    lost: 0,
    delivery: 1,
    workerId: null,
    owner: job.owner,
    tags: [...job.tags],
    idempotencyKey: job.idempotencyKey,
    parentId: job.parentId,
    requestId: job.requestId,
    traceparent: job.traceparent,
    context: job.context,
    limitKey: job.limitKey,
    runAt,
    expiresAt: job.expiresInMs === null ? null : new Date(now.getTime() + job.expiresInMs),
    createdAt: now,
    dispatchedAt: runAt.getTime() < now.getTime() + handedOverMs ? now : null,
    startedAt: null,
    finishedAt: null,
    cancelRequestedAt: null,
    cancelledBy: null,
    cancelReason: null,
    attempts: '[]',
  } satisfies Partial<Row>
  return columns as Row
}

export function isWaiting({ state }: Pick<Row, 'state'>): boolean {
  return state === 'queued' || state === 'scheduled' || state === 'retrying'
}

export function isDelayed({ state }: Pick<Row, 'state'>): boolean {
  return state === 'scheduled' || state === 'retrying'
}

/** What is queued is due, whatever its time. */
export function toRedelivery(row: Row, now: Date): Redelivery {
  const dueInMs = row.state === 'queued' ? 0 : Math.max(0, row.runAt.getTime() - now.getTime())
  return {
    jobId: row.id,
    number: row.delivery,
    task: row.task,
    queue: row.queue,
    priority: row.priority,
    dueInMs,
    isLimited: waitsForTurn(row),
  }
}

/** A job with limits that is due: no delivery speaks for it. */
export function waitsForTurn({ state, limitKey }: Row): boolean {
  return state === 'queued' && limitKey !== null
}

/** When what is queued again counts as handed over: its turn may speak for it. */
export function handedOverAnew({ limitKey }: Row, now: Date): Date | null {
  return limitKey === null ? null : now
}

/** The row's list of past attempts with one more. `error` is JSON text. */
export function withAttempt(
  row: Row,
  now: Date,
  past: { outcome: string; error: string | null; worker?: string | null; number?: number },
): string {
  const entry = {
    number: past.number ?? row.attempt,
    worker: past.worker === undefined ? row.workerId : past.worker,
    startedAt: row.startedAt,
    finishedAt: now,
    outcome: past.outcome,
    error: past.error === null ? null : JSON.parse(past.error),
  }
  return JSON.stringify([...JSON.parse(row.attempts), entry])
}
