import { randomUUID } from 'node:crypto'
import { Redis } from 'ioredis'
import pg from 'pg'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Broker } from '../../src/broker/broker.js'
import { createPostgresBroker, migratePostgresBroker } from '../../src/broker/postgres.js'
import { createRedisBroker } from '../../src/broker/redis.js'
import { createProxy, type TcpProxy } from '../support/proxy.js'
import { startPostgres, startRedis, type TestServer } from '../support/servers.js'
import type { OnEnd } from '../support/shared.js'
import { until } from '../support/until.js'

/** What connections go through. The numbers are those of the catalogue of faults. */

/** The product's default. */
const deadlineMs = 5000
/** After a fault's end, or after its beginning where only some connections are hurt. */
const recovery = { timeoutMs: 20_000 }
const second = () => new Promise((resolve) => setTimeout(resolve, 1000))

interface Flow {
  readonly said: string[]
  /** Ids that a `dispatch` has accepted. */
  readonly sent: Set<string>
  readonly taken: Set<string>
  /** How many times `dispatch` failed. */
  readonly refused: () => number
  /** Resolves when something that is sent from now on has been taken. */
  resumed(): Promise<void>
  /** Sends nothing more, and resolves when all that was sent has been taken. */
  settled(): Promise<void>
  close(): Promise<void>
}

/** A process that sends a delivery every 50 ms, and another that takes them from two queues. */
function startFlow(
  open: (log: { info(text: string): void; warn(text: string): void }) => [Broker, Broker],
): Flow {
  const said: string[] = []
  const note = (text: string) => void said.push(text)
  const [sender, taker] = open({ info: note, warn: note })
  const sent = new Set<string>()
  const taken = new Set<string>()
  let refused = 0
  const queues = ['one', 'two']
  const intakes = queues.map((queue) =>
    taker.take(queue, {
      async onDelivery({ jobId }) {
        taken.add(jobId)
        return 'done'
      },
    }),
  )
  for (const intake of intakes) intake.setLimit(5)
  const ticking = setInterval(() => {
    const jobId = randomUUID()
    const queue = queues[sent.size % 2] ?? ''
    sender.dispatch([{ jobId, number: 1, task: 'test.task', queue }]).then(
      () => sent.add(jobId),
      () => {
        refused += 1
      },
    )
  }, 50)

  return {
    said,
    sent,
    taken,
    refused: () => refused,
    async resumed() {
      const before = new Set(sent)
      await until(() => [...sent].some((id) => !before.has(id) && taken.has(id)), recovery)
    },
    async settled() {
      clearInterval(ticking)
      await until(() => [...sent].every((id) => taken.has(id)), recovery)
    },
    async close() {
      clearInterval(ticking)
      await Promise.all(intakes.map((intake) => intake.close()))
      await Promise.all([sender.close(), taker.close()])
    },
  }
}

const troubles = ({ said }: Flow) => said.filter((line) => line.includes('in trouble'))
const returns = ({ said }: Flow) => said.filter((line) => line.includes('answers again'))

// They wait most of the time, so they do it at once.
describe.concurrent('on Redis', () => {
  /** The taker is behind the proxy. */
  async function start(onEnd: OnEnd, user?: string) {
    const server = await startRedis({ args: ['--enable-debug-command', 'yes'] })
    onEnd(() => server.stop())
    const proxy = await createProxy(server.url)
    onEnd(() => proxy.close())
    const admin = new Redis(server.url)
    onEnd(() => admin.disconnect())
    admin.on('error', () => undefined)
    if (user !== undefined) await admin.acl('SETUSER', user, 'on', '>right', '~*', '&*', '+@all')
    const asUser = (url: string) => (user === undefined ? url : url.replace('//', `//${user}:right@`))
    const flow = startFlow((log) => [
      createRedisBroker({ connection: asUser(server.url), prefix: 'faults', deadlineMs, log: silent }),
      createRedisBroker({ connection: asUser(proxy.url), prefix: 'faults', deadlineMs, log }),
    ])
    onEnd(() => flow.close())
    await flow.resumed()
    await until(() => flow.taken.size > 20)
    return { proxy, admin, flow }
  }

  test('F21: connections that are silently dead are noticed, and work goes on, while others send', async ({
    onTestFinished,
  }) => {
    const { proxy, flow } = await start(onTestFinished)
    proxy.set('silent-open')

    await flow.resumed()

    expect(flow.refused()).toBe(0)
    await flow.settled()
    expect(troubles(flow)).toHaveLength(1)
    await until(() => returns(flow).length === 1, { timeoutMs: 40_000 })
  }, 90_000)

  test('F22: slow connections, and bytes that travel alone, do no harm', async ({ onTestFinished }) => {
    const { proxy, flow } = await start(onTestFinished)
    proxy.set({ delayMs: 300, jitterMs: 200 })
    await flow.resumed()
    proxy.set('slice')
    await flow.resumed()
    proxy.set('pass')

    await flow.settled()
    expect(flow.refused()).toBe(0)
  }, 60_000)

  test('F26: scripts that the server forgets are sent again', async ({ onTestFinished }) => {
    const { admin, flow } = await start(onTestFinished)
    for (let round = 0; round < 20; round += 1) {
      await admin.script('FLUSH')
      await new Promise((resolve) => setTimeout(resolve, 50))
    }

    await flow.settled()
    expect(flow.refused()).toBe(0)
    expect(flow.said).toEqual([])
  }, 60_000)

  test('F26: a server that pauses all its clients for 20 s', async ({ onTestFinished }) => {
    const { admin, flow } = await start(onTestFinished)
    await admin.call('CLIENT', 'PAUSE', '20000', 'ALL')
    await until(() => flow.refused() > 0, recovery)
    await until(() => admin.ping(), { timeoutMs: 30_000 })

    await flow.resumed()
    await flow.settled()
    expect(troubles(flow)).toHaveLength(1)
    await until(() => returns(flow).length === 1)
  }, 90_000)

  test('F26: a server that stands still for 8 s', async ({ onTestFinished }) => {
    const { admin, flow } = await start(onTestFinished)
    await admin.call('DEBUG', 'SLEEP', '8')

    await flow.resumed()
    await flow.settled()
    expect(troubles(flow)).toHaveLength(1)
    await until(() => returns(flow).length === 1)
  }, 90_000)

  test('F27: a server that cuts all connections each second', async ({ onTestFinished }) => {
    const { admin, flow } = await start(onTestFinished)
    for (let round = 0; round < 10; round += 1) {
      await admin.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes')
      await second()
    }

    await flow.resumed()
    await flow.settled()
    expect(troubles(flow)).toHaveLength(1)
    await until(() => returns(flow).length === 1)
  }, 60_000)

  test('F27: a password that is wrong for a while', async ({ onTestFinished }) => {
    const { admin, flow } = await start(onTestFinished, 'app')
    await admin.acl('SETUSER', 'app', 'resetpass', '>other')
    await admin.call('CLIENT', 'KILL', 'USER', 'app')
    await until(() => flow.refused() > 20, recovery)
    await until(() => troubles(flow).length > 0)
    expect(flow.said.join()).not.toContain('right')
    await admin.acl('SETUSER', 'app', 'resetpass', '>right')

    await flow.resumed()
    await flow.settled()
    expect(troubles(flow)).toHaveLength(1)
    await until(() => returns(flow).length === 1)
  }, 60_000)

  test('F27: a server that has no room for connections for a while', async ({ onTestFinished }) => {
    const { admin, flow } = await start(onTestFinished)
    await admin.config('SET', 'maxclients', '1')
    await admin.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes')
    await until(() => flow.refused() > 20, recovery)
    await admin.config('SET', 'maxclients', '100')

    await flow.resumed()
    await flow.settled()
    expect(troubles(flow)).toHaveLength(1)
    await until(() => returns(flow).length === 1)
  }, 60_000)
})

describe('on PostgreSQL', () => {
  let server: TestServer
  let proxy: TcpProxy
  let admin: pg.Client
  let flow: Flow

  beforeEach(async () => {
    server = await startPostgres()
    await migratePostgresBroker(server.url)
    admin = new pg.Client({ connectionString: server.url })
    admin.on('error', () => undefined)
    await admin.connect()
    proxy = await createProxy(server.url)
    await admin.query('CREATE ROLE app SUPERUSER LOGIN')
    await start()
  })

  afterEach(async () => {
    await flow.close()
    await admin.end().catch(() => undefined)
    await proxy.close()
    await server.stop()
  })

  async function start(): Promise<void> {
    const asApp = (url: string) => url.replace('postgres:secret@', 'app:secret@')
    flow = startFlow((log) => [
      createPostgresBroker({ url: asApp(server.url), deadlineMs, log: silent }),
      createPostgresBroker({ url: asApp(proxy.url), deadlineMs, log }),
    ])
    await flow.resumed()
    await until(() => flow.taken.size > 20)
  }

  const cutAll = () =>
    admin.query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'app'")

  test('F21: connections that are silently dead are noticed, and work goes on, while others send', async () => {
    proxy.set('silent-open')

    await flow.resumed()

    expect(flow.refused()).toBe(0)
    await flow.settled()
    expect(troubles(flow)).toHaveLength(1)
    // While nothing happens, the connections are asked now and then only.
    await until(() => returns(flow).length === 1, { timeoutMs: 40_000 })
  }, 90_000)

  test('F22: slow connections, and bytes that travel alone, do no harm', async () => {
    proxy.set({ delayMs: 300, jitterMs: 200 })
    await flow.resumed()
    proxy.set('slice')
    await flow.resumed()
    proxy.set('pass')

    await flow.settled()
    expect(flow.refused()).toBe(0)
  }, 60_000)

  test('F30: a server that cuts all connections each second', async () => {
    for (let round = 0; round < 10; round += 1) {
      await cutAll()
      await second()
    }

    await flow.resumed()
    await flow.settled()
    expect(troubles(flow)).toHaveLength(1)
    await until(() => returns(flow).length === 1)
  }, 60_000)

  test('F30: a server that crashes again and again', async () => {
    for (let round = 0; round < 5; round += 1) {
      await server.end('SIGQUIT')
      await server.start()
      await second()
    }

    await flow.resumed()
    await flow.settled()
  }, 90_000)

  test.each([
    ['F27: a login that is refused for a while', 'NOLOGIN', 'LOGIN'],
    [
      'F33: a server that has no room for connections for a while',
      'NOSUPERUSER CONNECTION LIMIT 0',
      'SUPERUSER',
    ],
  ])(
    '%s',
    async (_, refuse, allow) => {
      await admin.query(`ALTER ROLE app ${refuse}`)
      await cutAll()
      await until(() => flow.refused() > 20, recovery)
      await admin.query(`ALTER ROLE app ${allow}`)

      await flow.resumed()
      await flow.settled()
      expect(troubles(flow)).toHaveLength(1)
      await until(() => returns(flow).length === 1)
    },
    60_000,
  )
})

const silent = { info: () => undefined, warn: () => undefined }
