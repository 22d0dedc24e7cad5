import { setTimeout as sleep } from 'node:timers/promises'
import { Redis } from 'ioredis'
import { describe, expect, test, vi } from 'vitest'
import { defineTask } from '../../src/task/define.js'
import { brokers, closeJobsAfterEach, freshServers, gate, openJobs, type Servers } from '../support/lab.js'
import { freshDatabase, startRedis } from '../support/servers.js'
import { until } from '../support/until.js'

closeJobsAfterEach()
vi.setConfig({ testTimeout: 60_000 })

const quick = { lease: '2s', heartbeat: '400ms' } as const

/** A task of which one job runs at a time, until the gate is opened. */
function single() {
  const open = gate()
  const ran: string[] = []
  const task = defineTask({
    concurrency: 1,
    async run(name: string) {
      ran.push(name)
      await open.passed
      return name
    },
  })
  return { task, ran, open }
}

async function openPair(servers: Servers, task: ReturnType<typeof single>['task']) {
  const options = { ...servers, ...quick, tasks: { work: { task } } }
  const web = await openJobs(options)
  const worker = await openJobs({ ...options, worker: { concurrency: 4, grace: '100ms' } })
  return { web, worker }
}

describe.each(brokers)('a job that waits for its turn on %s', (kind) => {
  test('can be cancelled, and never starts', async () => {
    const { task, ran, open } = single()
    const { web } = await openPair(await freshServers(kind), task)
    await web.enqueue(task, 'first')
    await until(() => ran.length === 1)
    const second = await web.enqueue(task, 'second')
    const third = await web.enqueue(task, 'third')

    expect(await second.cancel()).toBe('cancelled')
    open.open()
    await third.result()

    expect(ran).toEqual(['first', 'third'])
    expect(await web.limits.list()).toMatchObject([{ waiting: 0, running: 0 }])
  })

  test('expires when its time is over, and holds up nobody', async () => {
    const { task, ran, open } = single()
    const { web } = await openPair(await freshServers(kind), task)
    await web.enqueue(task, 'first')
    await until(() => ran.length === 1)
    const late = await web.enqueueMany(task, ['late', 'late too'], { expiresIn: '100ms' })
    const third = await web.enqueue(task, 'third')
    await sleep(150)

    open.open()
    await third.result()

    await until(async () => (await late[1]?.status())?.state === 'expired')
    expect(ran).toEqual(['first', 'third'])
  })

  test('starts once it is put back by hand, after an end without success', async () => {
    const { task, ran, open } = single()
    const { web } = await openPair(await freshServers(kind), task)
    await web.enqueue(task, 'first')
    await until(() => ran.length === 1)
    const second = await web.enqueue(task, 'second')
    await second.cancel()

    expect(await web.retry(second.id)).toBe(true)
    expect((await second.status()).state).toBe('queued')
    open.open()

    expect(await second.result()).toBe('second')
    expect(ran).toEqual(['first', 'second'])
  })

  test('comes again, ahead of others, when its worker stops while it runs', async () => {
    const { task, ran, open } = single()
    const servers = await freshServers(kind)
    const { web, worker } = await openPair(servers, task)
    const first = await web.enqueue(task, 'first')
    await until(() => ran.length === 1)
    await web.enqueue(task, 'second')

    await worker.close()
    expect(await first.status()).toMatchObject({ state: 'queued', attempts: [{ outcome: 'returned' }] })
    await openJobs({ ...servers, ...quick, tasks: { work: { task } }, worker: { concurrency: 4 } })
    await until(() => ran.length === 2)
    open.open()
    await first.result()

    expect(ran[1]).toBe('first')
  })

  test('starts when its time has come, also where the worker came later', async () => {
    const { task, ran, open } = single()
    const servers = await freshServers(kind)
    open.open()
    const web = await openJobs({ ...servers, ...quick, tasks: { work: { task } } })
    const delayed = await web.enqueue(task, 'delayed', { delay: '500ms' })
    const now = await web.enqueue(task, 'now')
    expect([(await delayed.status()).state, (await now.status()).state]).toEqual(['scheduled', 'queued'])

    await openJobs({ ...servers, ...quick, tasks: { work: { task } }, worker: true })
    await delayed.result()

    expect(ran).toEqual(['now', 'delayed'])
  })

  test('is left alone by every pass', async () => {
    const { task, ran, open } = single()
    const warned: string[] = []
    const servers = await freshServers(kind)
    const { web } = await openPair(servers, task)
    web.on('worker.lost', ({ worker }) => void warned.push(worker.name))
    await web.enqueue(task, 'first')
    await until(() => ran.length === 1)
    const waiting = await web.enqueueMany(task, Array(30).fill('next'))
    // Some rounds of every pass.
    await sleep(3000)

    expect(ran).toEqual(['first'])
    const states = await Promise.all(waiting.map(async (job) => (await job.status()).state))
    expect(new Set(states)).toEqual(new Set(['queued']))
    open.open()
    await Promise.all(waiting.map((job) => job.result()))
    expect(ran).toHaveLength(31)
    expect(warned).toEqual([])
  })
})

test('a Redis that is wiped loses none of those that wait', async () => {
  const redis = await startRedis({ durable: false })
  try {
    const { task, ran, open } = single()
    const servers = { database: await freshDatabase(), broker: redis.url }
    const { web } = await openPair(servers, task)
    await web.enqueue(task, 'first')
    await until(() => ran.length === 1)
    const waiting = await web.enqueueMany(task, Array(10).fill('now'))
    const delayed = await web.enqueueMany(task, Array(10).fill('later'), { delay: '2s' })

    const client = new Redis(redis.url)
    await client.flushall()
    client.disconnect()
    open.open()
    await Promise.all([...waiting, ...delayed].map((job) => job.result({ timeout: '30s' })))

    expect(ran).toHaveLength(21)
    await Promise.all([web.close()])
  } finally {
    await redis.stop()
  }
})
