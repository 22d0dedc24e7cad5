import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, test, vi } from 'vitest'
import { KeyError } from '../../src/errors.js'
import { defineTask } from '../../src/task/define.js'
import { brokers, closeJobsAfterEach, freshServers, gate, openJobs } from '../support/lab.js'

closeJobsAfterEach()
vi.setConfig({ testTimeout: 60_000 })

describe.each(brokers)('keys on %s', (kind) => {
  test('one job of each of 1,000 keys runs at once, never two', async () => {
    const running = new Map<string, number>()
    const keysAtOnce: number[] = []
    let doubled = 0
    const sync = defineTask({
      concurrency: { key: 1 },
      key: (tenant: string) => tenant,
      async run(tenant: string) {
        const now = (running.get(tenant) ?? 0) + 1
        if (now > 1) doubled += 1
        running.set(tenant, now)
        keysAtOnce.push([...running.values()].filter((each) => each > 0).length)
        await sleep(5)
        running.set(tenant, now - 1)
      },
    })
    const jobs = await openJobs({
      ...(await freshServers(kind)),
      tasks: { work: { sync } },
      worker: { concurrency: 20 },
    })

    const tenants = Array.from({ length: 2000 }, (_, at) => `tenant ${at % 1000}`)
    const handles = await jobs.enqueueMany(sync, tenants)
    await Promise.all(handles.map((job) => job.result()))

    expect(doubled).toBe(0)
    expect(Math.max(...keysAtOnce)).toBeGreaterThan(10)
  })

  test('a key with 10,000 jobs delays another key’s single job by less than 2 s', async () => {
    const ran = { many: 0, single: 0 }
    const fair = defineTask({
      concurrency: 4,
      key: ({ key }: { key: 'many' | 'single' }) => key,
      async run({ key }: { key: 'many' | 'single' }) {
        ran[key] += 1
        await sleep(10)
        return Date.now()
      },
    })
    const jobs = await openJobs({
      ...(await freshServers(kind)),
      tasks: { work: { fair } },
      worker: { concurrency: 8 },
    })

    const begun = gate()
    await jobs.enqueueMany(fair, Array(10_000).fill({ key: 'many' }))
    void (async () => {
      while (ran.many < 20) await sleep(10)
      begun.open()
    })()
    await begun.passed
    const enqueuedAt = Date.now()
    const endedAt = await (await jobs.enqueue(fair, { key: 'single' })).result()

    expect(endedAt - enqueuedAt).toBeLessThan(2000)
    expect(ran.many).toBeLessThan(5000)
  })

  test('within a key, the smaller priority goes first, then the older job', async () => {
    const order: string[] = []
    const first = gate()
    const single = defineTask({
      concurrency: 1,
      async run(name: string) {
        order.push(name)
        if (name === 'first') await first.passed
      },
    })
    const jobs = await openJobs({
      ...(await freshServers(kind)),
      tasks: { work: { single } },
      worker: { concurrency: 4 },
    })
    await jobs.enqueue(single, 'first')
    while (order.length === 0) await sleep(5)

    const handles = [
      await jobs.enqueue(single, 'later', { priority: 7 }),
      await jobs.enqueue(single, 'sooner', { priority: 1 }),
      await jobs.enqueue(single, 'sooner too', { priority: 1 }),
    ]
    first.open()
    await Promise.all(handles.map((job) => job.result()))

    expect(order).toEqual(['first', 'sooner', 'sooner too', 'later'])
  })

  test('a key that throws, or is no text, is an error that names the task, and nothing is written', async () => {
    const broken = defineTask({
      concurrency: { key: 1 },
      key: (payload: { tenant: { id: string } }) => payload.tenant.id,
      run: async (_payload: { tenant: { id: string } }) => {},
    })
    const jobs = await openJobs({ ...(await freshServers(kind)), tasks: { work: { broken } } })

    const bad = [
      {},
      { tenant: {} },
      { tenant: { id: '' } },
      { tenant: { id: 'x\u0000' } },
      { tenant: { id: 'x'.repeat(256) } },
    ]
    for (const payload of bad) {
      const error = await jobs.enqueue(broken, payload as never).catch((thrown: unknown) => thrown)
      expect(error).toBeInstanceOf(KeyError)
      expect((error as Error).message).toContain('"work.broken"')
    }
    await jobs.enqueue(broken, { tenant: { id: 7 } } as never)

    expect(await jobs.limits.list()).toMatchObject([{ scope: { task: 'work.broken' }, waiting: 1 }])
  })
})
