import { randomUUID } from 'node:crypto'
import type { Express } from 'express'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { z } from 'zod'
import { type Celeriac, celeriac } from '../../src/plugin.js'
import { defineTask } from '../../src/task/define.js'
import { freshDatabase, freshRedis } from '../support/servers.js'
import { until } from '../support/until.js'
import { lines, type RunningApp, serve } from './app.js'

/** What the tests hold open, so that a job is seen while it runs. */
const gates = new Map<string, () => void>()

const tasks = {
  reports: {
    build: defineTask({
      payload: z.object({ month: z.string().min(1), pages: z.string().transform(Number).optional() }),
      run: ({ month, pages }) => ({ url: `/${month}.pdf`, pages: pages ?? 1 }),
    }),
    gated: defineTask({
      payload: z.object({ gate: z.string() }),
      async run({ gate }, { progress, signal }) {
        await progress({ percent: 40 })
        await new Promise<void>((resolve, reject) => {
          gates.set(gate, resolve)
          signal.addEventListener('abort', () => reject(signal.reason))
        })
        return 'through'
      },
    }),
    nothing: defineTask(() => undefined),
    bigint: defineTask(() => 1n),
    failing: defineTask((text: string) => {
      throw new TypeError(text)
    }),
    origin: defineTask((_: unknown, { owner, requestId }) => ({ owner, requestId })),
  },
}

const [[, express5], [, express4]] = lines

describe.each([
  ['Express 5, on PostgreSQL alone', express5, async () => ({})],
  ['Express 4, on Redis and PostgreSQL', express4, async () => ({ broker: await freshRedis() })],
] as const)('the whole path: %s', (_what, express, servers) => {
  let jobs: Celeriac
  let app: RunningApp

  beforeAll(async () => {
    jobs = celeriac({
      ...(await servers()),
      database: await freshDatabase(),
      owner: (req) => req.get('X-User'),
      tasks,
      migrate: true,
      worker: true,
      logger: 'silent',
    })
    app = await serve(makeApp(express(), jobs))
    await until(() => jobs.ready().then(() => true))
  })

  afterAll(async () => {
    await app.close()
    await jobs.close()
  })

  function makeApp(made: Express, jobs: Celeriac): Express {
    const { build, gated, nothing, bigint, failing, origin } = tasks.reports
    made.use('/api', jobs)
    made.post('/api/reports', jobs.accept(build))
    made.post('/api/gated', jobs.accept(gated))
    made.post('/api/later', jobs.accept(gated, { options: () => ({ delay: '1h' }) }))
    made.post('/api/nothing', jobs.accept(nothing, { payload: () => undefined }))
    made.post('/api/bigint', jobs.accept(bigint, { payload: () => undefined }))
    made.post('/api/failing', jobs.accept(failing, { payload: (req) => req.body.text }))
    made.post('/api/by-hand', async (req, res, next) => {
      try {
        await new Promise(setImmediate)
        res.accepted(await origin.enqueue({ from: req.path }))
      } catch (error) {
        next(error)
      }
    })
    made.use(jobs.problems())
    return made
  }

  function send(path: string, body?: unknown, headers: Record<string, string> = {}, method = 'POST') {
    return fetch(app.url + path, {
      method,
      headers: {
        'X-User': 'ann',
        ...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
  }

  const get = (path: string, headers: Record<string, string> = {}) => send(path, undefined, headers, 'GET')

  async function locationOf(answer: Response | Promise<Response>): Promise<string> {
    return (await answer).headers.get('location') ?? 'no location'
  }

  test('a POST answers 202, its location follows the job to the end, and the result is there', async () => {
    const accepted = await send('/api/reports', { month: '2026-01', pages: '3' })
    const first = (await accepted.json()) as {
      id: string
      state: string
      links: { self: string; result: string }
    }

    expect(accepted.status).toBe(202)
    expect(accepted.headers.get('location')).toBe(`/api/jobs/${first.id}`)
    expect(first).toMatchObject({ task: 'reports.build', state: 'queued', attempt: 0 })

    const ended = await get(`${first.links.self}?wait=20`)
    expect(ended.status).toBe(200)
    expect(await ended.json()).toMatchObject({
      id: first.id,
      state: 'succeeded',
      attempt: 1,
      result: { url: '/2026-01.pdf', pages: 3 },
    })
    expect(await (await get(first.links.result)).json()).toEqual({ url: '/2026-01.pdf', pages: 3 })
  })

  test('a running job shows its progress, and a wait ends as soon as it does', async () => {
    const gate = randomUUID()
    const self = await locationOf(send('/api/gated', { gate }))
    await until(() => gates.has(gate))
    await until(async () => JSON.stringify(await (await get(self)).json()).includes('"percent":40'))

    expect(await (await get(self)).json()).toMatchObject({ state: 'running', progress: { percent: 40 } })
    expect((await get(`${self}/result`)).status).toBe(202)

    const held = get(`${self}/result?wait=30`)
    gates.get(gate)?.()
    expect(await (await held).json()).toBe('through')
  })

  test('Prefer: wait on the POST answers 200 with the ended job', async () => {
    const answer = await send('/api/reports', { month: '2026-02' }, { Prefer: 'wait=20' })

    expect(answer.status).toBe(200)
    expect(await answer.json()).toMatchObject({ state: 'succeeded', result: { url: '/2026-02.pdf' } })
  })

  test('a payload that does not fit is a 422 that names the field, and enqueues nothing', async () => {
    const answer = await send('/api/reports', { month: '' })

    expect(answer.status).toBe(422)
    expect(await answer.json()).toMatchObject({
      code: 'PAYLOAD_INVALID',
      errors: [{ pointer: '#/month', detail: expect.any(String) }],
    })
  })

  test('a payload that nests too deeply is refused, not a crash', async () => {
    const deep = `{"month":${'['.repeat(50_000)}${']'.repeat(50_000)}}`
    const answer = await fetch(`${app.url}/api/failing`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', 'X-User': 'ann' },
      body: `{"text":${deep}}`,
    })

    expect(answer.status).toBe(422)
  })

  test('NUL and lone surrogates come through payload and error', async () => {
    const text = 'a\u0000b\ud800c'
    const answer = await send('/api/failing', { text }, { Prefer: 'wait=20' })

    expect(await answer.json()).toMatchObject({
      state: 'failed',
      error: { name: 'TypeError', message: text },
    })
  })

  test('a task that returns nothing has the result null', async () => {
    const self = await locationOf(send('/api/nothing', undefined, { Prefer: 'wait=20' }))

    expect(await (await get(`${self}/result`)).json()).toBeNull()
  })

  test('a result that JSON cannot carry is 410, and the job has succeeded', async () => {
    const answer = await send('/api/bigint', undefined, { Prefer: 'wait=20' })

    expect(await answer.json()).toMatchObject({ state: 'succeeded', resultError: expect.any(String) })
    expect((await get(`${await locationOf(answer)}/result`)).status).toBe(410)
  })

  test('a job that failed says why, without a stack', async () => {
    const self = await locationOf(send('/api/failing', { text: 'no rows' }, { Prefer: 'wait=20' }))

    const answers = await Promise.all([get(self), get(`${self}/result`)])
    const [status, result] = await Promise.all(answers.map((answer) => answer.text()))

    expect(answers.map((answer) => answer.status)).toEqual([200, 409])
    expect(status).toContain('no rows')
    expect(`${status}${result}`).not.toMatch(/stack|\.ts/)
  })

  test('a job that waits is cancelled by DELETE, and a second DELETE is a 409', async () => {
    const self = await locationOf(send('/api/later', { gate: randomUUID() }))

    const first = await send(self, undefined, {}, 'DELETE')
    const second = await send(self, undefined, {}, 'DELETE')

    expect(first.status).toBe(202)
    expect(await first.json()).toMatchObject({ state: 'cancelled' })
    expect(second.status).toBe(409)
  })

  test('a job that runs is stopped by DELETE', async () => {
    const gate = randomUUID()
    const self = await locationOf(send('/api/gated', { gate }))
    await until(() => gates.has(gate))

    expect((await send(self, undefined, {}, 'DELETE')).status).toBe(202)
    expect(await (await get(`${self}?wait=20`)).json()).toMatchObject({ state: 'cancelled' })
  })

  test('the same Idempotency-Key gives the same job, also at the same time; another payload is refused', async () => {
    const key = { 'Idempotency-Key': randomUUID() }
    const body = { month: '2026-03' }

    const answers = await Promise.all(Array.from({ length: 10 }, () => send('/api/reports', body, key)))
    const other = await send('/api/reports', { month: '2026-04' }, key)
    const foreign = await send('/api/reports', body, { ...key, 'X-User': 'bob' })

    expect(answers.map(({ status }) => status)).toEqual(Array(10).fill(202))
    const locations = new Set(await Promise.all(answers.map(locationOf)))
    expect(locations.size).toBe(1)
    expect(other.status).toBe(422)
    expect(foreign.status).toBe(202)
    expect(locations).not.toContain(await locationOf(foreign))
  })

  test('an enqueue in a hand-written route takes owner and request id from its request', async () => {
    const self = await locationOf(send('/api/by-hand', {}, { 'X-User': 'bob', 'X-Request-Id': 'r-7' }))

    const ended = await get(`${self}?wait=20`, { 'X-User': 'bob' })

    expect(await ended.json()).toMatchObject({ result: { owner: 'bob', requestId: 'r-7' } })
  })

  test('without an owner nothing is accepted', async () => {
    const answers = await Promise.all([
      send('/api/reports', { month: '1' }, { 'X-User': '' }),
      send('/api/by-hand', {}, { 'X-User': '' }),
    ])

    expect(answers.map(({ status }) => status)).toEqual([403, 403])
  })

  test('a job of another is answered byte for byte like one that never was', async () => {
    const self = await locationOf(send('/api/reports', { month: '1' }))
    const bob = { 'X-User': 'bob' }

    for (const method of ['GET', 'DELETE']) {
      const [foreign, unknown] = await Promise.all(
        [self, `/api/jobs/${randomUUID()}`].map(async (path) => {
          const answer = await send(path, undefined, bob, method)
          const headers = [...answer.headers].filter(([name]) => name !== 'date')
          return { status: answer.status, headers, body: await answer.text() }
        }),
      )
      expect(foreign?.status).toBe(404)
      expect(foreign).toEqual(unknown)
    }
  })
})
