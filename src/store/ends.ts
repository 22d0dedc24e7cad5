import type { Pool } from 'pg'
import type { EndedJob } from '../job/facts.js'

/** Those that are still there. */
export async function endedJobs(pool: Pool, ids: readonly string[]): Promise<EndedJob[]> {
  const { rows } = await pool.query<EndedJob>(
    `SELECT id, delivery AS number, task, queue, state::text AS state, attempt, max_attempts AS "maxAttempts", owner,
       request_id AS "requestId", parent_id AS "parentId", worker_id AS "workerId", payload, error,
       cancelled_by AS "cancelledBy", cancel_reason AS "cancelReason"
     FROM celeriac.job WHERE id = ANY($1::uuid[]) AND finished_at IS NOT NULL`,
    [ids],
  )
  return rows
}
