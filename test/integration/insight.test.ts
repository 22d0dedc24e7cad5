import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, onTestFinished, test } from 'vitest'
import { type App, openApp } from '../../src/app.js'
import { openBackend } from '../../src/backend.js'
import { readEnvironment } from '../../src/config/env.js'
import { resolveConfig } from '../../src/config/resolve.js'
import { countOf } from '../../src/job/move.js'
import { stepFor } from '../../src/job/resolution.js'
import { defineTask } from '../../src/task/define.js'
import { loadTasks } from '../../src/task/load.js'
import { createLog } from '../../src/telemetry/log.js'
import { brokers, freshServers } from '../support/lab.js'
import { until } from '../support/until.js'

const log = createLog('silent', false)
const hour = 3_600_000

const work = {
  well: defineTask(async () => sleep(5)),
  broken: defineTask({
    attempts: 1,
    async run() {
      throw new Error('no')
    },
  }),
}

async function openWorking(kind: (typeof brokers)[number]): Promise<App> {
  const config = resolveConfig(
    { ...(await freshServers(kind)), tasks: { work }, migrate: true, worker: { concurrency: 3 } },
    readEnvironment({}),
  )
  const app = openApp(config, {
    log,
    tasks: loadTasks(config),
    onFatal(error) {
      throw error
    },
    openBackend,
  })
  onTestFinished(() => app.close(), 30_000)
  await app.ready()
  if (!config.worker) throw new Error('It has no worker.')
  await app.startWorker(config.worker)
  return app
}

describe.each(brokers)('of an app on %s whose worker has run 40 jobs', (kind) => {
  test('there are charts, sums, depths, what to see to, and facts of both servers', async () => {
    const app = await openWorking(kind)
    await app.enqueueMany('work.well', Array.from({ length: 30 }))
    await app.enqueueMany('work.broken', Array.from({ length: 10 }))
    const span = () => ({ from: new Date(Date.now() - hour), to: new Date(Date.now() + 1000) })
    const totals = async () => {
      const { points } = await app.insight.chart({ ...span(), stepMs: stepFor(hour) })
      const sum = (name: 'enqueued' | 'succeeded' | 'failed') =>
        points.reduce((all, each) => all + each[name], 0)
      return [sum('enqueued'), sum('succeeded'), sum('failed')]
    }
    await until(async () => (await totals()).join() === '40,30,10', { timeoutMs: 30_000 })

    const sums = await app.insight.sums({ ...span(), by: 'task' })
    expect(sums.map(({ name, succeeded, failed, run }) => [name, succeeded, failed, countOf(run)])).toEqual([
      ['work.broken', 0, 10, 10],
      ['work.well', 30, 0, 30],
    ])
    expect(await app.insight.depths()).toEqual([
      { task: 'work.broken', queue: 'default', state: 'failed', jobs: 10 },
      { task: 'work.well', queue: 'default', state: 'succeeded', jobs: 30 },
    ])
    expect(await app.insight.attention()).toMatchObject([{ code: 'task-failing', task: 'work.broken' }])
    expect((await app.status()).status).toBe('ok')

    expect(await app.insight.storeFacts()).toMatchObject({ kind: 'postgres', version: expect.any(String) })
    const { server, queues } = await app.insight.brokerFacts()
    expect(server).toMatchObject({ kind, version: expect.any(String) })
    expect(queues).toEqual([{ queue: 'default', waiting: 0, delayed: 0, taken: 0 }])
    const passes = async () => (await app.insight.passes()).map(({ name }) => name)
    await until(async () => (await passes()).length > 2, { timeoutMs: 30_000 })
    expect(await passes()).toEqual(expect.arrayContaining(['dispatch', 'lost', 'stats']))
  }, 60_000)

  test('the worker says of itself what it did, over time', async () => {
    const app = await openWorking(kind)
    await app.enqueueMany('work.well', Array.from({ length: 20 }))
    const { store } = await app.backend()
    const [worker] = await store.workers()
    const said = async () => {
      const span = { from: new Date(Date.now() - hour), to: new Date(Date.now() + 1000), stepMs: 60_000 }
      const { points } = await app.insight.workerChart({ ...span, workerId: worker?.id ?? '' })
      return points.filter(({ processed }) => processed !== null)
    }
    const processed = async () => (await said()).reduce((sum, point) => sum + (point.processed ?? 0), 0)

    await until(async () => (await processed()) === 20, { timeoutMs: 30_000 })
    const [point] = await said()
    expect(point).toMatchObject({ concurrency: 3 })
    expect(point?.memory).toBeGreaterThan(10_000_000)
    expect(point?.loopDelayMs).toBeGreaterThanOrEqual(0)
  }, 60_000)
})
