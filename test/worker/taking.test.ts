import { describe, expect, onTestFinished, test } from 'vitest'
import type { Broker, Taker } from '../../src/broker/broker.js'
import { createPostgresBroker } from '../../src/broker/postgres.js'
import { createRedisBroker } from '../../src/broker/redis.js'
import { type TakingWorker, watchTaking } from '../../src/worker/taking.js'
import { type BrokerKind, brokers } from '../support/lab.js'
import { freshDatabase, freshRedis } from '../support/servers.js'
import { until } from '../support/until.js'

/** A broker that holds what the test says, a worker that does what the test says, and a clock. */
function open() {
  const state = {
    now: 0,
    asked: 0,
    isAway: false,
    hasOpenJobs: true,
    hooks: { isFull: false },
    waiting: { mail: 0, media: 0 } as Record<string, number>,
    worker: {
      id: 'w',
      running: 0,
      reserved: 0,
      unsettled: 0,
      processed: 0,
      concurrency: 2,
      served: { open: ['mail', 'media'] },
    } as { -readonly [Key in keyof TakingWorker]: TakingWorker[Key] },
  }
  const takers = new Map<string, Taker>()
  const broker = {
    take(queue: string, taker: Taker) {
      takers.set(queue, taker)
      return { queue, setLimit() {}, close: async () => {} }
    },
    async counts(queue: string) {
      state.asked += 1
      if (state.isAway) throw new Error('away')
      return { waiting: state.waiting[queue] ?? 0, delayed: 0, taken: 0 }
    },
  } as unknown as Broker
  const watch = watchTaking({
    broker,
    hasOpenJobs: () => state.hasOpenJobs,
    mostUnsettled: 10,
    hooks: state.hooks,
    now: () => state.now,
  })
  watch.broker.take('mail', { onDelivery: async () => 'done' })
  const look = async (afterMs = 2000) => {
    state.now += afterMs
    return watch.look(state.worker)
  }
  const lookFor = async (ms: number) => {
    for (let left = ms; left > 0; left -= 2000) await look()
    return look(0)
  }
  return {
    state,
    look,
    lookFor,
    deliver: () => takers.get('mail')?.onDelivery({ jobId: 'j', number: 1, task: 't' }),
  }
}

test('a worker with nothing to do is well', async () => {
  const { lookFor } = open()

  expect(await lookFor(60_000)).toEqual([])
})

test('one that takes nothing while jobs wait and it has room is told, with the queue, and is well when it takes again', async () => {
  const { state, look, lookFor, deliver } = open()
  state.waiting.mail = 3

  expect(await lookFor(8000)).toEqual([])
  expect(await lookFor(4000)).toEqual([
    {
      code: 'takes-no-jobs',
      message: 'Jobs wait in queue "mail" and there is room for them, but nothing was taken for 8 s.',
    },
  ])

  await deliver()
  expect(await look()).toEqual([])
})

test.each<[string, (state: ReturnType<typeof open>['state']) => void]>([
  ['all of its slots are taken', (state) => Object.assign(state.worker, { running: 2 })],
  [
    'it has claimed what it has room for',
    (state) => Object.assign(state.worker, { running: 1, reserved: 1 }),
  ],
  ['its ends wait for the store', (state) => Object.assign(state.worker, { unsettled: 10 })],
  ['its hooks are full', (state) => Object.assign(state.hooks, { isFull: true })],
  ['its queues are paused', (state) => Object.assign(state.worker, { served: { open: [] } })],
  ['it has no lease', (state) => Object.assign(state.worker, { id: '' })],
  ['the broker is away', (state) => Object.assign(state, { isAway: true })],
])('nothing is held against a worker that takes nothing because %s', async (_, change) => {
  const { state, lookFor } = open()
  state.waiting.mail = 3
  change(state)

  expect(await lookFor(60_000)).toEqual([])
})

test('one that hands on what it cannot run is busy', async () => {
  const { state, look, deliver } = open()
  state.waiting.mail = 3

  for (let round = 0; round < 30; round += 1) {
    await deliver()
    expect(await look()).toEqual([])
  }
})

test('a delivery that waits for a moment only is no reason', async () => {
  const { state, look, lookFor } = open()
  for (let round = 0; round < 10; round += 1) {
    state.waiting.mail = 1
    expect(await lookFor(6000)).toEqual([])
    state.waiting.mail = 0
    expect(await look()).toEqual([])
  }
})

test('where there are no open jobs, the broker is not asked', async () => {
  const { state, lookFor } = open()
  state.hasOpenJobs = false

  await lookFor(60_000)

  expect(state.asked).toBe(0)
})

async function openBroker(kind: BrokerKind): Promise<Broker> {
  const shared = { deadlineMs: 20_000, log: { info() {}, warn() {} } }
  const broker =
    kind === 'redis'
      ? createRedisBroker({ connection: await freshRedis(), prefix: 'celeriac', ...shared })
      : createPostgresBroker({ url: await freshDatabase(), migrate: true, ...shared })
  onTestFinished(() => broker.close())
  return broker
}

describe.each(brokers)('on a real broker, %s', { timeout: 60_000 }, (kind) => {
  test('deliveries that lie there are seen, and one that is taken is the end of it', async () => {
    const watch = watchTaking({
      broker: await openBroker(kind),
      hasOpenJobs: () => true,
      mostUnsettled: 10,
      patienceMs: 1000,
    })
    const worker: TakingWorker = {
      ...{ id: 'w', running: 0, reserved: 0, unsettled: 0, processed: 0, concurrency: 1 },
      served: { open: ['mail'] },
    }
    const codes = async () => (await watch.look(worker)).map(({ code }) => code)
    await watch.broker.dispatch([{ jobId: '0198', number: 1, task: 'work.send', queue: 'mail' }])

    await until(async () => (await codes()).includes('takes-no-jobs'))

    const intake = watch.broker.take('mail', { onDelivery: async () => 'done' })
    onTestFinished(() => intake.close())
    intake.setLimit(1)
    await until(async () => (await codes()).length === 0)
  })
})
