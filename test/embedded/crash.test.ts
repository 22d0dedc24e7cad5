import { readdirSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { afterEach, beforeAll, expect, test } from 'vitest'
import { until } from '../support/until.js'
import {
  buildApp,
  keepersOf,
  makeApp,
  makePreparedApp,
  query,
  runOnce,
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

function kill(pids: readonly number[]): void {
  for (const pid of pids) process.kill(pid, 'SIGKILL')
}

test('when the keeper is killed, the server goes on under a new one', async () => {
  const root = await makePreparedApp(app)
  const web = startApp(app, root)
  const url = await web.url()
  const [keepers, servers] = [keepersOf(root), serversOf(root)]

  kill(keepers)

  await until(() => keepersOf(root).some((pid) => !keepers.includes(pid)))
  expect(await startApp(app, root).url()).toBe(url)
  expect(serversOf(root)).toEqual(servers)
})

test('when the server is killed, it comes back at the same address with its data', async () => {
  const root = await makePreparedApp(app)
  const [web, worker] = [startApp(app, root), startApp(app, root)]
  const url = await web.url()
  await worker.url()
  await query(url, 'CREATE TABLE kept AS SELECT 1 AS n')
  const servers = serversOf(root)

  kill(servers)

  const rows = await until(() => query(url, 'SELECT n FROM kept').catch(() => undefined))
  expect(rows).toEqual([{ n: 1 }])
  expect(serversOf(root)).not.toEqual(servers)
  expect(web.said.at(-1)?.warn).toBe('The private PostgreSQL has ended (SIGKILL). It is started again.')
})

test('when everything was killed at once, the next process finds its data', async () => {
  const root = await makePreparedApp(app)
  const web = startApp(app, root)
  const url = await web.url()
  await query(url, 'CREATE TABLE kept AS SELECT 1 AS n')

  kill([...keepersOf(root), ...serversOf(root)])
  await web.kill()
  kill([...keepersOf(root), ...serversOf(root)])

  expect(await startApp(app, root).url()).toBe(url)
  expect(await query(url, 'SELECT n FROM kept')).toEqual([{ n: 1 }])
})

test('a process that starts another server by itself after a crash leaves none behind', async () => {
  const root = await makePreparedApp(app)
  const web = startApp(app, root)
  await web.url()
  kill(keepersOf(root))

  await web.kill()
  const next = startApp(app, root)
  await next.url()
  next.tell('end')

  await untilStopped(root)
})

test('data that was half made when the keeper was killed is made anew', async () => {
  const root = makeApp()
  const web = startApp(app, root)
  await until(() => halfMade(root).length > 0, { everyMs: 2 })

  kill(keepersOf(root))

  expect(await query(await web.url(), 'SELECT 1 AS n')).toEqual([{ n: 1 }])
})

test('when the process that began is killed meanwhile, the others get the server', async () => {
  const root = makeApp()
  const first = startApp(app, root)
  await until(() => halfMade(root).length > 0, { everyMs: 2 })
  const second = startApp(app, root)

  await first.kill()

  expect(await query(await second.url(), 'SELECT 1 AS n')).toEqual([{ n: 1 }])
  expect(serversOf(root)).toHaveLength(1)
})

test('when the process that began is killed and no other comes, the server stops', async () => {
  const root = makeApp()
  const first = startApp(app, root)
  await until(() => halfMade(root).length > 0, { everyMs: 2 })

  await first.kill()

  await untilStopped(root)
})

test('a postmaster.pid whose number another process has now is no obstacle', async () => {
  const root = await makePreparedApp(app)
  const url = await runOnce(app, root)
  const pidFile = join(root, '.celeriac/postgres/data/postmaster.pid')

  writeFileSync(
    pidFile,
    `${process.pid}\n${join(root, '.celeriac/postgres/data')}\n0\n5432\n\n127.0.0.1\n\nready\n`,
  )

  expect(await startApp(app, root).url()).toBe(url)
})

test('a keeper.json that names a stranger is no obstacle', async () => {
  const root = await makePreparedApp(app)
  const url = await runOnce(app, root)
  const stranger = createServer((socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'))
  const port = await new Promise<number>((resolve) => {
    stranger.listen(0, '127.0.0.1', () => resolve((stranger.address() as { port: number }).port))
  })

  writeFileSync(join(root, '.celeriac/keeper.json'), JSON.stringify({ pid: 1, port, word: 'a', answer: 'b' }))

  expect(await startApp(app, root).url()).toBe(url)
  stranger.close()
})

test('a port that was taken meanwhile is replaced, and a free one is kept', async () => {
  const root = await makePreparedApp(app)
  const url = await runOnce(app, root)
  expect(await runOnce(app, root)).toBe(url)
  const stranger = createServer()
  await new Promise<void>((resolve) => stranger.listen(Number(new URL(url).port), '127.0.0.1', resolve))

  const other = await startApp(app, root).url()

  expect(new URL(other).port).not.toBe(new URL(url).port)
  expect(await query(other, 'SELECT 1 AS n')).toEqual([{ n: 1 }])
  stranger.close()
})

test('a keeper that was paused and replaced does not stop the server of its successor', async () => {
  const root = await makePreparedApp(app)
  const first = startApp(app, root)
  const url = await first.url()
  const [old = 0] = keepersOf(root)
  process.kill(old, 'SIGSTOP')

  const second = startApp(app, root)
  expect(await second.url()).toBe(url)
  const servers = serversOf(root)
  process.kill(old, 'SIGCONT')

  await until(() => !keepersOf(root).includes(old))
  expect(serversOf(root)).toEqual(servers)
  expect(await query(url, 'SELECT 1 AS n')).toEqual([{ n: 1 }])
})

test('a keeper that is asked to stop takes the server with it', async () => {
  const root = await makePreparedApp(app)
  const web = startApp(app, root, { lingerMs: 60_000 })
  await web.url()
  await web.kill()

  for (const pid of keepersOf(root)) process.kill(pid, 'SIGTERM')

  await untilStopped(root)
})

function halfMade(root: string): string[] {
  try {
    return readdirSync(join(root, '.celeriac')).filter((name) => name.endsWith('.half-made'))
  } catch {
    return []
  }
}
