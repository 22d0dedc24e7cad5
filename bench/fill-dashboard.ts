import type pg from 'pg'
import { deliverTo, dropIndexes, type Target, withClient } from './fill.js'
import { addJobs } from './fill-jobs.js'
import { fillStats } from './fill-stats.js'
import {
  type DashboardSizes,
  filledQueue,
  filledTask,
  filledWorker,
  runningOnEach,
  usualSizes,
} from './filled.js'

/**
 * Fills a database whose tables are there with what a busy installation has after a month: jobs, what was counted of
 * them by minute, hour and day, and what workers said. No process of ours may be open meanwhile. The usual sizes take
 * some minutes.
 */
export async function fillDashboard(target: Target, sizes: DashboardSizes = usualSizes): Promise<void> {
  await withClient(target.databaseUrl, async (client) => {
    await addWorkers(client, sizes)
    await withoutTriggers(client, async () => {
      const restore = await dropIndexes(client)
      await addJobs(client, sizes)
      await restore()
    })
    await addActive(client)
    await fillStats(client, sizes)
    for (const table of ['job', 'stat', 'stat_total', 'worker_stat', 'worker'])
      await client.query(`VACUUM (FREEZE, ANALYZE) celeriac.${table}`)
    await client.query('CHECKPOINT')
    await deliverWaiting(client, target)
  })
}

/** What is counted is written afterwards, as if it had been counted over a month. */
async function withoutTriggers(client: pg.Client, work: () => Promise<void>): Promise<void> {
  await client.query('ALTER TABLE celeriac.job DISABLE TRIGGER USER')
  await work()
  await client.query('ALTER TABLE celeriac.job ENABLE TRIGGER USER')
}

const report = JSON.stringify({
  ...{ uptimeMs: 172_800_000, concurrency: 10, autoscale: null, running: runningOnEach, reserved: 2 },
  ...{ unsettled: 0, processed: 250_000, outcomes: { succeeded: 245_000, failed: 5000 }, children: 0 },
  ...{ memory: { rss: 180_000_000, heapUsed: 70_000_000, heapTotal: 90_000_000 } },
  ...{ loopDelayMs: 1.5, cpu: 0.4, load: [0.5, 0.4, 0.3], paused: [], logLevel: 'info', reasons: [] },
})

/** With leases that nobody renews, and that no round of maintenance finds to have run out. */
async function addWorkers(client: pg.Client, { workers, queues, tasks }: DashboardSizes): Promise<void> {
  const queueNames = Array.from({ length: queues }, (_, at) => filledQueue(at))
  const taskNames = Array.from({ length: tasks }, (_, at) => filledTask(at))
  for (let at = 0; at < workers; at += 1)
    await client.query(
      `INSERT INTO celeriac.worker (id, name, host, pid, queues, tasks, concurrency, version, node_version, report,
         reported_at, seen_at, started_at, config_hash, missed, missed_limit, lock_key)
       VALUES ($1, $2, $3, $4::int, $5, $6, 10, '0.1.0', 'v20.20.2', $7, now() + interval '10 years',
         now() + interval '10 years', now() - interval '2 days', '', -1000000000, 5, $4::int)`,
      [
        ...[filledWorker(at), `worker${at}@host${at % 4}`, `host${at % 4}`, 1000 + at],
        ...[queueNames, taskNames, report],
      ],
    )
}

/** Workers say what they run. */
async function addActive(client: pg.Client): Promise<void> {
  await client.query(
    `WITH active AS (SELECT worker_id, jsonb_agg(id ORDER BY id) AS ids FROM celeriac.job
       WHERE finished_at IS NULL AND state = 'running' GROUP BY worker_id)
     UPDATE celeriac.worker w SET report = (w.report::jsonb || jsonb_build_object('active', a.ids))::text
     FROM active a WHERE a.worker_id = w.id`,
  )
}

async function deliverWaiting(client: pg.Client, { redisUrl }: Target): Promise<void> {
  const { rows } = await client.query<{ queue: string; jobs: { id: string; task: string }[] }>(
    `SELECT queue, json_agg(json_build_object('id', id, 'task', task) ORDER BY id) AS jobs
     FROM celeriac.job WHERE finished_at IS NULL AND state = 'queued' GROUP BY queue`,
  )
  for (const { queue, jobs } of rows) await deliverTo({ redisUrl, queue, jobs })
}
