import type { Pool } from 'pg'
import type { Values } from '../job/codec.js'
import type { Job } from '../job/job.js'
import type { Job as JobRow } from './generated/prisma/client.js'
import { toJob } from './rows.js'
import type { JobListing, ListedJobs, QueueCount } from './store.js'

/**
 * Lists and counts for people. None looks at more than {@link reach} rows of an index, so that a table of millions
 * costs a page no more than a small one; what lies beyond is found by its id.
 */
export const reach = 20_000
/** Bytes of one JSON value that a list carries. A page of a megabyte each would be read by nobody. */
export const largestListed = 8192

/** Range and order name the index's first column, or the planner would walk the primary key for the order alone. */
const openJobs = (queue: string) =>
  `FROM celeriac.job j WHERE j.queue BETWEEN ${queue} AND ${queue} AND j.finished_at IS NULL
   ORDER BY j.queue, j.id LIMIT ${reach}`

/** The predicate of the index `job_unsuccessful`, which names no column that `claim` changes, such as the state. */
const unsuccessfulJobs = (queue: string) =>
  `FROM celeriac.job j WHERE j.queue BETWEEN ${queue} AND ${queue} AND j.finished_at IS NOT NULL
     AND (j.error IS NOT NULL OR j.cancel_requested_at IS NOT NULL OR j.expires_at <= j.finished_at)
   ORDER BY j.queue DESC, j.finished_at DESC, j.id DESC LIMIT ${reach}`

/** Of all queues: those that have succeeded are by far the most, and an index for them would cost every job. */
const latestEnds = `FROM celeriac.job j WHERE j.finished_at IS NOT NULL
   ORDER BY j.finished_at DESC, j.id DESC LIMIT ${reach}`

const unsuccessful = `state IN ('failed', 'cancelled', 'expired')`

/** Where the jobs of a list are, and in which order they are read. */
const sources: Readonly<Record<ListedJobs, { readonly from: string; readonly states: string }>> = {
  running: { from: openJobs('$1'), states: `state = 'running'` },
  queued: { from: openJobs('$1'), states: `state = 'queued'` },
  delayed: { from: openJobs('$1'), states: `state IN ('scheduled', 'retrying')` },
  succeeded: { from: latestEnds, states: `state = 'succeeded' AND queue = $1` },
  unsuccessful: { from: unsuccessfulJobs('$1'), states: unsuccessful },
  failed: { from: unsuccessfulJobs('$1'), states: `state = 'failed'` },
}

/** A JSON value, or how large it is. @param most bytes */
export const shortValue = (
  column: string,
  most = largestListed,
) => `CASE WHEN octet_length(${column}) > ${most}
  THEN to_json('(' || octet_length(${column}) || ' bytes: shown on the page of the job)')::text ELSE ${column} END`

/** The columns of a job by the names that the rest of the code knows. @param value of a JSON value that may be large */
export const jobColumns = (
  value: (column: string) => string,
) => `id, task, queue, state, ${value('payload')} AS payload,
  options, ${value('result')} AS result,
  result_error AS "resultError", error, ${value('progress')} AS progress, priority, attempt,
  max_attempts AS "maxAttempts", failures, lost, delivery, worker_id AS "workerId", owner, tags,
  idempotency_key AS "idempotencyKey", parent_id AS "parentId", request_id AS "requestId", traceparent,
  context, limit_key AS "limitKey",
  run_at AS "runAt", expires_at AS "expiresAt", created_at AS "createdAt", dispatched_at AS "dispatchedAt",
  started_at AS "startedAt", finished_at AS "finishedAt", cancel_requested_at AS "cancelRequestedAt",
  cancelled_by AS "cancelledBy", cancel_reason AS "cancelReason", attempts`

export async function listJobs(pool: Pool, listing: JobListing, values?: Values): Promise<Job[]> {
  const { rows } = await pool.query<JobRow>(listStatement(listing))
  return rows.map((row) => toJob(row, values))
}

export function listStatement({ queue, jobs, limit, offset }: JobListing) {
  const { from, states } = sources[jobs]
  return {
    text: `SELECT ${jobColumns(shortValue)} FROM (SELECT j.* ${from}) AS near WHERE ${states} LIMIT $2 OFFSET $3`,
    values: [queue, limit, offset],
  }
}

export async function countJobs(pool: Pool, queues: readonly string[]): Promise<QueueCount[]> {
  const { rows } = await pool.query<QueueCount>(countSql, [queues])
  return rows
}

const countSql = `
WITH asked AS (SELECT unnest($1::text[]) AS queue)
SELECT asked.queue, near.state::text, count(*)::int AS count
FROM asked, LATERAL (SELECT j.state ${openJobs('asked.queue')}) AS near GROUP BY 1, 2
UNION ALL
SELECT asked.queue, near.state::text, count(*)::int
FROM asked, LATERAL (SELECT j.state ${unsuccessfulJobs('asked.queue')}) AS near WHERE near.${unsuccessful} GROUP BY 1, 2
UNION ALL
SELECT near.queue, 'succeeded', count(*)::int
FROM (SELECT j.queue, j.state ${latestEnds}) AS near
WHERE near.state = 'succeeded' AND near.queue = ANY($1::text[]) GROUP BY 1, 2`

/** Queues that hold jobs within reach, and those that workers have served in the last days. */
export async function knownQueues(pool: Pool): Promise<string[]> {
  const { rows } = await pool.query<{ queue: string }>(queuesSql)
  return rows.map((row) => row.queue)
}

/** From one queue to the next, an index entry each. */
export const hop = (name: string, predicate: string) => `
${name} AS (
  (SELECT j.queue FROM celeriac.job j WHERE ${predicate} ORDER BY j.queue LIMIT 1)
  UNION ALL
  SELECT (SELECT j.queue FROM celeriac.job j WHERE ${predicate} AND j.queue > ${name}.queue ORDER BY j.queue LIMIT 1)
  FROM ${name} WHERE ${name}.queue IS NOT NULL)`

const queuesSql = `
WITH RECURSIVE ${hop('open', 'j.finished_at IS NULL')}, ${hop(
  'ended',
  `j.finished_at IS NOT NULL
   AND (j.error IS NOT NULL OR j.cancel_requested_at IS NOT NULL OR j.expires_at <= j.finished_at)`,
)}
SELECT queue FROM open WHERE queue IS NOT NULL
UNION SELECT queue FROM ended WHERE queue IS NOT NULL
UNION SELECT queue FROM (SELECT j.queue ${latestEnds}) AS near
UNION SELECT unnest(queues) FROM celeriac.worker WHERE seen_at > now() - interval '7 days'`
