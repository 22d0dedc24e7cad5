import type { Pool } from 'pg'
import { redelivery, waiting } from './repairs.js'
import type { Cursor, Redelivery, Scan, Scanned, Walk, WalkName } from './store.js'

/** Walks through the open jobs in the order of their index, to send again what the broker may have lost. */
export async function scanWaiting(pool: Pool, { after, within, since, limit }: Scan): Promise<Scanned> {
  const { rows } = await pool.query<Row>(scanSql, [after.queue, after.jobId, within ?? null, since, limit])
  const last = rows.at(-1)
  return {
    deliveries: rows.flatMap(({ delivery }) => delivery ?? []),
    next: last && rows.length === limit ? { queue: last.queue, jobId: last.jobId } : undefined,
  }
}

interface Row extends Cursor {
  readonly delivery: Redelivery | null
}

const scanSql = `
SELECT j.queue, j.id AS "jobId", CASE WHEN ${waiting} AND j.run_at < now() + interval '60 seconds'
    AND j.dispatched_at >= coalesce(to_timestamp($4::float8 / 1000), '-infinity')
  THEN (SELECT row_to_json(d) FROM (SELECT ${redelivery}) AS d) END AS delivery
FROM (SELECT * FROM celeriac.job WHERE (queue, id) > ($1::text, $2::uuid) AND finished_at IS NULL
  AND ($3::text IS NULL OR queue <= $3::text) ORDER BY queue, id LIMIT $5) AS j
ORDER BY j.queue, j.id`

export async function saveWalk(pool: Pool, { name, since, cursor }: Walk): Promise<void> {
  await pool.query(
    `INSERT INTO celeriac.walk (name, since, queue, job_id) VALUES ($1, to_timestamp($2::float8 / 1000), $3, $4)
     ON CONFLICT (name) DO UPDATE SET since = excluded.since, queue = excluded.queue, job_id = excluded.job_id`,
    [name, since, cursor.queue, cursor.jobId],
  )
}

export async function endWalk(pool: Pool, name: WalkName): Promise<void> {
  await pool.query('DELETE FROM celeriac.walk WHERE name = $1', [name])
}

/** By the oldest jobs of each queue: the broker hands out what came first, first. */
export async function stuckQueues(pool: Pool): Promise<string[]> {
  const { rows } = await pool.query<{ queue: string }>(stuckSql)
  return rows.map((row) => row.queue)
}

const stuckSql = `
WITH RECURSIVE open AS (
  (SELECT j.queue FROM celeriac.job j WHERE j.finished_at IS NULL ORDER BY j.queue LIMIT 1)
  UNION ALL
  SELECT (SELECT j.queue FROM celeriac.job j WHERE j.finished_at IS NULL AND j.queue > open.queue
    ORDER BY j.queue LIMIT 1) FROM open WHERE open.queue IS NOT NULL)
SELECT open.queue FROM open
WHERE open.queue IS NOT NULL AND EXISTS (
  SELECT 1 FROM (SELECT j.state, j.dispatched_at FROM celeriac.job j
    WHERE j.queue = open.queue AND j.finished_at IS NULL ORDER BY j.queue, j.id LIMIT 200) AS oldest
  WHERE oldest.state = 'queued' AND oldest.dispatched_at < now() - interval '10 seconds')`

export async function rememberMark(pool: Pool, mark: number, instance: string): Promise<void> {
  await pool.query('UPDATE celeriac.installation SET broker_mark = $1, broker_instance = $2', [
    Math.round(mark),
    instance,
  ])
}
