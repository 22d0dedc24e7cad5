import { once } from 'node:events'
import { connect } from 'node:net'
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib'
import type { ErrorRequestHandler, Express, Request } from 'express'
import { afterEach, describe, expect, test } from 'vitest'
import { z } from 'zod'
import {
  BrokerUnavailableError,
  OwnerMissingError,
  PayloadInvalidError,
  StoreUnavailableError,
} from '../../src/errors.js'
import type { Http, HttpDeps } from '../../src/http/middleware.js'
import { createHttp } from '../../src/http/middleware.js'
import { defineTask } from '../../src/task/define.js'
import { until } from '../support/until.js'
import { lines, type RunningApp, serve } from './app.js'
import { createLedger, type Ledger } from './ledger.js'

const build = defineTask({
  name: 'reports.build',
  payload: z.object({ month: z.string() }),
  run: ({ month }) => ({ url: `/${month}.pdf` }),
})
const unchecked = defineTask({ name: 'sums.add', run: ({ a, b }: { a: number; b: number }) => a + b })

const running: RunningApp[] = []
afterEach(async () => {
  for (const app of running.splice(0)) await app.close()
})

describe.each(lines)('accept on %s', (line, express) => {
  async function open(
    route: (app: Express, http: Http, ledger: Ledger) => void,
    settings: Partial<HttpDeps> = {},
    mount = '/',
  ) {
    const ledger = createLedger(settings)
    const http = createHttp(ledger)
    const app = express()
    app.use(mount, http.middleware)
    route(app, http, ledger)
    app.use(((error, _req, res, _next) => {
      res.status(599).json({ seen: String(error) })
    }) as ErrorRequestHandler)
    const server = await serve(app)
    running.push(server)
    return { ledger, url: server.url }
  }

  const reports = (app: Express, http: Http) => {
    app.post('/reports', http.accept(build))
  }

  function post(url: string, body: unknown, headers: Record<string, string> = {}) {
    const sent = typeof body === 'string' || body instanceof Uint8Array ? body : JSON.stringify(body)
    return fetch(url, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', ...headers },
      body: sent,
    })
  }

  test('a payload is enqueued and answered 202 with its address and status', async () => {
    const { ledger, url } = await open(reports)

    const answer = await post(`${url}/reports`, { month: '2026-01' })
    const body = (await answer.json()) as { id: string }

    expect(answer.status).toBe(202)
    expect(answer.headers.get('location')).toBe(`/jobs/${body.id}`)
    expect(answer.headers.get('retry-after')).toBe('1')
    expect(body).toMatchObject({
      task: 'reports.build',
      state: 'queued',
      links: { self: `/jobs/${body.id}` },
    })
    expect(ledger.asked).toMatchObject([{ task: 'reports.build', payload: { month: '2026-01' } }])
  })

  test('it composes in a router below the mount', async () => {
    const { url } = await open(
      (app, http) => {
        const router = express.Router()
        router.post('/reports', http.accept(build))
        app.use('/api/v1', router)
      },
      {},
      '/api',
    )

    const answer = await post(`${url}/api/v1/reports`, { month: '2026-01' })

    expect(answer.headers.get('location')).toMatch(/^\/api\/jobs\//)
  })

  test('a route that is not below the mount must be told the public path, and enqueues nothing before', async () => {
    const { ledger, url } = await open(reports, {}, '/api')

    const answer = await post(`${url}/reports`, { month: '2026-01' })

    expect(answer.status).toBe(599)
    expect(await answer.json()).toEqual({ seen: expect.stringContaining('publicPath: "/api/jobs"') })
    expect(ledger.asked).toEqual([])
  })

  test('with the public path, that route works, and its enqueue knows the request', async () => {
    const { ledger, url } = await open(reports, { publicPath: '/api/jobs' }, '/api')

    const answer = await post(`${url}/reports`, { month: '2026-01' }, { 'X-Request-Id': 'r1' })

    expect(answer.headers.get('location')).toMatch(/^\/api\/jobs\//)
    expect(ledger.asked[0]?.req?.headers['x-request-id']).toBe('r1')
  })

  test('a body that the app parsed is taken as it is', async () => {
    const { ledger, url } = await open((app, http) => {
      app.post('/reports', express.urlencoded({ extended: false }), http.accept(build))
    })

    await post(`${url}/reports`, 'month=2026-01', { 'Content-Type': 'application/x-www-form-urlencoded' })

    expect(ledger.asked).toMatchObject([{ payload: { month: '2026-01' } }])
  })

  test('a body that the app left unparsed must be JSON all the same', async () => {
    const { ledger, url } = await open((app, http) => {
      app.post('/reports', express.json(), http.accept(build))
    })

    const answer = await post(`${url}/reports`, '{"month":"2026-01"}', { 'Content-Type': 'text/plain' })

    expect(answer.status).toBe(415)
    expect(ledger.asked).toEqual([])
  })

  test('payload and options are made from the request, after its body was parsed', async () => {
    const { ledger, url } = await open((app, http) => {
      app.post(
        '/sums/:a',
        http.accept(unchecked, {
          payload: (req) => ({ a: Number(req.params.a), b: req.body.b }),
          options: async (req) => ({ delay: '10s', tags: [req.method] }),
        }),
      )
    })

    const answer = await post(`${url}/sums/1`, { b: 2 })

    expect(answer.status).toBe(202)
    expect(ledger.asked).toMatchObject([
      { payload: { a: 1, b: 2 }, options: { delay: '10s', tags: ['POST'] } },
    ])
  })

  test('a route without a body hands no payload on', async () => {
    const { ledger, url } = await open(reports)

    await fetch(`${url}/reports`, { method: 'POST' })

    expect(ledger.asked).toMatchObject([{ payload: undefined }])
  })

  test('Idempotency-Key becomes the key of the enqueue, unless the route names one', async () => {
    const { ledger, url } = await open((app, http) => {
      reports(app, http)
      app.post('/own', http.accept(build, { options: () => ({ idempotencyKey: 'own' }) }))
    })

    await post(`${url}/reports`, { month: '1' }, { 'Idempotency-Key': 'k 1' })
    await post(`${url}/own`, { month: '1' }, { 'Idempotency-Key': 'k 1' })

    expect(ledger.asked.map(({ options }) => options.idempotencyKey)).toEqual(['k 1', 'own'])
  })

  test.each([
    ['empty', ''],
    ['long', 'k'.repeat(256)],
  ])('an Idempotency-Key that is %s is a 400', async (_what, key) => {
    const { ledger, url } = await open(reports)

    const answer = await post(`${url}/reports`, { month: '1' }, { 'Idempotency-Key': key })

    expect(answer.status).toBe(400)
    expect(ledger.asked).toEqual([])
  })

  test('Prefer: wait answers 200 with the ended job', async () => {
    const { ledger, url } = await open(reports)

    const held = post(`${url}/reports`, { month: '1' }, { Prefer: 'wait=20' })
    await until(() => ledger.waiting === 1)
    ledger.endAll({ state: 'succeeded', result: 'done' })
    const answer = await held

    expect(answer.status).toBe(200)
    expect(answer.headers.get('preference-applied')).toBe('wait=20')
    expect(answer.headers.get('location')).toMatch(/^\/jobs\//)
    expect(answer.headers.get('retry-after')).toBeNull()
    expect(await answer.json()).toMatchObject({ state: 'succeeded', result: 'done' })
  })

  test('Prefer: wait answers 202 when the job does not end in time', async () => {
    const { url } = await open(reports)

    const answer = await post(`${url}/reports`, { month: '1' }, { Prefer: 'wait=1' })

    expect(answer.status).toBe(202)
    expect(answer.headers.get('preference-applied')).toBe('wait=1')
  })

  describe('bodies', () => {
    test.each([
      ['gzip', gzipSync],
      ['deflate', deflateSync],
      ['br', brotliCompressSync],
    ] as const)('in %s are unpacked', async (encoding, compress) => {
      const { ledger, url } = await open(reports)

      await post(`${url}/reports`, compress('{"month":"ä"}'), { 'Content-Encoding': encoding })

      expect(ledger.asked).toMatchObject([{ payload: { month: 'ä' } }])
    })

    test.each([
      'application/json',
      'Application/JSON; charset=UTF-8',
      'application/json;charset="utf-8"',
      'application/vnd.example+json',
    ])('of type %s are read', async (type) => {
      const { ledger, url } = await open(reports)

      await post(`${url}/reports`, '\ufeff{"month":"1"}', { 'Content-Type': type })

      expect(ledger.asked).toMatchObject([{ payload: { month: '1' } }])
    })

    test('may be any JSON value', async () => {
      const { ledger, url } = await open(reports)

      for (const body of ['null', '"text"', '[1]', '0']) await post(`${url}/reports`, body)

      expect(ledger.asked.map(({ payload }) => payload)).toEqual([null, 'text', [1], 0])
    })

    test('carry a key called __proto__ as plain data', async () => {
      const { ledger, url } = await open(reports)

      await post(`${url}/reports`, '{"__proto__":{"polluted":true}}')

      expect(Object.keys(ledger.asked[0]?.payload ?? {})).toEqual(['__proto__'])
      expect('polluted' in {}).toBe(false)
    })

    const deep = '['.repeat(400)
    test.each<[string, number, string, string | Uint8Array<ArrayBuffer> | Blob, Record<string, string>]>([
      ['no JSON', 400, 'BODY_NOT_JSON', 'month=1', {}],
      ['JSON that breaks off', 400, 'BODY_NOT_JSON', deep, {}],
      ['bytes that are no UTF-8', 400, 'BODY_NOT_JSON', new Uint8Array([0x22, 0xff, 0xfe, 0x22]), {}],
      ['no gzip', 400, 'BODY_NOT_JSON', '{"month":"1"}', { 'Content-Encoding': 'gzip' }],
      ['an unknown encoding', 415, 'MEDIA_TYPE', '{"month":"1"}', { 'Content-Encoding': 'lzma' }],
      ['text/plain', 415, 'MEDIA_TYPE', '{"month":"1"}', { 'Content-Type': 'text/plain' }],
      ['a form', 415, 'MEDIA_TYPE', 'month=1', { 'Content-Type': 'application/x-www-form-urlencoded' }],
      ['something like JSON', 415, 'MEDIA_TYPE', '{}', { 'Content-Type': 'application/jsonp' }],
      ['no type', 415, 'MEDIA_TYPE', new Blob(['{}']), { 'Content-Type': '' }],
      ['another charset', 415, 'MEDIA_TYPE', '{}', { 'Content-Type': 'application/json; charset=utf-16' }],
      ['too much', 413, 'PAYLOAD_TOO_LARGE', JSON.stringify('x'.repeat(1000)), {}],
      [
        'too much once unpacked',
        413,
        'PAYLOAD_TOO_LARGE',
        gzipSync(' '.repeat(5_000_000)),
        { 'Content-Encoding': 'gzip' },
      ],
    ])('with %s are refused with %i %s', async (_what, status, code, body, headers) => {
      const { ledger, url } = await open(reports)

      const answer = await fetch(`${url}/reports`, {
        method: 'POST',
        headers: { 'Content-Type': 'application/json', ...headers },
        body,
      })

      expect(answer.headers.get('content-type')).toBe('application/problem+json')
      expect(await answer.json()).toMatchObject({ status, code })
      expect(answer.status).toBe(status)
      expect(ledger.asked).toEqual([])
    })

    test('of exactly the limit are read', async () => {
      const { ledger, url } = await open(reports)

      await post(`${url}/reports`, JSON.stringify('x'.repeat(998)))

      expect(ledger.asked).toHaveLength(1)
    })

    test('that are too large are refused before all of them has come', async () => {
      const { url } = await open(reports)
      const socket = connect(Number(new URL(url).port), '127.0.0.1')
      socket.write(
        'POST /reports HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n',
      )
      socket.write(`800\r\n${'x'.repeat(0x800)}\r\n`)

      const [answer] = (await once(socket, 'data')) as [Buffer]
      socket.destroy()

      expect(answer.toString()).toMatch(/^HTTP\/1.1 413 /)
    })

    test('that break off disturb nobody', async () => {
      const { ledger, url } = await open(reports)
      const socket = connect(Number(new URL(url).port), '127.0.0.1')
      socket.write(
        'POST /reports HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 20\r\n\r\n{"mon',
      )
      await once(socket, 'ready')
      socket.destroy()
      await once(socket, 'close')

      const answer = await post(`${url}/reports`, { month: '2' })

      expect(answer.status).toBe(202)
      expect(ledger.asked).toMatchObject([{ payload: { month: '2' } }])
    })
  })

  describe('errors', () => {
    const failing = (error: unknown) =>
      open((app, http, ledger) => {
        ledger.failWith(error)
        reports(app, http)
      })

    test('of the payload are 422 and name each field', async () => {
      const { url } = await failing(
        new PayloadInvalidError('reports.build', [
          { path: ['items', 0, 'a/b~c'], message: 'expected a string' },
          { path: [], message: 'too many keys' },
        ]),
      )

      const answer = await post(`${url}/reports`, {})

      expect(answer.status).toBe(422)
      expect(await answer.json()).toMatchObject({
        code: 'PAYLOAD_INVALID',
        errors: [
          { pointer: '#/items/0/a~1b~0c', detail: 'expected a string' },
          { pointer: '#', detail: 'too many keys' },
        ],
      })
    })

    test('of our servers are 503, say when to come back, and name no address', async () => {
      for (const error of [
        new StoreUnavailableError('postgres://10.0.0.7 did not answer'),
        new BrokerUnavailableError('redis://10.0.0.8 did not answer'),
      ]) {
        const { url } = await failing(error)

        const answer = await post(`${url}/reports`, {})

        expect(answer.status).toBe(503)
        expect(answer.headers.get('retry-after')).toBe('5')
        expect(await answer.text()).not.toContain('10.0.0')
      }
    })

    test('of a missing owner are 403', async () => {
      const { url } = await failing(new OwnerMissingError('reports.build'))

      expect((await post(`${url}/reports`, {})).status).toBe(403)
    })

    test.each([
      ['an error', new Error('boom'), 'Error: boom'],
      ['null', null, 'Error: Thrown: null'],
      ["'route'", 'route', 'Error: Thrown: route'],
      ['an object', { status: 1, toString: (): string => 'mine' }, 'mine'],
    ])("of the app's own code are the app's: %s", async (_what, error, seen) => {
      const { ledger, url } = await open((app, http) => {
        const payload = (): { a: number; b: number } => {
          throw error
        }
        app.post('/sums', http.accept(unchecked, { payload }))
      })

      const answer = await post(`${url}/sums`, {})

      expect(answer.status).toBe(599)
      expect(await answer.json()).toEqual({ seen })
      expect(ledger.asked).toEqual([])
    })
  })

  test('a task without a schema is refused at the call', () => {
    const { accept } = createHttp(createLedger())

    // @ts-expect-error a body must not become a payload unseen
    expect(() => accept(unchecked)).toThrow('Task "sums.add" has no payload schema')
    // @ts-expect-error only options are given
    expect(() => accept(unchecked, { options: () => ({}) })).toThrow('payload: (req) =>')
    // @ts-expect-error it is no task
    expect(() => accept({ schema: {} })).toThrow('accept takes a task')
  })

  describe('a route by hand', () => {
    test('answers with res.accepted', async () => {
      const { url } = await open((app, _http, ledger) => {
        app.post('/reports', async (req, res) => {
          res.accepted(await req.enqueue(build, { month: '1' }, { queue: 'slow' }))
          expect(ledger.asked[0]?.options).toEqual({ queue: 'slow' })
        })
      })

      const answer = await post(`${url}/reports`, {})

      expect(answer.status).toBe(202)
      expect(answer.headers.get('location')).toMatch(/^\/jobs\//)
    })

    test('an enqueue inside it knows the request, also after an await', async () => {
      const { ledger, url } = await open((app, _http, jobs) => {
        app.post('/reports', async (_req, res) => {
          await new Promise(setImmediate)
          res.accepted(await jobs.enqueue(build, {}, {}))
        })
      })

      await post(`${url}/reports`, {}, { 'X-User': 'ann' })

      expect(ledger.asked[0]?.req?.get('X-User')).toBe('ann')
    })

    test('req.enqueue knows its request where the context was lost', async () => {
      const parked: Request[] = []
      const { ledger, url } = await open((app) => {
        app.post('/reports', (req, res) => {
          parked.push(req)
          res.end()
        })
      })
      await post(`${url}/reports`, {}, { 'X-User': 'ann' })

      await parked[0]?.enqueue('reports.build', { month: '1' })

      expect(ledger.asked[0]?.req?.get('X-User')).toBe('ann')
    })

    test('a job that must be read first is answered all the same, also when it cannot be', async () => {
      const statuses = [
        (ledger: Ledger) => ledger.statusOf,
        () => () => Promise.reject(new StoreUnavailableError('gone')),
        () => () => Promise.reject(new Error('odd')),
      ]
      const codes: number[] = []
      for (const make of statuses) {
        const statusOf = make(createLedger())
        const { url } = await open(reports, { statusOf: async (handle) => statusOf(handle) })
        codes.push((await post(`${url}/reports`, { month: '1' })).status)
      }

      expect(codes).toEqual([202, 503, 500])
    })

    test('a promise of a job is refused with the word that is missing', async () => {
      const { url } = await open((app) => {
        app.post('/reports', (req, res) => {
          // @ts-expect-error the await is missing
          res.accepted(req.enqueue(build, { month: '1' }))
        })
      })

      const answer = await post(`${url}/reports`, {})

      expect(await answer.json()).toEqual({ seen: expect.stringContaining('await the enqueue') })
    })
  })

  describe('problems()', () => {
    test.each([
      ['{"month"', {}, 400, 'BODY_NOT_JSON'],
      [JSON.stringify('x'.repeat(200)), {}, 413, 'PAYLOAD_TOO_LARGE'],
      ['{}', { 'Content-Encoding': 'lzma' }, 415, 'MEDIA_TYPE'],
      ['{}', { 'Content-Type': 'application/json; charset=x' }, 415, 'MEDIA_TYPE'],
    ])("turns a parser's error into a problem: %s %j", async (body, headers, status, code) => {
      const { url } = await open((app, http) => {
        app.post('/reports', express.json({ limit: 100 }), http.accept(build))
        app.use(http.problems())
      })

      const answer = await post(`${url}/reports`, body, headers)

      expect(answer.headers.get('content-type')).toBe('application/problem+json')
      expect(await answer.json()).toMatchObject({ status, code })
    })

    test("without it, a parser's error is the app's", async () => {
      const { url } = await open((app, http) => {
        app.post('/reports', express.json(), http.accept(build))
      })

      expect((await post(`${url}/reports`, '{"month"')).status).toBe(599)
    })

    test('turns our errors in hand-written routes, and passes all others on', async () => {
      const { url } = await open((app, http, ledger) => {
        app.post('/ours', (req, res, next) => {
          ledger.failWith(new StoreUnavailableError('gone'))
          req.enqueue(build, { month: '1' }).then((job) => res.accepted(job), next)
        })
        app.post('/theirs', (_req, _res, next) => next(new Error('boom')))
        app.use(http.problems())
      })

      expect((await post(`${url}/ours`, {})).status).toBe(503)
      expect((await post(`${url}/theirs`, {})).status).toBe(599)
    })
  })

  test("the app's other answers are the same, byte for byte, with and without it", async () => {
    const make = (app: Express) => {
      app.get('/page', (_req, res) => {
        res.send('<p>hello</p>')
      })
      app.post('/echo', express.text(), (req, res) => {
        res.json({ body: req.body })
      })
      app.get('/fails', (_req, _res, next) => next(new Error('boom')))
    }
    const plain = express()
    make(plain)
    plain.use(((error, _req, res, _next) => {
      res.status(599).json({ seen: String(error) })
    }) as ErrorRequestHandler)
    const server = await serve(plain)
    running.push(server)
    const { url } = await open(make)

    for (const [path, init] of [
      ['/page', {}],
      ['/fails', {}],
      ['/missing', {}],
      ['/jobs/mine', {}],
      ['/echo', { method: 'POST', body: 'text' }],
    ] as const) {
      const [without, having] = await Promise.all(
        [server.url, url].map(async (at) => {
          const answer = await fetch(at + path, init)
          const headers = [...answer.headers].filter(([name]) => name !== 'date')
          return { status: answer.status, headers, body: await answer.text() }
        }),
      )
      expect(having).toEqual(without)
    }
  })

  test(`the dashboard is mounted below the path on ${line}`, async () => {
    const dashboard = express.Router()
    dashboard.get('/board', (req, res) => {
      res.json({ baseUrl: req.baseUrl, url: req.url })
    })
    const { url } = await open(
      (app) => {
        app.use((req, res) => {
          res.status(418).json({ baseUrl: req.baseUrl, url: req.url })
        })
      },
      { dashboard },
    )

    const board = await fetch(`${url}/jobs/dashboard/board?page=1`)
    const passed = await fetch(`${url}/jobs/dashboard/none?page=1`)

    expect(await board.json()).toEqual({ baseUrl: '/jobs/dashboard', url: '/board?page=1' })
    expect(await passed.json()).toEqual({ baseUrl: '', url: '/jobs/dashboard/none?page=1' })
  })
})
