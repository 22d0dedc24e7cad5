import type { Pool } from 'pg'
import { type Move, noSpread, type Spread, spreadBoundsMs } from '../job/move.js'
import type { SeenWorker, Sights, StatSpan, StatStore, TimedMove } from './stat-store.js'

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
    movesByTime: (span) => timely(() => movesByTime(pool, span)),
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

const key = 'task, queue, was, "is", how'
const buckets = spreadBoundsMs.length
const bounds = `ARRAY[${spreadBoundsMs.join(', ')}]::float8[]`

/** Has the columns of a row, of lines that CTE `from` holds: `took` and `total` as sums and as counts by bucket. */
const addedUp = (name: string, from: string, by: string) => `
${name}_spread AS (
  SELECT ${by}, kind, width_bucket(ms::float8, ${bounds}) AS bucket, count(*) AS jobs, sum(ms::float8) AS ms
  FROM ${from}, LATERAL (VALUES ('took', took), ('total', total)) AS v(kind, list), unnest(v.list) AS ms
  GROUP BY ${by}, kind, bucket),
${name}_packed AS (
  SELECT ${by}, kind, sum(ms) AS ms, array_agg(bucket) AS places, array_agg(jobs) AS counts
  FROM ${name}_spread GROUP BY ${by}, kind),
${name} AS (
  SELECT ${by}, c.jobs, coalesce(k.ms, 0) AS took_ms, ${listOf('k')} AS took,
    coalesce(l.ms, 0) AS total_ms, ${listOf('l')} AS total
  FROM (SELECT ${by}, sum(jobs)::bigint AS jobs FROM ${from} GROUP BY ${by}) AS c
  LEFT JOIN (SELECT * FROM ${name}_packed WHERE kind = 'took') AS k USING (${by})
  LEFT JOIN (SELECT * FROM ${name}_packed WHERE kind = 'total') AS l USING (${by}))`

const listOf = (packed: string) => `CASE WHEN ${packed}.kind IS NULL THEN '{}' ELSE ARRAY(
    SELECT coalesce(f.jobs, 0)::bigint FROM generate_series(0, ${buckets}) AS b
    LEFT JOIN unnest(${packed}.places, ${packed}.counts) AS f(place, jobs) ON f.place = b ORDER BY b) END`

/** Adds a row to the one that is there, `t`. */
const sums = ['took', 'total'].map(
  (list) => `${list}_ms = t.${list}_ms + excluded.${list}_ms,
    ${list} = ARRAY(SELECT coalesce(a, 0) + coalesce(b, 0) FROM unnest(t.${list}, excluded.${list}) AS u(a, b))`,
)
const adding = `SET jobs = t.jobs + excluded.jobs, ${sums.join(', ')}`
const measures = 'jobs, took_ms, took, total_ms, total'

/** Whoever comes second finds the lines gone. The order keeps two from a deadlock. */
export const foldSql = `
WITH lines AS (
  DELETE FROM celeriac.stat_delta
  WHERE ctid = ANY(ARRAY(SELECT ctid FROM celeriac.stat_delta LIMIT ${linesAtOnce})) RETURNING *),
timed AS (SELECT date_trunc('minute', at, 'UTC') AS minute, * FROM lines),
${addedUp('by_minute', 'timed', `minute, ${key}`)},
${addedUp('in_all', 'lines', key)},
minutes AS (
  INSERT INTO celeriac.stat AS t (at, minutes, ${key}, ${measures})
  SELECT minute, 1, ${key}, ${measures} FROM by_minute ORDER BY minute, ${key}
  ON CONFLICT (minutes, at, ${key}) DO UPDATE ${adding}),
totals AS (
  INSERT INTO celeriac.stat_total AS t (${key}, ${measures})
  SELECT ${key}, ${measures} FROM in_all ORDER BY ${key}
  ON CONFLICT (${key}) DO UPDATE ${adding})
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

function toSpread(ms: number, counts: string): Spread {
  return counts === '' ? noSpread : { ms, counts: counts.split(',').map(Number) }
}

async function movesByTime(pool: Pool, { from, to, minutes }: StatSpan): Promise<TimedMove[]> {
  const { rows } = await pool.query<MoveRow & { at: Date }>(
    `SELECT at, ${asRow} FROM celeriac.stat WHERE minutes = $1 AND at >= $2 AND at < $3 ORDER BY at`,
    [minutes, from, to],
  )
  return rows.map(({ at, ...row }) => ({ at, ...toMove(row) }))
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

/** Minutes of a whole hour only, so that each hour is made once, as far as its rows are looked at together. */
const rollUpSql = `
WITH old AS (
  DELETE FROM celeriac.stat
  WHERE ctid = ANY(ARRAY(SELECT ctid FROM celeriac.stat
    WHERE minutes = 1 AND at < date_trunc('hour', now() - interval '48 hours', 'UTC')
    ORDER BY minutes, at LIMIT ${rowsAtOnce})) RETURNING date_trunc('hour', at, 'UTC') AS hour, *),
places AS (
  SELECT hour, ${key}, kind, place, sum(count) AS count
  FROM old, LATERAL (VALUES ('took', took), ('total', total)) AS v(kind, list),
    unnest(v.list) WITH ORDINALITY AS u(count, place)
  GROUP BY hour, ${key}, kind, place),
lists AS (
  SELECT hour, ${key}, kind, array_agg(count::bigint ORDER BY place) AS list FROM places GROUP BY hour, ${key}, kind),
hours AS (
  INSERT INTO celeriac.stat AS t (at, minutes, ${key}, ${measures})
  SELECT hour, 60, ${key}, c.jobs, c.took_ms, coalesce(k.list, '{}'), c.total_ms, coalesce(l.list, '{}')
  FROM (SELECT hour, ${key}, sum(jobs)::bigint AS jobs, sum(took_ms) AS took_ms, sum(total_ms) AS total_ms
    FROM old GROUP BY hour, ${key}) AS c
  LEFT JOIN (SELECT * FROM lists WHERE kind = 'took') AS k USING (hour, ${key})
  LEFT JOIN (SELECT * FROM lists WHERE kind = 'total') AS l USING (hour, ${key})
  ORDER BY hour, ${key}
  ON CONFLICT (minutes, at, ${key}) DO UPDATE ${adding})
SELECT count(*)::int AS rows FROM old`

const pruneSql = `
WITH gone AS (
  DELETE FROM celeriac.stat WHERE ctid = ANY(ARRAY(SELECT ctid FROM celeriac.stat
    WHERE minutes = 60 AND at < now() - interval '30 days' ORDER BY minutes, at LIMIT ${rowsAtOnce})) RETURNING 1)
SELECT count(*)::int AS rows FROM gone`

async function pruneStats(pool: Pool): Promise<boolean> {
  let rows = 0
  for (const sql of [rollUpSql, pruneSql])
    rows = Math.max(rows, (await pool.query<{ rows: number }>(sql)).rows[0]?.rows ?? 0)
  return rows < rowsAtOnce
}
