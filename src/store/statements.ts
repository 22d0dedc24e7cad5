import type { DeliveryKey, NewJob, Settlement } from './store.js'

/**
 * The statements of the hot path, in SQL of their own: each carries a whole batch, as one prepared statement with the
 * same text every time. All else goes through Prisma.
 */
export interface Statement {
  readonly name: string
  readonly text: string
  readonly values: readonly unknown[]
}

/** Settings of the connections that run them: the plan never depends on how full the table is. */
export const hotSettings =
  '-c plan_cache_mode=force_generic_plan -c enable_seqscan=off -c enable_hashjoin=off -c enable_mergejoin=off -c TimeZone=UTC'

/** A claim that a crash of the store takes back is only run again, so it need not wait for the disk. */
export const claimSettings = `${hotSettings} -c synchronous_commit=off`

/**
 * Rows that conflict, by id or by idempotency key, are left as they are. The answer is one line for all: how many were
 * written, and when, so that a batch without a conflict costs no parsing.
 *
 * One line in the outbox speaks for all rows, by the range of their ids, until the broker has them.
 */
export function insertStatement(jobs: readonly NewJob[], { first, last }: IdRange): Statement {
  return { name: 'celeriac_insert', text: insertSql, values: [toInserts(jobs), first, last] }
}

/** The same inside a transaction of somebody else's: nothing is written where the database is another. */
export function insertInTransaction(
  jobs: readonly NewJob[],
  { first, last }: IdRange,
  installation: string,
  channel: string,
): Statement {
  return {
    name: 'celeriac_insert_tx',
    text: insertInTransactionSql,
    values: [toInserts(jobs), first, last, installation, channel],
  }
}

export interface IdRange {
  readonly first: string
  readonly last: string
}

export interface InsertAnswer {
  readonly written: number
  /** The database's time, in milliseconds. */
  readonly now: number
}

export interface TransactionAnswer extends InsertAnswer {
  /** Whether the database is the store's. */
  readonly same: boolean
}

/** Handed over at once is what falls due soon; a second less than what the dispatcher takes, for rounding. */
const handedOver = `interval '59 seconds'`

/** @param where what must hold for any row to be written */
const writing = (where: string) => `
clock AS (SELECT statement_timestamp()::timestamptz(3) AS now),
asked AS (
  SELECT r.*, greatest(c.now, r.at, c.now + r.d * interval '1 millisecond') AS run_at, c.now
  FROM clock c, json_to_recordset($1::json) AS r(i uuid, t text, q text, p text, o text, pr int, m int, ow text,
    tg json, k text, pa uuid, rq text, tp text, cx text, lk text, d float8, at timestamptz, x float8) WHERE ${where}),
written AS (
  INSERT INTO celeriac.job (id, task, queue, state, payload, options, priority, max_attempts, owner, tags,
    idempotency_key, parent_id, request_id, traceparent, context, limit_key, created_at, run_at, expires_at, dispatched_at)
  SELECT r.i, r.t, r.q, (CASE WHEN r.run_at > r.now THEN 'scheduled' ELSE 'queued' END)::celeriac.job_state,
    r.p, r.o, coalesce(r.pr, 0), coalesce(r.m, 1), r.ow,
    CASE WHEN r.tg IS NULL THEN '{}'::text[] ELSE ARRAY(SELECT json_array_elements_text(r.tg)) END,
    r.k, r.pa, r.rq, r.tp, r.cx, r.lk, r.now, r.run_at, r.now + r.x * interval '1 millisecond',
    CASE WHEN r.run_at < r.now + ${handedOver} THEN r.now END
  FROM asked r
  ON CONFLICT DO NOTHING
  RETURNING 1),
counted AS (SELECT count(*)::int AS written FROM written),
batch AS (
  INSERT INTO celeriac.outbox (first, last) SELECT $2::uuid, $3::uuid FROM counted WHERE written > 0
  ON CONFLICT DO NOTHING)`

const insertSql = `
WITH ${writing('true')}
SELECT written, (extract(epoch FROM now) * 1000)::float8 AS now FROM counted, clock`

const insertInTransactionSql = `
WITH here AS (SELECT id = $4::uuid AS same FROM celeriac.installation),
${writing('(SELECT same FROM here)')}
SELECT written, (extract(epoch FROM now) * 1000)::float8 AS now, coalesce((SELECT same FROM here), false) AS same,
  CASE WHEN written > 0 THEN pg_notify($5::text, $2::text)::text END AS told FROM counted, clock`

function toInserts(jobs: readonly NewJob[]): string {
  return JSON.stringify(jobs.map(toInsert))
}

/** Short names, and nothing that the row has by default: each row is written and read as JSON once. */
export function toInsert(job: NewJob) {
  return {
    i: job.id,
    t: job.task,
    q: job.queue,
    p: job.payload,
    o: job.options ?? undefined,
    pr: job.priority || undefined,
    m: job.maxAttempts === 1 ? undefined : job.maxAttempts,
    ow: job.owner ?? undefined,
    tg: job.tags.length === 0 ? undefined : job.tags,
    k: job.idempotencyKey ?? undefined,
    pa: job.parentId ?? undefined,
    rq: job.requestId ?? undefined,
    tp: job.traceparent ?? undefined,
    cx: job.context ?? undefined,
    lk: job.limitKey ?? undefined,
    d: job.delayMs ?? undefined,
    at: job.runAt ?? undefined,
    x: job.expiresInMs ?? undefined,
  }
}

/** The rows that an insert found in its way. */
export function existingStatement(jobs: readonly NewJob[]): Statement {
  return {
    name: 'celeriac_existing',
    text: existingSql,
    values: [
      JSON.stringify(
        jobs.map(({ id, task, owner, idempotencyKey }) => ({ id, task, owner, idempotencyKey })),
      ),
    ],
  }
}

const existingSql = `
SELECT r.id AS "askedId", j.id, j.state::text AS state, j.payload, j.created_at AS "createdAt",
  greatest(0, extract(epoch FROM j.run_at - now()) * 1000)::float8 AS "dueInMs"
FROM json_to_recordset($1::json) AS r(id uuid, task text, owner text, "idempotencyKey" text)
JOIN celeriac.job j ON j.id = r.id
  OR (r."idempotencyKey" IS NOT NULL AND j.idempotency_key = r."idempotencyKey"
      AND j.task = r.task AND coalesce(j.owner, '') = coalesce(r.owner, ''))`

/**
 * Only the delivery with the row's own number may claim it; the plain ones first, in id order against deadlocks.
 *
 * It must not repeat that the job has not ended, which its state says: that would offer the planner the indexes of
 * open jobs, and on a table that was last analysed when none was open it walks through all of them for every key.
 */
export function claimStatement(keys: readonly DeliveryKey[], workerId: string): Statement {
  return { name: 'celeriac_claim', text: claimSql, values: [idArray(keys), numberArray(keys), workerId] }
}

/** What a worker gets of a job that it has taken. */
export const claimed = `j.id, j.delivery AS number, j.task, j.queue, j.payload, j.options, j.attempt,
  j.max_attempts AS "maxAttempts", j.failures, j.lost, j.owner, j.request_id AS "requestId", j.traceparent,
  j.context, j.parent_id AS "parentId", j.limit_key AS "limitKey",
  j.cancel_requested_at IS NOT NULL AS "cancelRequested"`

/** Of jobs with limits, the admission decides. */
const claimSql = `
UPDATE celeriac.job AS j
SET state = 'running', worker_id = $3::uuid, attempt = j.attempt + 1, started_at = now()
FROM unnest($1::uuid[], $2::int[]) AS d(id, number)
WHERE j.id = d.id AND j.delivery = d.number
  AND (j.state = 'queued' OR (j.state IN ('scheduled', 'retrying') AND j.run_at <= now() + interval '1 second'))
  AND (j.expires_at IS NULL OR j.expires_at > now()) AND j.limit_key IS NULL
RETURNING ${claimed}`

export type Success = Extract<Settlement, { state: 'succeeded' }>
export type OtherEnd = Exclude<Settlement, Success>

/**
 * The fence: number and worker must match a running row. A row that is still waiting under its number, with no worker
 * named, is one whose asynchronous claim a crash of the store took back; its end counts too.
 */
const held = `
  AND ((j.state = 'running' AND j.worker_id = $2::uuid)
    OR (j.state IN ('queued', 'scheduled', 'retrying') AND j.worker_id IS NULL))`

export function succeedStatement(ends: readonly Success[], workerId: string): Statement {
  const rows = ends.map(({ jobId, number, attempt, result, resultError, payload }) => ({
    i: jobId,
    n: number,
    a: attempt,
    r: result ?? undefined,
    e: resultError ?? undefined,
    p: payload,
  }))
  return { name: 'celeriac_succeed', text: succeedSql, values: [JSON.stringify(rows), workerId] }
}

const succeedSql = `
UPDATE celeriac.job AS j
SET state = 'succeeded', worker_id = $2::uuid, attempt = greatest(j.attempt, e.a), result = e.r, result_error = e.e,
  error = NULL, payload = coalesce(e.p, j.payload), finished_at = now(), started_at = coalesce(j.started_at, now()),
  dispatched_at = coalesce(j.dispatched_at, now())
FROM json_to_recordset($1::json) AS e(i uuid, n int, a int, r text, e text, p text)
WHERE j.id = e.i AND j.delivery = e.n ${held}
RETURNING j.id`

/** Ends that take the row along. What is still waiting, or has been given to another worker, stays. */
export function dropStatement(ends: readonly Settlement[], workerId: string): Statement {
  const states = ends.map(({ state }) => state)
  return {
    name: 'celeriac_drop',
    text: dropSql,
    values: [idArray(ends), workerId, numberArray(ends), states],
  }
}

/** The trigger that counts sees rows go, and not how they ended. */
const dropSql = `
WITH gone AS (
  DELETE FROM celeriac.job AS j USING unnest($1::uuid[], $3::int[], $4::text[]) AS e(id, number, state)
  WHERE j.id = e.id AND j.delivery = e.number ${held}
  RETURNING j.id, j.task, j.queue, e.state, j.created_at, j.started_at),
counted AS (
  INSERT INTO celeriac.stat_delta (task, queue, was, "is", how, jobs, took, total)
  SELECT task, queue, '', state, 'dropped', count(*), array_agg((1000 * date_part('epoch', now() - started_at))::real)
      FILTER (WHERE started_at IS NOT NULL),
    array_agg((1000 * date_part('epoch', now() - created_at))::real) FILTER (WHERE state <> 'cancelled')
  FROM gone GROUP BY task, queue, state),
lines AS (DELETE FROM celeriac.job_log l USING gone WHERE l.job_id = gone.id)
SELECT id FROM gone`

export function endStatement(ends: readonly OtherEnd[], workerId: string): Statement {
  return {
    name: 'celeriac_end',
    text: endSql,
    values: [
      JSON.stringify(
        ends.map((end) => ({
          id: end.jobId,
          number: end.number,
          attempt: end.attempt,
          state: end.state === 'snoozed' ? 'retrying' : end.state,
          error: errorText(end),
          note: end.state === 'snoozed' ? snoozeText(end.reason) : errorText(end),
          outcome: end.state === 'snoozed' ? 'snoozed' : 'failed',
          failed: end.state === 'failed' || end.state === 'retrying' ? 1 : 0,
          retryInMs: 'retryInMs' in end ? end.retryInMs : null,
        })),
      ),
      workerId,
    ],
  }
}

function errorText(end: OtherEnd): string | null {
  return end.state === 'snoozed' || end.error === null ? null : JSON.stringify(end.error)
}

function snoozeText(reason: string | null): string | null {
  return reason === null ? null : JSON.stringify({ name: 'Snooze', code: 'SNOOZE', message: reason })
}

/** A job that was asked to stop is not tried again. */
const retries = `e.state = 'retrying' AND j.cancel_requested_at IS NULL`

/** A job may be snoozed without end. The list of its attempts, which each write carries along, may not grow so. */
const longestSnoozes = 100_000
const isNoted = `(e.outcome <> 'snoozed' OR length(j.attempts) < ${longestSnoozes})`

const endSql = `
UPDATE celeriac.job AS j
SET state = (CASE WHEN ${retries} OR e.state <> 'retrying' THEN e.state ELSE 'cancelled' END)::celeriac.job_state,
  attempt = greatest(j.attempt, e.attempt), failures = j.failures + e.failed,
  error = coalesce(e.error, j.error),
  finished_at = CASE WHEN ${retries} THEN NULL ELSE now() END,
  dispatched_at = CASE WHEN ${retries} THEN NULL ELSE coalesce(j.dispatched_at, now()) END,
  worker_id = CASE WHEN ${retries} THEN NULL ELSE $2::uuid END,
  run_at = CASE WHEN ${retries} THEN now() + e."retryInMs" * interval '1 millisecond' ELSE j.run_at END,
  delivery = CASE WHEN ${retries} THEN j.delivery + 1 ELSE j.delivery END,
  attempts = CASE WHEN ${retries} AND ${isNoted} THEN ${appendAttempt('e.outcome', 'e.note', '$2::uuid', 'greatest(j.attempt, e.attempt)')} ELSE j.attempts END
FROM json_to_recordset($1::json) AS e(id uuid, number int, attempt int, state text, error text, note text,
  outcome text, failed int, "retryInMs" float8)
WHERE j.id = e.id AND j.delivery = e.number ${held}
RETURNING j.id, j.state, j.delivery AS number, j.task, j.queue, j.priority,
  (extract(epoch FROM j.run_at - now()) * 1000)::float8 AS "dueInMs"`

/**
 * SQL that adds the attempt that is over to the row's list of past ones. The error is JSON text, which only the type
 * `json` carries as it is: functions that look inside refuse `\\u0000`.
 */
export function appendAttempt(
  outcome: string,
  error: string,
  worker = 'j.worker_id',
  number = 'j.attempt',
  finishedAt = 'now()',
): string {
  return `left(j.attempts, -1) || CASE j.attempts WHEN '[]' THEN '' ELSE ',' END || json_build_object(
    'number', ${number}, 'worker', ${worker}, 'startedAt', j.started_at, 'finishedAt', ${finishedAt},
    'outcome', ${outcome}, 'error', (${error})::json)::text || ']'`
}

/** The same in a transaction of the app's own, and only in the store's database. */
export function succeedInTransaction(end: Success, workerId: string, installation: string): Statement {
  const { text, values } = succeedStatement([end], workerId)
  const here = `AND (SELECT id FROM celeriac.installation) = $3::uuid\nRETURNING j.id`
  return {
    name: 'celeriac_succeed_tx',
    text: text.replace('RETURNING j.id', here),
    values: [...values, installation],
  }
}

export function markDispatchedStatement(keys: readonly DeliveryKey[]): Statement {
  return {
    name: 'celeriac_dispatched',
    text: `
UPDATE celeriac.job AS j SET dispatched_at = now()
FROM unnest($1::uuid[], $2::int[]) AS d(id, number)
WHERE j.id = d.id AND j.delivery = d.number AND j.state IN ('queued', 'scheduled', 'retrying')`,
    values: [idArray(keys), numberArray(keys)],
  }
}

function idArray(keys: readonly DeliveryKey[]): string {
  return `{${keys.map((key) => key.jobId).join(',')}}`
}

function numberArray(keys: readonly DeliveryKey[]): string {
  return `{${keys.map((key) => key.number).join(',')}}`
}
