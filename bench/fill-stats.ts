import type pg from 'pg'
import { spreadBoundsMs } from '../src/job/move.js'
import { keptMs, type Resolution, resolutions } from '../src/job/resolution.js'
import {
  type DashboardSizes,
  daysFilled,
  failedOneIn,
  queueSql,
  runningOnEach,
  taskSql,
  workerSql,
} from './filled.js'
import { startProgress } from './progress.js'

const minuteMs = 60_000

/** What was counted: the totals as the rows have it, and a month of it by minute, hour and day. Waves by the hour of the day. */
export async function fillStats(client: pg.Client, sizes: DashboardSizes): Promise<void> {
  await client.query('TRUNCATE celeriac.stat, celeriac.stat_total, celeriac.stat_delta, celeriac.worker_stat')
  await client.query(totalsSql)
  const progress = startProgress('counts', resolutions.length)
  for (const [done, resolution] of resolutions.entries()) {
    await client.query(statSql(resolution, sizes))
    if (resolution < 1440) await client.query(workerStatSql(resolution, sizes))
    progress.at(done + 1)
  }
  progress.end()
}

/** Of so many durations, how many lie in each bucket: a hill around the tenth of a second. All lie between these two. */
const [leastMs, mostMs] = [1, 30_000]
const hill = spreadBoundsMs.map((_, at) => Math.exp(-((at - 7) ** 2) / 6)).concat(0)
const parts = hill.map((part) => part / hill.reduce((sum, each) => sum + each))
const listSql = (count: string) =>
  `ARRAY[${parts.map((part) => `(${part.toFixed(6)}::float8 * ${count})::bigint`).join(', ')}, ${leastMs}, ${mostMs}]`
const meanMs = 120

/** Each row of a job came, began and ended; so the depths are those of the rows. */
const totalsSql = `
WITH held AS (SELECT task, queue, state, count(*) AS jobs FROM celeriac.job GROUP BY 1, 2, 3),
moved AS (
  SELECT task, queue, '' AS was, 'queued' AS "is", sum(jobs)::bigint AS jobs FROM held GROUP BY 1, 2
  UNION ALL SELECT task, queue, 'queued', 'running', sum(jobs) FILTER (WHERE state <> 'queued')::bigint FROM held GROUP BY 1, 2
  UNION ALL SELECT task, queue, 'running', state::text, jobs FROM held WHERE state IN ('succeeded', 'failed'))
INSERT INTO celeriac.stat_total (task, queue, was, "is", how, jobs, took_ms, took, total_ms, total)
SELECT task, queue, was, "is", '', jobs,
  CASE WHEN was = '' THEN 0 ELSE jobs * ${meanMs} END, CASE WHEN was = '' THEN '{}' ELSE ${listSql('jobs')} END,
  CASE WHEN was = 'running' THEN jobs * ${meanMs} ELSE 0 END, CASE WHEN was = 'running' THEN ${listSql('jobs')} ELSE '{}' END
FROM moved WHERE jobs > 0`

/** How busy it is at a moment: more by day than by night, in radians of the day. */
const phase = (at: string) => `(date_part('epoch', ${at}) * 2 * pi() / 86400)`

/** Each pair, task and queue, and all; with the part of all jobs that is theirs. */
const placesSql = ({ tasks, queues }: DashboardSizes) => `
  SELECT ${taskSql('t')} AS task, ${queueSql('q')} AS queue, ${1 / (tasks * queues)} AS part
    FROM generate_series(0, ${tasks - 1}) AS t, generate_series(0, ${queues - 1}) AS q
  UNION ALL SELECT ${taskSql('t')}, '', ${1 / tasks} FROM generate_series(0, ${tasks - 1}) AS t
  UNION ALL SELECT '', ${queueSql('q')}, ${1 / queues} FROM generate_series(0, ${queues - 1}) AS q
  UNION ALL SELECT '', '', 1`

function statSql(resolution: Resolution, sizes: DashboardSizes): string {
  const perMinute = sizes.finished / (daysFilled * 1440)
  const rows = Math.floor(keptMs[resolution] / minuteMs / resolution)
  const swing = sizes.waiting / 4
  return `
    INSERT INTO celeriac.stat (minutes, task, queue, at, enqueued, requeued, started, succeeded, failed, cancelled, expired,
      retried, lost, queued, delayed, running, wait_ms, run_ms, wait, run)
    SELECT ${resolution}, p.task, p.queue, at, c.jobs, 0, a.attempts, c.jobs - c.failed, c.failed, 0, 0, c.failed * 2, 0,
      round(p.part * ${swing} * sin(${phase(`at + interval '${resolution} minutes'`)})) - round(p.part * ${swing} * sin(${phase('at')})),
      0, 0, a.attempts * ${meanMs / 3}, a.attempts * ${meanMs},
      ${listSql('a.attempts')}, ${listSql('a.attempts')}
    FROM (${placesSql(sizes)}) AS p, generate_series(0, ${rows - 1}) AS n,
      LATERAL (SELECT date_bin(interval '${resolution} minutes', now(), 'epoch') - n * interval '${resolution} minutes' AS at) AS t,
      LATERAL (SELECT greatest(1, round(p.part * ${perMinute * resolution} * (1 + 0.6 * sin(${phase('at')}))))::bigint AS jobs) AS j,
      -- Reckoned once for each row, and not again wherever it is named.
      LATERAL (SELECT j.jobs, round(j.jobs / ${failedOneIn}.0)::bigint AS failed OFFSET 0) AS c,
      LATERAL (SELECT (c.jobs + c.failed * 2)::float8 AS attempts OFFSET 0) AS a`
}

function workerStatSql(resolution: Resolution, { finished, workers }: DashboardSizes): string {
  const perMinute = finished / (daysFilled * 1440) / Math.max(1, workers)
  const rows = Math.floor(keptMs[resolution] / minuteMs / resolution)
  return `
    INSERT INTO celeriac.worker_stat (worker_id, minutes, at, running, concurrency, memory, loop_delay_ms, cpu, processed)
    SELECT ${workerSql('w')}, ${resolution}, at, ${runningOnEach} + round(3 * sin(${phase('at')}) + 3), 10,
      180000000 + (20000000 * sin(${phase('at')} + w))::bigint, 1.5 + abs(sin(${phase('at')} * 7 + w)), 0.4 + 0.3 * sin(${phase('at')}),
      round(${perMinute * resolution} * (1 + 0.6 * sin(${phase('at')})))
    FROM generate_series(0, ${workers - 1}) AS w, generate_series(0, ${rows - 1}) AS n,
      LATERAL (SELECT date_bin(interval '${resolution} minutes', now(), 'epoch') - n * interval '${resolution} minutes' AS at) AS t`
}
