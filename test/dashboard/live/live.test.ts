import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import express from 'express'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { createHub } from '../../../src/dashboard/live/hub.js'
import { createLive, mostOfOne } from '../../../src/dashboard/live/live.js'
import { lines } from '../../http/app.js'
import { listen } from '../../http/event-client.js'
import { freshServers } from '../../support/lab.js'
import { startPostgres } from '../../support/servers.js'
import { until } from '../../support/until.js'
import { api, get, openWeb, post, type Scene, users } from '../api/scene.js'
import { ask } from '../shop.js'

const nobody = { onChange: () => {}, onFailure: () => {} }

interface Told {
  readonly watch: string
  // biome-ignore lint/suspicious/noExplicitAny: JSON of any shape, which the test looks into
  readonly body: any
  readonly problem: { readonly status: number; readonly code: string; readonly detail: string }
}

function urlOf(scene: Pick<Scene, 'url'>, ...addresses: readonly string[]): string {
  const query = new URLSearchParams(addresses.map((address): [string, string] => ['watch', address]))
  return `${scene.url}${api}/live?${query}`
}

describe.each(lines)('a page that watches, on %s', (_line, make) => {
  let scene: Scene

  beforeAll(async () => {
    scene = await openWeb(await freshServers('postgres'), { make })
  }, 120_000)

  afterAll(() => scene?.close())

  test('is told what stands at its addresses, and what becomes of it', async () => {
    const page = await listen(urlOf(scene, '/queues', '/jobs?state=queued&values=short'), {
      'X-User': 'vera',
    })
    expect(page).toMatchObject({
      status: 200,
      headers: { 'content-type': 'text/event-stream; charset=utf-8', 'x-accel-buffering': 'no' },
    })
    await page.sees('data', ({ watch, body }: Told) => watch === '/queues' && body.total >= 0)
    await page.sees('data', ({ watch, body }: Told) => watch !== '/queues' && body.jobs.length === 0)

    await scene.jobs.enqueue('mail.send', 'ann')
    await page.sees('data', ({ watch, body }: Told) => watch !== '/queues' && body.jobs.length === 1)
    await page.sees('data', ({ watch, body }: Told) => watch === '/queues' && body.queues[0]?.waiting === 1)
    expect(page.text).toMatch(/^retry: \d+\n\n/)
  })

  test('gets the same as who asks for it', async () => {
    const page = await listen(urlOf(scene, '/workers'), { 'X-User': 'vera' })
    const { data } = await page.sees('data')

    expect(data).toEqual({ watch: '/workers', body: (await get(scene, '/workers', 'vera')).body })
  })

  test('is told why something cannot be had, and goes on with the rest', async () => {
    const gone = '/jobs/018f0000-0000-7000-8000-000000000001'
    const page = await listen(urlOf(scene, gone, '/workers'), { 'X-User': 'vera' })

    const { data } = await page.sees('problem')
    expect(data).toEqual({
      watch: gone,
      problem: { status: 404, code: 'JOB_NOT_FOUND', detail: expect.stringContaining('no such job') },
    })
    await page.sees('data', ({ watch }: Told) => watch === '/workers')
    expect(page.hasEnded).toBe(false)
  })

  test('sees what is done on another page at once', async () => {
    const { id } = await scene.jobs.enqueue('mail.send', 'bob')
    const page = await listen(urlOf(scene, `/jobs/${id}`), { 'X-User': 'vera' })
    await page.sees('data', ({ body }: Told) => body.job.state === 'queued')
    expect((await post(scene, '/jobs/cancel', { ids: [id] })).status).toBe(200)

    expect((await get(scene, `/jobs/${id}`)).body.job.state).toBe('cancelled')
    await page.sees('data', ({ body }: Told) => body.job.state === 'cancelled')
  })

  test.each([
    ['nothing', ''],
    ['too much', `?${Array.from({ length: 21 }, (_, at) => `watch=/jobs/${at}`).join('&')}`],
    ['no address', '?watch=/nowhere'],
    ['no address of ours', '?watch=http://elsewhere.example/'],
    ['what asks workers', '?watch=/inspect/ping'],
    ['what is not the same for all', '?watch=/me'],
    ['itself', '?watch=/live%3Fwatch=/queues'],
    ['an address with a word that it does not know', '?watch=/queues%3Fcolour=red'],
    ['a thousand jobs', '?watch=/jobs%3Flimit=1000'],
  ])('cannot watch %s', async (_what, query) => {
    const answer = await get(scene, `/live${query}`)

    expect([answer.status, answer.body.code]).toEqual([400, 'BAD_REQUEST'])
  })

  test('is told that jobs of more than 1 MB are too much, and goes on with the rest', async () => {
    await scene.jobs.enqueueMany(
      'mail.send',
      Array.from({ length: 140 }, () => 'x'.repeat(8000)),
      { tags: ['large'] },
    )
    const [full, short] = ['/jobs?tag=large&limit=200', '/jobs?tag=large&limit=200&values=short']
    const page = await listen(urlOf(scene, full, short), { 'X-User': 'vera' })

    const { data } = await page.sees('problem')
    expect(data).toEqual({
      watch: full,
      problem: { status: 400, code: 'BAD_REQUEST', detail: expect.stringContaining('more than 1 MB') },
    })
    await page.sees('data', ({ watch, body }: Told) => watch === short && body.jobs.length === 140)
    expect((await get(scene, full)).body.jobs).toHaveLength(140)
  })

  test('is let in by permission alone', async () => {
    expect((await get(scene, '/live?watch=/queues', 'bob')).status).toBe(403)
    expect((await get(scene, '/live?watch=/queues', 'nobody')).status).toBe(403)
  })

  test('is no stream for who asks for its headers', async () => {
    const head = await ask(scene, `${api}/live?watch=/queues`, {
      method: 'HEAD',
      headers: { 'X-User': 'vera' },
    })

    expect([head.status, head.body]).toEqual([200, ''])
  })

  test('S27: has its bound of streams, as everybody has', async () => {
    users.set('many', { name: 'many@shop', role: 'viewer' })
    const open = await Promise.all(
      Array.from({ length: mostOfOne }, () => listen(urlOf(scene, '/workers'), { 'X-User': 'many' })),
    )
    expect(open.map(({ status }) => status)).toEqual(open.map(() => 200))
    const refused = await get(scene, '/live?watch=/workers', 'many')
    expect([refused.status, refused.body.code, refused.headers['retry-after']]).toEqual([
      429,
      'TOO_MANY_STREAMS',
      '30',
    ])
    const other = await listen(urlOf(scene, '/workers'), { 'X-User': 'vera' })
    expect(other.status).toBe(200)

    open[0]?.leave()
    await until(async () => {
      const again = await listen(urlOf(scene, '/workers'), { 'X-User': 'many' })
      return again.status === 200
    })
  })
})

describe('streams end', () => {
  test('when the app closes, and when its server closes first', async () => {
    for (const first of ['app', 'server'] as const) {
      const scene = await openWeb(await freshServers('postgres'))
      const app = express()
      app.use(scene.jobs)
      const server = createServer(app).listen(0, '127.0.0.1')
      await until(() => server.listening)
      const { port } = server.address() as AddressInfo
      const page = await listen(urlOf({ url: `http://127.0.0.1:${port}` }, '/workers'), { 'X-User': 'vera' })
      await page.sees('data')

      if (first === 'app') await scene.jobs.close()
      const closed = new Promise((resolve) => server.close(resolve))
      await page.ended()
      await closed
      await scene.close()
    }
  }, 120_000)

  test('S27: for who may no longer see it, and for who takes nothing', async () => {
    const hub = createHub({ everyMs: 5, mostPerSecond: 1000, mostAtOnce: 2, freshMs: 0 })
    const closing = new AbortController()
    onTestFinished(() => {
      closing.abort()
      hub.close()
    })
    let mayAnn = true
    const live = createLive({
      ...{ hub, closing: closing.signal, refusalOf: () => ({ status: 500, code: 'FAILED', message: '' }) },
      isAllowed: async (req) => req.url !== '/ann' || mayAnn,
      times: { checkMs: 200, longestMs: 60_000, lookMs: 20, longestStallMs: 500 },
    })
    let turn = 0
    /** Bytes that wait for the slow one, at each look. */
    const waiting: number[] = []
    const body = () => JSON.stringify({ turn: turn++, text: 'x'.repeat(200_000) })
    const app = express().use((req, res) => {
      if (req.url === '/slow')
        hub.watch('/b', async () => ({ body: '', tag: String(waiting.push(res.writableLength)) }), nobody)
      const load = async () => ({ body: body(), tag: String(turn) })
      const visitor = { by: null, role: null, actions: [], may: () => true }
      live.open(req, res, visitor, [{ watch: '/a', address: '/a', load }])
    })
    const server = createServer(app).listen(0, '127.0.0.1')
    await until(() => server.listening)
    onTestFinished(() => {
      server.closeAllConnections()
      server.close()
    })
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    const [ann, bob, slow] = await Promise.all([
      listen(`${url}/ann`),
      listen(`${url}/bob`),
      listen(`${url}/slow`),
    ])
    slow.pause()
    await bob.sees('data', ({ body }: Told) => body.turn > 100)
    mayAnn = false

    await ann.ended()
    expect(bob.hasEnded).toBe(false)
    expect(Math.max(...waiting)).toBeLessThan(500_000)
    slow.resume()
    await slow.ended()
  })
})

describe('a hundred open pages', () => {
  test.each([
    ['of the same addresses', () => ['/queues', '/workers']],
    ['of different addresses', (at: number) => [`/jobs?limit=${at + 1}&state=queued`]],
  ])(
    '%s cost the store a few statements a second',
    async (_what, addresses) => {
      let log: string[] = []
      const postgres = await startPostgres({
        settings: ['log_statement=all', 'log_line_prefix=[%a] '],
        onOutput: (text) => void log.push(...text.split('\n')),
      })
      onTestFinished(() => postgres.stop())
      const scene = await openWeb({ database: postgres.url })
      onTestFinished(() => scene.close())
      users.set('crowd', { role: 'viewer' })
      const pages = await Promise.all(
        Array.from({ length: 100 }, (_, at) => listen(urlOf(scene, ...addresses(at)), { 'X-User': 'crowd' })),
      )
      expect(pages.filter(({ status }) => status === 200)).toHaveLength(100)
      await Promise.all(pages.slice(0, 4).map((page) => page.sees('data')))

      log = []
      const seconds = 10
      await new Promise((resolve) => setTimeout(resolve, seconds * 1000))
      const statements = log.filter((line) =>
        /^\[celeriac store\] LOG: {2}(statement|execute .*?): (?!BEGIN|COMMIT|SET)/.test(line),
      )
      console.info(`${_what}: ${statements.length / seconds} statements a second`)
      expect(statements.length / seconds).toBeLessThan(16)

      for (const page of pages) page.leave()
      await new Promise((resolve) => setTimeout(resolve, 3000))
      log = []
      await new Promise((resolve) => setTimeout(resolve, 5000))
      expect(log.filter((line) => line.startsWith('[celeriac store]')).length / 5).toBeLessThan(3)
    },
    120_000,
  )
})
