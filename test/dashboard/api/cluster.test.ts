import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Fact } from '../../../src/dashboard/api/contract.js'
import { freshServers } from '../../support/lab.js'
import { until } from '../../support/until.js'
import { type Filled, openShowroom, type Showroom } from '../pages/showroom.js'
import { byHeader, get, portOf, post } from './scene.js'

let room: Showroom
let filled: Filled
let scene: { readonly port: number }
const ends: (() => void)[] = []

beforeAll(async () => {
  room = await openShowroom(await freshServers('redis'), {
    authorize: byHeader,
    queues: { mail: { rateLimit: '500/s' } },
    onEnd: (end) => void ends.push(end),
  })
  scene = { port: portOf(room.url) }
  filled = await room.fill()
}, 240_000)

afterAll(async () => {
  for (const end of ends) end()
  await room?.close()
})

const zeros = {
  scheduled: 0,
  queued: 0,
  running: 0,
  retrying: 0,
  succeeded: 0,
  failed: 0,
  cancelled: 0,
  expired: 0,
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, each) => total + each, 0)
}

describe('the overview', () => {
  test('says how everything is, and was', async () => {
    const { status, body } = await get(scene, '/overview?range=15m')

    expect(status).toBe(200)
    expect(body).toMatchObject({ range: '15m', status: expect.stringMatching(/^(ok|degraded)$/) })
    expect(body.states).toEqual({
      ...zeros,
      ...{ scheduled: 1, queued: 1, running: 1, retrying: 1, cancelled: 1 },
      succeeded: body.rates.succeeded,
      failed: body.rates.failed,
    })
    expect(body.rates).toMatchObject({ enqueued: 73, failed: 11, retried: 1, cancelled: 1, expired: 0 })
    expect(body.rates.failureRate).toBeCloseTo(12 / 69, 5)
    expect(body.rates.run.p95Ms).toBeGreaterThan(0)
    expect(Math.abs(Date.parse(body.now) - Date.now())).toBeLessThan(60_000)
  })

  test('has a chart that adds up', async () => {
    const { body } = await get(scene, '/overview?range=1h')
    const { series, rates, states } = body

    expect(series.stepMs).toBe(60_000)
    for (const name of ['enqueued', 'started', 'succeeded', 'failed', 'retried', 'cancelled', 'expired'])
      expect(sum(series[name]), name).toBe(rates[name])
    expect(series.waiting.at(-1)).toBe(states.queued)
    expect(series.delayed.at(-1)).toBe(states.scheduled + states.retrying)
    expect(series.running.at(-1)).toBe(states.running)
    expect(
      new Set(Object.values(series).flatMap((each) => (Array.isArray(each) ? each.length : []))).size,
    ).toBe(1)
  })

  test('names what needs attention, the most urgent first', async () => {
    const attention = await until(
      async () => {
        const { body } = await get(scene, '/overview')
        return body.attention.length > 1 && body.attention
      },
      { timeoutMs: 15_000 },
    )

    expect(attention).toMatchObject([
      { code: 'queue-unserved', queue: 'video', cure: expect.stringContaining('celeriac worker') },
      { code: 'task-failing', task: 'mail.send' },
    ])
  })
})

describe('tasks', () => {
  test('are listed with where they wait, who runs them and how they went', async () => {
    const { body } = await get(scene, '/tasks?range=15m')

    expect(body).toMatchObject({ range: '15m', total: body.tasks.length })
    expect(body.tasks.map(({ name }: { name: string }) => name)).toEqual([
      'billing.charge',
      'mail.listen',
      'mail.send',
      'media.resize',
      'media.transcode',
      'reports.buildReport',
      'reports.buildYear',
    ])
    expect(body.tasks[2]).toMatchObject({
      ...{ queue: 'mail', isKnownHere: true, workers: ['mail@one'], open: 2 },
      rates: { enqueued: 63, succeeded: 50, failed: 10, retried: 1, cancelled: 1 },
    })
  })

  test('have a page with their schema, options, limits, rates and chart', async () => {
    const { body } = await get(scene, '/tasks/billing.charge?range=15m')

    expect(body).toMatchObject({
      ...{ name: 'billing.charge', queue: 'billing', isKnownHere: true, open: 0 },
      ...{ aliases: [], priority: 0, expiresInMs: null, pool: null, unique: null },
      source: expect.stringContaining('billing/tasks.ts'),
      backoff: { type: 'exponential' },
      redact: ['payload.card.number', 'result.receipt.secret'],
      limits: { concurrency: 4, rateLimit: null, code: { concurrency: 4 }, set: null },
      timeLimit: { softMs: null, hardMs: null, set: null },
      states: { ...zeros, succeeded: 1, failed: 1 },
      rates: { succeeded: 1, failed: 1, failureRate: 0.5 },
      schema: { library: 'zod', note: null, example: { customer: { id: 1, name: 'text' }, cents: 1 } },
    })
    expect(body.schema.jsonSchema).toMatchObject({ type: 'object', required: ['customer', 'card', 'cents'] })
    expect(sum(body.series.succeeded)).toBe(1)
  })

  test('say what somebody has set while they ran, and what the code says', async () => {
    await post(scene, '/control/rate-limit', { task: 'mail.send', rateLimit: '50/s', deadline: '20s' })
    await post(scene, '/control/time-limit', { task: 'mail.send', timeLimit: '30s', deadline: '20s' })

    expect((await get(scene, '/tasks/mail.send')).body).toMatchObject({
      limits: { rateLimit: '50/s', code: { rateLimit: '200/s' }, set: { by: 'ann@shop' } },
      timeLimit: { softMs: 30_000, code: { softMs: null }, set: { by: 'ann@shop' } },
    })
  })

  test('have their failures by error, with those that are retried', async () => {
    const { body } = await get(scene, '/tasks/mail.send/errors?range=1h')

    expect(body).toMatchObject({ looked: 11, isCut: false })
    expect(body.groups).toEqual([
      {
        ...{ name: 'MailError', message: 'No mail server for "…" (tried #)', count: 11 },
        retrying: 1,
        ...{ jobId: expect.any(String), lastAt: expect.any(String) },
      },
    ])
  })

  test('that nobody knows are a 404, with the nearest name', async () => {
    const answer = await get(scene, '/tasks/mail.sned')

    expect([answer.status, answer.body.code]).toEqual([404, 'UNKNOWN_TASK'])
    expect(answer.body.detail).toContain('Did you mean "mail.send"?')
  })
})

describe('queues', () => {
  test('are listed with what waits, since when, who serves them and what limits them', async () => {
    const { body } = await get(scene, '/queues?range=15m')
    const byName = Object.fromEntries(body.queues.map((queue: { name: string }) => [queue.name, queue]))

    expect(body.total).toBe(body.queues.length)
    expect(byName.mail).toMatchObject({
      ...{ waiting: 0, running: 1, delayed: 2, oldestMs: null, isPaused: false, servedBy: ['mail@one'] },
      ...{ rates: { enqueued: 64 }, limits: { rateLimit: '500/s', set: null } },
    })
    expect(byName.video).toMatchObject({ waiting: 1, servedBy: [], oldestMs: expect.any(Number) })
  })

  test('have a page with their tasks and their chart', async () => {
    await post(scene, '/control/pause', { queue: 'billing', deadline: '20s' })
    const { body } = await get(scene, '/queues/billing')
    await post(scene, '/control/resume', { queue: 'billing', deadline: '20s' })

    expect(body).toMatchObject({
      ...{ name: 'billing', isPaused: true, paused: { by: 'ann@shop' }, states: { succeeded: 1, failed: 1 } },
      tasks: [{ name: 'billing.charge', open: 0 }],
    })
    expect(sum(body.series.enqueued)).toBe(2)
    expect((await get(scene, '/queues/mail')).body.tasks).toEqual([
      { name: 'mail.send', open: 2 },
      { name: 'mail.listen', open: 1 },
    ])
  })

  test('that nobody knows are a 404; an empty one is not', async () => {
    const unknown = await get(scene, '/queues/vidoe')
    expect([unknown.status, unknown.body.code]).toEqual([404, 'UNKNOWN_QUEUE'])
    expect(unknown.body.detail).toContain('Did you mean "video"?')
    expect((await get(scene, '/queues/reports')).status).toBe(200)
  })
})

describe('a worker', () => {
  test('is shown with what it runs', async () => {
    // It says every few seconds what it runs.
    const active = await until(async () => {
      const { body } = await get(scene, '/workers/mail@one')
      return body.active.length > 0 && body.active
    })

    expect(active).toMatchObject([
      { id: filled.running, task: 'mail.listen', queue: 'mail', attempt: 1, runningMs: expect.any(Number) },
    ])
    expect((await get(scene, '/workers/reports@two')).body.active).toEqual([])
  })
})

describe('the system', () => {
  test('says what the jobs stand on, what is wrong with it, and what maintenance does', async () => {
    const { body } = await get(scene, '/system')
    const warnings = (server: 'broker' | 'store') =>
      body[server].facts.flatMap(({ name, warning }: Fact) => (warning === undefined ? [] : [name]))

    expect(body).toMatchObject({
      broker: { kind: 'redis', health: 'up', version: expect.stringMatching(/^\d/) },
      store: { kind: 'postgres', health: 'up', version: expect.stringMatching(/^\d/) },
      dispatchLagMs: expect.any(Number),
    })
    expect(JSON.stringify(body)).not.toMatch(/:\/\/[^"/]*@/)
    expect(warnings('store')).toEqual([])
    expect(warnings('broker')).toEqual(['append-only file'])
    expect(body.broker.facts).toContainEqual({ name: 'deliveries handed out', value: 0, unit: 'count' })
    expect(body.tables.map(({ name }: { name: string }) => name)).toEqual(
      expect.arrayContaining(['job', 'job_log', 'worker', 'stat']),
    )
    expect(body.passes).toContainEqual({
      ...{ name: 'lost', isOverdue: false, repaired: 0, ranAt: expect.any(String) },
    })
  })
})

describe('an answer', () => {
  test('is not sent again to who has it', async () => {
    const first = await get(scene, '/tasks/billing.charge/errors?range=1h')
    const tag = String(first.headers.etag)
    const again = await get(scene, '/tasks/billing.charge/errors?range=1h', 'vera', { 'If-None-Match': tag })
    const strong = await get(scene, '/tasks/billing.charge/errors?range=1h', 'vera', {
      'If-None-Match': `"x", ${tag.replace('W/', '')}`,
    })
    const other = await get(scene, '/tasks/billing.charge/errors?range=1h', 'vera', {
      'If-None-Match': '"x"',
    })

    expect([again.status, again.body, again.headers.etag]).toEqual([304, undefined, tag])
    expect(strong.status).toBe(304)
    expect(other.status).toBe(200)
  })

  test('is for those alone who may see it, also where it is known', async () => {
    const tag = String((await get(scene, '/tasks')).headers.etag)

    expect((await get(scene, '/tasks', 'bob', { 'If-None-Match': tag })).status).toBe(403)
  })
})

describe('a job', () => {
  test('has its family, its workers and its lines', async () => {
    const { body } = await get(scene, `/jobs/${filled.parent}`)

    expect(body).toMatchObject({
      job: { id: filled.parent, state: 'succeeded', result: { enqueued: 3 }, workerName: 'reports@two' },
      ...{ parent: null, hasMoreChildren: false, waitingFor: null, isRedacted: false },
    })
    expect(body.children).toHaveLength(3)
    const child = await get(scene, `/jobs/${body.children[0].id}`)
    expect(child.body.parent).toEqual({ id: filled.parent, task: 'reports.buildYear', state: 'succeeded' })
    const logs = await get(scene, `/jobs/${body.children[0].id}/logs`)
    expect(logs.body.lines.map(({ message }: { message: string }) => message)).toEqual(
      [1, 2, 3].map((page) => `page ${page} is laid out`),
    )
    expect(logs.body.lines[0]).toMatchObject({ level: 'info', attempt: 1, details: { page: 1 } })
  })

  test('has its last lines, those after one, and says when there are more', async () => {
    const all = (await get(scene, `/jobs/${filled.succeeded}/logs`)).body
    const last = (await get(scene, `/jobs/${filled.succeeded}/logs?limit=1`)).body
    const [first] = all.lines
    const after = (await get(scene, `/jobs/${filled.succeeded}/logs?after=${first.number}`)).body

    expect(all).toMatchObject({ hasMore: false })
    expect(last).toEqual({ lines: all.lines.slice(-1), hasMore: true })
    expect(after.lines).toEqual(all.lines.slice(1))
  })

  test('hides what its task hides, and says so', async () => {
    const { body } = await get(scene, `/jobs/${filled.secret}`)

    expect(body).toMatchObject({ isRedacted: true, job: { payload: { card: { number: '[redacted]' } } } })
    expect(JSON.stringify(body)).not.toContain('4000 0000')
  })

  test('that waits says for whom', async () => {
    await until(async () => (await get(scene, `/jobs/${filled.waiting}`)).body.waitingFor === 'worker', {
      timeoutMs: 30_000,
    })
  })

  test('gives its result, or how it stands, and waits for its end', async () => {
    expect((await get(scene, `/jobs/${filled.succeeded}/result`)).body).toEqual({
      state: 'succeeded',
      result: { url: '/files/2026-11.pdf', pages: 2 },
    })
    expect((await get(scene, `/jobs/${filled.failed}/result`)).body).toEqual({
      state: 'failed',
      error: { name: 'MailError', message: expect.stringContaining('No mail server') },
    })
    const from = performance.now()
    expect((await get(scene, `/jobs/${filled.running}/result?wait=1`)).body).toEqual({ state: 'running' })
    expect(performance.now() - from).toBeGreaterThan(900)
    const job = await room.jobs.enqueue('media.resize', { file: 'dog.png', width: 64 })
    expect((await get(scene, `/jobs/${job.id}/result?wait=20`)).body).toEqual({
      ...{ state: 'succeeded', result: 'dog.png@64' },
    })
  })
})

describe('jobs', () => {
  test('have their total where counters know it, and counts by state', async () => {
    const { body } = await get(scene, '/jobs?task=mail.send&state=failed&limit=3&values=short')

    expect(body).toMatchObject({
      total: 10,
      isCut: false,
      states: { failed: 10, succeeded: 50, retrying: 1 },
    })
    expect(body.jobs).toHaveLength(3)
    expect(body.jobs[0]).toMatchObject({
      ...{ workerName: 'mail@one', state: 'failed', result: null, tags: ['order', 'newsletter'] },
      payload: expect.stringMatching(/^\{"to":"nobody-/),
    })
    expect((await get(scene, '/jobs?owner=customer-7&limit=1')).body.total).toBeNull()
    expect((await get(scene, '/job-count?owner=customer-7')).body).toEqual({ count: 60, isMore: false })
    expect((await get(scene, '/job-count?owner=customer-7&most=7')).body).toEqual({ count: 7, isMore: true })
  })

  test('in a list are cut, where their values are long', async () => {
    await room.jobs.enqueue('media.transcode', 'x'.repeat(5000))
    const { body } = await get(scene, '/jobs?task=media.transcode&limit=1&values=short')

    expect(body.jobs[0].payload).toHaveLength(201)
  })
})
