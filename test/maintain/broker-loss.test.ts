import { describe, expect, onTestFinished, test } from 'vitest'
import { createBrokerLossPass, isStale, judge } from '../../src/maintain/broker-loss.js'
import { repairPass } from '../../src/maintain/repair.js'
import { defineTask } from '../../src/task/define.js'
import { type BrokerKind, brokers, closeJobsAfterEach, openJobs } from '../support/lab.js'
import { freshDatabase, freshRedis, startRedis } from '../support/servers.js'
import { until } from '../support/until.js'
import { addRows, askRedis, type Ground, hand, openGround, takeAll, wipe } from './ground.js'

closeJobsAfterEach()

describe('what a mark says', () => {
  const last = { installation: 'us', mark: 1_000_000, instance: 'run 1', now: 1_015_000 }
  const since = 1_000_000 - 60_000

  test.each([
    ['at the first time, nothing', { ...last, mark: 0, instance: null }, undefined, 'run 1', undefined],
    ['our last one, from the same run: all is there', last, 'us 1000000', 'run 1', undefined],
    ['written with a fraction, remembered without', last, 'us 999999.6', 'run 1', undefined],
    ['a newer one, of a process that has not remembered it yet', last, 'us 1003000', 'run 1', undefined],
    ['none: wiped, all may be lost', last, undefined, 'run 1', { since: null }],
    ['none, on another server: all may be lost', last, undefined, 'run 2', { since: null }],
    ['an older one: what came after it may be lost', last, 'us 900000', 'run 1', { since: 840_000 }],
    ['an older one after a restart', last, 'us 900000.5', 'run 2', { since: 840_000.5 }],
    ['our last one, from another run: its last second may be lost', last, 'us 1000000', 'run 2', { since }],
    [
      'our last one, where the run was not remembered',
      { ...last, instance: null },
      'us 1000000',
      'run 2',
      undefined,
    ],
    ['somebody else’s', last, 'them 1000000', 'run 1', 'foreign'],
    ['something else altogether', last, 'nonsense', 'run 1', 'foreign'],
  ] as const)('%s', (_, remembered, value, instance, expected) => {
    const judged = judge(remembered, { value, instance })

    if (typeof expected === 'object') expect(judged).toMatchObject(expected)
    else expect(judged).toBe(expected)
  })

  test.each([
    [0, 15_000, true],
    [1_000_000, 1_012_000, false],
    [1_000_000, 1_014_900, true],
    [1_000_000, 1_000_000 - 3_600_000, true],
  ])('a mark of %i is stale at %i: %s', (mark, now, expected) => {
    expect(isStale({ ...last, mark, now }, 3000)).toBe(expected)
  })
})

/** On Redis a server of the test's own, because all of it is wiped. */
async function ownServer(kind: BrokerKind): Promise<string | undefined> {
  if (kind === 'postgres') return undefined
  const redis = await startRedis({ durable: false })
  onTestFinished(() => redis.stop())
  return redis.url
}

const openOn = (kind: BrokerKind, redis: string | undefined, database?: string): Promise<Ground> =>
  openGround(kind, { ...(redis ? { redis } : {}), ...(database ? { database } : {}) })

describe.each(brokers)('a broker on %s', (kind) => {
  test('that was wiped gets back all that waits, once, under the same numbers', async () => {
    const redis = await ownServer(kind)
    const ground = await openOn(kind, redis)
    const loss = createBrokerLossPass()
    const ids = await addRows(ground, 2000)
    await hand(ground, ids)
    await ground.round(loss)
    expect(await ground.round(loss)).toBeUndefined()

    await wipe(ground, redis)
    await ground.force(loss)
    expect(await ground.round(repairPass)).toBe(2000)

    const { taken } = ground.take('default')
    await until(() => taken.length === 2000)
    expect(taken.map(({ jobId }) => jobId).sort()).toEqual(ids)
    expect(new Set(taken.map(({ number }) => number))).toEqual(new Set([1]))
    expect(ground.told).toEqual([
      'warn: The broker was emptied, or is another one than before. What waits is sent again.',
      'warn: 2000 jobs that waited went to the broker again.',
    ])
    await ground.force(loss)
    expect(await ground.round(repairPass)).toBeUndefined()
  })

  test('that is wiped between the look at the mark and the next one is seen to be', async () => {
    const redis = await ownServer(kind)
    const ground = await openOn(kind, redis)
    const loss = createBrokerLossPass()
    await hand(ground, await addRows(ground, 5))
    await ground.round(loss)
    const broker = {
      ...ground.broker,
      async readMark() {
        const found = await ground.broker.readMark()
        await wipe(ground, redis)
        return found
      },
    }

    await loss.run({ ...ground, broker, hasTime: () => true }, await ground.store.beginRound([]))

    expect(await ground.round(repairPass)).toBe(5)
    expect(await ground.broker.counts('default')).toMatchObject({ waiting: 5 })
  })

  test('that has lost nothing gets nothing', async () => {
    const ground = await openGround(kind)
    const loss = createBrokerLossPass()
    await hand(ground, await addRows(ground, 5))

    for (let round = 0; round < 3; round += 1) await ground.force(loss)

    expect(await ground.round(repairPass)).toBeUndefined()
    expect(ground.told).toEqual([])
  })

  test('gets what waits and was handed over; not what runs, what is due much later, or what never was there', async () => {
    const ground = await openGround(kind)
    const waiting = [
      ...(await addRows(ground, 2)),
      ...(await addRows(ground, 2, { state: 'retrying', due: '-1 second' })),
    ]
    await addRows(ground, 2, { state: 'scheduled', due: '50 seconds' })
    await addRows(ground, 2, { state: 'scheduled', due: '5 minutes' })
    await addRows(ground, 2, { state: 'running' })
    await addRows(ground, 2, { state: 'succeeded', ended: '1 second' })
    await addRows(ground, 2, { dispatched: null })
    await ground.store.beginWalk({
      name: 'repair',
      since: null,
      cursor: { queue: '', jobId: '00000000-0000-0000-0000-000000000000' },
    })

    expect(await ground.round(repairPass)).toBe(6)

    expect(await ground.broker.counts('default')).toEqual({ waiting: 4, delayed: 2, taken: 0 })
    const { taken } = ground.take('default')
    await until(() => taken.length === 4)
    expect(taken.map(({ jobId }) => jobId).sort()).toEqual(waiting.sort())
  })

  test('two thousand jobs that wait while it is wiped all run, each once', async () => {
    const redis = await ownServer(kind)
    const database = await freshDatabase()
    const servers = { database, ...(redis ? { broker: redis } : {}) }
    const runs = new Map<string, number>()
    const task = defineTask((_: undefined, { id }) => {
      runs.set(id, (runs.get(id) ?? 0) + 1)
    })
    const options = { ...servers, lease: '1s', tasks: { work: { task } } } as const
    const web = await openJobs(options)
    const jobs = await web.enqueueMany(task, Array(2000).fill(undefined))
    const ground = await openOn(kind, redis, database)
    await until(async () => (await ground.client.query('SELECT 1 FROM celeriac.outbox')).rowCount === 0)
    await until(async () => (await ground.store.beginRound([])).mark.mark > 0)

    await wipe(ground, redis)
    await openJobs({ ...options, worker: { concurrency: 50 } })
    await until(() => runs.size === 2000, { timeoutMs: 30_000 })
    const later = await web.enqueueMany(task, Array(10).fill(undefined))
    await Promise.all(later.map((job) => job.result()))

    expect([...runs.keys()].sort()).toEqual([...jobs, ...later].map(({ id }) => id).sort())
    expect(new Set(runs.values())).toEqual(new Set([1]))
    await until(async () => {
      const { rows } = await ground.client.query('SELECT DISTINCT state::text, attempt FROM celeriac.job')
      expect(rows).toEqual([{ state: 'succeeded', attempt: 1 }])
      return true
    })
  }, 60_000)
})

describe('Redis', () => {
  test('that comes back from an old snapshot gets what it lacks, and has nothing twice', async () => {
    const redis = await startRedis({ durable: false })
    onTestFinished(() => redis.stop())
    const ground = await openGround('redis', { redis: redis.url, deadlineMs: 2000 })
    const loss = createBrokerLossPass()
    const before = await addRows(ground, 50)
    await hand(ground, before)
    await ground.round(loss)
    await askRedis(redis.url, 'save')
    await ground.force(loss)
    const after = await addRows(ground, 50, { written: '0 seconds' })
    await hand(ground, after)

    await redis.kill()
    await redis.start()
    await until(() => ground.broker.ping().then(() => true))
    expect(await ground.broker.counts('default')).toMatchObject({ waiting: 50 })
    await ground.force(loss)
    await ground.round(repairPass)

    expect(ground.told).toContain(
      'warn: The broker has gone back to an older state. What waits is sent again.',
    )
    expect(await takeAll(ground, 100)).toEqual([...before, ...after].sort())
  })

  test('that starts anew without what it had gets all of it', async () => {
    const redis = await startRedis({ durable: false })
    onTestFinished(() => redis.stop())
    const ground = await openGround('redis', { redis: redis.url, deadlineMs: 2000 })
    const loss = createBrokerLossPass()
    const ids = await addRows(ground, 50, { written: '2 hours' })
    await hand(ground, ids)
    await ground.round(loss)

    await redis.kill()
    await redis.start()
    await until(() => ground.broker.ping().then(() => true))
    await ground.force(loss)

    expect(await ground.round(repairPass)).toBe(50)
    expect(await takeAll(ground, 50)).toEqual(ids)
  })

  test('that starts anew with what it had gets only what was handed over last', async () => {
    const redis = await startRedis()
    onTestFinished(() => redis.stop())
    const ground = await openGround('redis', { redis: redis.url, deadlineMs: 2000 })
    const loss = createBrokerLossPass()
    const old = await addRows(ground, 50, { written: '2 hours' })
    await hand(ground, old)
    await ground.round(loss)
    const last = await addRows(ground, 5, { written: '0 seconds' })

    await redis.stop()
    await redis.start()
    await until(() => ground.broker.ping().then(() => true))
    await ground.force(loss)

    expect(ground.told).toContain('warn: The broker was started anew. What waits is sent again.')
    expect(await ground.round(repairPass)).toBe(5)
    expect(await takeAll(ground, 55)).toEqual([...old, ...last].sort())
  })

  test('is looked at again in the next round when it did not answer', async () => {
    const redis = await startRedis()
    onTestFinished(() => redis.stop())
    const ground = await openGround('redis', { redis: redis.url, deadlineMs: 500 })
    const loss = createBrokerLossPass()
    await ground.broker.ping()
    await redis.kill()

    await expect(ground.round(loss)).rejects.toMatchObject({ code: 'BROKER_UNAVAILABLE' })

    await redis.start()
    await until(async () => (await ground.round(loss)) === 0)
    expect((await ground.store.beginRound([])).mark.mark).toBeGreaterThan(0)
  })
})

test('a store that was moved to a fresh Redis brings along what waits', async () => {
  const before = await openGround('redis')
  const ids = await addRows(before, 20)
  await hand(before, ids)
  await before.round(createBrokerLossPass())

  const moved = await openGround('redis', { database: before.database })
  await moved.force(createBrokerLossPass())
  expect(await moved.round(repairPass)).toBe(20)

  expect(await takeAll(moved, 20)).toEqual(ids)
})

test('two installations under one prefix are warned, each once, and nothing is sent', async () => {
  const redis = await freshRedis()
  const [one, two] = [await openGround('redis', { redis }), await openGround('redis', { redis })]
  const [first, second] = [createBrokerLossPass(), createBrokerLossPass()]
  for (let round = 0; round < 3; round += 1) {
    await one.force(first)
    await two.force(second)
  }

  for (const { told } of [one, two]) {
    expect(told).toHaveLength(1)
    expect(told[0]).toContain('is used by another installation as well, under the same prefix')
  }
  expect(await one.round(repairPass)).toBeUndefined()
  expect(await two.round(repairPass)).toBeUndefined()

  const apart = await openGround('redis', { redis, prefix: 'other' })
  const third = createBrokerLossPass()
  for (let round = 0; round < 3; round += 1) await apart.force(third)
  expect(apart.told).toEqual([])
})

describe('a repair', () => {
  const start = { queue: '', jobId: '00000000-0000-0000-0000-000000000000' }

  test('goes on where another process left it', async () => {
    const ground = await openGround('redis')
    await addRows(ground, 2500)
    await ground.store.beginWalk({ name: 'repair', since: null, cursor: start })
    let looks = 0
    expect(await ground.round(repairPass, () => ++looks <= 1)).toBe(1000)

    const other = await openGround('redis', { database: ground.database })
    expect(await other.round(repairPass)).toBe(1500)
    expect(await other.round(repairPass)).toBeUndefined()
  })

  test('stops where the broker does not answer, and goes on there', async () => {
    const redis = await startRedis()
    onTestFinished(() => redis.stop())
    const ground = await openGround('redis', { redis: redis.url, deadlineMs: 500 })
    await addRows(ground, 10)
    await ground.store.beginWalk({ name: 'repair', since: null, cursor: start })
    await ground.broker.ping()
    await redis.kill()
    expect(await ground.round(repairPass)).toBe(0)

    await redis.start()
    await until(async () => (await ground.round(repairPass)) === 10)
  })

  test('that a second loss began anew is not moved on by whoever was under way with the first', async () => {
    const { store } = await openGround('postgres')
    await store.beginWalk({ name: 'repair', since: null, cursor: start })
    const [first] = (await store.beginRound([])).walks
    if (!first) throw new Error('There is no walk.')
    await store.beginWalk({ name: 'repair', since: null, cursor: start })

    expect(await store.moveWalk(first, { queue: 'default', jobId: start.jobId })).toBeUndefined()
    expect(await store.moveWalk(first, undefined)).toBeUndefined()

    const walks = (await store.beginRound([])).walks
    expect(walks).toMatchObject([{ name: 'repair', cursor: start, since: null }])
  })

  test('that begins while another is under way takes in both', async () => {
    const { store } = await openGround('postgres')
    const at = (queue: string) => ({ queue, jobId: start.jobId })
    await store.beginWalk({ name: 'repair', since: 2000, cursor: at('m') })

    await store.beginWalk({ name: 'repair', since: 1000, cursor: at('z') })
    expect((await store.beginRound([])).walks).toMatchObject([{ since: 1000, cursor: at('m') }])
    await store.beginWalk({ name: 'repair', since: null, cursor: at('a') })
    expect((await store.beginRound([])).walks).toMatchObject([{ since: null, cursor: at('a') }])
    await store.beginWalk({ name: 'repair', since: 500, cursor: at('b') })
    expect((await store.beginRound([])).walks).toMatchObject([{ since: null, cursor: at('a') }])
  })
})
