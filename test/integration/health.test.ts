import express from 'express'
import pg from 'pg'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { celeriac } from '../../src/plugin.js'
import { defineTask } from '../../src/task/define.js'
import { serve } from '../http/app.js'
import { brokers } from '../support/lab.js'
import { createProxy, type ProxyMode, type TcpProxy } from '../support/proxy.js'
import { startPostgres, startRedis, type TestServer } from '../support/servers.js'
import { until } from '../support/until.js'

/** A half-open connection is told within this time. */
const toldWithin = { timeoutMs: 15_000 }

function ended<T extends { stop(): Promise<void> } | { close(): Promise<void> }>(thing: T): T {
  onTestFinished(() => ('stop' in thing ? thing.stop() : thing.close()))
  return thing
}

const startStore = async () => ended(await startPostgres())
const startBroker = async (kind: (typeof brokers)[number]) =>
  ended(await (kind === 'redis' ? startRedis() : startPostgres()))

async function startProxy(server: TestServer): Promise<TcpProxy> {
  return ended(await createProxy(server.url))
}

/** A web process. It is not waited for: its servers may be away. */
async function openWeb(database: string, broker: string, deadline: '2s' | '5s' = '5s') {
  const task = defineTask(() => 'done')
  const jobs = ended(
    celeriac({ database, broker, tasks: { work: { task } }, deadline, logger: 'silent', migrate: true }),
  )
  const app = express()
  app.use(jobs)
  app.post('/work', jobs.accept(task, { payload: () => undefined }))
  const { url, close } = await serve(app)
  ended({ close })
  return {
    jobs,
    url,
    health: () => fetch(`${url}/jobs/health`),
    status: async () => (await jobs.health()).status,
    post: () => fetch(`${url}/work`, { method: 'POST' }),
  }
}

describe.each(brokers)('health with the broker on %s', { timeout: 60_000 }, (kind) => {
  test('a broker that goes away is told; jobs are accepted, and all is well when it returns', async () => {
    const [store, broker] = await Promise.all([startStore(), startBroker(kind)])
    const { health, post, status, jobs } = await openWeb(store.url, broker.url)
    await until(async () => (await status()) === 'ok')

    await broker.kill()
    const degraded = await until(async () => {
      const answer = await health()
      const body = (await answer.json()) as { status?: string }
      return body.status === 'degraded' && { code: answer.status, body }
    })
    expect(degraded).toEqual({ code: 200, body: { status: 'degraded', store: 'up', broker: 'down' } })
    expect((await post()).status).toBe(202)

    await broker.start()
    await until(async () => (await status()) === 'ok')
    expect(await jobs.health()).toEqual({ status: 'ok', store: 'up', broker: 'up' })
  })

  test('a store that goes away is told with a 503, and all is well when it returns', async () => {
    const [store, broker] = await Promise.all([startStore(), startBroker(kind)])
    const { health, status } = await openWeb(store.url, broker.url)
    await until(async () => (await status()) === 'ok')

    await store.kill()
    const down = await until(async () => {
      const answer = await health()
      return answer.status === 503 ? answer : undefined
    })
    const body = (await down?.text()) ?? ''
    expect(JSON.parse(body)).toEqual({ status: 'down', store: 'down', broker: 'up' })
    expect(body).not.toContain(String(store.port))

    await store.start()
    await until(async () => (await health()).status === 200)
  })

  test('servers that are stopped and not gone are told, and are well when they go on', async () => {
    const [store, broker] = await Promise.all([startStore(), startBroker(kind)])
    const { status } = await openWeb(store.url, broker.url, '2s')
    await until(async () => (await status()) === 'ok')

    const goOn = [await freeze(broker)]
    await until(async () => (await status()) === 'degraded', toldWithin)
    goOn.push(await freeze(store))
    await until(async () => (await status()) === 'down', toldWithin)

    for (const thaw of goOn) thaw()
    await until(async () => (await status()) === 'ok')
  })

  test.each<[ProxyMode, '2s' | '5s']>([
    ['silent', '5s'],
    ['silent-open', '2s'],
  ])('connections that are %j are told', async (mode, deadline) => {
    const [store, broker] = await Promise.all([startStore(), startBroker(kind)])
    const [toStore, toBroker] = await Promise.all([startProxy(store), startProxy(broker)])
    const { status } = await openWeb(toStore.url, toBroker.url, deadline)
    await until(async () => (await status()) === 'ok')

    toBroker.set(mode)
    await until(async () => (await status()) === 'degraded', toldWithin)
    if (mode === 'silent') toBroker.set('pass')
    await until(async () => (await status()) === 'ok', toldWithin)

    toStore.set(mode)
    await until(async () => (await status()) === 'down', toldWithin)
    if (mode === 'silent') toStore.set('pass')
    await until(async () => (await status()) === 'ok', toldWithin)
  })

  test('the app may start before its servers', async () => {
    const [store, broker] = await Promise.all([startStore(), startBroker(kind)])
    await Promise.all([store.stop(), broker.stop()])
    const { health, post, jobs } = await openWeb(store.url, broker.url, '2s')
    expect(await (await health()).json()).toEqual({ status: 'down', store: 'down', broker: 'down' })
    expect((await post()).status).toBe(503)

    await store.start()
    await until(async () => (await jobs.health()).status === 'degraded')
    expect((await post()).status).toBe(202)

    await broker.start()
    await until(async () => (await jobs.health()).status === 'ok')
  })
})

test('however many ask, a server is asked once a second', async () => {
  const store = await startStore()
  const { health, status } = await openWeb(store.url, store.url)
  await until(async () => (await status()) === 'ok')
  const query = vi.spyOn(pg.Client.prototype, 'query')
  onTestFinished(() => query.mockRestore())
  const began = performance.now()

  const answers = await Promise.all(Array.from({ length: 200 }, health))

  const probes = query.mock.calls.filter(([asked]) => String(asked).includes('transaction_read_only'))
  expect(answers.map(({ status }) => status)).toEqual(Array(200).fill(200))
  expect(probes.length).toBeLessThanOrEqual(Math.floor((performance.now() - began) / 1000) + 1)
})

test('a process whose connections are all busy is well', async () => {
  const store = await startStore()
  const { jobs, status, url } = await openWeb(`${store.url}?connection_limit=1`, store.url)
  await until(async () => (await status()) === 'ok')
  const lock = new pg.Client({ connectionString: store.url })
  await lock.connect()
  await lock.query('BEGIN')
  await lock.query('LOCK TABLE celeriac.job IN ACCESS EXCLUSIVE MODE')

  const id = '00000000-0000-7000-8000-000000000000'
  const waiting = Promise.all(Array.from({ length: 20 }, () => fetch(`${url}/jobs/${id}`)))
  await until(async () => {
    const { rows } = await lock.query(`SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock'`)
    return rows.length > 0
  })

  const before = performance.now()
  await until(() => performance.now() - before > 1000)
  expect(await jobs.health()).toMatchObject({ status: 'ok' })
  await lock.end()
  expect((await waiting).map((answer) => answer.status)).toEqual(Array(20).fill(404))
})

test('a database that takes no writes is down', async () => {
  const store = await startStore()
  const { status } = await openWeb(store.url, store.url)
  await until(async () => (await status()) === 'ok')
  const admin = new pg.Client({ connectionString: store.url })
  await admin.connect()

  await admin.query('ALTER SYSTEM SET default_transaction_read_only = on')
  await admin.query('SELECT pg_reload_conf()')
  await until(async () => (await status()) === 'down')

  await admin.query('SET default_transaction_read_only = off')
  await admin.query('ALTER SYSTEM RESET default_transaction_read_only')
  await admin.query('SELECT pg_reload_conf()')
  await until(async () => (await status()) === 'ok')
  await admin.end()
})

test('a closed app is down', async () => {
  const store = await startStore()
  const { jobs, status } = await openWeb(store.url, store.url)
  await until(async () => (await status()) === 'ok')

  await jobs.close()

  await until(async () => (await status()) === 'down')
})

/** Stops a server and all its children, without their ending. */
async function freeze({ pid, url }: TestServer): Promise<() => void> {
  const pids = [pid ?? 0, ...(url.startsWith('postgres') ? await childrenOf(url) : [])]
  for (const each of pids) process.kill(each, 'SIGSTOP')
  const thaw = () => {
    for (const each of pids.splice(0)) process.kill(each, 'SIGCONT')
  }
  onTestFinished(thaw)
  return thaw
}

async function childrenOf(url: string): Promise<number[]> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  const { rows } = await client.query<{ pid: number }>(
    'SELECT pid FROM pg_stat_activity WHERE pid <> pg_backend_pid()',
  )
  await client.end()
  return rows.map(({ pid }) => pid)
}
