import { spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { Redis } from 'ioredis'
import pg from 'pg'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Broker, Delivery, Intake, TakenDelivery, Taker } from '../../src/broker/broker.js'
import {
  createMemoryBroker,
  createMemoryServer,
  type MemoryServer,
  ringAfter,
} from '../../src/broker/memory.js'
import { createPostgresBroker, migratePostgresBroker } from '../../src/broker/postgres.js'
import { createRedisBroker } from '../../src/broker/redis.js'
import { freshDatabase, freshRedis, startPostgres, startRedis, type TestServer } from '../support/servers.js'
import { until } from '../support/until.js'

interface Kind {
  readonly name: Broker['kind']
  readonly address: RegExp
  freshUrl(): Promise<string>
  /** Makes the tables, where there are any. */
  prepare(url: string): Promise<void>
  open(url: string, options?: { lockMs?: number }): Broker
  /** The servers that it runs on. Without them, it lives and dies with its process. */
  readonly servers?: Servers
}

interface Servers {
  startServer(): Promise<TestServer>
  wipe(url: string): Promise<void>
  /** Remembers what the server holds now, and gives the way back to it. */
  snapshot(server: TestServer): Promise<() => Promise<void>>
  /** A server for `snapshot`. */
  startForgetful(): Promise<TestServer>
}

const deadlineMs = 2000
const takeAndHang = fileURLToPath(new URL('../fixtures/broker/take-and-hang.ts', import.meta.url))
const sendAndEnd = fileURLToPath(new URL('../fixtures/broker/send-and-end.ts', import.meta.url))
let said: string[] = []
const log = {
  info: (message: string) => void said.push(message),
  warn: (message: string) => void said.push(message),
}

const memories = new Map<string, MemoryServer>()

const kinds: Kind[] = [
  {
    name: 'memory',
    address: /^memory$/,
    async freshUrl() {
      const url = randomUUID()
      memories.set(url, createMemoryServer({ alarm: ringAfter }))
      return url
    },
    prepare: async () => undefined,
    open: (url) => createMemoryBroker(memories.get(url) ?? createMemoryServer()),
  },
  {
    name: 'redis',
    address: /^redis:\/\/127\.0\.0\.1:\d+\/\w+$/,
    freshUrl: freshRedis,
    prepare: async () => undefined,
    open: (connection, options) =>
      createRedisBroker({ connection, prefix: 'celeriac', deadlineMs, log, ...options }),
    servers: {
      startServer: () => startRedis(),
      wipe: async (url) => void (await askRedis(url, 'flushall')),
      async snapshot(server) {
        await askRedis(server.url, 'save')
        return async () => {
          await server.kill()
          await server.start()
        }
      },
      startForgetful: () => startRedis({ durable: false }),
    },
  },
  {
    name: 'postgres',
    address: /^postgres:\/\/127\.0\.0\.1:\d+\/\w+$/,
    freshUrl: freshDatabase,
    prepare: (url) => migratePostgresBroker(url),
    open: (url, options) => createPostgresBroker({ url, deadlineMs, log, ...options }),
    servers: {
      startServer: () => startPostgres(),
      wipe: (url) =>
        askPostgres(
          url,
          `DO $$ BEGIN EXECUTE (SELECT 'TRUNCATE ' || string_agg(format('%I.%I', schemaname, tablename), ', ')
         FROM pg_tables WHERE schemaname = 'celeriac_broker' AND tablename <> 'migration'); END $$`,
        ),
      async snapshot({ url }) {
        await askPostgres(url, 'CREATE TABLE kept AS TABLE celeriac_broker.job')
        return () =>
          askPostgres(
            url,
            'TRUNCATE celeriac_broker.job CASCADE; INSERT INTO celeriac_broker.job SELECT * FROM kept',
          )
      },
      startForgetful: () => startPostgres(),
    },
  },
]

describe.each(kinds)('the $name broker', (kind) => {
  /** What concerns servers, and connections to them. */
  const onServers = test.runIf(kind.servers)
  let url: string
  let broker: Broker
  let brokers: Broker[]
  let intakes: Intake[]
  let servers: TestServer[]

  beforeEach(async () => {
    said = []
    brokers = []
    intakes = []
    servers = []
    url = await kind.freshUrl()
    await kind.prepare(url)
    broker = open(url)
  })

  afterEach(async () => {
    await Promise.all(intakes.map((intake) => intake.close()))
    await Promise.all(brokers.map((each) => each.close()))
    await Promise.all(servers.map((server) => server.stop()))
  })

  function open(at: string, options?: { lockMs?: number }): Broker {
    const opened = kind.open(at, options)
    brokers.push(opened)
    return opened
  }

  function serversOf(): Servers {
    if (kind.servers) return kind.servers
    throw new Error(`The ${kind.name} broker has no servers, and this test needs one.`)
  }

  async function startServer(): Promise<TestServer> {
    const server = await serversOf().startServer()
    servers.push(server)
    return server
  }

  function take(taker: Taker['onDelivery'], { from = broker, queue = 'default', limit = 10 } = {}): Intake {
    const intake = from.take(queue, { onDelivery: taker })
    intake.setLimit(limit)
    intakes.push(intake)
    return intake
  }

  /** Takes everything, and notes it in order. */
  function collect(options?: Parameters<typeof take>[1]): string[] {
    const taken: string[] = []
    take(async ({ jobId }) => {
      taken.push(jobId)
      return 'done'
    }, options)
    return taken
  }

  test('says where it is, without secrets', () => {
    expect(broker.kind).toBe(kind.name)
    expect(broker.address).toMatch(kind.address)
  })

  test('hands a delivery over once, with its number and task', async () => {
    const taken: TakenDelivery[] = []
    take(async (delivery) => {
      taken.push(delivery)
      return 'done'
    })

    const sent = delivery({ number: 7, task: 'mail.send' })
    await broker.dispatch([sent])

    await until(() => taken.length === 1)
    expect(taken).toEqual([{ jobId: sent.jobId, number: 7, task: 'mail.send' }])
    await until(async () => isEmpty(await broker.counts('default')))
    expect(taken).toHaveLength(1)
  })

  test('ignores a delivery that it holds already', async () => {
    const twice = delivery()
    await broker.dispatch([twice, twice])
    await broker.dispatch([twice])

    expect(await broker.counts('default')).toEqual({ waiting: 1, delayed: 0, taken: 0 })
  })

  test('takes the same job again under the next number', async () => {
    const first = delivery()
    const taken: number[] = []
    take(async ({ number }) => {
      taken.push(number)
      return 'done'
    })

    await broker.dispatch([first])
    await until(() => taken.length === 1)
    await broker.dispatch([{ ...first, number: 2 }])

    await until(() => taken.length === 2)
    expect(taken).toEqual([1, 2])
  })

  test('hands over thousands at once, in the order of their sending, to several queues', async () => {
    const mail = many(1500, { queue: 'mail' })
    const media = many(700, { queue: 'media' })
    await broker.dispatch([...mail, ...media])

    const [mailTaken, mediaTaken] = [
      collect({ queue: 'mail', limit: 1 }),
      collect({ queue: 'media', limit: 50 }),
    ]

    await until(() => mailTaken.length === 1500 && mediaTaken.length === 700, { timeoutMs: 50_000 })
    expect(mailTaken).toEqual(idsOf(mail))
    expect(new Set(mediaTaken)).toEqual(new Set(idsOf(media)))
  })

  test('keeps a delayed delivery until its time', async () => {
    const taken = collect()
    const [later, now] = [delivery({ delayMs: 700 }), delivery()]
    const sentAt = performance.now()

    await broker.dispatch([later, now])
    await until(() => taken.length === 1)
    expect(taken).toEqual([now.jobId])
    expect((await broker.counts('default')).delayed).toBe(1)

    await until(() => taken.length === 2)
    const waitedMs = performance.now() - sentAt
    expect(waitedMs).toBeGreaterThan(650)
    expect(waitedMs).toBeLessThan(1600)
  })

  test('hands over priority 0 first, and the larger numbers later', async () => {
    const sent = [5, 0, 1_000_000, 1].map((priority) => delivery({ priority }))
    await broker.dispatch(sent)

    const taken = collect({ limit: 1 })

    await until(() => taken.length === 4)
    expect(taken).toEqual([1, 3, 0, 2].map((index) => sent[index]?.jobId))
  })

  test('puts what is sent ahead before everything that waits', async () => {
    const [first, urgent] = [delivery(), delivery({ ahead: true, priority: 9 })]
    await broker.dispatch([first])
    await broker.dispatch([urgent])

    const taken = collect({ limit: 1 })

    await until(() => taken.length === 2)
    expect(taken).toEqual([urgent.jobId, first.jobId])
  })

  test.each([
    ['that are alike', 0],
    ['of one priority', 3],
  ])('puts a returned delivery back at the head of those %s', async (_, priority) => {
    const sent = many(3, { priority })
    const taken: string[] = []
    await broker.dispatch(sent)

    take(
      async ({ jobId }) => {
        taken.push(jobId)
        return taken.length === 1 ? 'return' : 'done'
      },
      { limit: 1 },
    )

    await until(() => taken.length === 4)
    expect(taken).toEqual(idsOf([sent[0], ...sent]))
  })

  test('puts a delivery back whose taker fails', async () => {
    let takes = 0
    take(async () => {
      takes += 1
      if (takes === 1) throw new Error('not today')
      return 'done'
    })

    await broker.dispatch([delivery()])

    await until(() => takes === 2)
    await until(async () => isEmpty(await broker.counts('default')))
  })

  test('holds no more deliveries at once than the limit, and follows when it is raised', async () => {
    const taker = holdingTaker()
    const intake = take(taker.onDelivery, { limit: 3 })
    await broker.dispatch(many(10))

    await until(() => taker.held() === 3)
    await until(async () => (await broker.counts('default')).taken === 3)
    intake.setLimit(7)
    await until(() => taker.held() === 7)
    intake.setLimit(20)
    await until(() => taker.held() === 10)

    taker.releaseAll()
    await until(async () => isEmpty(await broker.counts('default')))
    expect(taker.most()).toBe(10)
  })

  test('takes nothing before the first limit, and nothing at limit 0', async () => {
    const taken: string[] = []
    const intake = broker.take('default', {
      async onDelivery({ jobId }) {
        taken.push(jobId)
        return 'done'
      },
    })
    intakes.push(intake)
    await broker.dispatch(many(3))
    expect((await broker.counts('default')).waiting).toBe(3)

    intake.setLimit(2)
    await until(() => taken.length === 3)
    intake.setLimit(0)
    const [late] = many(1)
    if (late) await broker.dispatch([late])
    // Longer than a short 0 is bridged: by then the delivery is back where another worker can have it.
    await new Promise((resolve) => setTimeout(resolve, 700))
    await until(async () => (await broker.counts('default')).waiting === 1)
    expect(taken).toHaveLength(3)

    intake.setLimit(1)
    await until(() => taken.length === 4)
  })

  test('follows a limit that goes up and down all the time', async () => {
    let limit = 1
    const taken = new Set<string>()
    const intake = take(
      async ({ jobId }) => {
        limit = (limit + 1) % 4
        intake.setLimit(limit)
        setTimeout(() => intake.setLimit(2), 1)
        taken.add(jobId)
        return 'done'
      },
      { limit },
    )

    await broker.dispatch(many(300))

    await until(() => taken.size === 300)
  })

  test('counts what waits, what is delayed and what is taken', async () => {
    const taker = holdingTaker()
    await broker.dispatch([...many(2), delivery({ priority: 4 }), delivery({ delayMs: 60_000 })])
    take(taker.onDelivery, { limit: 1 })

    await until(() => taker.held() === 1)
    expect(await broker.counts('default')).toEqual({ waiting: 2, delayed: 1, taken: 1 })
    taker.releaseAll()
  })

  test.each(['a:b', 'größe/1 {x}', '100%', 'tab\there', '🥬', 'a%003ab'])(
    'serves a queue named %j, and no other',
    async (queue) => {
      const taken = collect({ queue })
      const others = collect({ queue: 'a%3ab' })

      await broker.dispatch([delivery({ queue })])

      await until(() => taken.length === 1)
      expect(others).toEqual([])
    },
  )

  test('an intake that closes waits for the deliveries that are held, and takes no more', async () => {
    const taker = holdingTaker()
    const intake = take(taker.onDelivery, { limit: 2 })
    await broker.dispatch(many(5))
    await until(() => taker.held() === 2)

    let closed = false
    const closing = intake.close().then(() => {
      closed = true
    })
    expect(closed).toBe(false)
    taker.releaseAll()
    await closing

    expect(taker.most()).toBe(2)
    await until(async () => {
      const { waiting, taken } = await broker.counts('default')
      return waiting === 3 && taken === 0
    })
  })

  onServers('a delivery whose taker was killed before it answered comes again', async () => {
    const sent = delivery()
    await broker.dispatch([sent])
    const process = spawn('node', ['--import', 'tsx', takeAndHang, kind.name, url], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const [said] = await once(process.stdout, 'data')
    expect(String(said)).toContain(sent.jobId)
    process.kill('SIGKILL')

    const taken = collect({ from: open(url, { lockMs: 600 }) })

    await until(() => taken.length === 1)
    expect(taken).toEqual([sent.jobId])
  })

  onServers('a process that has sent its deliveries ends by itself', async () => {
    const code = await runToEnd(sendAndEnd, kind.name, url)

    expect(code).toBe(0)
    expect((await broker.counts('default')).waiting).toBe(1)
  })

  onServers('a process that could not send its deliveries ends by itself', async () => {
    const server = await startServer()
    await server.stop()

    expect(await runToEnd(sendAndEnd, kind.name, server.url)).toBe(0)
  })

  test('tells what it is, with deliveries and without', async () => {
    const { kind: name, address } = await broker.facts()
    expect([name, address]).toEqual([kind.name, broker.address])

    await broker.dispatch(many(3))
    expect(await broker.facts()).toMatchObject({ kind: name, address })
  })

  onServers('facts of a server that went are an error, within the deadline', async () => {
    const server = await startServer()
    await kind.prepare(server.url)
    const lonely = open(server.url)
    await until(() => lonely.ping().then(() => true))
    expect(await lonely.facts()).toMatchObject({ version: expect.stringMatching(/^\d+\.\d+/) })
    await server.stop()

    const startedAt = performance.now()
    await expect(lonely.facts()).rejects.toMatchObject({ code: 'BROKER_UNAVAILABLE' })
    expect(performance.now() - startedAt).toBeLessThan(deadlineMs + 500)
  })

  onServers('a server that is not there yet: calls fail in time, and all works once it is up', async () => {
    const server = await startServer()
    await kind.prepare(server.url)
    await server.stop()

    const early = open(server.url)
    const taken = collect({ from: early })
    const startedAt = performance.now()
    await expect(early.dispatch([delivery()])).rejects.toMatchObject({ code: 'BROKER_UNAVAILABLE' })
    await expect(early.ping()).rejects.toThrow(early.address)
    expect(performance.now() - startedAt).toBeLessThan(2 * deadlineMs + 500)

    await server.start()
    const sent = delivery()
    await until(() => early.dispatch([sent]).then(() => true))
    await until(() => taken.length === 1)
    expect(taken).toEqual([sent.jobId])
    expect(said.filter((message) => message.includes('in trouble'))).toHaveLength(1)
    await until(() => said.some((message) => message.includes('answers again')))
  })

  onServers(
    'a server that is killed under load and comes back: nothing that was not acknowledged is lost',
    async () => {
      const server = await startServer()
      await kind.prepare(server.url)
      const loaded = open(server.url, { lockMs: 1000 })
      const taken = new Set<string>()
      const sent = many(2000)
      await loaded.dispatch(sent)
      const intake = loaded.take('default', {
        async onDelivery({ jobId }) {
          await new Promise((resolve) => setTimeout(resolve, 5))
          taken.add(jobId)
          return 'done'
        },
      })
      intakes.push(intake)
      intake.setLimit(10)

      await until(() => taken.size > 100)
      await server.kill()
      await expect(loaded.dispatch([delivery()])).rejects.toMatchObject({ code: 'BROKER_UNAVAILABLE' })
      const before = taken.size
      await server.start()
      await until(() => taken.size > before + 50)
      await until(() => taken.size === sent.length)
      expect(said.filter((message) => message.includes('in trouble'))).toHaveLength(1)

      const late = delivery()
      await until(() => loaded.dispatch([late]).then(() => true))
      await until(() => taken.has(late.jobId))
    },
    40_000,
  )

  describe('the mark', () => {
    test('is what was written last, by whichever process', async () => {
      const other = open(url)
      expect((await broker.readMark()).value).toBeUndefined()

      await broker.writeMark('one')
      expect((await other.readMark()).value).toBe('one')
      await other.writeMark('two')

      const [mine, theirs] = await Promise.all([broker.readMark(), other.readMark()])
      expect(mine.value).toBe('two')
      expect(theirs).toEqual(mine)
      expect(mine.instance).toMatch(/\w{10}/)
    })

    test('may be written by several at once', async () => {
      const values = ['a', 'b', 'c', 'd']
      await Promise.all(values.map((value) => open(url).writeMark(value)))

      expect(values).toContain((await broker.readMark()).value)
      await broker.writeMark('e')
      expect((await broker.readMark()).value).toBe('e')
    })

    test('is no delivery, and in the way of none', async () => {
      await broker.writeMark('one')
      const queues = ['mark', '%marks', 'marks']
      const taken = queues.map((queue) => collect({ queue }))
      await broker.dispatch(queues.map((queue) => delivery({ queue })))

      await until(() => taken.every((each) => each.length === 1))
      await until(async () => (await Promise.all(queues.map((queue) => broker.counts(queue)))).every(isEmpty))
      expect((await broker.readMark()).value).toBe('one')
    })

    onServers('goes with what the server loses in a wipe, after which all works as before', async () => {
      const server = await startServer()
      await kind.prepare(server.url)
      const wiped = open(server.url)
      const taken = collect({ from: wiped })
      await wiped.writeMark('one')
      const { instance } = await wiped.readMark()

      await serversOf().wipe(server.url)

      expect(await wiped.readMark()).toEqual({ value: undefined, instance })
      await wiped.writeMark('two')
      expect(await wiped.readMark()).toEqual({ value: 'two', instance })
      await wiped.dispatch([delivery()])
      await until(() => taken.length === 1)
    })

    onServers('outlives a restart, which changes the instance', async () => {
      const server = await startServer()
      await kind.prepare(server.url)
      const restarted = open(server.url)
      await restarted.writeMark('one')
      const before = await restarted.readMark()

      await server.stop()
      await expect(restarted.readMark()).rejects.toMatchObject({ code: 'BROKER_UNAVAILABLE' })
      await expect(restarted.writeMark('two')).rejects.toMatchObject({ code: 'BROKER_UNAVAILABLE' })
      await server.start()

      const after = await until(() => restarted.readMark())
      expect(after.value).toBe('one')
      expect(after.instance).not.toBe(before.instance)
    })

    onServers('is the old one when the server goes back to an old state', async () => {
      const server = await serversOf().startForgetful()
      servers.push(server)
      await kind.prepare(server.url)
      const aged = open(server.url)
      await aged.writeMark('old')
      const goBack = await serversOf().snapshot(server)
      await aged.writeMark('new')
      expect((await aged.readMark()).value).toBe('new')

      await goBack()

      const { value } = await until(() => aged.readMark())
      expect(value).toBe('old')
    })
  })

  onServers('closes in time while the server is away', async () => {
    const server = await startServer()
    await kind.prepare(server.url)
    const lonely = open(server.url)
    const taken = collect({ from: lonely })
    await lonely.dispatch([delivery()])
    await until(() => taken.length === 1)
    await server.kill()

    const startedAt = performance.now()
    await Promise.all(intakes.map((intake) => intake.close()))
    await lonely.close()

    expect(performance.now() - startedAt).toBeLessThan(8000)
  })

  test('says that it is closed', async () => {
    await broker.close()
    await broker.close()

    await expect(broker.dispatch([delivery()])).rejects.toMatchObject({ code: 'CLOSED' })
  })
})

function delivery(about: Partial<Delivery> = {}): Delivery {
  return { jobId: randomUUID(), number: 1, task: 'test.task', queue: 'default', ...about }
}

function many(length: number, about: Partial<Delivery> = {}): Delivery[] {
  return Array.from({ length }, () => delivery(about))
}

function idsOf(deliveries: readonly (Delivery | undefined)[]): (string | undefined)[] {
  return deliveries.map((each) => each?.jobId)
}

function isEmpty({ waiting, delayed, taken }: { waiting: number; delayed: number; taken: number }): boolean {
  return waiting + delayed + taken === 0
}

async function askRedis(url: string, command: string): Promise<void> {
  const client = new Redis(url)
  try {
    await client.call(command)
  } finally {
    client.disconnect()
  }
}

async function askPostgres(url: string, text: string): Promise<void> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    await client.query(text)
  } finally {
    await client.end()
  }
}

async function runToEnd(script: string, ...args: string[]): Promise<number | null> {
  const process = spawn('node', ['--import', 'tsx', script, ...args], {
    stdio: ['ignore', 'inherit', 'inherit'],
  })
  const tooLate = setTimeout(() => process.kill('SIGKILL'), 15_000)
  const [code] = await once(process, 'exit')
  clearTimeout(tooLate)
  return code as number | null
}

/** Holds what it is given until it is told to answer. */
function holdingTaker() {
  let release: () => void = () => undefined
  const released = new Promise<void>((resolve) => {
    release = resolve
  })
  let held = 0
  let most = 0
  return {
    held: () => held,
    most: () => most,
    releaseAll: () => release(),
    async onDelivery(): Promise<'done'> {
      held += 1
      most = Math.max(most, held)
      await released
      held -= 1
      return 'done'
    },
  }
}
