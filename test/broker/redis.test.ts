import { randomUUID } from 'node:crypto'
import { Redis } from 'ioredis'
import { afterEach, expect, test } from 'vitest'
import type { Broker } from '../../src/broker/broker.js'
import { createRedisBroker, type RedisBrokerOptions } from '../../src/broker/redis.js'
import { freshRedis, startRedis } from '../support/servers.js'
import { until } from '../support/until.js'

let said: string[] = []
let brokers: Broker[] = []
const log = {
  info: (message: string) => void said.push(message),
  warn: (message: string) => void said.push(message),
}

afterEach(async () => {
  await Promise.all(brokers.map((broker) => broker.close()))
  brokers = []
  said = []
})

function open(connection: RedisBrokerOptions['connection'], deadlineMs = 2000): Broker {
  const broker = createRedisBroker({ connection, prefix: 'celeriac', deadlineMs, log })
  brokers.push(broker)
  return broker
}

const deliveryTo = (queue: string) => ({ jobId: randomUUID(), number: 1, task: 'test.task', queue })
const delivery = () => deliveryTo('default')

test('an ioredis instance of the app serves for both sides, and is left open', async () => {
  const own = new Redis(await freshRedis())
  const broker = open(own)
  let taken = 0
  const intake = broker.take('default', {
    async onDelivery() {
      taken += 1
      return 'done'
    },
  })
  intake.setLimit(1)

  await broker.dispatch([delivery()])
  await until(() => taken === 1)
  await intake.close()
  await broker.close()

  expect(await own.ping()).toBe('PONG')
  own.disconnect()
})

test('ioredis options serve as well as a URL', async () => {
  const { hostname, port, pathname } = new URL(await freshRedis())
  const broker = open({ host: hostname, port: Number(port), db: Number(pathname.slice(1)) })

  await broker.dispatch([delivery()])

  expect((await broker.counts('default')).waiting).toBe(1)
  expect(broker.address).toBe(`redis://${hostname}:${port}${pathname}`)
})

test('a keyPrefix is refused, with what to use instead', () => {
  expect(() => open({ keyPrefix: 'app:' })).toThrow(/Use the option "prefix"/)
})

test('keys begin with the prefix, and a delivery that is done leaves none of its own', async () => {
  const url = await freshRedis()
  const broker = open(url)
  const intake = broker.take('default', { onDelivery: async () => 'done' })
  intake.setLimit(50)
  await broker.dispatch(Array.from({ length: 500 }, delivery))
  await until(async () => {
    const { waiting, taken } = await broker.counts('default')
    return waiting + taken === 0
  })
  await intake.close()

  const client = new Redis(url)
  const keys = await client.keys('*')
  const events = await client.xlen('celeriac:default:events')
  client.disconnect()

  expect(keys.filter((key) => !key.startsWith('celeriac:default:'))).toEqual([])
  expect(keys.length).toBeLessThan(10)
  expect(events).toBeLessThan(250)
})

test('twenty intakes share three connections, and all of them wake up at once', async () => {
  const server = await startRedis()
  const broker = open(server.url)
  const sender = open(server.url)
  const queues = Array.from({ length: 20 }, (_, index) => `queue-${index}`)
  const taken: string[] = []
  const intakes = queues.map((queue) =>
    broker.take(queue, {
      async onDelivery() {
        taken.push(queue)
        return 'done'
      },
    }),
  )
  for (const intake of intakes) intake.setLimit(5)
  await sender.dispatch(queues.map(deliveryTo))
  await until(() => new Set(taken).size === 20)

  const before = (await clients(server.url)).length
  await sender.close()
  await until(async () => (await clients(server.url)).length === before - 1)
  expect(before).toBe(4)

  for (const queue of queues) {
    const sentAt = performance.now()
    const count = taken.length
    await broker.dispatch([deliveryTo(queue)])
    await until(() => taken.length > count, { everyMs: 2 })
    expect(taken.at(-1)).toBe(queue)
    // The wait of a queue ends after 5 s without a wake-up.
    expect(performance.now() - sentAt).toBeLessThan(2000)
  }
  await Promise.all(intakes.map((intake) => intake.close()))
  await broker.close()
  await server.stop()
}, 30_000)

test('a process that has no room for a queue leaves its wake-ups to another', async () => {
  const server = await startRedis()
  const [busy, idle] = [open(server.url), open(server.url)]
  let release: () => void = () => undefined
  let came = 0
  const full = busy.take('shared', {
    async onDelivery() {
      came += 1
      if (came === 4)
        await new Promise<void>((resolve) => {
          release = resolve
        })
      return 'done'
    },
  })
  const quiet = busy.take('quiet', { onDelivery: async () => 'done' })
  full.setLimit(1)
  quiet.setLimit(1)
  for (const round of [1, 2, 3, 4]) {
    await until(async () => (await clients(server.url)).some((line) => line.includes('cmd=bzpopmin')))
    await busy.dispatch([deliveryTo('shared')])
    await until(() => came === round)
  }

  let taken = 0
  const other = idle.take('shared', {
    async onDelivery() {
      taken += 1
      return 'done'
    },
  })
  other.setLimit(1)
  for (let round = 1; round <= 20; round += 1) {
    const sentAt = performance.now()
    await busy.dispatch([deliveryTo('shared')])
    await until(() => taken === round, { everyMs: 2 })
    expect(performance.now() - sentAt).toBeLessThan(2000)
  }

  expect(came).toBe(4)
  release()
  await Promise.all([full, quiet, other].map((intake) => intake.close()))
  await Promise.all([busy, idle].map((each) => each.close()))
  await server.stop()
})

test('a worker that waits is woken at once after all its connections were cut', async () => {
  const server = await startRedis()
  const broker = open(server.url)
  let taken = 0
  const intakes = ['one', 'two'].map((queue) =>
    broker.take(queue, {
      async onDelivery() {
        taken += 1
        return 'done'
      },
    }),
  )
  for (const intake of intakes) intake.setLimit(1)
  await broker.dispatch(['one', 'two'].map(deliveryTo))
  await until(() => taken === 2)

  await ask(server.url, 'client', 'kill', 'type', 'normal')
  await until(() => said.length > 0)
  await until(() => broker.dispatch([deliveryTo('one')]).then(() => true))
  await until(() => taken === 3, { timeoutMs: 3000 })

  const sentAt = performance.now()
  await broker.dispatch([deliveryTo('two')])
  await until(() => taken === 4, { everyMs: 2 })
  expect(performance.now() - sentAt).toBeLessThan(2000)
  await Promise.all(intakes.map((intake) => intake.close()))
  await broker.close()
  await server.stop()
})

test('a server that may evict deliveries is warned about', async () => {
  const server = await startRedis({ args: ['--maxmemory-policy', 'allkeys-lru'] })
  open(server.url)

  await until(() => said.some((message) => message.includes('allkeys-lru')))
  expect(said.filter((message) => message.includes('noeviction'))).toHaveLength(1)
  await server.stop()
})

test('tells of the server what an operator asks for', async () => {
  const server = await startRedis({ args: ['--maxmemory', '100mb', '--maxmemory-policy', 'noeviction'] })
  const broker = open(`${server.url}/3`)
  await broker.dispatch([delivery(), delivery()])

  const facts = await broker.facts()

  expect(facts).toMatchObject({
    ...{
      kind: 'redis',
      isReplica: false,
      mostBytes: 104_857_600,
      evictionPolicy: 'noeviction',
      evictedKeys: 0,
    },
    ...{ appendsToFile: true, takesSnapshots: false, hasSnapshotFailed: false, clients: 1 },
    version: expect.stringMatching(/^\d+\.\d+\.\d+$/),
  })
  if (facts.kind !== 'redis') throw new Error('It is another broker.')
  expect(facts.upMs).toBeLessThan(60_000)
  expect(facts.usedBytes).toBeGreaterThan(100_000)
  expect(facts.peakBytes).toBeGreaterThanOrEqual(facts.usedBytes ?? 0)
  expect(facts.keys).toBeGreaterThanOrEqual(3)
  expect(facts.commandsPerSecond).toBeGreaterThanOrEqual(0)
  await server.stop()
})

test('tells what it can of a server that must not answer all, as many hosted ones', async () => {
  const server = await startRedis()
  const admin = new Redis(server.url)
  await admin.call(
    'ACL',
    'SETUSER',
    'modest',
    'on',
    '>secret',
    '~*',
    '&*',
    '+@all',
    '-config',
    '-info',
    '-dbsize',
  )
  const broker = open(server.url.replace('redis://', 'redis://modest:secret@'))
  await broker.ping()

  expect(await broker.facts()).toMatchObject({
    ...{
      kind: 'redis',
      version: null,
      usedBytes: null,
      evictionPolicy: null,
      takesSnapshots: null,
      keys: null,
    },
  })
  await admin.call('ACL', 'SETUSER', 'modest', '+info')
  expect(await broker.facts()).toMatchObject({
    evictionPolicy: 'noeviction',
    takesSnapshots: null,
    keys: null,
  })
  admin.disconnect()
  await server.stop()
})

test('a server that accepts connections and never answers: calls end within the deadline, and recover', async () => {
  const server = await startRedis()
  const broker = open(server.url, 800)
  await broker.ping()
  if (server.pid === undefined) throw new Error('not running')
  process.kill(server.pid, 'SIGSTOP')

  const startedAt = performance.now()
  await expect(broker.dispatch([delivery()])).rejects.toMatchObject({ code: 'BROKER_UNAVAILABLE' })
  expect(performance.now() - startedAt).toBeLessThan(1500)
  process.kill(server.pid, 'SIGCONT')

  const sent = delivery()
  await until(() => broker.dispatch([sent]).then(() => true))
  await broker.close()
  await server.stop()
})

test('while the server is known to be away, calls fail at once', async () => {
  const server = await startRedis()
  const broker = open(server.url)
  await broker.ping()
  await server.kill()
  await until(() => said.length > 0)

  const startedAt = performance.now()
  await expect(broker.dispatch([delivery()])).rejects.toThrow(/accepted are safe/)
  expect(performance.now() - startedAt).toBeLessThan(500)
})

/** Everybody's connections but this question's own. */
async function clients(url: string): Promise<string[]> {
  const list = String(await ask(url, 'client', 'list'))
  return list.split('\n').filter((line) => line !== '' && !line.includes('cmd=client|list'))
}

async function ask(url: string, command: string, ...words: string[]): Promise<unknown> {
  const client = new Redis(url)
  client.on('error', () => undefined)
  try {
    return await client.call(command, ...words)
  } finally {
    client.disconnect()
  }
}
