import express from 'express'
import pg from 'pg'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { z } from 'zod'
import type { celeriac } from '../../src/plugin.js'
import { defineTask } from '../../src/task/define.js'
import { serve } from '../http/app.js'
import { brokers, closeJobsAfterEach, freshServers, openJobs, type Servers } from '../support/lab.js'
import { startPostgres } from '../support/servers.js'
import { until } from '../support/until.js'

closeJobsAfterEach()

type Limits = NonNullable<Parameters<typeof celeriac>[0]>['backpressure'] & {}

/** A task that notes what it ran. */
function newTask(ran: number[] = []) {
  return defineTask({
    payload: z.object({ n: z.number() }),
    run({ n }) {
      ran.push(n)
    },
  })
}

/** A web process: `POST /work` accepts, `POST /by-hand` enqueues in a transaction of its own. */
async function openWeb(servers: Servers, task: ReturnType<typeof newTask>, backpressure: Limits) {
  const jobs = await openJobs({
    ...servers,
    tasks: { work: { task } },
    owner: (req) => req.get('x-user') ?? 'anybody',
    backpressure,
  })
  const app = express()
  app.use(jobs)
  app.post('/work', jobs.accept(task))
  app.post('/later', jobs.accept(task, { options: () => ({ delay: '1h' }) }))
  app.post('/many', express.json(), async (req, res) => {
    const made = await task.enqueueMany(Array.from({ length: req.body.n }, (_, n) => ({ n })))
    res.status(202).json(made.length)
  })
  app.post('/by-hand', express.json(), async (req, res, next) => {
    const tx = new pg.Client({ connectionString: servers.database })
    await tx.connect()
    try {
      await tx.query('BEGIN')
      res.accepted(await task.enqueue(req.body, { tx }))
      await tx.query('COMMIT')
    } catch (error) {
      next(error)
    } finally {
      await tx.end()
    }
  })
  app.use(jobs.problems())
  const server = await serve(app)
  onTestFinished(() => server.close())
  const post = (n: number, path = '/work', user = 'anybody') =>
    fetch(server.url + path, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', 'X-User': user },
      body: JSON.stringify({ n }),
    })
  return { jobs, url: server.url, post }
}

async function sql(database: string, text: string): Promise<Record<string, unknown>[]> {
  const client = new pg.Client({ connectionString: database })
  await client.connect()
  try {
    return (await client.query(text)).rows
  } finally {
    await client.end()
  }
}

async function countJobs(database: string): Promise<number> {
  const [row] = await sql(database, 'SELECT count(*)::int AS jobs FROM celeriac.job')
  return Number(row?.jobs)
}

describe.each(brokers)('backpressure on %s', { timeout: 60_000 }, (kind) => {
  test('a full queue takes nothing from requests, all from scripts, and goes on once it is drained', async () => {
    const servers = await freshServers(kind)
    const ran: number[] = []
    const task = newTask(ran)
    const { post, url } = await openWeb(servers, task, { default: { waiting: 3 } })

    for (const n of [1, 2, 3]) expect((await post(n)).status).toBe(202)
    const refused = await post(4)
    expect(refused.status).toBe(503)
    expect(refused.headers.get('content-type')).toBe('application/problem+json')
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThanOrEqual(3)
    expect(Number(refused.headers.get('retry-after'))).toBeLessThanOrEqual(6)
    const body = await refused.json()
    expect(body).toMatchObject({ status: 503, code: 'QUEUE_FULL' })
    expect(JSON.stringify(body)).not.toContain('default')
    expect((await post(5, '/by-hand')).status).toBe(503)
    expect((await post(2, '/many')).status).toBe(503)
    expect((await post(6, '/later')).status).toBe(202)

    const job = await task.enqueue({ n: 7 }, { owner: null })
    expect((await fetch(`${url}/jobs/${job.id}`)).status).toBe(404)
    expect(await countJobs(servers.database)).toBe(5)

    await openJobs({ ...servers, tasks: { work: { task } }, worker: true })
    await until(async () => (await post(8)).status === 202)
    await until(() => ran.includes(8))
    expect(ran.filter((n) => n !== 8).sort()).toEqual([1, 2, 3, 7])
  })

  test('a task is never refused, also where a request has led to it in the same process', async () => {
    const servers = await freshServers(kind)
    const full = defineTask({ queue: 'full', run: () => {} })
    const parent = defineTask(async () => {
      for (let n = 0; n < 3; n += 1) await full.enqueue(undefined, { owner: null })
    })
    const jobs = await openJobs({
      ...servers,
      tasks: { work: { full, parent } },
      worker: { queues: ['default'] },
      backpressure: { full: { waiting: 1 } },
    })
    const app = express()
    app.use(jobs)
    app.post('/parents', jobs.accept(parent, { payload: () => undefined }))
    app.post('/full', jobs.accept(full, { payload: () => undefined }))
    const { url, close } = await serve(app)
    onTestFinished(close)
    const post = (path: string) => fetch(url + path, { method: 'POST', headers: { Prefer: 'wait=15' } })
    await full.enqueue()
    expect((await post('/full')).status).toBe(503)

    const parents = await Promise.all([post('/parents'), post('/parents')])

    for (const answer of parents) expect(await answer.json()).toMatchObject({ state: 'succeeded' })
    expect(await countJobs(servers.database)).toBe(1 + 2 + 6)
  })

  test('an owner over the share is told so; others go on', async () => {
    const servers = await freshServers(kind)
    const { post } = await openWeb(servers, newTask(), { '*': { share: 2 } })

    expect((await post(1, '/work', 'ann')).status).toBe(202)
    expect((await post(2, '/later', 'ann')).status).toBe(202)
    const refused = await post(3, '/work', 'ann')

    expect(refused.status).toBe(429)
    expect(refused.headers.get('retry-after')).toMatch(/^[3-6]$/)
    expect(await refused.json()).toMatchObject({ title: 'Too Many Requests', code: 'QUOTA_EXCEEDED' })
    expect((await post(4, '/by-hand', 'ann')).status).toBe(429)
    expect((await post(5, '/work', 'bob')).status).toBe(202)
  })

  test('a job that has waited for too long closes its queue until it is taken', async () => {
    const servers = await freshServers(kind)
    const task = newTask()
    const { post } = await openWeb(servers, task, { default: { age: '30s' } })
    expect((await post(1)).status).toBe(202)

    await sql(servers.database, `UPDATE celeriac.job SET run_at = run_at - interval '31 seconds'`)

    await until(async () => (await post(2)).status === 503)
    await openJobs({ ...servers, tasks: { work: { task } }, worker: true })
    await until(async () => (await post(3)).status === 202)
  })

  test('requests cost no statement more: one look serves all of a second', async () => {
    const servers = await freshServers(kind)
    const { post } = await openWeb(servers, newTask(), { default: { waiting: 100, share: 50, age: '1m' } })
    const query = vi.spyOn(pg.Client.prototype, 'query')
    onTestFinished(() => query.mockRestore())
    const began = performance.now()

    const statuses = await Promise.all(Array.from({ length: 400 }, async (_, n) => (await post(n)).status))

    const seconds = (performance.now() - began) / 1000
    const looks = query.mock.calls.filter(([asked]) => textOf(asked).includes('"ageMs"'))
    expect(looks.length).toBeGreaterThan(0)
    expect(looks.length).toBeLessThanOrEqual(Math.floor(seconds) + 1)
    expect(statuses.filter((status) => status === 202)).toHaveLength(50)
    expect(statuses.filter((status) => status === 429)).toHaveLength(350)
  })

  test('two processes go over a limit by what one of them may let in, and nothing refused ever runs', async () => {
    const servers = await freshServers(kind)
    const ran: number[] = []
    const task = newTask(ran)
    const limits = { default: { waiting: 20 } }
    const webs = [await openWeb(servers, task, limits), await openWeb(servers, task, limits)] as const
    const accepted: number[] = []
    const refused: number[] = []
    let next = 0
    const send = async (web: (typeof webs)[number]) => {
      const n = next++
      const { status } = await web.post(n)
      ;(status === 202 ? accepted : refused).push(n)
      expect([202, 503]).toContain(status)
    }

    await Promise.all(Array.from({ length: 100 }, (_, n) => send(n % 2 ? webs[0] : webs[1])))
    expect(accepted.length).toBeGreaterThanOrEqual(20)
    expect(accepted.length).toBeLessThanOrEqual(40)
    await until(async () => {
      const before = accepted.length
      await Promise.all(webs.map(send))
      return accepted.length === before
    })
    expect(await countJobs(servers.database)).toBeLessThanOrEqual(40)

    await openJobs({ ...servers, tasks: { work: { task } }, worker: true })
    const full = accepted.length
    await until(async () => {
      await Promise.all(webs.map(send))
      return accepted.length > full + 20
    })
    await until(() => ran.length >= accepted.length)
    expect(ran.toSorted((a, b) => a - b)).toEqual(accepted.toSorted((a, b) => a - b))
    expect(refused.filter((n) => ran.includes(n))).toEqual([])
    expect(await countJobs(servers.database)).toBe(accepted.length)
  })
})

test('while the store is away nothing is refused for a full queue, and nothing hangs', async () => {
  const postgres = await startPostgres()
  onTestFinished(() => postgres.stop())
  const { post } = await openWeb({ database: postgres.url }, newTask(), { default: { waiting: 1 } })
  expect((await post(1)).status).toBe(202)
  expect((await post(2)).status).toBe(503)

  await postgres.kill()
  await until(async () => (await codeOf(post(3))) === 'STORE_UNAVAILABLE')

  await postgres.start()
  await until(async () => (await codeOf(post(4))) === 'QUEUE_FULL')
})

async function codeOf(answer: Promise<Response>): Promise<unknown> {
  return ((await (await answer).json()) as { code?: unknown }).code
}

function textOf(asked: unknown): string {
  return typeof asked === 'string' ? asked : String((asked as { text?: unknown } | undefined)?.text)
}
