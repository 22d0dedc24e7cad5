import type { Pool } from 'pg'
import { redelivery, waiting, waitsForTurn } from './repairs.js'
import type { Cursor, NewWalk, Redelivery, Scan, Scanned, Walk } from './store.js'

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
SELECT j.queue, j.id AS "jobId", CASE WHEN ${waiting} AND NOT ${waitsForTurn} AND j.run_at < now() + interval '60 seconds'
    AND j.dispatched_at >= coalesce(to_timestamp($4::float8 / 1000), '-infinity')
  THEN (SELECT row_to_json(d) FROM (SELECT ${redelivery}) AS d) END AS delivery
FROM (SELECT * FROM celeriac.job WHERE (queue, id) > ($1::text, $2::uuid) AND finished_at IS NULL
  AND ($3::text IS NULL OR queue <= $3::text) ORDER BY queue, id LIMIT $5) AS j
ORDER BY j.queue, j.id`

/** Where one of this name is under way, both become one: it begins where the first of them stands. */
export async function beginWalk(pool: Pool, { name, since, cursor }: NewWalk): Promise<void> {
  await pool.query(beginSql, [name, since, cursor.queue, cursor.jobId])
}

const isBehind = '(w.queue, w.job_id) < (excluded.queue, excluded.job_id)'

const beginSql = `
INSERT INTO celeriac.walk AS w (name, since, queue, job_id) VALUES ($1, to_timestamp($2::float8 / 1000), $3, $4)
ON CONFLICT (name) DO UPDATE SET step = w.step + 1,
  since = CASE WHEN w.since IS NULL OR excluded.since IS NULL THEN NULL ELSE least(w.since, excluded.since) END,
  queue = CASE WHEN ${isBehind} THEN w.queue ELSE excluded.queue END,
  job_id = CASE WHEN ${isBehind} THEN w.job_id ELSE excluded.job_id END`

/** Only as long as nobody else has moved it, or begun it anew: what that walk must see again would be skipped. */
export async function moveWalk(pool: Pool, walk: Walk, next: Cursor | undefined): Promise<Walk | undefined> {
  const { name, step } = walk
  if (!next) {
    await pool.query('DELETE FROM celeriac.walk WHERE name = $1 AND step = $2', [name, step])
    return undefined
  }
  const { rowCount } = await pool.query(
    'UPDATE celeriac.walk SET queue = $3, job_id = $4, step = step + 1 WHERE name = $1 AND step = $2',
    [name, step, next.queue, next.jobId],
  )
  return rowCount === 1 ? { ...walk, cursor: next, step: step + 1 } : undefined
}

/** By the oldest jobs of each queue: the broker hands out what came first, first. It holds none that wait for their turn. */
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
  SELECT 1 FROM (SELECT j.state, j.dispatched_at, j.limit_key FROM celeriac.job j
    WHERE j.queue = open.queue AND j.finished_at IS NULL ORDER BY j.queue, j.id LIMIT 1000) AS oldest
  WHERE oldest.state = 'queued' AND oldest.limit_key IS NULL AND oldest.dispatched_at < now() - interval '10 seconds')`

export async function rememberRestart(pool: Pool): Promise<void> {
  await pool.query('UPDATE celeriac.installation SET store_started_at = pg_postmaster_start_time()')
}

export async function rememberMark(pool: Pool, mark: number, instance: string): Promise<void> {
  await pool.query('UPDATE celeriac.installation SET broker_mark = $1, broker_instance = $2', [
    Math.round(mark),
    instance,
  ])
}
