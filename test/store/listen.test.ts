import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import pg from 'pg'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { createListener, type Listener, type ListenerSettings } from '../../src/store/listen.js'
import { createProxy, type TcpProxy } from '../support/proxy.js'
import { freshDatabase, startPostgres } from '../support/servers.js'
import { until } from '../support/until.js'

let url: string
let said: string[]
let cleanups: (() => Promise<unknown>)[]
const log = { warn: (message: string) => said.push(message) }

beforeEach(async () => {
  url = await freshDatabase()
  said = []
  cleanups = []
})

afterEach(async () => {
  for (const cleanup of cleanups.reverse()) await cleanup()
})

test('a notification reaches every listener of its channel, and no other', async () => {
  const listener = listening()
  const first = hear(listener, 'news')
  const second = hear(listener, 'news')
  const other = hear(listener, 'Ne"ws')
  await Promise.all([first.listening, second.listening, other.listening])

  await notify('news', 'hello')
  await notify('Ne"ws', 'quoted')

  await until(() => first.heard.length + second.heard.length + other.heard.length === 3)
  expect([first.heard, second.heard, other.heard]).toEqual([['hello'], ['hello'], ['quoted']])
})

test('all channels share one connection, which opens at the first of them', async () => {
  const listener = listening()
  expect(await connections()).toBe(0)

  const heard = Array.from({ length: 20 }, (_, at) => hear(listener, `channel${at}`))
  await Promise.all(heard.map((each) => each.listening))

  expect(await connections()).toBe(1)
})

test('a listener that has ended hears nothing, and its channel is given up with the last', async () => {
  const listener = listening()
  const gone = hear(listener, 'news')
  const here = hear(listener, 'news')
  await Promise.all([gone.listening, here.listening])
  gone.end()

  await notify('news', 'one')
  await until(() => here.heard.length === 1)
  here.end()
  const later = hear(listener, 'later')
  await later.listening
  await notify('news', 'two')
  await notify('later', 'three')

  await until(() => later.heard.length === 1)
  expect([gone.heard, here.heard]).toEqual([[], ['one']])
})

test('a listener that throws harms no other', async () => {
  const listener = listening()
  listener.on('news', () => {
    throw new Error('oops')
  })
  const second = hear(listener, 'news')
  await second.listening

  await notify('news', 'hello')

  await until(() => second.heard.length === 1)
  expect(said.join()).toContain('A listener threw: Error: oops')
})

test('a connection that was ended is replaced, and whoever listens may look once', async () => {
  const listener = listening()
  const news = hear(listener, 'news')
  await news.listening

  await query(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'celeriac listen'
    AND datname = current_database()`)
  await until(() => news.beginnings() === 2)
  await notify('news', 'again')

  await until(() => news.heard.length === 1)
  expect(said).toEqual([
    expect.stringMatching(/^LISTEN was lost on postgres:.*terminating connection/),
    expect.stringMatching(/^LISTEN is back on postgres:/),
  ])
  expect(said.join()).not.toContain('secret')
})

test('a server that starts late, or again, is found', async () => {
  const server = await startPostgres()
  cleanups.push(() => server.stop())
  await server.stop()
  const news = hear(listening({ url: server.url, maxPauseMs: 200 }), 'news')
  await until(() => said.length === 1)

  await server.start()
  await news.listening
  await server.kill()
  await until(() => said.length === 3)
  await server.start()
  await until(() => news.beginnings() === 2)
  await notify('news', 'hello', server.url)

  await until(() => news.heard.length === 1)
  expect(said.map((message) => message.slice(0, 13))).toEqual([
    'LISTEN was lo',
    'LISTEN is bac',
    'LISTEN was lo',
    'LISTEN is bac',
  ])
})

test('a connection whose other side is gone without a word is noticed', async () => {
  const proxy = await proxied(url)
  const news = hear(listening({ url: proxy.url, probeMs: 100, deadlineMs: 300 }), 'news')
  await news.listening

  proxy.set('silent')
  await until(() => said.some((message) => message.includes('Query read timeout')))
  proxy.set('pass')

  await until(() => news.beginnings() === 2)
})

test('it can be closed at any moment', async () => {
  const idle = createListener({ url, log })
  await idle.close()
  await idle.close()
  expect(() => idle.on('news', () => {})).toThrow('closed')

  const proxy = await proxied(url)
  proxy.set('silent')
  const connecting = createListener({ url: proxy.url, log })
  connecting.on('news', () => {})
  await until(() => proxy.connections() === 1)
  await connecting.close()

  const pausing = createListener({ url: 'postgres://127.0.0.1:1/none', log })
  pausing.on('news', () => {})
  await until(() => said.length === 1)
  await pausing.close()
  expect(said).toHaveLength(1)
})

test('it keeps no process alive', async () => {
  const script = `
    import { createListener } from ${JSON.stringify(fileURLToPath(new URL('../../src/store/listen.ts', import.meta.url)))}
    const listener = createListener({ url: ${JSON.stringify(url)}, log: console })
    const hold = setInterval(() => {}, 1000)
    listener.on('news', () => {}, () => {
      console.log('listening')
      clearInterval(hold)
    })`
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ['--import', 'tsx', '--input-type=module', '-e', script],
    { timeout: 10_000 },
  )
  expect(stdout).toContain('listening')
})

function listening(settings: Partial<ListenerSettings> = {}): Listener {
  const listener = createListener({ url, log, ...settings })
  cleanups.push(() => listener.close())
  return listener
}

async function proxied(target: string): Promise<TcpProxy> {
  const proxy = await createProxy(target)
  cleanups.push(() => proxy.close())
  return proxy
}

interface Heard {
  readonly heard: string[]
  /** The server sends from now on. */
  readonly listening: Promise<void>
  /** How often it has begun to. */
  beginnings(): number
  end(): void
}

function hear(listener: Listener, channel: string): Heard {
  const heard: string[] = []
  let beginnings = 0
  let end = () => {}
  const begun = new Promise<void>((resolve) => {
    const onListening = () => {
      beginnings += 1
      resolve()
    }
    end = listener.on(channel, (payload) => heard.push(payload), onListening)
  })
  return { heard, listening: begun, beginnings: () => beginnings, end }
}

async function notify(channel: string, payload: string, database = url): Promise<void> {
  await query(`SELECT pg_notify('${channel}', '${payload}')`, database)
}

async function connections(): Promise<number> {
  const [row] = await query(
    `SELECT count(*)::int AS count FROM pg_stat_activity
     WHERE application_name = 'celeriac listen' AND datname = current_database()`,
  )
  return row?.count ?? 0
}

async function query(text: string, database = url): Promise<{ count?: number }[]> {
  const client = new pg.Client(database)
  await client.connect()
  const { rows } = await client.query(text)
  await client.end()
  return rows
}
