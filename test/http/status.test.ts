import { randomUUID } from 'node:crypto'
import { afterEach, describe, expect, test } from 'vitest'
import type { HttpDeps } from '../../src/http/middleware.js'
import { createHttp } from '../../src/http/middleware.js'
import { until } from '../support/until.js'
import { lines, type RunningApp, serve } from './app.js'
import { createLedger } from './ledger.js'

const running: RunningApp[] = []
afterEach(async () => {
  for (const app of running.splice(0)) await app.close()
})

describe.each(lines)('the endpoints on %s', (_line, express) => {
  async function open(settings: Partial<HttpDeps> = {}, mount = '/') {
    const ledger = createLedger(settings)
    const app = express()
    app.use(mount, createHttp(ledger).middleware)
    app.use((req, res) => {
      res.status(418).json({ path: req.originalUrl })
    })
    const server = await serve(app)
    running.push(server)
    return { ledger, url: `${server.url}${mount === '/' ? '' : mount}` }
  }

  test('a job is answered with its status and its links', async () => {
    const { ledger, url } = await open()
    const job = ledger.put({ state: 'running', attempt: 1, progress: { percent: 40 } })

    const answer = await fetch(`${url}/jobs/${job.id}`)

    expect(answer.status).toBe(200)
    expect(answer.headers.get('content-type')).toBe('application/json; charset=utf-8')
    expect(answer.headers.get('cache-control')).toBe('private, no-cache')
    expect(answer.headers.get('retry-after')).toBe('1')
    expect(await answer.json()).toMatchObject({
      id: job.id,
      state: 'running',
      progress: { percent: 40 },
      links: {
        self: `/jobs/${job.id}`,
        result: `/jobs/${job.id}/result`,
        cancel: `/jobs/${job.id}`,
      },
    })
  })

  test('below a prefix, the links carry it', async () => {
    const { ledger, url } = await open({}, '/api/v1')
    const job = ledger.put()

    const body = (await (await fetch(`${url}/jobs/${job.id}`)).json()) as { links: { self: string } }

    expect(body.links.self).toBe(`/api/v1/jobs/${job.id}`)
  })

  test('publicPath wins over the mount', async () => {
    const { ledger, url } = await open({ publicPath: 'https://example.org/app/jobs/' }, '/internal')
    const job = ledger.put()

    const body = (await (await fetch(`${url}/jobs/${job.id}`)).json()) as { links: { self: string } }

    expect(body.links.self).toBe(`https://example.org/app/jobs/${job.id}`)
  })

  test('a mount that a wildcard matched never makes a link to another host', async () => {
    const ledger = createLedger()
    const app = express()
    app.use(/^\/.*evil\.example/, createHttp(ledger).middleware)
    const server = await serve(app)
    running.push(server)
    const job = ledger.put()

    const body = (await (await fetch(`${server.url}//evil.example/jobs/${job.id}`)).json()) as {
      links: { self: string }
    }

    expect(body.links.self).toBe(`/evil.example/jobs/${job.id}`)
  })

  test('an unknown id is a 404 problem', async () => {
    const { url } = await open()

    const answer = await fetch(`${url}/jobs/${randomUUID()}`)

    expect(answer.status).toBe(404)
    expect(answer.headers.get('content-type')).toBe('application/problem+json')
    expect(await answer.json()).toEqual({
      type: 'about:blank',
      title: 'Not Found',
      status: 404,
      detail: 'There is no such job.',
      code: 'JOB_NOT_FOUND',
    })
  })

  test.each([
    ['an id that is no UUID', 'GET', '/jobs/today'],
    ['the list itself', 'GET', '/jobs'],
    ['a longer address', 'GET', `/jobs/${randomUUID()}/comments`],
    ['another method', 'PUT', `/jobs/${randomUUID()}`],
    ['a method override', 'POST', `/jobs/${randomUUID()}`],
    ['a name that begins alike', 'GET', `/jobsite/${randomUUID()}`],
    ['an encoded slash', 'GET', `/jobs%2f${randomUUID()}`],
  ])("%s is the app's own", async (_what, method, path) => {
    const { url } = await open()

    const answer = await fetch(url + path, { method, headers: { 'X-HTTP-Method-Override': 'DELETE' } })

    expect(answer.status).toBe(418)
    expect(await answer.json()).toEqual({ path })
  })

  test('a slash at the end, and an id in capitals, change nothing', async () => {
    const { ledger, url } = await open()
    const { id } = ledger.put()

    expect((await fetch(`${url}/jobs/${id}/`)).status).toBe(200)
    expect((await fetch(`${url}/jobs/${id.toUpperCase()}`)).status).toBe(200)
  })

  test('HEAD answers as GET does, without the body', async () => {
    const { ledger, url } = await open()
    const { id } = ledger.put()

    const [get, head] = await Promise.all([
      fetch(`${url}/jobs/${id}`),
      fetch(`${url}/jobs/${id}`, { method: 'HEAD' }),
    ])

    expect(head.status).toBe(200)
    expect(head.headers.get('content-length')).toBe(get.headers.get('content-length'))
    expect(head.headers.get('etag')).toBe(get.headers.get('etag'))
    expect(await head.text()).toBe('')
  })

  test('who has the newest status already is answered 304', async () => {
    const { ledger, url } = await open()
    const { id } = ledger.put()
    const etag = (await fetch(`${url}/jobs/${id}`)).headers.get('etag') ?? ''

    const same = await fetch(`${url}/jobs/${id}`, { headers: { 'If-None-Match': etag } })
    ledger.end(id, { state: 'running' })
    const changed = await fetch(`${url}/jobs/${id}`, { headers: { 'If-None-Match': etag } })

    expect(etag).toMatch(/^W\/"/)
    expect(same.status).toBe(304)
    expect(await same.text()).toBe('')
    expect(same.headers.get('retry-after')).toBe('1')
    expect(changed.status).toBe(200)
  })

  test('a header of the app that says what answers vary by is kept', async () => {
    const ledger = createLedger()
    const app = express()
    app.use((_req, res, next) => {
      res.vary('Origin')
      next()
    })
    app.use(createHttp(ledger).middleware)
    const server = await serve(app)
    running.push(server)

    const answer = await fetch(`${server.url}/jobs/${ledger.put().id}`)

    expect(answer.headers.get('vary')).toBe('Origin, Authorization, Cookie')
  })

  test('?wait holds the answer until the job ends', async () => {
    const { ledger, url } = await open()
    const { id } = ledger.put({ state: 'running' })

    const held = fetch(`${url}/jobs/${id}?wait=20`)
    await until(() => ledger.waiting === 1)
    ledger.end(id, { state: 'succeeded', result: 3 })

    const answer = await held
    expect(await answer.json()).toMatchObject({ state: 'succeeded', result: 3 })
    expect(answer.headers.get('retry-after')).toBeNull()
  })

  test('Prefer: wait does the same, and the answer says so', async () => {
    const { ledger, url } = await open()
    const { id } = ledger.put({ state: 'running' })

    const held = fetch(`${url}/jobs/${id}`, { headers: { Prefer: 'respond-async, wait=500' } })
    await until(() => ledger.waiting === 1)
    ledger.end(id, { state: 'succeeded', result: 3 })

    expect((await held).headers.get('preference-applied')).toBe('wait=60')
  })

  test('a wait that is over answers with the state of that moment', async () => {
    const { ledger, url } = await open()
    const { id } = ledger.put({ state: 'running' })

    const answer = await fetch(`${url}/jobs/${id}?wait=1`)

    expect(await answer.json()).toMatchObject({ state: 'running' })
    expect(ledger.waiting).toBe(0)
  })

  test('a client that goes away waits no longer', async () => {
    const { ledger, url } = await open()
    const { id } = ledger.put({ state: 'running' })
    const client = new AbortController()

    const held = fetch(`${url}/jobs/${id}?wait=60`, { signal: client.signal })
    await until(() => ledger.waiting === 1)
    client.abort()

    await expect(held).rejects.toThrow()
    await until(() => ledger.waiting === 0)
  })

  test('an answer that the app gave meanwhile, such as a time-out, is the only one', async () => {
    const ledger = createLedger()
    const errors: unknown[] = []
    const app = express()
    app.use((_req, res, next) => {
      void until(() => ledger.waiting === 1).then(() => res.status(504).end())
      next()
    })
    app.use(createHttp(ledger).middleware)
    app.use(((error, _req, _res, next) => {
      errors.push(error)
      next(error)
    }) as import('express').ErrorRequestHandler)
    const server = await serve(app)
    running.push(server)
    const { id } = ledger.put({ state: 'running' })

    const answer = await fetch(`${server.url}/jobs/${id}?wait=20`)
    await until(() => ledger.waiting === 0)

    expect(answer.status).toBe(504)
    expect(errors).toEqual([])
  })

  test.each(['-1', 'soon', '', '1.5', '1e3', '9'.repeat(40), '5&wait=6'])(
    '?wait=%s is refused',
    async (wait) => {
      const { ledger, url } = await open()

      const answer = await fetch(`${url}/jobs/${ledger.put().id}?wait=${wait}`)

      expect(answer.status).toBe(400)
      expect(await answer.json()).toMatchObject({ code: 'BAD_REQUEST' })
    },
  )

  test('a Prefer header that cannot be read is ignored, as its standard asks', async () => {
    const { ledger, url } = await open()

    const answer = await fetch(`${url}/jobs/${ledger.put().id}`, { headers: { Prefer: 'wait=soon, x' } })

    expect(answer.status).toBe(200)
    expect(answer.headers.get('preference-applied')).toBeNull()
  })

  describe('the result', () => {
    test('is bare', async () => {
      const { ledger, url } = await open()
      const { id } = ledger.put({ state: 'succeeded', result: { url: '/a.pdf' } })

      const answer = await fetch(`${url}/jobs/${id}/result`)

      expect(answer.status).toBe(200)
      expect(await answer.json()).toEqual({ url: '/a.pdf' })
    })

    test('of a task that returns nothing is null', async () => {
      const { ledger, url } = await open()
      const { id } = ledger.put({ state: 'succeeded', result: null })

      expect(await (await fetch(`${url}/jobs/${id}/result`)).text()).toBe('null')
    })

    test('is 202 with the status while the job goes on', async () => {
      const { ledger, url } = await open()
      const { id } = ledger.put({ state: 'retrying' })

      const answer = await fetch(`${url}/jobs/${id}/result`)

      expect(answer.status).toBe(202)
      expect(answer.headers.get('retry-after')).toBe('1')
      expect(await answer.json()).toMatchObject({ id, state: 'retrying' })
    })

    test('of a failed job is a 409 problem that names the error, without its stack', async () => {
      const { ledger, url } = await open()
      const error = { name: 'TypeError', message: 'no rows', stack: 'at secret.ts:1' }
      const { id } = ledger.put({ state: 'failed', error })

      const answer = await fetch(`${url}/jobs/${id}/result`)

      expect(answer.status).toBe(409)
      expect(await answer.json()).toEqual({
        type: 'about:blank',
        title: 'Conflict',
        status: 409,
        detail: 'The job failed, so it has no result.',
        code: 'JOB_ENDED',
        state: 'failed',
        error: { name: 'TypeError', message: 'no rows' },
      })
    })

    test.each(['cancelled', 'expired'] as const)('of a job that ended %s is a 409', async (state) => {
      const { ledger, url } = await open()

      const answer = await fetch(`${url}/jobs/${ledger.put({ state }).id}/result`)

      expect(answer.status).toBe(409)
      expect(await answer.json()).toMatchObject({ code: 'JOB_ENDED', state })
    })

    test('is 410 when only it was dropped, and 404 when the job is gone', async () => {
      const { ledger, url } = await open()
      const dropped = ledger.put({ state: 'succeeded' })
      const unkept = ledger.put({ state: 'succeeded', resultError: 'JSON cannot carry a bigint' })

      const answers = await Promise.all(
        [dropped.id, unkept.id, randomUUID()].map((id) => fetch(`${url}/jobs/${id}/result`)),
      )

      expect(answers.map(({ status }) => status)).toEqual([410, 410, 404])
      expect(await answers[1]?.json()).toMatchObject({ detail: 'JSON cannot carry a bigint' })
    })

    test('can be waited for', async () => {
      const { ledger, url } = await open()
      const { id } = ledger.put()

      const held = fetch(`${url}/jobs/${id}/result?wait=20`)
      await until(() => ledger.waiting === 1)
      ledger.end(id, { state: 'succeeded', result: [1] })

      expect(await (await held).json()).toEqual([1])
    })
  })

  describe('DELETE', () => {
    test('cancels a job that waits', async () => {
      const { ledger, url } = await open()
      const { id } = ledger.put()

      const answer = await fetch(`${url}/jobs/${id}`, { method: 'DELETE' })

      expect(answer.status).toBe(202)
      expect(await answer.json()).toMatchObject({ id, state: 'cancelled' })
    })

    test('asks a running job to stop', async () => {
      const { ledger, url } = await open()
      const { id } = ledger.put({ state: 'running' })

      const answer = await fetch(`${url}/jobs/${id}`, { method: 'DELETE' })

      expect(answer.status).toBe(202)
      expect(answer.headers.get('retry-after')).toBe('1')
      expect(await answer.json()).toMatchObject({ state: 'running', cancelRequested: true })
    })

    test('of a job that has ended is a 409 that tells its state and nothing else of it', async () => {
      const { ledger, url } = await open()
      const { id } = ledger.put({ state: 'succeeded', payload: 'secret', result: 'secret' })

      const answer = await fetch(`${url}/jobs/${id}`, { method: 'DELETE' })

      expect(answer.status).toBe(409)
      expect(await answer.json()).toEqual({
        type: 'about:blank',
        title: 'Conflict',
        status: 409,
        detail: 'The job had ended before.',
        code: 'JOB_ENDED',
        answer: 'finished',
        state: 'succeeded',
      })
    })

    test('of an unknown job is a 404', async () => {
      const { url } = await open()

      expect((await fetch(`${url}/jobs/${randomUUID()}`, { method: 'DELETE' })).status).toBe(404)
    })
  })

  describe('with owner configured', () => {
    const ownerOf: HttpDeps['ownerOf'] = (req) => req.get('X-User')

    async function raw(url: string, user: string | undefined, method = 'GET') {
      const answer = await fetch(url, {
        method,
        ...(user === undefined ? {} : { headers: { 'X-User': user } }),
      })
      const headers = [...answer.headers].filter(([name]) => name !== 'date')
      return { status: answer.status, headers, body: await answer.text() }
    }

    test('the owner sees the job', async () => {
      const { ledger, url } = await open({ ownerOf })

      expect((await raw(`${url}/jobs/${ledger.put({ owner: 'ann' }).id}`, 'ann')).status).toBe(200)
    })

    test.each([
      ['GET', ''],
      ['GET', '/result'],
      ['GET', '?wait=5'],
      ['HEAD', ''],
      ['DELETE', ''],
    ])('%s %s by another is answered byte for byte like an unknown id', async (method, rest) => {
      const { ledger, url } = await open({ ownerOf })
      const { id } = ledger.put({ owner: 'ann' })

      const unknown = await raw(`${url}/jobs/${randomUUID()}${rest}`, 'bob', method)
      const foreign = await raw(`${url}/jobs/${id}${rest}`, 'bob', method)
      const anonymous = await raw(`${url}/jobs/${id}${rest}`, undefined, method)

      expect(unknown.status).toBe(404)
      expect(foreign).toEqual(unknown)
      expect(anonymous).toEqual(unknown)
      expect((await ledger.find(id))?.state).toBe('queued')
    })

    test.each([null, undefined, '', {}, ['ann'], 0, Number.NaN])(
      'an owner of %j sees nothing',
      async (owner) => {
        const { ledger, url } = await open({ ownerOf: () => owner as string })

        const answers = await Promise.all(
          ['ann', null].map((of) => fetch(`${url}/jobs/${ledger.put({ owner: of }).id}`)),
        )

        expect(answers.map(({ status }) => status)).toEqual([404, 404])
      },
    )

    test('a job without owner is not shown to anybody', async () => {
      const { ledger, url } = await open({ ownerOf })

      expect((await raw(`${url}/jobs/${ledger.put().id}`, 'ann')).status).toBe(404)
    })

    test("what owner throws is the app's error", async () => {
      const ledger = createLedger({
        ownerOf: () => {
          throw null
        },
      })
      const app = express()
      app.use(createHttp(ledger).middleware)
      app.use(((_error, _req, res, _next) => {
        res.status(599).end()
      }) as import('express').ErrorRequestHandler)
      const server = await serve(app)
      running.push(server)

      expect((await fetch(`${server.url}/jobs/${ledger.put().id}`)).status).toBe(599)
    })
  })
})
