import type { Committed, InsertedJob, NewJob, Redelivery, UniqueClaim } from '../store.js'
import { idempotencyOf, isWaiting, type Row, toRedelivery, toRow } from './row.js'

/** Rows as a transaction sees them. What it changes others see when it is committed. */
export interface View {
  now(): Date
  row(id: string): Row | undefined
  /** The row that holds this idempotency key. */
  holderOf(job: NewJob): Row | undefined
  unique(key: string): UniqueEntry | undefined
  call(key: string): UniqueCall | undefined
  add(row: Row): void
  change(row: Row, changes: Partial<Row>): Row
  setUnique(key: string, entry: UniqueEntry): void
  setCall(key: string, call: UniqueCall): void
}

/** Which job holds a key that its task keeps unique. */
export interface UniqueEntry {
  readonly jobId: string
  /** The first call. */
  readonly since: Date
  /** The end of a window. */
  readonly until: Date | undefined
}

/** What an idempotency key led to that made no row of its own. */
export interface UniqueCall {
  readonly jobId: string
  readonly payload: string
}

/** Where one payload led. */
export interface Written {
  readonly job: NewJob
  readonly inserted: InsertedJob
  /** What is to be sent: a new job, or one that was put off. */
  readonly deliveries: readonly Redelivery[]
}

export function uniqueKeyOf(job: NewJob): string | undefined {
  return job.unique ? toUniqueName(job, job.unique.key) : undefined
}

export function toUniqueName({ task, owner }: Pick<NewJob, 'task' | 'owner'>, key: string): string {
  return JSON.stringify([task, owner ?? '', 'unique', key])
}

export function insertRow(view: View, job: NewJob): Written {
  const unique = uniqueKeyOf(job)
  if (job.unique && unique !== undefined) return insertUnique(view, job, job.unique, unique)
  const holder = view.row(job.id) ?? view.holderOf(job)
  return holder ? found(view, job, holder, holder.payload) : made(view, job)
}

function made(view: View, job: NewJob): Written {
  const row = toRow(job, view.now())
  view.add(row)
  const { id, state, createdAt } = row
  const dueInMs = row.runAt.getTime() - createdAt.getTime()
  return {
    job,
    inserted: { id, created: true, state, dueInMs, createdAt },
    deliveries: [toRedelivery(row, createdAt)],
  }
}

function found(view: View, job: NewJob, row: Row, payload: string | null, conflicts = false): Written {
  const { id, state, createdAt } = row
  const dueInMs = Math.max(0, row.runAt.getTime() - view.now().getTime())
  return {
    job,
    inserted: { id, created: false, state, dueInMs, createdAt, payload, conflicts },
    deliveries: [],
  }
}

/** As the function of the database decides it, see the migration. */
function insertUnique(view: View, job: NewJob, unique: UniqueClaim, key: string): Written {
  const byIdempotency = byCall(view, job)
  if (byIdempotency) return byIdempotency
  const held = view.unique(key)
  const row = held && view.row(held.jobId)
  const written =
    held && isHolding(unique, held, row, view.now())
      ? joined(view, job, unique, held, row)
      : first(view, job, unique, key)
  noteCall(view, job, unique, written)
  return written
}

/** Its own row; else what the same idempotency key led to. */
function byCall(view: View, job: NewJob): Written | undefined {
  const callKey = idempotencyOf(job)
  const earlier = callKey === undefined ? undefined : view.call(callKey)
  const row = earlier && view.row(earlier.jobId)
  if (row) return found(view, job, row, null, earlier.payload !== job.payload)
  const holder = view.row(job.id) ?? view.holderOf(job)
  return holder && found(view, job, holder, holder.payload)
}

/** What is too late to start holds nothing. */
function isHolding(unique: UniqueClaim, held: UniqueEntry, row: Row | undefined, now: Date): boolean {
  if (unique.mode === 'window') return held.until !== undefined && held.until > now
  if (!row) return false
  const isInTime = row.expiresAt === null || row.expiresAt > now
  switch (unique.mode) {
    case 'running':
      return row.state === 'running' || (row.finishedAt === null && isInTime)
    case 'queued':
      return isWaiting(row) && isInTime
    case 'debounce':
      return (row.state === 'scheduled' || row.state === 'queued') && row.attempt === 0 && isInTime
  }
}

function first(view: View, job: NewJob, unique: UniqueClaim, key: string): Written {
  const written = made(view, job)
  const since = written.inserted.createdAt
  const until = unique.mode === 'window' ? new Date(since.getTime() + unique.windowMs) : undefined
  view.setUnique(key, { jobId: job.id, since, until })
  return written
}

function joined(
  view: View,
  job: NewJob,
  unique: UniqueClaim,
  held: UniqueEntry,
  row: Row | undefined,
): Written {
  // A window goes on after its job was deleted.
  if (!row) {
    const { jobId: id, since: createdAt } = held
    const inserted: InsertedJob = { id, created: false, state: 'succeeded', dueInMs: 0, createdAt }
    return { job, inserted, deliveries: [] }
  }
  if (unique.mode !== 'debounce') return found(view, job, row, null)
  return putOff(view, job, unique, held, row)
}

type Debounce = Extract<UniqueClaim, { mode: 'debounce' }>

/** What is put off gets a new delivery. What is due already starts as it is, with the newest payload. */
function putOff(view: View, job: NewJob, { delayMs, maxMs }: Debounce, held: UniqueEntry, row: Row): Written {
  const now = view.now()
  const last = maxMs === null ? Number.POSITIVE_INFINITY : held.since.getTime() + maxMs
  const due = Math.max(now.getTime(), Math.min(now.getTime() + delayMs, last))
  const isLater = row.state === 'scheduled'
  const moved = view.change(row, {
    payload: job.payload,
    limitKey: job.limitKey,
    expiresAt: job.expiresInMs === null ? null : new Date(now.getTime() + job.expiresInMs),
    ...(isLater ? { runAt: new Date(due), delivery: row.delivery + 1, dispatchedAt: null } : {}),
  })
  return { ...found(view, job, moved, null), deliveries: isLater ? [toRedelivery(moved, now)] : [] }
}

function noteCall(view: View, job: NewJob, { mode }: UniqueClaim, { inserted }: Written): void {
  const key = idempotencyOf(job)
  if (key === undefined || (inserted.created && mode !== 'debounce')) return
  view.setCall(key, { jobId: inserted.id, payload: job.payload })
}

/** What is to be told of a commit; `undefined`: nothing. */
export function toCommitted(written: readonly Written[]): Committed | undefined {
  const deliveries = written.flatMap((each) => each.deliveries)
  const [one] = deliveries
  return one && { receipt: one.jobId, deliveries }
}
