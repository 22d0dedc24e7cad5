import { randomUUID } from 'node:crypto'
import pg from 'pg'
import { afterEach, expect, test } from 'vitest'
import type { Broker } from '../../src/broker/broker.js'
import { createPostgresBroker, migratePostgresBroker } from '../../src/broker/postgres.js'
import { freshDatabase, startPostgres } from '../support/servers.js'
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

function open(url: string, options: { schema?: string; deadlineMs?: number } = {}): Broker {
  const broker = createPostgresBroker({ url, deadlineMs: 2000, log, ...options })
  brokers.push(broker)
  return broker
}

const deliveryTo = (queue: string) => ({ jobId: randomUUID(), number: 1, task: 'test.task', queue })

test('the tables may be made by several processes at once, and in a schema of any plain name', async () => {
  const url = await freshDatabase()
  await Promise.all([1, 2, 3].map(() => migratePostgresBroker(url, 'Shop_jobs')))
  await migratePostgresBroker(url, 'Shop_jobs')
  const broker = open(url, { schema: 'Shop_jobs' })

  await broker.dispatch([deliveryTo('default')])

  expect((await broker.counts('default')).waiting).toBe(1)
})

test('without its tables the broker says so, and works as soon as they are there', async () => {
  const url = await freshDatabase()
  const broker = open(url)
  let taken = 0
  const intake = broker.take('default', {
    async onDelivery() {
      taken += 1
      return 'done'
    },
  })
  intake.setLimit(1)

  await expect(broker.dispatch([deliveryTo('default')])).rejects.toThrow(/celeriac migrate/)
  await migratePostgresBroker(url)

  await until(() => broker.dispatch([deliveryTo('default')]).then(() => true))
  await until(() => taken === 1)
  await intake.close()
})

test('twenty intakes share a handful of connections, and all of them wake up', async () => {
  const url = await freshDatabase()
  await migratePostgresBroker(url)
  const broker = open(url)
  const queues = Array.from({ length: 20 }, (_, index) => `queue-${index}`)
  const taken = new Set<string>()
  const intakes = queues.map((queue) =>
    broker.take(queue, {
      async onDelivery() {
        taken.add(queue)
        return 'done'
      },
    }),
  )
  for (const intake of intakes) intake.setLimit(5)
  await broker.dispatch(queues.map(deliveryTo))
  await until(() => taken.size === 20)

  expect(await connectionsTo(url)).toBeLessThanOrEqual(7)
  await Promise.all(intakes.map((intake) => intake.close()))
})

test('a worker that waits is woken at once, also after the listening connection was cut', async () => {
  const url = await freshDatabase()
  await migratePostgresBroker(url)
  const broker = open(url)
  let taken = 0
  const intake = broker.take('default', {
    async onDelivery() {
      taken += 1
      return 'done'
    },
  })
  intake.setLimit(1)
  await broker.dispatch([deliveryTo('default')])
  await until(() => taken === 1)
  await until(() => isListening(url))

  await query(
    url,
    `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'celeriac broker' AND datname = current_database()`,
  )
  await until(() => said.length > 0)
  await until(() => broker.dispatch([deliveryTo('default')]).then(() => true))
  await until(() => taken === 2, { timeoutMs: 3000 })
  await until(() => isListening(url))

  const sentAt = performance.now()
  await broker.dispatch([deliveryTo('default')])
  await until(() => taken === 3, { everyMs: 2 })
  expect(performance.now() - sentAt).toBeLessThan(1000)
  await intake.close()
})

test('a wake-up that was missed after a reconnect is made up for in seconds, though BullMQ would look in minutes', async () => {
  const url = await freshDatabase()
  await migratePostgresBroker(url)
  const broker = open(url)
  const taken: string[] = []
  const intakes = ['one', 'two'].map((queue) =>
    broker.take(queue, {
      async onDelivery() {
        taken.push(queue)
        return 'done'
      },
    }),
  )
  for (const intake of intakes) intake.setLimit(1)
  await broker.dispatch(['one', 'two'].map(deliveryTo))
  await until(() => taken.length === 2)
  await until(() => isListening(url))
  const cut = await query<{ pid: number }>(
    url,
    `SELECT pid, pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'celeriac broker' AND datname = current_database()`,
  )
  await until(async () => (await listening(url)).some(({ pid }) => cut.every((each) => each.pid !== pid)))

  // Nobody is told of these.
  await query(
    url,
    `INSERT INTO celeriac_broker.job (queue, id, seq, name, state, added_at_ms)
     SELECT queue, queue || '.1', nextval('celeriac_broker.job_seq'), 'test.task', 'waiting', 0 FROM unnest('{one,two}'::text[]) AS queue`,
  )

  await until(() => taken.length === 4, { timeoutMs: 10_000 })
  await Promise.all(intakes.map((intake) => intake.close()))
})

test('tells of the server what an operator asks for', async () => {
  const url = await freshDatabase()
  await migratePostgresBroker(url)
  const broker = open(url)
  await broker.dispatch([deliveryTo('default'), deliveryTo('mail')])

  const facts = await broker.facts()

  if (facts.kind !== 'postgres') throw new Error('It is another broker.')
  expect(facts.version).toMatch(/^\d+\.\d+$/)
  expect(facts.upMs).toBeGreaterThan(0)
  expect(facts.bytes).toBeGreaterThan(10_000)
  expect(facts.indexBytes).toBeGreaterThan(10_000)
  expect(facts.ownConnections).toBeGreaterThanOrEqual(1)
  expect(facts.connections).toBeGreaterThanOrEqual(facts.ownConnections)
  expect(facts.mostConnections).toBeGreaterThan(100)
})

test('a server that accepts connections and never answers: calls end within the deadline, and recover', async () => {
  const server = await startPostgres()
  await migratePostgresBroker(server.url)
  const broker = open(server.url, { deadlineMs: 800 })
  await broker.ping()
  const backends = await query<{ pid: number }>(
    server.url,
    `SELECT pid FROM pg_stat_activity WHERE application_name = 'celeriac broker'`,
  )
  const stopped = [server.pid, ...backends.map(({ pid }) => pid)].filter((pid) => pid !== undefined)
  for (const pid of stopped) process.kill(pid, 'SIGSTOP')

  const startedAt = performance.now()
  await expect(broker.dispatch([deliveryTo('default')])).rejects.toMatchObject({ code: 'BROKER_UNAVAILABLE' })
  expect(performance.now() - startedAt).toBeLessThan(1500)
  for (const pid of stopped) process.kill(pid, 'SIGCONT')

  await until(() => broker.dispatch([deliveryTo('default')]).then(() => true))
  await broker.close()
  await server.stop()
})

async function connectionsTo(url: string): Promise<number> {
  const [row] = await query<{ n: number }>(
    url,
    'SELECT count(*)::int AS n FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()',
  )
  return row?.n ?? 0
}

async function isListening(url: string): Promise<boolean> {
  return (await listening(url)).length > 0
}

function listening(url: string): Promise<{ pid: number }[]> {
  return query(
    url,
    `SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND query ~ '^(LISTEN|SELECT 1$)' AND application_name = 'celeriac broker'`,
  )
}

async function query<Row>(url: string, text: string): Promise<Row[]> {
  const client = new pg.Client({ connectionString: url })
  client.on('error', () => undefined)
  await client.connect()
  try {
    return (await client.query(text)).rows as Row[]
  } finally {
    await client.end()
  }
}
