import type { Pool } from 'pg'
import type { StoredError } from '../job/job.js'
import type {
  ChangeClock,
  ChangedAttempt,
  ChangedCommand,
  ChangedJob,
  ChangedWorker,
  ChangeStore,
} from './change-store.js'
import { hop } from './lists.js'

/** Jobs at the head of each queue that are looked at: there is what runs. */
const headReach = 200
/** More queues than this are not looked into; their jobs are seen when they end. */
const mostQueues = 200
/** Bytes of a list of past attempts that is sent as a whole. Of a longer one the last are enough. */
const longestAttempts = 16_000
const lastAttempts = 10

const columns = `j.id, j.task, j.queue, j.state, j.attempt, j.worker_id AS "workerId", j.created_at AS "createdAt",
  j.run_at AS "runAt", j.started_at AS "startedAt", j.finished_at AS "finishedAt",
  j.cancel_requested_at AS "cancelRequestedAt", j.cancelled_by AS "cancelledBy", j.cancel_reason AS "cancelReason",
  j.error, CASE WHEN length(j.attempts) <= ${longestAttempts} THEN j.attempts ELSE (
    SELECT json_agg(a.value ORDER BY a.at)::text FROM (
      SELECT value, at FROM json_array_elements(j.attempts::json) WITH ORDINALITY AS e(value, at)
      ORDER BY at DESC LIMIT ${lastAttempts}) AS a) END AS attempts`

/** A transaction writes the time of its own start, so one that is open may yet write an end of that time. */
const clockSql = `
SELECT now(), least(now(), min(a.xact_start)) AS oldest FROM pg_stat_activity a
WHERE a.datname = current_database() AND a.pid <> pg_backend_pid() AND a.backend_type = 'client backend'`

export const endedSql = `
SELECT ${columns} FROM celeriac.job j
WHERE j.finished_at IS NOT NULL AND j.finished_at >= $1::timestamptz
  AND ($2::timestamptz IS NULL OR (j.finished_at, j.id) > ($2::timestamptz, $3::uuid))
ORDER BY j.finished_at, j.id LIMIT $4`

export const openedSql = `
SELECT ${columns} FROM celeriac.job j
WHERE j.id > $1::uuid AND j.finished_at IS NULL ORDER BY j.id LIMIT $2`

const hasMoved = `j.attempt > 0 AND (j.started_at >= $1::timestamptz OR j.attempts <> '[]')`

export const movedSql = `
WITH RECURSIVE ${hop('open', 'j.finished_at IS NULL')}
SELECT ${columns} FROM (SELECT queue FROM open WHERE queue IS NOT NULL LIMIT ${mostQueues}) AS open, LATERAL (
  SELECT * FROM celeriac.job j WHERE j.queue BETWEEN open.queue AND open.queue AND j.finished_at IS NULL
  ORDER BY j.queue, j.id LIMIT ${headReach}) AS j WHERE ${hasMoved}
UNION ALL
SELECT ${columns} FROM celeriac.job j WHERE j.id = ANY($2::uuid[]) AND j.finished_at IS NULL AND ${hasMoved}`

const workersSql = `
SELECT id, name, queues, concurrency, started_at AS "startedAt", stopped_at AS "stoppedAt", lost_at AS "lostAt"
FROM celeriac.worker WHERE greatest(started_at, stopped_at, lost_at) >= $1 ORDER BY started_at`

export const commandsSql = `
SELECT id, verb, args, cardinality(workers) AS workers, asked_by AS "askedBy", asked_from AS "askedFrom",
  asked_at AS "askedAt" FROM celeriac.command WHERE asked_at >= $1 ORDER BY asked_at, id LIMIT $2`

/** @param guard turns what the driver throws into our errors, within the deadline */
export function createChanges(pool: Pool, guard: <T>(ask: () => Promise<T>) => Promise<T>): ChangeStore {
  const query = <Row extends object>(text: string, values: readonly unknown[] = []) =>
    guard(async () => (await pool.query<Row>(text, [...values])).rows)
  const jobs = async (text: string, values: readonly unknown[]) =>
    (await query<ChangedRow>(text, values)).map(toChanged)

  return {
    async changeClock() {
      const [clock] = await query<ChangeClock>(clockSql)
      return clock as ChangeClock
    },
    endedSince: (since, after, limit) =>
      jobs(endedSql, [since, after?.finishedAt ?? null, after?.id ?? null, limit]),
    openedSince: (since, after, limit) => jobs(openedSql, [after ?? firstIdOf(since), limit]),
    movedSince: (since, ids) => jobs(movedSql, [since, [...ids]]),
    workersSince: (since) => query<ChangedWorker>(workersSql, [since]),
    commandsSince: (since, limit) => query<ChangedCommand>(commandsSql, [since, limit]),
  }
}

/** The smallest id that is made at that time: a UUID of version 7 begins with its milliseconds. */
export function firstIdOf(time: Date): string {
  const hex = Math.max(0, time.getTime()).toString(16).padStart(12, '0')
  return `${hex.slice(0, 8)}-${hex.slice(8)}-7000-8000-000000000000`
}

/** As the database gives it. */
export type ChangedRow = Omit<ChangedJob, 'error' | 'attempts'> & {
  readonly error: string | null
  readonly attempts: string
}

export function toChanged({ error, attempts, ...row }: ChangedRow): ChangedJob {
  return {
    ...row,
    error: shortError(fromText(error)),
    attempts: (JSON.parse(attempts) as PastRow[]).map(toPast),
  }
}

type PastRow = Omit<ChangedAttempt, 'startedAt' | 'finishedAt' | 'error'> & {
  readonly startedAt: string | null
  readonly finishedAt: string
  readonly error: StoredError | null
}

function toPast({ number, worker, startedAt, finishedAt, outcome, error }: PastRow): ChangedAttempt {
  return {
    ...{ number, worker, outcome },
    startedAt: startedAt === null ? null : new Date(startedAt),
    finishedAt: new Date(finishedAt),
    error: shortError(error),
  }
}

function fromText(json: string | null): StoredError | null {
  return json === null ? null : (JSON.parse(json) as StoredError)
}

function shortError(error: StoredError | null): ChangedJob['error'] {
  return error && { name: error.name, message: error.message }
}
