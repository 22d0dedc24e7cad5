import type { Pool } from 'pg'
import type { Move } from '../job/move.js'
import { keptMs, resolutions } from '../job/resolution.js'
import { readChart, readDepths, readSums, toSpread } from './stat-charts.js'
import {
  addedList,
  addedNumber,
  addedTally,
  addedUp,
  isTallied,
  key,
  summedList,
  summedTally,
  tallyColumns,
  tallySql,
} from './stat-sql.js'
import type { SeenWorker, Sights, StatStore } from './stat-store.js'
import { pruneWorkerStats } from './worker-stats.js'

/**
 * Triggers of the job table write a line for each kind of move of each statement, see the migration. What has happened
 * is what was added up of them and those that were not, in one snapshot.
 */
export function createStats(
  pool: Pool,
  timely: <T>(ask: () => Promise<T>) => Promise<T>,
  guard: <T>(ask: () => Promise<T>) => Promise<T>,
): StatStore {
  return {
    foldStats: () => guard(async () => (await pool.query<{ lines: number }>(foldSql)).rows[0]?.lines ?? 0),
    noteOldest: () => guard(async () => void (await pool.query(`${inIndexOrder} ${oldestSql}`))),
    moves: () => timely(async () => (await pool.query<MoveRow>(movesSql)).rows.map(toMove)),
    chart: (asked) => timely(() => readChart(pool, asked)),
    sums: (asked) => timely(() => readSums(pool, asked)),
    depths: () => timely(() => readDepths(pool)),
    sights: () => timely(() => readSights(pool)),
    pruneStats: () => guard(() => pruneStats(pool)),
    noteRepairs: (pass, jobs) =>
      guard(async () => {
        await pool.query('UPDATE celeriac.pass SET repaired = repaired + $2 WHERE name = $1', [pass, jobs])
      }),
  }
}

/** Lines that are added up at once: well under a second, also where each is of one job. */
const linesAtOnce = 20_000
const rowsAtOnce = 5000

const totals = 'jobs, took_ms, took, total_ms, total'
const resolutionRows = resolutions.map((minutes) => `(${minutes})`).join(', ')

/**
 * Adds lines to the totals, and to the rows of each resolution: of their task in their queue, of the task, of the queue,
 * and of all jobs, for which the names are empty. So a chart reads few rows, whatever it is of, and nothing is to be made of rows later.
 *
 * Whoever comes second finds the lines gone. The order keeps two from a deadlock.
 */
export const foldSql = `
WITH lines AS (
  DELETE FROM celeriac.stat_delta
  WHERE ctid = ANY(ARRAY(SELECT ctid FROM celeriac.stat_delta LIMIT ${linesAtOnce})) RETURNING *),
timed AS (SELECT date_trunc('minute', at, 'UTC') AS minute, * FROM lines),
${addedUp('added', 'timed', `minute, ${key}`)},
totals AS (
  INSERT INTO celeriac.stat_total AS t (${key}, ${totals})
  SELECT ${key}, sum(jobs)::bigint, sum(took_ms), ${summedList('took')}, sum(total_ms), ${summedList('total')}
  FROM added GROUP BY ${key} ORDER BY ${key}
  ON CONFLICT (${key}) DO UPDATE SET ${['jobs', 'took_ms', 'total_ms'].map(addedNumber).join(', ')},
    ${['took', 'total'].map(addedList).join(', ')}),
told AS (SELECT minute, task, queue, ${tallySql} FROM added WHERE ${isTallied}),
by_minute AS (
  SELECT minute, p.task, p.queue, ${summedTally}
  FROM told, LATERAL (VALUES (told.task, told.queue), (told.task, ''), ('', told.queue), ('', '')) AS p(task, queue)
  GROUP BY 1, 2, 3),
rows AS (
  INSERT INTO celeriac.stat AS t (minutes, task, queue, at, ${tallyColumns})
  SELECT r.minutes, task, queue, date_bin(r.minutes * interval '1 minute', minute, 'epoch'), ${summedTally}
  FROM by_minute, (VALUES ${resolutionRows}) AS r(minutes)
  GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4
  ON CONFLICT (minutes, task, queue, at) DO UPDATE SET ${addedTally})
SELECT count(*)::int AS lines FROM lines`

/** Lists as text, which is read in a fraction of the time. */
const asRow = `${key}, jobs::float8 AS jobs, took_ms AS "tookMs", array_to_string(took, ',') AS took,
  total_ms AS "totalMs", array_to_string(total, ',') AS total`

export const movesSql = `
WITH ${addedUp('fresh', 'celeriac.stat_delta', key)}
SELECT ${asRow} FROM celeriac.stat_total UNION ALL SELECT ${asRow} FROM fresh`

interface MoveRow extends Pick<Move, 'task' | 'queue' | 'was' | 'is' | 'how' | 'jobs'> {
  readonly tookMs: number
  readonly took: string
  readonly totalMs: number
  readonly total: string
}

function toMove({ task, queue, was, is, how, jobs, tookMs, took, totalMs, total }: MoveRow): Move {
  return { task, queue, was, is, how, jobs, took: toSpread(tookMs, took), total: toSpread(totalMs, total) }
}

/** Jobs of a queue that are looked at for its oldest: the first ones run, most often. */
const nearby = 200
const farther = 20_000

const oldestOf = (limit: number) => `(
  SELECT min(near.run_at) FROM (
    SELECT j.run_at, j.state FROM celeriac.job j
    WHERE j.queue BETWEEN o.queue AND o.queue AND j.finished_at IS NULL ORDER BY j.queue, j.id LIMIT ${limit}) AS near
  WHERE near.state IN ('queued', 'scheduled', 'retrying') AND near.run_at <= now())`

/** By the index and no farther than asked, whatever the planner believes of a queue. For one message: it is one transaction. */
export const inIndexOrder =
  'SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off; SET LOCAL enable_sort = off;'

/** What waits is known by what has moved, so that queues without cost nothing. */
export const oldestSql = `
WITH open AS (
  SELECT queue, sum(jobs * ((state = 'queued')::int)) AS queued FROM (
    SELECT queue, "is" AS state, jobs FROM celeriac.stat_total WHERE how <> 'dropped'
    UNION ALL SELECT queue, was, -jobs FROM celeriac.stat_total WHERE how <> 'dropped') AS m
  WHERE state IN ('queued', 'scheduled', 'retrying') GROUP BY queue HAVING sum(jobs) > 0),
oldest AS MATERIALIZED (
  SELECT o.queue, coalesce(${oldestOf(nearby)}, CASE WHEN o.queued > 0 THEN ${oldestOf(farther)} END) AS at FROM open o),
gone AS (
  DELETE FROM celeriac.stat_queue WHERE queue NOT IN (SELECT queue FROM oldest WHERE at IS NOT NULL))
INSERT INTO celeriac.stat_queue AS t (queue, oldest_at) SELECT queue, at FROM oldest WHERE at IS NOT NULL ORDER BY queue
ON CONFLICT (queue) DO UPDATE SET oldest_at = excluded.oldest_at WHERE t.oldest_at <> excluded.oldest_at`

const sinceMs = (moment: string) => `greatest(0, 1000 * date_part('epoch', now() - ${moment}))`

export const sightsSql = `
SELECT
  (SELECT coalesce(json_agg(json_build_object('queue', queue, 'ageMs', ${sinceMs('oldest_at')}) ORDER BY queue), '[]')
    FROM celeriac.stat_queue) AS oldest,
  coalesce((SELECT ${sinceMs('min(created_at)')} FROM celeriac.outbox), 0) AS "dispatchLagMs",
  (SELECT coalesce(json_agg(json_build_object('id', id, 'name', name, 'queues', queues, 'concurrency', concurrency,
      'missed', greatest(0, missed), 'report', report) ORDER BY name, id), '[]')
    FROM celeriac.worker WHERE stopped_at IS NULL AND lost_at IS NULL) AS workers,
  (SELECT count(*)::int FROM celeriac.worker WHERE lost_at IS NOT NULL) AS "lostWorkers",
  (SELECT coalesce(json_agg(json_build_object('pass', name, 'jobs', repaired) ORDER BY name), '[]')
    FROM celeriac.pass) AS repairs`

async function readSights(pool: Pool): Promise<Sights> {
  const { rows } = await pool.query<Sights & { workers: SeenWorker[] }>(sightsSql)
  return rows[0] ?? { oldest: [], dispatchLagMs: 0, workers: [], lostWorkers: 0, repairs: [] }
}

/** Row by row from the oldest of each place, so that what is kept is not looked at. */
const pruneSql = `
WITH places AS (
  SELECT task, queue FROM celeriac.stat_total UNION SELECT task, '' FROM celeriac.stat_total
  UNION SELECT '', queue FROM celeriac.stat_total UNION SELECT '', ''),
kept AS (SELECT * FROM unnest($1::int[], $2::float8[]) AS k(minutes, ms)),
gone AS (
  DELETE FROM celeriac.stat WHERE ctid = ANY(ARRAY(
    SELECT old.ctid FROM places p, kept k, LATERAL (
      SELECT s.ctid FROM celeriac.stat s
      WHERE s.minutes = k.minutes AND s.task = p.task AND s.queue = p.queue
        AND s.at < now() - k.ms * interval '1 millisecond'
      ORDER BY s.minutes, s.task, s.queue, s.at LIMIT ${rowsAtOnce}) AS old
    LIMIT ${rowsAtOnce})) RETURNING 1)
SELECT count(*)::int AS rows FROM gone`

async function pruneStats(pool: Pool): Promise<boolean> {
  const kept = resolutions.map((resolution) => keptMs[resolution])
  const { rows } = await pool.query<{ rows: number }>(pruneSql, [resolutions, kept])
  const isWorkersDone = await pruneWorkerStats(pool)
  return (rows[0]?.rows ?? 0) < rowsAtOnce && isWorkersDone
}
