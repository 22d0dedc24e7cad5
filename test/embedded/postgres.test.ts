import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeAll, expect, test } from 'vitest'
import { until } from '../support/until.js'
import {
  buildApp,
  keepersOf,
  makeApp,
  makePreparedApp,
  query,
  serversOf,
  startApp,
  tidy,
  untilStopped,
} from './lab.js'

let app: string

beforeAll(async () => {
  app = await buildApp()
})
afterEach(tidy)

test('the first process prepares a server and says so in one line', async () => {
  const root = makeApp()
  const web = startApp(app, root)

  const url = await web.url()

  expect(web.said.filter(({ info }) => info)).toEqual([
    { info: 'Preparing a private PostgreSQL in .celeriac (no database URL is configured)' },
  ])
  expect(new URL(url).pathname).toBe('/celeriac')
  expect(await query(url, 'SELECT current_database() AS name, 1 AS n')).toEqual([{ name: 'celeriac', n: 1 }])
})

test('the server is durable, takes 200 connections, and listens on the loopback only', async () => {
  const url = await startApp(app, await makePreparedApp(app)).url()

  const rows = await query(
    url,
    `SELECT name, setting FROM pg_settings WHERE name IN ('fsync', 'synchronous_commit', 'max_connections',
      'listen_addresses', 'unix_socket_directories', 'server_encoding', 'lc_collate') ORDER BY name`,
  )

  expect(Object.fromEntries(rows.map(({ name, setting }) => [name, setting]))).toEqual({
    fsync: 'on',
    synchronous_commit: 'on',
    max_connections: '200',
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '',
    server_encoding: 'UTF8',
  })
})

test('nobody connects without the password, which only the owner of the files can read', async () => {
  const root = makeApp()
  const url = new URL(await startApp(app, root).url())

  const wrong = new URL(url)
  wrong.password = 'wrong'

  await expect(query(wrong.href, 'SELECT 1')).rejects.toThrow(/password authentication failed/)
  for (const file of ['keeper.json', 'postgres/server.json', 'postgres.log']) {
    expect(statSync(join(root, '.celeriac', file)).mode & 0o077, file).toBe(0)
  }
  expect(readFileSync(join(root, '.celeriac/.gitignore'), 'utf8')).toBe('*\n')
})

test('processes that start at the same moment share one server', async () => {
  const root = makeApp()
  const processes = Array.from({ length: 6 }, () => startApp(app, root))

  const urls = await Promise.all(processes.map((process) => process.url()))

  expect(new Set(urls).size).toBe(1)
  expect(processes.flatMap(({ said }) => said).filter(({ info }) => info)).toHaveLength(1)
  expect(serversOf(root)).toHaveLength(1)
  await until(() => keepersOf(root).length === 1)
})

test('the server outlives the process that started it, and stops when the last has gone', async () => {
  const root = await makePreparedApp(app)
  const [web, worker] = [startApp(app, root), startApp(app, root)]
  const url = await web.url()
  await worker.url()

  web.tell('end')
  await until(() => web.ended)
  expect(await query(url, 'SELECT 1 AS n')).toEqual([{ n: 1 }])

  worker.tell('close')
  await untilStopped(root)
  expect(worker.ended).toBe(false)
})

test('the server stops when its last process was killed', async () => {
  const root = await makePreparedApp(app)
  const web = startApp(app, root)
  await web.url()

  await web.kill()

  await untilStopped(root)
})

test('a process that comes back within the linger time finds the same server', async () => {
  const root = await makePreparedApp(app)
  const web = startApp(app, root, { lingerMs: 3000 })
  const url = await web.url()
  const before = serversOf(root)
  await web.kill()

  expect(await startApp(app, root).url()).toBe(url)
  expect(serversOf(root)).toEqual(before)
})

test('a process that comes while the server stops gets a new one', async () => {
  const root = await makePreparedApp(app)
  const web = startApp(app, root, { lingerMs: 0 })
  const url = await web.url()
  await web.kill()

  const next = startApp(app, root)

  expect(await next.url()).toBe(url)
  expect(await query(url, 'SELECT 1 AS n')).toEqual([{ n: 1 }])
})

test('a process with nothing else to do ends by itself', async () => {
  const root = await makePreparedApp(app)
  const script = startApp(app, root)
  await script.url()

  script.tell('end')

  await until(() => script.ended, { timeoutMs: 2000 })
  expect(script.child.exitCode).toBe(0)
})

test('two checkouts have servers of their own', async () => {
  const [one, other] = [await makePreparedApp(app), await makePreparedApp(app)]

  const urls = await Promise.all([startApp(app, one).url(), startApp(app, other).url()])

  expect(new URL(urls[0] ?? '').port).not.toBe(new URL(urls[1] ?? '').port)
  await query(urls[0] ?? '', 'CREATE TABLE mine ()')
  expect(await query(urls[1] ?? '', `SELECT to_regclass('mine') AS found`)).toEqual([{ found: null }])
})
