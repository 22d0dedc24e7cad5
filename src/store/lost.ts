import type { Pool } from 'pg'
import type { LostWorker } from '../job/job.js'
import { toLostError } from '../job/lost.js'
import { handedOverAnew, redelivery } from './repairs.js'
import { appendAttempt } from './statements.js'
import type { LostWork, Redelivery } from './store.js'

/** Workers that are no more, and may have left jobs behind. */
export const isGone = 'NOT freed AND (lost_at IS NOT NULL OR stopped_at IS NOT NULL)'

/**
 * One maintenance round over all live workers: each has missed one more; the lost are marked, and the jobs of workers
 * that are no more go back to their queues, or fail when they took down too many workers.
 */
export async function reapLostWorkers(pool: Pool, maxLost: number): Promise<LostWork> {
  const { rows: counted } = await pool.query<{ silent: string[]; gone: boolean }>(countMissedSql)
  const { silent = [], gone = false } = counted[0] ?? {}
  const workers = silent.length === 0 ? [] : await markLost(pool, silent)
  if (!gone && workers.length === 0) return { workers, redeliveries: [], failed: [], cancelled: [] }
  const given = await giveUp(pool, maxLost)
  const { rows } = await pool.query<Redelivery & { state: string }>(freeJobsSql, [
    maxLost,
    JSON.stringify(given),
    given.length < givenUpAtOnce,
  ])
  return {
    workers,
    redeliveries: rows.filter((row) => row.state === 'queued'),
    failed: rows.filter((row) => row.state === 'failed').map((row) => row.jobId),
    cancelled: rows.filter((row) => row.state === 'cancelled').map((row) => row.jobId),
  }
}

async function markLost(pool: Pool, silent: readonly string[]): Promise<{ id: string; name: string }[]> {
  return (await pool.query<{ id: string; name: string }>(markLostSql, [silent])).rows
}

/**
 * Gone is who is past its limit, and who missed two rounds while nobody holds its session lock: its process is dead.
 * That tells nothing until it has renewed once since the server's start, which ended all sessions.
 */
const countMissedSql = `
WITH live AS (
  UPDATE celeriac.worker SET missed = missed + 1 WHERE stopped_at IS NULL AND lost_at IS NULL
  RETURNING id, missed, missed_limit, lock_key, seen_at)
SELECT ARRAY(SELECT id FROM live WHERE missed >= missed_limit
    OR (missed >= 2 AND seen_at >= pg_postmaster_start_time() AND pg_try_advisory_xact_lock(lock_key))) AS silent,
  EXISTS (SELECT 1 FROM celeriac.worker WHERE ${isGone}) AS gone`

/** Not one that has renewed at this moment. */
const markLostSql = `
UPDATE celeriac.worker SET lost_at = now()
WHERE id = ANY($1::uuid[]) AND lost_at IS NULL AND stopped_at IS NULL AND missed >= 2
RETURNING id, name`

const isStranded = `j.state = 'running' AND j.finished_at IS NULL AND NOT EXISTS (
  SELECT 1 FROM celeriac.worker w WHERE w.id = j.worker_id AND w.lost_at IS NULL AND w.stopped_at IS NULL)`
const isCancelled = 'j.cancel_requested_at IS NOT NULL'
const isTooOften = 'j.lost + 1 >= $1::int'

interface Stranded {
  readonly id: string
  readonly number: number
  readonly lost: number
  readonly workerId: string
  readonly attempts: string
}

interface Judged {
  readonly id: string
  readonly number: number
  /** What it fails with. `null`: it goes back to its queue. */
  readonly error: string | null
}

/** More wait for the next round. */
const givenUpAtOnce = 500

/**
 * The errors of those that fail now. Their history is read here: JSON functions of PostgreSQL refuse `\u0000`.
 *
 * A worker runs one job on its last chance at a time. Whatever else of that kind it had claimed had not begun, and was on
 * its way back to its queue.
 */
async function giveUp(pool: Pool, maxLost: number): Promise<Judged[]> {
  const { rows: jobs } = await pool.query<Stranded>(
    `SELECT j.id, j.delivery AS number, j.lost, j.worker_id AS "workerId", j.attempts FROM celeriac.job j
     WHERE ${isStranded} AND ${isTooOften} AND NOT ${isCancelled}
     ORDER BY j.started_at, j.id LIMIT ${givenUpAtOnce}`,
    [maxLost],
  )
  if (jobs.length === 0) return []
  const takenDown = new Map(jobs.map((job) => [job.id, workersOf(job)]))
  const { rows: known } = await pool.query<LostWorker>(
    'SELECT id, name, host, pid FROM celeriac.worker WHERE id = ANY($1::uuid[])',
    [[...new Set([...takenDown.values()].flat())]],
  )
  const byId = new Map(known.map((worker) => [worker.id, worker]))
  const toBlame = new Map(jobs.toReversed().map((job) => [job.workerId, job.id]))
  return jobs.map(({ id, number, workerId }) => {
    if (toBlame.get(workerId) !== id) return { id, number, error: null }
    const workers = takenDown.get(id)?.map((workerId) => byId.get(workerId) ?? forgotten(workerId)) ?? []
    return { id, number, error: JSON.stringify(toLostError(workers)) }
  })
}

/** Those of the last losses in the list, for a retry by hand begins to count anew; then the last one. */
function workersOf({ lost, workerId, attempts }: Stranded): string[] {
  const past = JSON.parse(attempts) as readonly { readonly outcome: string; readonly worker: string | null }[]
  const before = past.flatMap(({ outcome, worker }) => (outcome === 'lost' && worker ? [worker] : []))
  return [...(lost === 0 ? [] : before.slice(-lost)), workerId]
}

/** Its row has been deleted. */
function forgotten(id: string): LostWorker {
  return { id, name: `worker ${id}`, host: 'unknown', pid: 0 }
}

const lostAttempt = `json_build_object('name', 'WorkerLostError', 'code', 'WORKER_LOST', 'message',
  'The worker that ran this attempt died or went silent.')`
const ends = `(${isCancelled} OR s.error IS NOT NULL)`
const isSpared = `(${isTooOften} AND s.error IS NULL AND NOT ${isCancelled})`

/**
 * For a minute they are looked for again and again: a claim may have been on its way when its worker was taken for lost,
 * or said goodbye.
 *
 * The last attempt of a job that ends stands in the row's own columns, and so not in the list. */
const freeJobsSql = `
WITH freed AS (
  UPDATE celeriac.worker SET freed = true
  WHERE $3 AND NOT freed AND coalesce(lost_at, stopped_at) < now() - interval '1 minute'),
stranded AS (
  SELECT j.id, g.error FROM celeriac.job j
  LEFT JOIN json_to_recordset($2::json) AS g(id uuid, number int, error text)
    ON g.id = j.id AND g.number = j.delivery
  WHERE ${isStranded} AND (${isCancelled} OR NOT ${isTooOften} OR g.id IS NOT NULL)
  ORDER BY j.id FOR UPDATE OF j)
UPDATE celeriac.job j SET
  state = (CASE WHEN ${isCancelled} THEN 'cancelled' WHEN s.error IS NOT NULL THEN 'failed'
    ELSE 'queued' END)::celeriac.job_state,
  lost = CASE WHEN ${isSpared} THEN j.lost ELSE j.lost + 1 END,
  attempt = CASE WHEN ${isSpared} THEN j.attempt - 1 ELSE j.attempt END,
  attempts = CASE WHEN ${ends} OR ${isSpared} THEN j.attempts ELSE ${appendAttempt("'lost'", lostAttempt)} END,
  error = CASE WHEN ${isCancelled} THEN j.error ELSE coalesce(s.error, j.error) END,
  finished_at = CASE WHEN ${ends} THEN now() END,
  dispatched_at = CASE WHEN ${ends} THEN coalesce(j.dispatched_at, now()) ELSE ${handedOverAnew} END,
  delivery = j.delivery + 1,
  worker_id = CASE WHEN ${ends} THEN j.worker_id END
FROM stranded s WHERE j.id = s.id
RETURNING j.state, ${redelivery}`
