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

const delivery = () => ({ jobId: randomUUID(), number: 1, task: 'test.task', queue: 'default' })

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

test('a server that may evict deliveries is warned about', async () => {
  const server = await startRedis({ args: ['--maxmemory-policy', 'allkeys-lru'] })
  open(server.url)

  await until(() => said.some((message) => message.includes('allkeys-lru')))
  expect(said.filter((message) => message.includes('noeviction'))).toHaveLength(1)
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
