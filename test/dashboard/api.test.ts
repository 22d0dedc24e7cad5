import express from 'express'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import type { DashboardAccess } from '../../src/control/access.js'
import { verbs } from '../../src/control/verbs.js'
import { patterns } from '../../src/dashboard/api/api.js'
import { orders } from '../../src/dashboard/api/orders.js'
import { questions } from '../../src/dashboard/api/questions.js'
import { type Celeriac, celeriac } from '../../src/plugin.js'
import { lines, serve } from '../http/app.js'
import { brokers, freshServers } from '../support/lab.js'
import { until } from '../support/until.js'
import { startWorkerProcess, type WorkerProcess } from '../support/worker-process.js'
import { ask, fromPage, tasks } from './shop.js'

const api = '/jobs/dashboard/api'

interface Scene {
  readonly jobs: Celeriac
  readonly port: number
}

const users = new Map<string, DashboardAccess>([
  ['admin', true],
  ['ann', { name: 'ann@shop', role: 'admin' }],
  ['bob', false],
])

/** A web process that lets in whom a header names. */
async function openWeb(
  servers: Awaited<ReturnType<typeof freshServers>>,
  make: typeof express = express,
  withParser = false,
): Promise<Scene & { close(): Promise<void> }> {
  const jobs = celeriac({
    ...servers,
    tasks,
    logger: 'silent',
    authorize: (req) => users.get(req.get('X-User') ?? ''),
  })
  const app = make()
  if (withParser) app.use(make.json())
  app.use(jobs)
  const { url, close } = await serve(app)
  await until(() => jobs.ready().then(() => true), { timeoutMs: 30_000 })
  return {
    jobs,
    port: Number(new URL(url).port),
    async close() {
      await close()
      await jobs.close()
    },
  }
}

async function get(scene: Pick<Scene, 'port'>, path: string, user = 'admin') {
  const { status, headers, body } = await ask(scene, `${api}${path}`, { headers: { 'X-User': user } })
  return { status, headers, body: JSON.parse(body) }
}

async function post(
  scene: Pick<Scene, 'port'>,
  path: string,
  body?: unknown,
  headers: Record<string, string> = {},
) {
  const text = body === undefined ? undefined : typeof body === 'string' ? body : JSON.stringify(body)
  const answer = await ask(scene, `${api}${path}`, {
    method: 'POST',
    headers: {
      'X-User': 'ann',
      ...fromPage,
      ...(text === undefined
        ? {}
        : { 'Content-Type': 'application/json', 'Content-Length': String(Buffer.byteLength(text)) }),
      ...headers,
    },
    ...(text === undefined ? {} : { body: text }),
  })
  return { status: answer.status, headers: answer.headers, body: JSON.parse(answer.body) }
}

test('its lists have every verb, each once', () => {
  const kinds = Object.entries(verbs)

  expect(Object.keys(orders).sort()).toEqual(
    kinds
      .filter(([, kind]) => kind === 'order')
      .map(([verb]) => verb)
      .sort(),
  )
  expect(Object.keys(questions).sort()).toEqual(
    kinds
      .filter(([, kind]) => kind === 'question')
      .map(([verb]) => verb)
      .sort(),
  )
})

describe.each(brokers)('with worker processes, on %s', (kind) => {
  let scene: Awaited<ReturnType<typeof openWeb>>
  let workers: WorkerProcess[]

  const ends: (() => void)[] = []

  beforeAll(async () => {
    const servers = await freshServers(kind)
    scene = await openWeb(servers)
    workers = await Promise.all(
      ['mail', 'media'].map((name) =>
        startWorkerProcess({
          ...servers,
          args: ['-c', '2', '-n', `${name}@here`],
          onEnd: (end) => void ends.push(end),
        }),
      ),
    )
  }, 240_000)

  afterAll(async () => {
    for (const end of ends) end()
    await scene?.close()
  })

  test('questions go to those that are named', async () => {
    const all = await get(scene, '/inspect/ping?deadline=20s')
    const some = await get(scene, '/inspect/stats?workers=mail@*&deadline=20s')

    expect(all.status).toBe(200)
    expect(all.headers['content-type']).toBe('application/json; charset=utf-8')
    expect(all.body.replies.map((reply: { worker: { name: string } }) => reply.worker.name).sort()).toEqual([
      'mail@here',
      'media@here',
    ])
    expect(some.body).toMatchObject({
      replies: [{ worker: { name: 'mail@here' }, value: { concurrency: 2, running: 0 } }],
      refused: [],
      silent: [],
    })
  })

  test('an order is done, and the audit says who gave it and from where', async () => {
    const { status, body } = await post(scene, '/control/pool-grow', {
      by: 2,
      workers: ['mail@here'],
      deadline: '20s',
    })

    expect(status).toBe(200)
    expect(body).toMatchObject({ replies: [{ value: { concurrency: 4 } }], refused: [], silent: [] })
    const audit = await get(scene, '/commands?limit=1')
    expect(audit.body.commands).toMatchObject([
      {
        id: body.command,
        verb: 'pool-grow',
        args: { by: 2 },
        by: 'ann@shop',
        affected: 1,
        from: expect.stringMatching(/^http (::ffff:)?127\.0\.0\.1$/),
      },
    ])
    expect(audit.body.next).toBe(body.command)
    const older = await get(scene, `/commands?before=${audit.body.next}`)
    expect(older.body.commands.map(({ id }: { id: string }) => id)).not.toContain(body.command)
  })

  test('what holds for all is told to all, and shown', async () => {
    expect((await post(scene, '/control/pause', { queue: 'default', deadline: '20s' })).body).toMatchObject({
      replies: [{ value: { paused: ['default'] } }, { value: { paused: ['default'] } }],
    })
    expect((await get(scene, '/queues')).body.queues).toContainEqual(
      expect.objectContaining({ name: 'default', isPaused: true }),
    )
    expect((await post(scene, '/control/resume', { queue: 'default', deadline: '20s' })).status).toBe(200)
  })

  test('workers are listed, without secrets', async () => {
    const { body } = await get(scene, '/workers')
    const mail = body.workers.find(({ name }: { name: string }) => name === 'mail@here')

    expect(mail).toMatchObject({ state: 'ok', pid: workers[0]?.pid, concurrency: 4, endedAt: null })
    expect(body.total).toBe(2)
    expect((await get(scene, '/workers?state=lost')).body).toEqual({ workers: [], total: 0 })
    expect(JSON.stringify(body)).not.toMatch(/:\/\/[^"/]*@/)
  })

  test('status, queues and tasks are told as JSON', async () => {
    await until(async () => (await get(scene, '/status')).body.status === 'ok', { timeoutMs: 30_000 })
    expect((await get(scene, '/queues')).body.queues).toContainEqual(
      expect.objectContaining({ name: 'default', waiting: 0, servedBy: ['mail@here', 'media@here'] }),
    )
    expect((await get(scene, '/tasks')).body.tasks).toContainEqual(
      expect.objectContaining({
        name: 'mail.send',
        queue: 'default',
        isKnownHere: true,
        workers: [],
        open: 0,
      }),
    )
  })

  test('a worker that is stopped is named as silent, within the deadline', async () => {
    workers[1]?.signal('SIGSTOP')
    try {
      const from = performance.now()
      const { status, body } = await get(scene, '/inspect/ping?deadline=1500ms')

      expect(performance.now() - from).toBeLessThan(10_000)
      expect(status).toBe(200)
      expect(body.silent).toMatchObject([{ name: 'media@here' }])
    } finally {
      workers[1]?.signal('SIGCONT')
    }
  })
})

describe('jobs', () => {
  let scene: Awaited<ReturnType<typeof openWeb>>

  beforeAll(async () => {
    scene = await openWeb(await freshServers('postgres'))
    await scene.jobs.enqueueMany('mail.send', ['ann', 'bob', 'carol'], { tags: ['first'] })
    await scene.jobs.enqueueMany('mail.gated', ['a', 'b'], { queue: 'mail' })
  }, 120_000)

  afterAll(() => scene?.close())

  test('are found, page by page, and counted', async () => {
    const first = await get(scene, '/jobs?task=mail.send,mail.moody&tag=first&limit=2&sort=oldest')
    const rest = await get(scene, `/jobs?task=mail.send&tag=first&sort=oldest&cursor=${first.body.cursor}`)

    const payloads = [...first.body.jobs, ...rest.body.jobs].map(({ payload }) => payload)
    expect(payloads).toEqual(['ann', 'bob', 'carol'])
    expect(rest.body.cursor).toBeNull()
    expect((await get(scene, '/job-count?queue=mail&state=queued')).body).toEqual({ count: 2, isMore: false })
    const [job] = first.body.jobs
    expect((await get(scene, `/jobs/${job.id}`)).body).toMatchObject({
      job: { id: job.id, payload: 'ann', workerName: null },
    })
  })

  test('are cancelled by a filter and by id, and the audit says by whom', async () => {
    const byFilter = await post(scene, '/jobs/cancel', { filter: { queue: 'mail' }, reason: 'a mistake' })
    expect(byFilter.body).toMatchObject({
      ...{ verb: 'cancel', affected: 2, by: 'ann@shop' },
      operation: { state: 'done', done: 2, counts: { cancelled: 2 } },
    })

    const { body } = await get(scene, '/jobs?queue=mail')
    expect(body.jobs[0]).toMatchObject({
      state: 'cancelled',
      cancelledBy: 'ann@shop',
      cancelReason: 'a mistake',
    })
    const ids = body.jobs.map(({ id }: { id: string }) => id)
    expect((await post(scene, '/jobs/retry', { ids })).body.operation.counts).toEqual({ retried: 2 })
    expect((await post(scene, '/jobs/move', { ids, queue: 'other' })).body.operation.counts).toEqual({
      moved: 2,
    })
    expect((await post(scene, '/jobs/delete', { ids })).body.operation.counts).toEqual({ deleted: 2 })

    const audit = await get(scene, '/commands?limit=4')
    const told = audit.body.commands.map(({ verb, by }: { verb: string; by: string }) => [verb, by])
    expect(told).toEqual(['delete', 'move', 'retry', 'cancel'].map((verb) => [verb, 'ann@shop']))
  })

  test.each<[string, string, unknown, number, string]>([
    ['nothing', '/jobs/delete', {}, 400, 'BAD_REQUEST'],
    ['an empty filter', '/jobs/delete', { filter: {} }, 400, 'BAD_REQUEST'],
    ['a filter that is a list', '/jobs/delete', { filter: [] }, 400, 'BAD_REQUEST'],
    ['a filter of another word', '/jobs/delete', { filter: { status: 'failed' } }, 400, 'BAD_REQUEST'],
    ['an operator in a filter', '/jobs/delete', { filter: { task: { not: '' } } }, 400, 'BAD_REQUEST'],
    ['an id that is an object', '/jobs/delete', { ids: [{ not: '' }] }, 400, 'BAD_REQUEST'],
    ['both', '/jobs/delete', { ids: [], filter: { queue: 'q' } }, 400, 'BAD_REQUEST'],
    ['no place to move to', '/jobs/move', { filter: { queue: 'mail' } }, 400, 'BAD_REQUEST'],
    ['a reason that is a number', '/jobs/cancel', { filter: { queue: 'x' }, reason: 7 }, 400, 'BAD_REQUEST'],
    ['a cursor of nowhere', '/jobs/cancel', { filter: { queue: 'x' }, cursor: 'x' }, 400, 'BAD_REQUEST'],
    ['a cursor that is none', '/jobs/cancel', { filter: { queue: 'x' }, cursor: {} }, 400, 'BAD_REQUEST'],
    ['an action that is none', '/jobs/constructor', { ids: [] }, 404, 'UNKNOWN_ACTION'],
  ])('%s changes nothing', async (_what, path, body, status, code) => {
    const answer = await post(scene, path, body)

    expect([answer.status, answer.body.code]).toEqual([status, code])
    expect((await get(scene, '/job-count?state=queued&task=mail.send')).body.count).toBe(3)
  })

  test.each([
    ['/jobs?status=failed', 400],
    ['/jobs?state=failing', 400],
    ['/jobs?limit=1001', 400],
    ['/jobs?sort=payload', 400],
    ['/jobs?cursor=x', 400],
    ['/jobs?state[not]=failed', 400],
    ['/jobs?minAttempts=1e9', 400],
    ['/jobs?createdAfter=yesterdayish', 400],
    ['/jobs/nothing', 404],
    ['/jobs/018f0000-0000-7000-8000-000000000001', 404],
  ])('GET %s is answered %i', async (path, status) => {
    expect((await get(scene, path)).status).toBe(status)
  })
})

describe.each(lines)('on %s', (_line, make) => {
  describe.each([false, true])('with a parser of the app in front: %s', (withParser) => {
    let scene: Awaited<ReturnType<typeof openWeb>>

    beforeAll(async () => {
      scene = await openWeb(await freshServers('postgres'), make, withParser)
    }, 120_000)

    afterAll(() => scene?.close())

    test.each<[string, string, unknown, number, string]>([
      ['a verb that is none', '/control/eval', {}, 404, 'UNKNOWN_VERB'],
      ['a name of the prototype', '/control/constructor', {}, 404, 'UNKNOWN_VERB'],
      ['a question as an order', '/control/ping', {}, 404, 'UNKNOWN_VERB'],
      ['an argument that is none', '/control/pool-grow', { bye: 1 }, 400, 'BAD_REQUEST'],
      ['an argument of the prototype', '/control/pool-grow', '{"__proto__":{"by":9}}', 400, 'BAD_REQUEST'],
      ['a number that is none', '/control/pool-grow', { by: '2' }, 400, 'BAD_REQUEST'],
      ['an operator in the place of a queue', '/control/pause', { queue: { not: '' } }, 400, 'BAD_REQUEST'],
      ['a level that is none', '/control/log-level', { level: 'loud' }, 400, 'BAD_REQUEST'],
      ['a range upside down', '/control/autoscale', { range: { min: 3, max: 1 } }, 400, 'BAD_REQUEST'],
      ['a range that is unsaid', '/control/autoscale', {}, 400, 'BAD_REQUEST'],
      ['a limit that is unsaid', '/control/rate-limit', { task: 'mail.send' }, 400, 'BAD_REQUEST'],
      [
        'a limit for two',
        '/control/rate-limit',
        { task: 'a', queue: 'b', rateLimit: null },
        400,
        'BAD_REQUEST',
      ],
      [
        'a limit that is none',
        '/control/rate-limit',
        { task: 'mail.send', rateLimit: 'x' },
        400,
        'BAD_REQUEST',
      ],
      ['an unknown task', '/control/time-limit', { task: 'mail.sned', timeLimit: '5s' }, 404, 'UNKNOWN_TASK'],
      ['an unknown worker', '/control/reset', { workers: 'nobody' }, 404, 'UNKNOWN_WORKER'],
      ['workers that are no names', '/control/reset', { workers: [{}] }, 400, 'BAD_REQUEST'],
      ['a pattern that is all stars', '/control/reset', { workers: '*a*a*a*a*a' }, 400, 'BAD_REQUEST'],
      ['workers of what holds for all', '/control/pause', { queue: 'q', workers: 'a' }, 400, 'BAD_REQUEST'],
      ['a deadline of hours', '/control/reset', { deadline: '2h' }, 400, 'BAD_REQUEST'],
      ['a body that is a list', '/control/reset', [], 400, 'BAD_REQUEST'],
    ])('%s is refused as a problem', async (_what, path, body, status, code) => {
      const answer = await post(scene, path, body)

      expect([answer.status, answer.body.code, answer.headers['content-type']]).toEqual([
        status,
        code,
        'application/problem+json',
      ])
      expect((await get(scene, '/commands')).body).toEqual({ commands: [], next: null })
    })

    test.each<[string, Record<string, string>, number]>([
      ['text', { 'Content-Type': 'text/plain' }, 415],
      ['a form', { 'Content-Type': 'application/x-www-form-urlencoded' }, 415],
    ])('a body that is %s is refused', async (_what, headers, status) => {
      expect((await post(scene, '/control/pool-grow', '{"by":1}', headers)).status).toBe(status)
    })

    test('without a body, an order has its defaults; without workers, nobody replies', async () => {
      const { status, body } = await post(scene, '/control/pool-grow')

      expect(status).toBe(200)
      expect(body).toMatchObject({ replies: [], refused: [], silent: [] })
    })

    test.each([
      ['/inspect/eval', 404, 'UNKNOWN_QUESTION'],
      ['/inspect/shutdown', 404, 'UNKNOWN_QUESTION'],
      ['/inspect/ping?workers[contains]=a', 400, 'BAD_REQUEST'],
      ['/inspect/ping?deadline=1&deadline=2', 400, 'BAD_REQUEST'],
      ['/inspect/ping?deadline=1e308', 400, 'BAD_REQUEST'],
      ['/inspect/ping?workers=nobody', 404, 'UNKNOWN_WORKER'],
      ['/jobs/%E0%A4%A', 404, 'NOT_FOUND'],
      ['/tasks?range=2h', 400, 'BAD_REQUEST'],
      ['/tasks?range=1h&range=6h', 400, 'BAD_REQUEST'],
      ['/commands?since=lately', 400, 'BAD_REQUEST'],
      ['/commands?limit=1e9', 400, 'BAD_REQUEST'],
      ['/commands?limit=-1', 400, 'BAD_REQUEST'],
      ['/commands?limit=NaN', 400, 'BAD_REQUEST'],
      ['/commands?before=1', 400, 'BAD_REQUEST'],
      ['/status/', 404, 'NOT_FOUND'],
      ['//status', 404, 'NOT_FOUND'],
      ['/nowhere', 404, 'NOT_FOUND'],
    ])('GET %s is answered %i', async (path, status, code) => {
      const answer = await get(scene, path)

      expect([answer.status, answer.body.code]).toEqual([status, code])
      expect(answer.headers).toMatchObject({
        'cache-control': 'no-store',
        'x-content-type-options': 'nosniff',
      })
    })
  })
})

describe('who may', () => {
  let scene: Awaited<ReturnType<typeof openWeb>>

  beforeAll(async () => {
    scene = await openWeb(await freshServers('postgres'))
  }, 120_000)

  afterAll(() => scene?.close())

  const addresses = patterns.map(({ method, path }) => [
    method,
    path
      .replace(':verb', 'reset')
      .replace(':question', 'ping')
      .replace(':id', 'x')
      .replace(':action', 'retry'),
  ])

  // Each route of the table, so that a new one is in here, too.
  test.each(addresses)('%s %s is for nobody else', async (method = '', path = '') => {
    for (const user of ['', 'bob', '__proto__', 'constructor']) {
      const answer = await ask(scene, `${api}${path}`, { method, headers: { 'X-User': user, ...fromPage } })
      expect([answer.status, JSON.parse(answer.body).code], user).toEqual([403, 'DASHBOARD_CLOSED'])
    }
    const own = await ask(scene, `${api}${path}`, { method, headers: { 'X-User': 'admin', ...fromPage } })
    expect([200, 400, 404]).toContain(own.status)
  })

  test('knows no other method, whatever a header says', async () => {
    const put = await ask(scene, `${api}/control/reset`, {
      method: 'PUT',
      headers: { 'X-User': 'ann', ...fromPage },
    })
    const overridden = await ask(scene, `${api}/control/reset`, {
      headers: { 'X-User': 'ann', 'X-HTTP-Method-Override': 'POST', ...fromPage },
    })

    expect([put.status, put.headers.allow]).toEqual([405, 'POST'])
    expect([overridden.status, overridden.headers.allow]).toEqual([405, 'POST'])
  })

  test.each<[string, Record<string, string>]>([
    ['of another site', { 'Sec-Fetch-Site': 'cross-site' }],
    ['of a sister site', { 'Sec-Fetch-Site': 'same-site' }],
    ['of another origin', { 'Sec-Fetch-Site': '', Origin: 'https://evil.example' }],
    ['of no origin', { 'Sec-Fetch-Site': '', Origin: 'null' }],
  ])('an order %s is not given', async (_what, headers) => {
    const answer = await post(scene, '/control/reset', {}, headers)

    expect([answer.status, answer.body.code]).toEqual([403, 'CROSS_SITE'])
    expect((await get(scene, '/commands')).body.commands.map(({ by }: { by: string }) => by)).not.toContain(
      'ann@shop',
    )
  })
})

test('when the store is away, it says so and names no server', async () => {
  const scene = await openWeb(await freshServers('postgres'))
  onTestFinished(() => scene.close())
  await scene.jobs.close()

  for (const path of ['/workers', '/queues', '/commands', '/inspect/ping']) {
    const answer = await get(scene, path)
    expect([answer.status, answer.body.code], path).toEqual([503, 'UNAVAILABLE'])
    expect(JSON.stringify(answer.body)).not.toMatch(/postgres:|127\.0\.0\.1|stack/)
  }
  expect((await get(scene, '/status')).body).toMatchObject({ status: 'down', store: 'down' })
})
