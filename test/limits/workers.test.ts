import pg from 'pg'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import type { Celeriac } from '../../src/plugin.js'
import * as work from '../fixtures/limits/modules/work/tasks.js'
import { brokers, closeJobsAfterEach, freshServers, openJobs, type Servers } from '../support/lab.js'
import { until } from '../support/until.js'
import { startWorkerProcess } from '../support/worker-process.js'

closeJobsAfterEach()
vi.setConfig({ testTimeout: 180_000 })

interface Run {
  readonly key: string
  readonly startedAt: number
  readonly endedAt: number
  readonly pid: number
}

/** A web process with a table of its own, in which handlers write what they did. */
async function openWeb(servers: Servers): Promise<{ web: Celeriac; runs: () => Promise<Run[]> }> {
  const web = await openJobs({ ...servers, lease: '2s', heartbeat: '400ms', tasks: { work } })
  const client = new pg.Client({ connectionString: servers.database })
  await client.connect()
  onTestFinished(() => client.end())
  await client.query('CREATE TABLE run (key text, started_at float8, ended_at float8, pid int)')
  return {
    web,
    async runs() {
      const { rows } = await client.query<Run>(
        'SELECT key, started_at AS "startedAt", ended_at AS "endedAt", pid FROM run ORDER BY started_at',
      )
      return rows
    },
  }
}

function startWorkers(servers: Servers, count: number, args: readonly string[]) {
  const app = 'test/fixtures/limits'
  return Promise.all(Array.from({ length: count }, () => startWorkerProcess({ ...servers, app, args })))
}

describe.each(brokers)('several worker processes on %s', (kind) => {
  test('together keep to a task’s rate', async () => {
    const servers = await freshServers(kind)
    const { web, runs } = await openWeb(servers)
    await startWorkers(servers, 3, ['-c', '10'])

    const handles = await web.enqueueMany(work.paced, Array(250).fill(undefined))
    await Promise.all(handles.map((job) => job.result()))

    const starts = (await runs()).map(({ startedAt }) => startedAt)
    const tookMs = (starts.at(-1) ?? 0) - (starts[0] ?? 0)
    expect(starts).toHaveLength(250)
    expect(tookMs).toBeGreaterThan(4500)
    // A machine that is busy otherwise makes the rate slower, never faster.
    expect(tookMs).toBeLessThan(15_000)
    const inSecond = starts.map((from) => starts.filter((at) => at >= from && at < from + 1000).length)
    // A process that was kept from running starts late what was admitted in time.
    expect(Math.max(...inSecond)).toBeLessThan(70)
  })

  test('never run two jobs of a key at once, of 1,000 keys', async () => {
    const servers = await freshServers(kind)
    const { web, runs } = await openWeb(servers)
    await startWorkers(servers, 2, ['-c', '20'])

    const keys = Array.from({ length: 2000 }, (_, at) => `key ${at % 1000}`)
    await web.enqueueMany(work.keyed, keys)
    await until(async () => (await runs()).length === 2000, { timeoutMs: 120_000, everyMs: 200 })

    const done = await runs()
    expect(new Set(done.map(({ pid }) => pid)).size).toBe(2)
    const last = new Map<string, Run>()
    for (const run of done) {
      expect(run.startedAt).toBeGreaterThanOrEqual(last.get(run.key)?.endedAt ?? 0)
      last.set(run.key, run)
    }
    expect(last.size).toBe(1000)
  })

  test('a worker that is killed holds up nobody for longer than its lease', async () => {
    const servers = await freshServers(kind)
    const { web, runs } = await openWeb(servers)
    const [first] = await startWorkers(servers, 1, ['-c', '4'])
    const begun = await web.enqueue(work.single, 'first')
    await until(async () => (await runs()).length === 1)
    await startWorkers(servers, 1, ['-c', '4'])
    const waiting = await web.enqueueMany(work.single, ['second', 'third'])

    first?.signal('SIGKILL')
    const killedAt = Date.now()
    await Promise.all([begun, ...waiting].map((job) => job.result()))

    expect(Date.now() - killedAt).toBeLessThan(15_000)
    expect((await runs()).map(({ key }) => key)).toEqual(['begun', 'first', 'second', 'third'])
    expect(await begun.status()).toMatchObject({ attempts: [{ outcome: 'lost' }], attempt: 2 })
    expect(await web.limits.list()).toMatchObject([
      {},
      {},
      { scope: { task: 'work.single' }, running: 0, waiting: 0 },
    ])
  })
})
