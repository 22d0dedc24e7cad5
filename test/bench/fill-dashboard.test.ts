import { Redis } from 'ioredis'
import { expect, test } from 'vitest'
import { fillDashboard } from '../../bench/fill-dashboard.js'
import { filledWorker } from '../../bench/filled.js'
import { countOf } from '../../src/job/move.js'
import { stepFor } from '../../src/job/resolution.js'
import { migrate } from '../../src/store/migrate.js'
import { createPrismaStore } from '../../src/store/prisma.js'
import { freshDatabase, freshRedis } from '../support/servers.js'

const hour = 3_600_000
const log = { info() {}, warn() {} }

test('a filled database agrees with itself: rows, counts, charts and deliveries', async () => {
  const [databaseUrl, redisUrl] = [await freshDatabase(), await freshRedis()]
  await migrate({ url: databaseUrl, log })
  await fillDashboard(
    { databaseUrl, redisUrl },
    { finished: 5000, waiting: 400, queues: 2, tasks: 2, workers: 2 },
  )
  const store = createPrismaStore({ url: databaseUrl, directUrl: databaseUrl, deadlineMs: 20_000, log })

  try {
    const depths = await store.depths()
    const jobsIn = (state: string) =>
      depths.reduce((sum, each) => sum + (each.state === state ? each.jobs : 0), 0)
    expect([jobsIn('queued'), jobsIn('running'), jobsIn('failed')]).toEqual([400, 6, 100])
    expect(jobsIn('succeeded') + jobsIn('failed')).toBe(5000)
    expect(depths.filter(({ state }) => state === 'failed').length).toBe(4)
    expect((await store.countMatching({ states: ['failed'] }, 1000)).count).toBe(100)

    for (const range of [hour / 4, hour, 6 * hour, 24 * hour, 7 * 24 * hour, 30 * 24 * hour]) {
      const span = { from: new Date(Date.now() - range), to: new Date(), stepMs: stepFor(range) }
      const { points } = await store.chart(span)
      // The minute that is under way may have begun after the last that was filled.
      expect(points.slice(0, -2).every(({ succeeded }) => succeeded > 0)).toBe(true)
      // So few jobs a minute lie in no bucket.
      expect(points.slice(0, -2).some(({ run }) => countOf(run) > 0)).toBe(range > 24 * hour)
      expect(points.every(({ depth }) => depth.queued > 0)).toBe(true)
      expect((await store.sums({ ...span, by: 'task' })).length).toBe(2)
      const load = await store.workerChart({ ...span, workerId: filledWorker(1) })
      expect(load.points.slice(0, -2).every(({ running }) => (running ?? 0) > 0)).toBe(true)
    }
    expect((await store.reapLostWorkers(3)).workers).toEqual([])
    const redis = new Redis(redisUrl)
    expect((await redis.llen('celeriac:queue0:wait')) + (await redis.llen('celeriac:queue1:wait'))).toBe(400)
    redis.disconnect()
  } finally {
    await store.close()
  }
}, 120_000)
