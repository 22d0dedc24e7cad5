import type { CancelAnswer } from '../../job/job.js'
import { toPlainText } from '../../job/json.js'
import { lostErrorStart } from '../../job/lost.js'
import { toContext, toOptions } from '../rows.js'
import type {
  Claim,
  ClaimedJob,
  ClaimRefusal,
  DeliveryKey,
  EditedPayload,
  Redelivery,
  Settled,
  Settlement,
} from '../store.js'
import { toUniqueName } from './insert.js'
import { handedOverAnew, isDelayed, isWaiting, type Row, toRedelivery, withAttempt } from './row.js'
import { current, type Table } from './table.js'

/** How early a delivery may come. */
const toleranceMs = 1000

export function claim(table: Table, delivery: DeliveryKey, workerId: string): ClaimedJob | undefined {
  const row = current(table, delivery)
  const now = table.now()
  if (!row || !isClaimable(row, now)) return undefined
  return start(table, row, workerId)
}

/** @param row one that may start */
export function start(table: Table, row: Row, workerId: string): ClaimedJob {
  table.write(row, { state: 'running', workerId, attempt: row.attempt + 1, startedAt: table.now() })
  const { id, task, queue, payload, attempt, maxAttempts, failures, lost, owner } = row
  const { requestId, traceparent, parentId, limitKey } = row
  return {
    ...{
      id,
      number: row.delivery,
      task,
      queue,
      payload,
      options: toOptions(row.options),
      attempt,
      maxAttempts,
    },
    ...{ failures, lost, owner, requestId, traceparent, context: toContext(row.context), parentId, limitKey },
    cancelRequested: row.cancelRequestedAt !== null,
  }
}

function isClaimable(row: Row, now: Date): boolean {
  const isDue = row.state === 'queued' || (isDelayed(row) && !isEarly(row, now))
  return isDue && !isTooLate(row, now) && row.limitKey === null
}

function isEarly({ runAt }: Row, now: Date): boolean {
  return runAt.getTime() > now.getTime() + toleranceMs
}

export function isTooLate({ expiresAt }: Row, now: Date): boolean {
  return expiresAt !== null && expiresAt <= now
}

export function explain(table: Table, delivery: DeliveryKey): ClaimRefusal {
  const row = current(table, delivery)
  const now = table.now()
  if (!row || !isWaiting(row)) return { reason: 'stale' }
  if (isTooLate(row, now)) return { reason: 'expired' }
  if (row.state === 'queued' || !isEarly(row, now))
    return row.limitKey === null ? { reason: 'claimable' } : takeTurn(table, row)
  const redelivery = defer(table, delivery)
  return redelivery ? { reason: 'early', redelivery } : { reason: 'stale' }
}

/** A job with limits whose time has come waits for its turn from now on. */
function takeTurn(table: Table, row: Row): ClaimRefusal {
  if (isDelayed(row)) table.write(row, { state: 'queued', dispatchedAt: row.dispatchedAt ?? table.now() })
  return { reason: 'limited' }
}

/** The fence. What waits under its number with no worker named was claimed, and a crash took that back. */
export function isHeld(row: Row, workerId: string): boolean {
  if (row.state === 'running') return row.workerId === workerId
  return isWaiting(row) && row.workerId === null
}

export function settle(table: Table, outcome: Settlement): Settled {
  const row = current(table, outcome)
  if (!row || !isHeld(row, outcome.workerId)) return { settled: false }
  const isAgain = outcome.state === 'retrying' || outcome.state === 'snoozed'
  if (isAgain && row.cancelRequestedAt === null) return again(table, row, outcome)
  if (outcome.state === 'succeeded') succeed(table, row, outcome)
  else end(table, row, outcome)
  if (outcome.drop && !isAgain) table.remove(row.id)
  return { settled: true }
}

type Success = Extract<Settlement, { state: 'succeeded' }>
type Again = Extract<Settlement, { state: 'retrying' | 'snoozed' }>
type OtherEnd = Exclude<Settlement, Success>

function succeed(table: Table, row: Row, outcome: Success): void {
  const now = table.now()
  table.write(row, {
    state: 'succeeded',
    workerId: outcome.workerId,
    attempt: Math.max(row.attempt, outcome.attempt),
    result: outcome.result,
    resultError: outcome.resultError,
    error: null,
    payload: outcome.payload ?? row.payload,
    finishedAt: now,
    startedAt: row.startedAt ?? now,
    dispatchedAt: row.dispatchedAt ?? now,
  })
}

function again(table: Table, row: Row, outcome: Again): Settled {
  const now = table.now()
  const attempt = Math.max(row.attempt, outcome.attempt)
  const error = errorOf(outcome)
  const isSnoozed = outcome.state === 'snoozed'
  const past = { worker: outcome.workerId, number: attempt }
  table.write(row, {
    state: 'retrying',
    attempt,
    failures: row.failures + (isSnoozed ? 0 : 1),
    error: error ?? row.error,
    dispatchedAt: null,
    workerId: null,
    runAt: new Date(now.getTime() + outcome.retryInMs),
    delivery: row.delivery + 1,
    attempts: withAttempt(row, now, {
      ...past,
      outcome: isSnoozed ? 'snoozed' : 'failed',
      error: isSnoozed ? noteOf(outcome) : error,
    }),
  })
  return { settled: true, redelivery: toRedelivery(row, now) }
}

/** A job that was asked to stop is not tried again. */
function end(table: Table, row: Row, outcome: OtherEnd): void {
  const now = table.now()
  const isFailure = outcome.state === 'failed' || outcome.state === 'retrying'
  table.write(row, {
    state: outcome.state === 'failed' ? 'failed' : 'cancelled',
    attempt: Math.max(row.attempt, outcome.attempt),
    failures: row.failures + (isFailure ? 1 : 0),
    error: errorOf(outcome) ?? row.error,
    finishedAt: now,
    dispatchedAt: row.dispatchedAt ?? now,
    workerId: outcome.workerId,
  })
}

function errorOf(outcome: OtherEnd): string | null {
  return outcome.state === 'snoozed' || outcome.error === null ? null : JSON.stringify(outcome.error)
}

function noteOf({ reason }: { readonly reason: string | null }): string | null {
  return reason === null ? null : JSON.stringify({ name: 'Snooze', code: 'SNOOZE', message: reason })
}

export function holdOn(table: Table, claims: readonly Claim[], workerId: string): void {
  for (const each of claims) {
    const row = current(table, each)
    if (!row || !isWaiting(row) || row.workerId !== null) continue
    const attempt = Math.max(row.attempt, each.attempt)
    table.write(row, { state: 'running', workerId, attempt, startedAt: table.now() })
  }
}

export function giveBack(
  table: Table,
  keys: readonly DeliveryKey[],
  workerId: string,
  reason: 'unstarted' | 'returned',
): Redelivery[] {
  const now = table.now()
  return keys.flatMap((key) => {
    const row = current(table, key)
    if (!row || !isHeld(row, workerId)) return []
    const counted = reason === 'returned' ? noteReturn(row, now, workerId) : forgetStart(row)
    const isCancelled = row.cancelRequestedAt !== null
    table.write(row, {
      ...counted,
      state: isCancelled ? 'cancelled' : 'queued',
      finishedAt: isCancelled ? now : null,
      dispatchedAt: isCancelled ? (row.dispatchedAt ?? now) : handedOverAnew(row, now),
      delivery: row.delivery + 1,
      workerId: null,
    })
    return isCancelled ? [] : [toRedelivery(row, now)]
  })
}

function noteReturn(row: Row, now: Date, worker: string): Partial<Row> {
  const attempt = row.state === 'running' ? row.attempt : row.attempt + 1
  return {
    attempt,
    attempts: withAttempt(row, now, { outcome: 'returned', error: null, worker, number: attempt }),
  }
}

function forgetStart(row: Row): Partial<Row> {
  return { startedAt: null, attempt: row.state === 'running' ? row.attempt - 1 : row.attempt }
}

export function defer(table: Table, delivery: DeliveryKey): Redelivery | undefined {
  const row = current(table, delivery)
  return row && isWaiting(row) ? redeliver(table, row, {}) : undefined
}

/** A failed, cancelled or expired job begins anew, with its history. */
export function retry(table: Table, id: string, edited: Partial<Row> = {}): Redelivery | undefined {
  const row = table.rows.get(id)
  if (!row || !['failed', 'cancelled', 'expired'].includes(row.state)) return undefined
  const now = table.now()
  const outcome = row.error?.startsWith(lostErrorStart) ? 'lost' : 'failed'
  return redeliver(table, row, {
    ...edited,
    ...{
      state: 'queued',
      failures: 0,
      lost: 0,
      finishedAt: null,
      expiresAt: null,
      runAt: now,
      workerId: null,
    },
    ...{ cancelRequestedAt: null, cancelledBy: null, cancelReason: null, error: null, progress: null },
    attempts:
      row.state === 'failed' && row.attempt > 0
        ? withAttempt(row, row.finishedAt ?? now, { outcome, error: row.error })
        : row.attempts,
  })
}

/** What its task kept unique by the old payload is free. */
export function retryWith(
  table: Table,
  key: DeliveryKey,
  { text, limitKey, freedKey }: EditedPayload,
): Redelivery | undefined {
  const row = current(table, key)
  const begun = row && retry(table, row.id, { payload: text, limitKey })
  if (begun && freedKey !== null) {
    const unique = toUniqueName(row, freedKey)
    if (table.uniqueKeys.get(unique)?.jobId === row.id) table.uniqueKeys.delete(unique)
  }
  return begun
}

export function promote(table: Table, id: string): Redelivery | undefined {
  const row = table.rows.get(id)
  if (!row || !isDelayed(row)) return undefined
  return redeliver(table, row, { state: 'queued', runAt: table.now() })
}

export function redeliver(table: Table, row: Row, changes: Partial<Row>): Redelivery {
  const now = table.now()
  table.write(row, { ...changes, delivery: row.delivery + 1 })
  table.write(row, { dispatchedAt: row.state === 'queued' ? handedOverAnew(row, now) : null })
  return toRedelivery(row, now)
}

/** A waiting job ends at once; a running one is marked. */
export function cancel(table: Table, id: string, by: string | null, reason: string | null): CancelAnswer {
  const row = table.rows.get(id)
  if (!row) return 'unknown'
  if (row.finishedAt !== null) return 'finished'
  const now = table.now()
  const asked = {
    cancelRequestedAt: row.cancelRequestedAt ?? now,
    cancelledBy: row.cancelledBy ?? toNote(by),
    cancelReason: row.cancelReason ?? toNote(reason),
  }
  if (row.state === 'running') {
    table.write(row, asked)
    return 'cancelling'
  }
  table.write(row, { ...asked, state: 'cancelled', finishedAt: now, dispatchedAt: row.dispatchedAt ?? now })
  return 'cancelled'
}

const longestNote = 1000

function toNote(text: string | null): string | null {
  return text === null || text === '' ? null : toPlainText(text.slice(0, longestNote))
}

export function expire(table: Table, row: Row): boolean {
  const now = table.now()
  if (!isWaiting(row) || !isTooLate(row, now)) return false
  table.write(row, { state: 'expired', finishedAt: now, dispatchedAt: row.dispatchedAt ?? now })
  return true
}
