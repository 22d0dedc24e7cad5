import express from 'express'
import pg from 'pg'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { z } from 'zod'
import { StoreUnavailableError } from '../../src/errors.js'
import { celeriac } from '../../src/plugin.js'
import { defineTask } from '../../src/task/define.js'
import { serve } from '../http/app.js'
import { brokers, closeJobsAfterEach, freshServers, openJobs } from '../support/lab.js'
import { createProxy } from '../support/proxy.js'
import { freshDatabase, startPostgres } from '../support/servers.js'
import { until } from '../support/until.js'

closeJobsAfterEach()

const deadlineMs = 2500
/** What a busy machine may add. A deadline that is waited for twice would take 2,500 ms more. */
const slackMs = 2000
const anId = '00000000-0000-7000-8000-000000000000'

function newTask() {
  return defineTask({ payload: z.object({ n: z.number() }), run: ({ n }) => n })
}

/** A web process that has its servers, unless it is not waited for. */
async function openWeb(
  options: Parameters<typeof celeriac>[0],
  task = newTask(),
  boot: 'wait' | 'do not wait' = 'wait',
) {
  const given = { tasks: { work: { task } }, deadline: deadlineMs, logger: 'silent', ...options } as const
  const jobs = boot === 'wait' ? await openJobs(given) : celeriac(given)
  onTestFinished(() => jobs.close())
  const app = express()
  app.use(jobs)
  app.post('/work', jobs.accept(task))
  const { url, close } = await serve(app)
  onTestFinished(close)
  const post = (n: number, headers: Record<string, string> = {}) =>
    fetch(`${url}/work`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', ...headers },
      body: JSON.stringify({ n }),
    })
  return { jobs, task, url, post, get: (id = anId) => fetch(`${url}/jobs/${id}`) }
}

async function took<T>(work: Promise<T>): Promise<{ readonly ms: number; readonly answer: T }> {
  const began = performance.now()
  const answer = await work
  return { ms: performance.now() - began, answer }
}

async function connect(url: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url })
  client.on('error', () => {})
  await client.connect()
  return client
}

async function expectRefused(answer: Response): Promise<void> {
  expect(answer.status).toBe(503)
  expect(answer.headers.get('retry-after')).toBe('5')
  expect(await answer.json()).toMatchObject({ code: 'STORE_UNAVAILABLE' })
}

describe('a store that keeps silent (F21, F32)', { timeout: 60_000 }, () => {
  test('500 callers have their error within one deadline, later ones at once; then all goes on by itself', async () => {
    const store = await freshDatabase()
    const proxy = await createProxy(store)
    onTestFinished(() => proxy.close())
    const { jobs, task, post, get } = await openWeb({ database: proxy.url })
    const job = await task.enqueue({ n: 0 })

    proxy.set('silent')
    const calls = Array.from({ length: 500 }, async (_, n) => {
      await new Promise((resolve) => setTimeout(resolve, n))
      return took(
        (n % 2 ? task.enqueue({ n }) : job.status()).catch((error: unknown) => error) as Promise<unknown>,
      )
    })
    const answers = await Promise.all(calls)
    for (const { answer } of answers) expect(answer).toBeInstanceOf(StoreUnavailableError)
    const slowest = answers.map(({ ms }) => ms).sort((a, b) => b - a)
    expect(slowest[4]).toBeLessThan(deadlineMs + slackMs)

    await until(async () => (await took(get())).ms < deadlineMs / 2)
    const [posted, read] = [await took(post(1)), await took(get())]
    await expectRefused(posted.answer)
    await expectRefused(read.answer)
    expect(posted.ms).toBeLessThan(deadlineMs / 2)
    expect(read.ms).toBeLessThan(deadlineMs / 2)

    proxy.set('pass')
    await until(async () => (await post(2)).status === 202)
    expect((await job.status()).state).toBe('queued')
    await until(async () => (await jobs.health()).status === 'ok')
  })

  test('connections that break again and again while it is silent cost no second deadline', async () => {
    const proxy = await createProxy(await freshDatabase())
    onTestFinished(() => proxy.close())
    const { post } = await openWeb({ database: proxy.url })
    expect((await post(1)).status).toBe(202)

    proxy.set('silent')
    const resetting = setInterval(proxy.reset, deadlineMs * 0.9)
    onTestFinished(() => clearInterval(resetting))
    const { ms, answer } = await took(post(2))

    await expectRefused(answer)
    expect(ms).toBeLessThan(deadlineMs + slackMs)
  })

  test('connections that the network forgot are replaced', async () => {
    const proxy = await createProxy(await freshDatabase())
    onTestFinished(() => proxy.close())
    const { post, get } = await openWeb({ database: proxy.url })
    expect((await post(1)).status).toBe(202)
    expect((await get()).status).toBe(404)

    proxy.set('silent-open')
    const first = await Promise.all([took(post(2)), took(get())])

    for (const { ms } of first) expect(ms).toBeLessThan(deadlineMs + slackMs)
    await until(async () => (await post(3)).status === 202 && (await get()).status === 404)
  })

  test('a lock on the table is a 503 for who waits for it, and for nobody else', async () => {
    const database = await freshDatabase()
    const { jobs, post, get } = await openWeb({ database })
    expect((await post(1)).status).toBe(202)
    const lock = await connect(database)
    await lock.query('BEGIN')
    await lock.query('LOCK TABLE celeriac.job IN ACCESS EXCLUSIVE MODE')
    const connecting = vi.spyOn(pg.Client.prototype, 'connect')
    onTestFinished(() => connecting.mockRestore())

    for (let round = 0; round < 2; round += 1) {
      const answers = await Promise.all(Array.from({ length: 100 }, (_, n) => took(n % 2 ? post(n) : get())))
      for (const { answer } of answers) await expectRefused(answer)
      expect(Math.max(...answers.map(({ ms }) => ms))).toBeLessThan(deadlineMs + slackMs)
    }
    expect((await jobs.health()).status).toBe('ok')
    expect(connecting.mock.calls.length).toBeLessThan(60)

    await lock.end()
    await until(async () => (await post(2)).status === 202 && (await get()).status === 404)
  })
})

describe('a server without room (F33)', { timeout: 60_000 }, () => {
  async function startFull() {
    const postgres = await startPostgres({
      settings: ['max_connections=15', 'superuser_reserved_connections=0'],
    })
    onTestFinished(() => postgres.stop())
    const hogs: pg.Client[] = []
    return {
      url: postgres.url,
      /** Takes every place that is free. */
      async fill() {
        for (;;) {
          const hog = await connect(postgres.url).catch(() => undefined)
          if (!hog) return
          hogs.push(hog)
        }
      },
      /** Ends every connection that is not one of these. */
      async takeFromOthers() {
        await hogs[0]?.query(
          `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'celeriac%'`,
        )
        await this.fill()
      },
      leave: () => Promise.all(hogs.splice(0).map((hog) => hog.end())),
    }
  }

  /** Answers come in time, one kind or the other, and nobody storms the server meanwhile. */
  async function expectCalm(post: (n: number) => Promise<Response>): Promise<number[]> {
    const connecting = vi.spyOn(pg.Client.prototype, 'connect')
    const began = performance.now()
    const answers = await Promise.all(Array.from({ length: 100 }, (_, n) => took(post(n))))
    expect(Math.max(...answers.map(({ ms }) => ms))).toBeLessThan(deadlineMs + slackMs)
    await until(() => performance.now() - began > 2000)
    expect(connecting.mock.calls.length).toBeLessThan(100)
    connecting.mockRestore()
    return answers.map(({ answer }) => answer.status)
  }

  test('is a 503 in time for who comes before it has any, and is used as soon as it has', async () => {
    const server = await startFull()
    await server.fill()
    const web = await openWeb({ database: server.url }, newTask(), 'do not wait')

    expect(new Set(await expectCalm(web.post))).toEqual(new Set([503]))

    await server.leave()
    await until(async () => (await web.post(2)).status === 202)
  })

  test('is a 503 in time for who loses a connection, and is used as soon as it has room again', async () => {
    const server = await startFull()
    const web = await openWeb({ database: server.url })
    expect((await web.post(1)).status).toBe(202)
    await server.fill()
    await server.takeFromOthers()

    const statuses = await expectCalm(web.post)
    expect(statuses.filter((status) => status !== 202 && status !== 503)).toEqual([])

    await server.leave()
    await until(async () => (await web.post(2)).status === 202 && (await web.get()).status === 404)
  })
})

describe.each(brokers)('one connection a pool, with the broker on %s', { timeout: 60_000 }, (kind) => {
  test('is enough for requests, workers, transactions and LISTEN at once (F33)', async () => {
    const servers = await freshServers(kind)
    const one = (url: string) => `${url}?connection_limit=1`
    const database = one(servers.database)
    const broker = kind === 'postgres' ? database : servers.broker
    const { task, post, get, jobs } = await openWeb({
      database,
      ...(broker === undefined ? {} : { broker }),
      worker: { concurrency: 10 },
      deadline: '5s',
    })
    const tx = await connect(servers.database)
    onTestFinished(() => tx.end())
    await tx.query('BEGIN')
    const inTransaction = await task.enqueue({ n: -1 }, { tx })

    const many = await task.enqueueMany(Array.from({ length: 1200 }, (_, n) => ({ n })))
    const statuses = await Promise.all(
      Array.from({ length: 100 }, async (_, n) => (await (n % 2 ? post(n) : get())).status),
    )
    await tx.query('COMMIT')

    expect(new Set(statuses)).toEqual(new Set([202, 404]))
    expect(await inTransaction.result()).toBe(-1)
    expect(await many.at(-1)?.result()).toBe(1199)
    expect((await jobs.health()).status).toBe('ok')
  })

  test('one key, 100 posts at once over two processes: one job, and answers that differ in who made it alone (F49)', async () => {
    const servers = await freshServers(kind)
    const task = newTask()
    const webs = [await openWeb(servers, task), await openWeb(servers, task)] as const
    const key = { 'Idempotency-Key': 'once' }

    const answers = await Promise.all(
      Array.from({ length: 100 }, async (_, n) => {
        const answer = await (n % 2 ? webs[0] : webs[1]).post(1, key)
        return {
          status: answer.status,
          location: answer.headers.get('location'),
          body: (await answer.json()) as { id: string; created: boolean },
        }
      }),
    )
    const others = await Promise.all(webs.map((web) => web.post(2, key)))

    expect(answers[0]?.status).toBe(202)
    // Equal but for what tells the one that made the job.
    expect(
      new Set(
        answers.map(({ body: { created: _, ...body }, ...answer }) => JSON.stringify({ ...answer, body })),
      ).size,
    ).toBe(1)
    expect(answers.filter(({ body }) => body.created)).toHaveLength(1)
    for (const other of others) {
      expect(other.status).toBe(422)
      expect(await other.json()).toMatchObject({ code: 'IDEMPOTENCY_CONFLICT' })
    }
    const db = await connect(servers.database)
    onTestFinished(() => db.end())
    expect((await db.query('SELECT 1 FROM celeriac.job')).rowCount).toBe(1)
  })
})

test('an enqueue whose answer was lost on its way is made once, and each answer is true (F4, F30)', {
  timeout: 60_000,
}, async () => {
  const database = await freshDatabase()
  const proxy = await createProxy(database)
  onTestFinished(() => proxy.close())
  const { task } = await openWeb({ database: proxy.url, deadline: '5s' })
  const accepted = new Map<number, string>()

  for (let n = 0; n < 300; n += 1) {
    // Connections end after so many bytes: in a question, or in its answer when all is committed.
    if (n % 10 === 0) proxy.set({ cutAfterBytes: 1500 + Math.floor(Math.random() * 3000) })
    const job = await task.enqueue({ n }).catch(() => undefined)
    if (job) accepted.set(n, job.id)
  }

  const db = await connect(database)
  onTestFinished(() => db.end())
  const { rows } = await db.query<{ id: string; n: number }>(
    `SELECT id, (payload::json->>'n')::int AS n FROM celeriac.job`,
  )
  expect(new Set(rows.map(({ n }) => n)).size).toBe(rows.length)
  const idOf = new Map(rows.map(({ id, n }) => [n, id]))
  for (const [n, id] of accepted) expect(idOf.get(n)).toBe(id)
  expect(accepted.size).toBeGreaterThan(150)
})
