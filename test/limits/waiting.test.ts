import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, test, vi } from 'vitest'
import { defineTask } from '../../src/task/define.js'
import { brokers, closeJobsAfterEach, freshServers, gate, openJobs } from '../support/lab.js'
import { until } from '../support/until.js'

closeJobsAfterEach()
vi.setConfig({ testTimeout: 15_000 })

/** Says how many run at once, at most. */
function meter() {
  let now = 0
  let most = 0
  return {
    async during(work: () => Promise<unknown>) {
      now += 1
      most = Math.max(most, now)
      await work()
      now -= 1
    },
    get most() {
      return most
    },
  }
}

describe.each(brokers)('limits on %s', (kind) => {
  test('no more jobs of a task run at once than its concurrency allows', async () => {
    const running = meter()
    const single = defineTask({ concurrency: 2, run: () => running.during(() => sleep(20)) })
    const jobs = await openJobs({
      ...(await freshServers(kind)),
      tasks: { work: { single } },
      worker: { concurrency: 8 },
    })

    const handles = await jobs.enqueueMany(single, Array(20).fill(undefined))
    await Promise.all(handles.map((job) => job.result()))

    expect(running.most).toBe(2)
  })

  test('jobs that wait hold no slot: others run beside them', async () => {
    const open = gate()
    const single = defineTask({ concurrency: 1, run: () => open.passed })
    const other = defineTask(async () => 'done')
    const jobs = await openJobs({
      ...(await freshServers(kind)),
      tasks: { work: { single, other } },
      worker: { concurrency: 2 },
    })

    const waiting = await jobs.enqueueMany(single, Array(50).fill(undefined))
    const quick = await jobs.enqueueMany(other, Array(20).fill(undefined))

    expect(await Promise.all(quick.map((job) => job.result()))).toEqual(Array(20).fill('done'))
    const states = await Promise.all(waiting.map(async (job) => (await job.status()).state))
    expect(states.filter((state) => state === 'running')).toHaveLength(1)
    expect(states.filter((state) => state === 'queued')).toHaveLength(49)
    open.open()
    await Promise.all(waiting.map((job) => job.result()))
  })

  test('starts keep to the rate', async () => {
    const starts: number[] = []
    const paced = defineTask({ rateLimit: '50/s', run: () => void starts.push(performance.now()) })
    const jobs = await openJobs({
      ...(await freshServers(kind)),
      tasks: { work: { paced } },
      worker: { concurrency: 8 },
    })

    const handles = await jobs.enqueueMany(paced, Array(100).fill(undefined))
    await Promise.all(handles.map((job) => job.result()))

    const tookMs = (starts.at(-1) ?? 0) - (starts[0] ?? 0)
    expect(tookMs).toBeGreaterThan(1800)
    expect(tookMs).toBeLessThan(2600)
  })

  test('a delayed job, and one that is tried again, wait for their turn when their time has come', async () => {
    const running = meter()
    const single = defineTask({
      concurrency: 1,
      attempts: 2,
      backoff: { type: 'fixed', delay: '50ms' },
      run: async (_: unknown, { attempt }) => {
        await running.during(() => sleep(10))
        if (attempt === 1) throw new Error('once')
      },
    })
    const jobs = await openJobs({
      ...(await freshServers(kind)),
      tasks: { work: { single } },
      worker: { concurrency: 4 },
    })

    const now = await jobs.enqueueMany(single, Array(5).fill(undefined))
    const later = await jobs.enqueueMany(single, Array(5).fill(undefined), { delay: '300ms' })
    await Promise.all([...now, ...later].map((job) => job.result()))

    expect(running.most).toBe(1)
    expect(await until(async () => (await later[0]?.status())?.attempt)).toBe(2)
  })
})
