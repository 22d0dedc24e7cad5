import type { Pool } from 'pg'
import type { CancelAnswer } from '../job/job.js'
import { toPlainText } from '../job/json.js'
import { lostErrorStart } from '../job/lost.js'
import { appendAttempt } from './statements.js'
import type { Claim, DeliveryKey, EditedPayload, Redelivery } from './store.js'

/** A job with limits that is due: no delivery speaks for it. Columns of the row after the move. */
export const waitsForTurn = `(j.state = 'queued' AND j.limit_key IS NOT NULL)`

/** What is queued again is to be handed over, unless its turn speaks for it. */
export const handedOverAnew = `CASE WHEN j.limit_key IS NULL THEN NULL ELSE now() END`

/**
 * Statements that move waiting jobs to a new delivery. Each is one conditional update, so that two processes that
 * repair at once do no harm, and each gives what must be sent to the broker.
 *
 * What is queued is due, whatever its time: a clock that was put back must not make it wait.
 */
export const redelivery = `j.id AS "jobId", j.delivery AS number, j.task, j.queue, j.priority,
  (CASE j.state WHEN 'queued' THEN 0
    ELSE greatest(0, floor(extract(epoch FROM j.run_at - now()) * 1000)) END)::float8 AS "dueInMs",
  ${waitsForTurn} AS "isLimited"`

export const waiting = `j.state IN ('queued', 'scheduled', 'retrying')`

/** Rows that were not handed over. They keep their number: the broker ignores what it has after all. */
export async function undispatched(pool: Pool, limit: number): Promise<Redelivery[]> {
  const { rows } = await pool.query<Redelivery>(
    `SELECT ${redelivery} FROM celeriac.job j WHERE ${isUndispatched} ORDER BY j.run_at LIMIT $1`,
    [limit],
  )
  return rows
}

/**
 * Not those of the last moments: whoever wrote them, or made them due by hand, is about to send them. What came due by
 * itself is not queued yet, and has nobody who would.
 */
export const isUndispatched = `j.dispatched_at IS NULL AND ${waiting}
  AND j.run_at < now() + interval '60 seconds' AND j.created_at < now() - interval '2 seconds'
  AND NOT (j.state = 'queued' AND j.run_at BETWEEN now() - interval '2 seconds' AND now())`

export const isOverdue = `j.finished_at IS NULL AND j.run_at > j.created_at
  AND j.run_at < now() - interval '2 seconds' AND j.state IN ('scheduled', 'retrying') AND j.dispatched_at IS NOT NULL`

export const isExpired = `j.finished_at IS NULL AND j.expires_at <= now() AND ${waiting}`

export async function expireOverdue(pool: Pool, limit: number): Promise<string[]> {
  const { rows } = await pool.query<{ id: string }>(
    `UPDATE celeriac.job j SET state = 'expired', finished_at = now(), dispatched_at = coalesce(dispatched_at, now())
     FROM (SELECT j.id FROM celeriac.job j WHERE ${isExpired} AND j.expires_at IS NOT NULL
       ORDER BY j.expires_at LIMIT $1 FOR UPDATE SKIP LOCKED) AS late
     WHERE j.id = late.id AND ${waiting}
     RETURNING j.id`,
    [limit],
  )
  return rows.map(({ id }) => id)
}

export async function overdue(pool: Pool, limit: number): Promise<Redelivery[]> {
  const { rows } = await pool.query<Redelivery>(
    `UPDATE celeriac.job j SET state = 'queued', delivery = j.delivery + 1, dispatched_at = ${handedOverAnew}
     FROM (SELECT j.id FROM celeriac.job j WHERE ${isOverdue}
       ORDER BY j.run_at LIMIT $1 FOR UPDATE SKIP LOCKED) AS late
     WHERE j.id = late.id
     RETURNING ${redelivery}`,
    [limit],
  )
  return rows
}

/** A claim is committed asynchronously, so a crash may take it back; what runs is not to be run twice for that. */
export async function holdOn(pool: Pool, claims: readonly Claim[], workerId: string): Promise<void> {
  await pool.query(holdOnSql, [
    claims.map((claim) => claim.jobId),
    claims.map((claim) => claim.number),
    claims.map((claim) => claim.attempt),
    workerId,
  ])
}

const holdOnSql = `
WITH taken_back AS (
  SELECT j.id, c.attempt FROM celeriac.job j
  JOIN unnest($1::uuid[], $2::int[], $3::int[]) AS c(id, number, attempt) ON j.id = c.id AND j.delivery = c.number
  WHERE ${waiting} AND j.worker_id IS NULL
  ORDER BY j.id FOR UPDATE OF j)
UPDATE celeriac.job j SET state = 'running', worker_id = $4::uuid, attempt = greatest(j.attempt, t.attempt),
  started_at = now()
FROM taken_back t WHERE j.id = t.id`

export async function defer(pool: Pool, { jobId, number }: DeliveryKey): Promise<Redelivery | undefined> {
  const { rows } = await pool.query<Redelivery>(
    `UPDATE celeriac.job j SET delivery = j.delivery + 1, dispatched_at = NULL
     WHERE j.id = $1 AND j.delivery = $2 AND ${waiting}
     RETURNING ${redelivery}`,
    [jobId, number],
  )
  return rows[0]
}

/**
 * An attempt that never began costs nothing; one that was aborted is remembered. Neither counts as a failure.
 *
 * A row that waits under its number, with no worker named, is one whose claim a crash of the store took back. Its
 * delivery has been answered, so it needs a new one as well.
 */
export async function giveBack(
  pool: Pool,
  keys: readonly DeliveryKey[],
  workerId: string,
  reason: 'unstarted' | 'returned',
): Promise<Redelivery[]> {
  const { rows } = await pool.query<Redelivery & { state: string }>(
    reason === 'returned' ? giveBackReturnedSql : giveBackUnstartedSql,
    [keys.map((key) => key.jobId), keys.map((key) => key.number), workerId],
  )
  return rows.filter((row) => row.state === 'queued')
}

const started = `CASE j.state WHEN 'running' THEN j.attempt ELSE j.attempt + 1 END`
const giveBackReturnedSql = giveBackSql(
  `attempt = ${started}, attempts = ${appendAttempt("'returned'", 'NULL', '$3::uuid', started)}`,
)
/** The lease thread runs it as well, over its own connection. */
export const giveBackUnstartedSql = giveBackSql(
  `attempt = CASE j.state WHEN 'running' THEN j.attempt - 1 ELSE j.attempt END, started_at = NULL`,
)

/** Rows are locked in the order of their ids, as everywhere. */
function giveBackSql(counted: string): string {
  const cancelled = 'j.cancel_requested_at IS NOT NULL'
  return `
WITH held AS (
  SELECT j.id FROM celeriac.job j JOIN unnest($1::uuid[], $2::int[]) AS d(id, number)
    ON j.id = d.id AND j.delivery = d.number
  WHERE (j.state = 'running' AND j.worker_id = $3::uuid) OR (${waiting} AND j.worker_id IS NULL)
  ORDER BY j.id FOR UPDATE OF j)
UPDATE celeriac.job j SET
  state = (CASE WHEN ${cancelled} THEN 'cancelled' ELSE 'queued' END)::celeriac.job_state,
  finished_at = CASE WHEN ${cancelled} THEN now() END,
  dispatched_at = CASE WHEN ${cancelled} THEN coalesce(j.dispatched_at, now()) ELSE ${handedOverAnew} END,
  delivery = j.delivery + 1, worker_id = NULL, ${counted}
FROM held WHERE j.id = held.id
RETURNING j.state, ${redelivery}`
}

/** A failed, cancelled or expired job begins anew, with its history. */
const begin = (dispatchedAt: string) => `state = 'queued', delivery = j.delivery + 1, failures = 0, lost = 0,
  dispatched_at = ${dispatchedAt}, finished_at = NULL, expires_at = NULL, run_at = now(), worker_id = NULL,
  cancel_requested_at = NULL, cancelled_by = NULL, cancel_reason = NULL, error = NULL, progress = NULL,
  attempts = CASE WHEN j.state = 'failed' AND j.attempt > 0
    THEN ${appendAttempt(`CASE WHEN starts_with(j.error, '${lostErrorStart}') THEN 'lost' ELSE 'failed' END`, 'j.error', 'j.worker_id', 'j.attempt', 'j.finished_at')}
    ELSE j.attempts END`

export const begunAnew = begin(handedOverAnew)

export async function retry(pool: Pool, id: string): Promise<Redelivery | undefined> {
  const { rows } = await pool.query<Redelivery>(
    `UPDATE celeriac.job j SET ${begunAnew}
     WHERE j.id = $1 AND j.state IN ('failed', 'cancelled', 'expired')
     RETURNING ${redelivery}`,
    [id],
  )
  return rows[0]
}

/** What its task kept unique by the old payload is free. */
const retryWithSql = `
WITH begun AS (
  UPDATE celeriac.job j SET ${begin('CASE WHEN $4::text IS NULL THEN NULL ELSE now() END')},
    payload = $3, limit_key = $4::text
  WHERE j.id = $1 AND j.delivery = $2 AND j.state IN ('failed', 'cancelled', 'expired')
  RETURNING ${redelivery}, j.owner),
freed AS (
  DELETE FROM celeriac.unique_key u USING begun b
  WHERE u.task = b.task AND u.owner = coalesce(b.owner, '') AND u.key = $5::text AND u.job_id = b."jobId")
SELECT "jobId", number, task, queue, priority, "dueInMs", "isLimited" FROM begun`

export async function retryWith(
  pool: Pool,
  { jobId, number }: DeliveryKey,
  { text, limitKey, freedKey }: EditedPayload,
): Promise<Redelivery | undefined> {
  const { rows } = await pool.query<Redelivery>(retryWithSql, [jobId, number, text, limitKey, freedKey])
  return rows[0]
}

/** A job that waits for its time, or for its next attempt, waits no longer. */
export const dueNow = `state = 'queued', delivery = j.delivery + 1, dispatched_at = ${handedOverAnew}, run_at = now()`

export async function promote(pool: Pool, id: string): Promise<Redelivery | undefined> {
  const { rows } = await pool.query<Redelivery>(
    `UPDATE celeriac.job j SET ${dueNow}
     WHERE j.id = $1 AND j.state IN ('scheduled', 'retrying')
     RETURNING ${redelivery}`,
    [id],
  )
  return rows[0]
}

/** A waiting job ends at once, a running one is marked. `$2` says by whom, `$3` why. */
export const askedToStop = `
  state = CASE j.state WHEN 'running' THEN j.state ELSE 'cancelled' END,
  finished_at = CASE j.state WHEN 'running' THEN NULL ELSE now() END,
  dispatched_at = CASE j.state WHEN 'running' THEN j.dispatched_at ELSE coalesce(j.dispatched_at, now()) END,
  cancel_requested_at = coalesce(j.cancel_requested_at, now()),
  cancelled_by = coalesce(j.cancelled_by, $2), cancel_reason = coalesce(j.cancel_reason, $3)`

/** Tells the worker of a job that runs. */
export const tellWorker = `CASE WHEN state = 'running' THEN pg_notify('celeriac_cancel', id::text) END`

const cancelSql = `
WITH asked AS (
  UPDATE celeriac.job j SET ${askedToStop}
  WHERE j.id = $1 AND j.finished_at IS NULL
  RETURNING j.id, j.state)
SELECT state::text, ${tellWorker} FROM asked`

/** A waiting job ends at once; a running one is marked, and its worker is told. */
export async function cancel(
  pool: Pool,
  id: string,
  by: string | null,
  reason: string | null,
): Promise<CancelAnswer> {
  const { rows } = await pool.query<{ state: string }>(cancelSql, [id, toNote(by), toNote(reason)])
  if (rows[0]) return rows[0].state === 'running' ? 'cancelling' : 'cancelled'
  const known = await pool.query('SELECT 1 FROM celeriac.job WHERE id = $1', [id])
  return known.rowCount === 1 ? 'finished' : 'unknown'
}

const longestNote = 1000

export function toNote(text: string | null): string | null {
  return text === null || text === '' ? null : toPlainText(text.slice(0, longestNote))
}
