import type { Pool } from 'pg'
import { keptMs } from '../job/resolution.js'
import {
  toWorkerChart,
  toWorkerSteps,
  type WorkerChart,
  type WorkerChartQuery,
  type WorkerLoad,
  workerResolutions,
} from './worker-load.js'

/** What workers say of themselves, over time. */

const most = ['running', 'concurrency', 'memory', 'loop_delay_ms', 'cpu']
const columns = `${most.join(', ')}, processed`

/**
 * Keeps what a worker says, in the row of the minute and in that of the hour. Parameter 1 is the worker, the load begins
 * with parameter `first`.
 */
export const noteLoadSql = (first: number) => `
  INSERT INTO celeriac.worker_stat AS t (worker_id, minutes, at, ${columns})
  SELECT $1::uuid, m, date_bin(m * interval '1 minute', now(), 'epoch'), $${first}::int, $${first + 1}::int,
    $${first + 2}::bigint, $${first + 3}::float8, $${first + 4}::float8, $${first + 5}::bigint
  FROM unnest(ARRAY[${workerResolutions.join(', ')}]) AS m
  WHERE EXISTS (SELECT 1 FROM celeriac.worker WHERE id = $1::uuid)
  ON CONFLICT (worker_id, minutes, at) DO UPDATE SET ${most.map((name) => `${name} = greatest(t.${name}, excluded.${name})`).join(', ')},
    processed = t.processed + excluded.processed`

/** Whole numbers where the columns have no others. */
export function loadValues(load: WorkerLoad): readonly number[] {
  const { running, concurrency, memory, loopDelayMs, cpu, processed } = load
  return [running, concurrency, Math.round(memory), loopDelayMs, cpu, processed]
}

export const workerChartSql = `
SELECT floor((1000 * date_part('epoch', at) - $3::float8) / $5::float8)::int AS step,
  max(running)::float8 AS running, max(concurrency)::float8 AS concurrency, max(memory)::float8 AS memory,
  max(loop_delay_ms) AS "loopDelayMs", max(cpu) AS cpu, sum(processed)::float8 AS processed
FROM celeriac.worker_stat
WHERE worker_id = $1 AND minutes = $2 AND at >= to_timestamp($3::float8 / 1000) AND at < to_timestamp($4::float8 / 1000)
GROUP BY step`

export async function readWorkerChart(pool: Pool, query: WorkerChartQuery): Promise<WorkerChart> {
  const steps = toWorkerSteps(query, new Date())
  const from = steps.from.getTime()
  const to = from + steps.count * steps.stepMs
  const { rows } = await pool.query<WorkerLoad & { step: number }>(workerChartSql, [
    ...[query.workerId, steps.resolution, from, to, steps.stepMs],
  ])
  return toWorkerChart(steps, new Map(rows.map(({ step, ...load }) => [step, load])))
}

const rowsAtOnce = 5000

/** The table is small, and rows of workers that nobody remembers are to go as well: it is read from end to end. */
const pruneSql = `
WITH kept AS (SELECT * FROM unnest($1::int[], $2::float8[]) AS k(minutes, ms)),
gone AS (
  DELETE FROM celeriac.worker_stat WHERE ctid = ANY(ARRAY(
    SELECT s.ctid FROM celeriac.worker_stat s JOIN kept k USING (minutes)
    WHERE s.at < now() - k.ms * interval '1 millisecond' LIMIT ${rowsAtOnce})) RETURNING 1)
SELECT count(*)::int AS rows FROM gone`

/** `true`: nothing is left to do. */
export async function pruneWorkerStats(pool: Pool): Promise<boolean> {
  const kept = workerResolutions.map((resolution) => keptMs[resolution])
  const { rows } = await pool.query<{ rows: number }>(pruneSql, [workerResolutions, kept])
  return (rows[0]?.rows ?? 0) < rowsAtOnce
}
