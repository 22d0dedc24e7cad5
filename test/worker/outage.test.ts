import pg from 'pg'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { defineTask } from '../../src/task/define.js'
import { brokers, closeJobsAfterEach, freshServers, gate, openJobs } from '../support/lab.js'
import { freshRedis, startPostgres } from '../support/servers.js'
import { until } from '../support/until.js'
import { startRig } from './rig.js'

closeJobsAfterEach()
vi.setConfig({ testTimeout: 180_000 })

const lease = { lease: '5s', heartbeat: '1s' } as const
/** What web processes know of the tasks; the worker has handlers of its own. */
const work = { held: defineTask(() => {}), short: defineTask((_: number) => {}) }

describe.each(brokers)('ends that the store does not take, on %s', (kind) => {
  test('are kept up to the bound, then no more is taken; and all are recorded in the end', async () => {
    const servers = await freshServers(kind)
    const web = await openJobs({ ...servers, ...lease, tasks: { work } })
    const blocker = new pg.Client({ connectionString: servers.database })
    await blocker.connect()
    onTestFinished(() => blocker.end())
    const held = gate()
    const started = gate()
    const runs = new Map<string, number>()
    const worker = await startRig(
      servers,
      {
        'work.held': async () => {
          started.open()
          await held.passed
        },
        'work.short': (_, { id }) => void runs.set(id, (runs.get(id) ?? 0) + 1),
      },
      { mostUnsettled: 3, deadlineMs: 60_000 },
    )
    const first = await web.enqueue(work.held)
    await started.passed

    // The end of the first waits for this lock, and those after it for the same connection.
    await blocker.query('BEGIN')
    await blocker.query('SELECT 1 FROM celeriac.job WHERE id = $1 FOR UPDATE', [first.id])
    held.open()
    await until(() => worker.running === 0)
    const jobs = await web.enqueueMany(work.short, Array(100).fill(1))
    await until(() => runs.size >= 2)
    await new Promise((resolve) => setTimeout(resolve, 2000))
    // Those in flight when the bound was reached run all the same.
    expect(runs.size).toBeLessThan(20)

    await blocker.query('COMMIT')
    await Promise.all([first, ...jobs].map((job) => job.result({ timeout: '60s' })))
    expect(runs.size).toBe(100)
    expect([...runs.values()].every((count) => count === 1)).toBe(true)
  })

  test('over 20 s without a server are recorded when it is back, and no job runs again', async () => {
    const postgres = await startPostgres()
    onTestFinished(() => postgres.stop())
    const servers =
      kind === 'redis' ? { database: postgres.url, broker: await freshRedis() } : { database: postgres.url }
    const web = await openJobs({ ...servers, ...lease, tasks: { work } })
    const runs = new Map<string, number>()
    const worker = await startRig(
      servers,
      {
        'work.short': async (ms, { id }) => {
          runs.set(id, (runs.get(id) ?? 0) + 1)
          await new Promise((resolve) => setTimeout(resolve, Number(ms)))
        },
      },
      { mostUnsettled: 4, concurrency: 8 },
    )
    const jobs = await web.enqueueMany(work.short, Array(300).fill(200))
    await until(() => worker.processed >= 20, { timeoutMs: 60_000 })

    await postgres.kill()
    await new Promise((resolve) => setTimeout(resolve, 20_000))
    expect(runs.size).toBeLessThan(200)
    await postgres.start()

    await until(
      async () => {
        const states = await Promise.all(jobs.map(async (job) => (await job.status()).state))
        return states.every((state) => state === 'succeeded')
      },
      { timeoutMs: 90_000, everyMs: 1000 },
    )
    expect(runs.size).toBe(300)
    expect([...runs].filter(([, count]) => count > 1)).toEqual([])
    expect(await Promise.all(jobs.map(async (job) => (await job.status()).attempt))).toEqual(
      Array(300).fill(1),
    )
  })
})
