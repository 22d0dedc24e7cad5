import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import express from 'express'
import pg from 'pg'
import { describe, expect, onTestFinished, test } from 'vitest'
import { z } from 'zod'
import {
  EnqueueOptionError,
  IdempotencyConflictError,
  KeyError,
  SchemaTimeoutError,
} from '../../src/errors.js'
import type { JobHandle } from '../../src/job/job.js'
import type { Celeriac } from '../../src/plugin.js'
import { type AnyTask, defineTask } from '../../src/task/define.js'
import { brokers, closeJobsAfterEach, freshServers, gate, openJobs, type Servers } from '../support/lab.js'
import { until } from '../support/until.js'
import { rowsOf } from './rows.js'

closeJobsAfterEach()

interface Report {
  readonly month: string
  readonly copies?: number
}

interface Row {
  readonly id: string
  readonly state: string
  readonly payload: string
  readonly delayMs: number
}

function jobsIn(servers: Servers): Promise<Row[]> {
  return rowsOf<Row>(
    servers,
    `SELECT id, state::text, payload, (extract(epoch FROM run_at - created_at) * 1000)::float8 AS "delayMs"
     FROM celeriac.job ORDER BY id`,
  )
}

async function open(tasks: Record<string, AnyTask>, options: { worker?: boolean } = {}) {
  const servers = await freshServers('postgres')
  const jobs = await openJobs({ ...servers, tasks: { reports: tasks }, worker: options.worker ?? false })
  return { servers, jobs }
}

function created(handles: readonly JobHandle[]): boolean[] {
  return handles.map((handle) => handle.created)
}

async function ends(handle: JobHandle): Promise<void> {
  await handle.result({ timeout: '15s' }).catch(() => {})
}

describe.each(brokers)('on %s', (kind) => {
  test('there is one job while one waits or runs, and another when it has ended', async () => {
    const servers = await freshServers(kind)
    const held = gate()
    const started = gate()
    const build = defineTask({
      unique: {},
      async run(_: Report) {
        started.open()
        await held.passed
      },
    })
    await openJobs({ ...servers, tasks: { reports: { build } }, worker: true })

    const first = await build.enqueue({ month: 'May', copies: 2 })
    await started.passed
    const again = await build.enqueue({ copies: 2, month: 'May' })
    const other = await build.enqueue({ month: 'June' })
    held.open()
    await ends(first)
    const next = await build.enqueue({ month: 'May', copies: 2 })

    expect(created([first, again, other, next])).toEqual([true, false, true, true])
    expect(again.id).toBe(first.id)
    expect(await again.status()).toMatchObject({ id: first.id, state: 'succeeded' })
    await ends(next)
  })

  test('while queued: when it has started, another may be enqueued', async () => {
    const servers = await freshServers(kind)
    const held = gate()
    const started = gate()
    const sync = defineTask({
      unique: { while: 'queued' },
      async run(_: string) {
        started.open()
        await held.passed
      },
    })
    await openJobs({ ...servers, tasks: { shop: { sync } }, worker: { concurrency: 1 } })

    const running = await sync.enqueue('all')
    await started.passed
    const waiting = await sync.enqueue('all')
    const merged = await sync.enqueue('all')
    held.open()

    expect(created([running, waiting, merged])).toEqual([true, true, false])
    expect(merged.id).toBe(waiting.id)
    await ends(waiting)
  })

  test('a debounced job starts once, after the last call and with its payload', async () => {
    const servers = await freshServers(kind)
    const ran: { text: string; at: number }[] = []
    const index = defineTask({
      debounce: { delay: 700 },
      async run(text: string) {
        ran.push({ text, at: performance.now() })
      },
    })
    await openJobs({ ...servers, tasks: { search: { index } }, worker: true })

    const handles: JobHandle[] = []
    for (const text of ['a', 'ab', 'abc']) {
      handles.push(await index.enqueue(text))
      await new Promise((resolve) => setTimeout(resolve, 300))
    }
    const last = performance.now() - 300
    await ends(handles[0] as JobHandle)

    expect(created(handles)).toEqual([true, false, false])
    expect(ran.map(({ text }) => text)).toEqual(['abc'])
    // The clocks of two processes, and when the call was on its way.
    expect((ran[0]?.at ?? 0) - last).toBeGreaterThan(550)
    expect((await index.enqueue('abcd')).created).toBe(true)
  })
})

describe('the key', () => {
  test('is what the function gives of the checked payload', async () => {
    const build = defineTask({
      payload: z.object({ month: z.string().toLowerCase() }),
      unique: { key: ({ month }) => month },
      run: () => 1,
    })
    await open({ build })

    const [one, two] = [await build.enqueue({ month: 'May' }), await build.enqueue({ month: 'MAY' })]

    expect(two).toMatchObject({ id: one.id, created: false })
  })

  test.each([
    ['long', 'x'.repeat(100_000), 'x'.repeat(99_999)],
    ['with NUL', 'a\0b', 'a\0c'],
    ['with lone surrogates', 'a\ud800', 'a\ud801'],
    ['empty', '', ' '],
  ])('may be %s', async (_what, key, otherKey) => {
    const build = defineTask({ unique: { key: (key: string) => key }, run: (_: string) => 1 })
    await open({ build })

    const handles = [await build.enqueue(key), await build.enqueue(key), await build.enqueue(otherKey)]

    expect(created(handles)).toEqual([true, false, true])
  })

  test.each([
    [
      'throws',
      () => {
        throw new TypeError('no month')
      },
      'of task "reports.build" has thrown: no month',
    ],
    ['gives nothing', () => undefined, 'The function gave undefined'],
    ['gives an object', () => ({}), 'The function gave an object'],
    ['gives a promise', async () => 'a', 'a promise: it must answer at once'],
    ['gives NaN', () => Number.NaN, 'The function gave NaN'],
  ])('that %s is an error that names the task, and nothing is written', async (_what, key, message) => {
    const build = defineTask({ unique: { key: key as () => string }, run: (_: number) => 1 })
    const { servers } = await open({ build })

    const refused = build.enqueue(1)

    await expect(refused).rejects.toBeInstanceOf(KeyError)
    await expect(refused).rejects.toThrow(message)
    await expect(build.enqueueMany([1, 2])).rejects.toBeInstanceOf(KeyError)
    expect(await jobsIn(servers)).toEqual([])
  })

  test('is the owner’s: what others enqueue is another job', async () => {
    const build = defineTask({ unique: {}, run: (_: number) => 1 })
    await open({ build })

    const handles = [
      await build.enqueue(1, { owner: 'ann' }),
      await build.enqueue(1, { owner: 'bob' }),
      await build.enqueue(1),
      await build.enqueue(1, { owner: 'ann' }),
    ]

    expect(created(handles)).toEqual([true, true, true, false])
    expect(handles[3]?.id).toBe(handles[0]?.id)
  })
})

describe('a key is free again', () => {
  const build = () => defineTask({ unique: {}, run: (_: number) => 1 })

  test('when its job was cancelled', async () => {
    const task = build()
    await open({ task })
    const first = await task.enqueue(1)
    await first.cancel()

    expect((await task.enqueue(1)).created).toBe(true)
  })

  test('when its job is too late to start, though no pass has seen it', async () => {
    const task = defineTask({ unique: {}, expiresIn: 50, run: (_: number) => 1 })
    await open({ task })
    await task.enqueue(1)
    await new Promise((resolve) => setTimeout(resolve, 100))

    expect((await task.enqueue(1)).created).toBe(true)
  })

  test('when its job is gone', async () => {
    const task = build()
    const { servers } = await open({ task })
    await task.enqueue(1)
    await rowsOf(servers, 'DELETE FROM celeriac.job')

    expect((await task.enqueue(1)).created).toBe(true)
  })

  test('and a pass removes it, but not what is held', async () => {
    const held = build()
    const ended = build()
    const throttled = defineTask({ throttle: '1h', run: () => 1 })
    const { servers } = await open({ held, ended, throttled })
    const { createPrismaStore } = await import('../../src/store/prisma.js')
    const store = createPrismaStore({
      url: servers.database,
      directUrl: servers.database,
      deadlineMs: 20_000,
      log: { warn() {} },
    })
    onTestFinished(() => store.close())
    await held.enqueue(1)
    await (await ended.enqueue(1)).cancel()
    await (await throttled.enqueue()).cancel()
    await rowsOf(servers, `UPDATE celeriac.unique_key SET since = now() - interval '2 minutes'`)

    const first = await store.pruneUniqueKeys(undefined, 2)
    const rest = await store.pruneUniqueKeys(first.next, 2)

    expect(first.deleted + rest.deleted).toBe(1)
    expect(rest.next).toBeUndefined()
    const keys = await rowsOf<{ task: string }>(servers, 'SELECT task FROM celeriac.unique_key ORDER BY task')
    expect(keys.map(({ task }) => task)).toEqual(['reports.held', 'reports.throttled'])
  })
})

describe('a window', () => {
  test('holds whatever becomes of the job, and ends', async () => {
    const ping = defineTask({ throttle: { window: 600 }, run: (_: number) => 1 })
    await open({ ping }, { worker: true })

    const first = await ping.enqueue(1)
    const merged = await ping.enqueue(1)
    await ends(first)
    const still = await ping.enqueue(1)
    await until(async () => (await ping.enqueue(1)).created)

    expect(created([first, merged])).toEqual([true, false])
    expect([merged.id, still.id]).toEqual([first.id, still.created ? still.id : first.id])
  })

  test('holds when the row of its job is gone', async () => {
    const ping = defineTask({ throttle: '1h', run: (_: number) => 1 })
    const { servers } = await open({ ping })
    const first = await ping.enqueue(1)
    await rowsOf(servers, 'DELETE FROM celeriac.job')

    expect(await ping.enqueue(1)).toMatchObject({ id: first.id, created: false })
    expect(await jobsIn(servers)).toEqual([])
  })
})

describe('a debounce', () => {
  test('is put off by each call, at most to its end', async () => {
    const index = defineTask({ debounce: { delay: '20s', max: '21s' }, run: (_: number) => 1 })
    const { servers } = await open({ index })

    await index.enqueue(1)
    await new Promise((resolve) => setTimeout(resolve, 1500))
    await index.enqueue(2)

    const [job] = await jobsIn(servers)
    expect(job).toMatchObject({ payload: '2', state: 'scheduled' })
    expect(job?.delayMs).toBeGreaterThan(20_900)
    expect(job?.delayMs).toBeLessThanOrEqual(21_001)
  })

  test('of a long delay is moved without a delivery for each call', async () => {
    const index = defineTask({ debounce: { delay: '5m' }, run: (_: number) => 1 })
    const { servers } = await open({ index })

    for (let n = 0; n < 20; n += 1) await index.enqueue(n)

    const rows = await rowsOf(servers, 'SELECT payload, dispatched_at FROM celeriac.job')
    expect(rows).toEqual([{ payload: '19', dispatched_at: null }])
  })

  test('takes no other time', async () => {
    const index = defineTask({ debounce: { delay: '5m' }, run: (_: number) => 1 })
    await open({ index })

    await expect(index.enqueue(1, { delay: '1s' })).rejects.toThrow(EnqueueOptionError)
    await expect(index.enqueue(1, { runAt: new Date() })).rejects.toThrow('has "debounce"')
  })

  test('of many calls at once keeps one payload of theirs', async () => {
    const index = defineTask({ debounce: { delay: '5m' }, run: (_: number) => 1 })
    const { servers } = await open({ index })

    const handles = await Promise.all(Array.from({ length: 50 }, (_, n) => index.enqueue(n)))
    const many = await index.enqueueMany([100, 101, 102])

    expect(handles.filter((handle) => handle.created)).toHaveLength(1)
    expect(created(many)).toEqual([false, false, false])
    expect(await jobsIn(servers)).toMatchObject([{ payload: '102' }])
  })
})

describe('in a crowd', () => {
  async function openTwo(task: () => AnyTask): Promise<{ servers: Servers; apps: Celeriac[] }> {
    const servers = await freshServers('postgres')
    const options = { ...servers, deadline: '20s' } as const
    const apps = [
      await openJobs({ ...options, tasks: { reports: { task: task() } } }),
      await openJobs({ ...options, tasks: { reports: { task: task() } } }),
    ]
    return { servers, apps }
  }

  function crowd<T>(apps: readonly Celeriac[], call: (app: Celeriac, n: number) => Promise<T>): Promise<T[]> {
    return Promise.all(Array.from({ length: 50 }, (_, n) => call(apps[n % apps.length] as Celeriac, n)))
  }

  test.each([
    ['running', { unique: {} }],
    ['queued', { unique: { while: 'queued' as const } }],
    ['a window', { throttle: '1m' as const }],
    ['a debounce', { debounce: { delay: '1m' as const } }],
  ])('while %s, 50 calls of two apps make one job', async (_what, policy) => {
    const { servers, apps } = await openTwo(() => defineTask({ ...policy, run: (_: number) => 1 }))

    const handles = await crowd(apps, (app) => app.enqueue('reports.task', 1))

    expect(handles.filter((handle) => handle.created)).toHaveLength(1)
    expect(new Set(handles.map(({ id }) => id)).size).toBe(1)
    expect(await jobsIn(servers)).toHaveLength(1)
  })

  test('lists that have keys in common, in any order, make one job of each key', async () => {
    const { servers, apps } = await openTwo(() => defineTask({ unique: {}, run: (_: number) => 1 }))
    const keys = Array.from({ length: 30 }, (_, n) => n)

    const handles = await crowd(apps, (app, n) =>
      app.enqueueMany('reports.task', n % 4 < 2 ? [...keys, 1, 2] : keys.toReversed()),
    )

    expect(handles.flat().filter((handle) => handle.created)).toHaveLength(30)
    expect(await jobsIn(servers)).toHaveLength(30)
  })

  test('other idempotency keys make no other job, and each is remembered', async () => {
    const { servers, apps } = await openTwo(() => defineTask({ unique: {}, run: (_: number) => 1 }))
    const call = (app: Celeriac, n: number) => app.enqueue('reports.task', 1, { idempotencyKey: `k${n}` })

    const handles = await crowd(apps, call)
    await handles[0]?.cancel()
    const retries = await crowd(apps, call)

    expect(handles.filter((handle) => handle.created)).toHaveLength(1)
    expect(new Set([...handles, ...retries].map(({ id }) => id)).size).toBe(1)
    expect(created(retries)).not.toContain(true)
    await expect(apps[0]?.enqueue('reports.task', 2, { idempotencyKey: 'k3' })).rejects.toThrow(
      IdempotencyConflictError,
    )
    expect(await jobsIn(servers)).toHaveLength(1)
  })

  test('one idempotency key makes one job of a task without unique, and a conflict of another payload', async () => {
    const { servers, apps } = await openTwo(() => defineTask((_: number) => 1))

    const outcomes = await crowd(apps, (app, n) =>
      app.enqueue('reports.task', n % 2, { idempotencyKey: 'k' }).then(
        ({ created, id }) => (created ? 'made' : id),
        (error: Error) => error.name,
      ),
    )

    const [job] = await jobsIn(servers)
    const count = (what: string | undefined) => outcomes.filter((outcome) => outcome === what).length
    expect([count('made'), count(job?.id), count('IdempotencyConflictError')]).toEqual([1, 24, 25])
    expect(await jobsIn(servers)).toHaveLength(1)
  })
})

describe('with tx', () => {
  async function client(servers: Servers): Promise<pg.Client> {
    const opened = new pg.Client({ connectionString: servers.database })
    await opened.connect()
    onTestFinished(() => opened.end())
    return opened
  }

  test('others wait for its end, and go by what came of it', async () => {
    const build = defineTask({ unique: {}, run: (_: number) => 1 })
    const { servers } = await open({ build })
    const tx = await client(servers)

    await tx.query('BEGIN')
    const first = await build.enqueue(1, { tx })
    const waiting = build.enqueue(1)
    expect(
      await Promise.race([waiting.then(() => 'answered'), new Promise((r) => setTimeout(r, 300, 'waits'))]),
    ).toBe('waits')
    await tx.query('COMMIT')
    expect(await waiting).toMatchObject({ id: first.id, created: false })

    await first.cancel()
    await tx.query('BEGIN')
    await build.enqueue(1, { tx })
    const after = build.enqueue(1)
    await tx.query('ROLLBACK')
    expect((await after).created).toBe(true)
  })

  test('a job that it makes starts at its commit', async () => {
    const build = defineTask({ unique: {}, run: (n: number) => n })
    const { servers } = await open({ build }, { worker: true })
    const tx = await client(servers)

    await tx.query('BEGIN')
    const [one, two, same] = await build.enqueueMany([1, 2, 1], { tx })
    await tx.query('COMMIT')

    expect([one?.created, two?.created, same?.created]).toEqual([true, true, false])
    expect(await one?.result()).toBe(1)
    expect(await two?.result()).toBe(2)
  })

  test('an idempotency key tells of the job that was there, or of the conflict', async () => {
    const plain = defineTask((_: number) => 1)
    const { servers } = await open({ plain })
    const tx = await client(servers)
    const first = await plain.enqueue(1, { idempotencyKey: 'k' })

    await tx.query('BEGIN')
    expect(await plain.enqueue(1, { idempotencyKey: 'k', tx })).toMatchObject({
      id: first.id,
      created: false,
    })
    await expect(plain.enqueue(2, { idempotencyKey: 'k', tx })).rejects.toThrow(IdempotencyConflictError)
    await tx.query('COMMIT')
    expect(await jobsIn(servers)).toHaveLength(1)
  })
})

describe('over HTTP', () => {
  async function serve(task: Parameters<Celeriac['accept']>[0]) {
    const { servers, jobs } = await open({ task })
    const app = express()
    app.use(jobs)
    app.post('/reports', jobs.accept(task as never))
    const server = createServer(app).listen(0)
    onTestFinished(() => void server.close())
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/reports`
    const post = async (body: unknown, headers: Record<string, string> = {}) => {
      const answer = await fetch(url, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...headers },
        body: JSON.stringify(body),
      })
      const json = (await answer.json()) as Record<string, unknown>
      return { status: answer.status, location: answer.headers.get('location'), json }
    }
    return { servers, post }
  }

  test('a call that finds a job gets its address, and is told that it made none', async () => {
    const { post } = await serve(
      defineTask({ payload: z.object({ month: z.string() }), unique: {}, run: () => 1 }),
    )

    const first = await post({ month: 'May' })
    const again = await post({ month: 'May' })

    expect(first).toMatchObject({ status: 202, json: { created: true, state: 'queued' } })
    expect(again).toMatchObject({
      status: 202,
      location: first.location,
      json: { created: false, state: 'queued', id: first.json.id },
    })
  })

  test('so does one whose job is gone, while its window lasts', async () => {
    const { post, servers } = await serve(
      defineTask({ payload: z.object({ month: z.string() }), throttle: '1h', run: () => 1 }),
    )
    const first = await post({ month: 'May' })
    await rowsOf(servers, 'DELETE FROM celeriac.job')

    expect(await post({ month: 'May' })).toMatchObject({
      status: 202,
      location: first.location,
      json: { created: false, id: first.json.id },
    })
  })

  test('another payload under one Idempotency-Key is a 422', async () => {
    const { post } = await serve(
      defineTask({ payload: z.object({ month: z.string() }), unique: {}, run: () => 1 }),
    )
    const key = { 'idempotency-key': 'k' }

    expect(await post({ month: 'May' }, key)).toMatchObject({ status: 202, json: { created: true } })
    expect(await post({ month: 'May' }, key)).toMatchObject({ status: 202, json: { created: false } })
    expect(await post({ month: 'June' }, key)).toMatchObject({
      status: 422,
      json: { code: 'IDEMPOTENCY_CONFLICT' },
    })
  })
})

describe('bad input', () => {
  test.each([
    ['no date', new Date('nonsense')],
    ['a text', '2030-01-01' as unknown as Date],
    ['a number', Date.now() as unknown as Date],
    ['null', null as unknown as Date],
    ['beyond a hundred years', new Date('2900-01-01')],
  ])('a runAt that is %s is an error that says so, and nothing is written', async (_what, runAt) => {
    const plain = defineTask(() => 1)
    const { servers } = await open({ plain })

    await expect(plain.enqueue(undefined, { runAt })).rejects.toThrow(
      '"runAt" must be a valid Date within a hundred years',
    )
    expect(await jobsIn(servers)).toEqual([])
  })

  test('a runAt that is past is due at once, and one that is years ahead waits in the store', async () => {
    const plain = defineTask(() => 'ran')
    const { servers } = await open({ plain }, { worker: true })

    const past = await plain.enqueue(undefined, { runAt: new Date(Date.now() - 86_400_000) })
    const ahead = await plain.enqueue(undefined, { runAt: new Date(Date.now() + 5 * 365 * 86_400_000) })

    expect(await past.result()).toBe('ran')
    expect(await ahead.status()).toMatchObject({ state: 'scheduled' })
    const rows = await rowsOf(servers, 'SELECT dispatched_at FROM celeriac.job WHERE id = $1', [ahead.id])
    expect(rows).toEqual([{ dispatched_at: null }])
  })

  test('an asynchronous schema that never answers is an error within the deadline', async () => {
    const payload = z.string().refine(() => new Promise<boolean>(() => {}))
    const plain = defineTask({ payload, run: () => 1 })
    const servers = await freshServers('postgres')
    await openJobs({ ...servers, tasks: { reports: { plain } }, deadline: 300 })

    const refused = plain.enqueue('a')

    await expect(refused).rejects.toBeInstanceOf(SchemaTimeoutError)
    await expect(refused).rejects.toThrow('has not answered within 300 ms')
    await expect(plain.enqueueMany(['a'])).rejects.toBeInstanceOf(SchemaTimeoutError)
    expect(await jobsIn(servers)).toEqual([])
  })

  test('an asynchronous schema with keys is awaited', async () => {
    const payload = z.string().transform(async (text) => text.toLowerCase())
    const build = defineTask({ payload, unique: { key: (text) => text }, run: () => 1 })
    await open({ build })

    expect(created([await build.enqueue('A'), await build.enqueue('a')])).toEqual([true, false])
  })
})

test('a call that says no expiry has that of its task', async () => {
  const brief = defineTask({ expiresIn: '1h', run: () => 1 })
  const { servers } = await open({ brief })
  await brief.enqueue()
  await brief.enqueue(undefined, { expiresIn: '2h' })

  const rows = await rowsOf<{ ms: number }>(
    servers,
    `SELECT (extract(epoch FROM expires_at - created_at) * 1000)::float8 AS ms FROM celeriac.job ORDER BY id`,
  )
  expect(rows.map(({ ms }) => ms)).toEqual([3_600_000, 7_200_000])
})

test.each(brokers)('on %s, 0 goes before 5, and a larger priority waits longer', async (kind) => {
  const servers = await freshServers(kind)
  const order: number[] = []
  const held = gate()
  const started = gate()
  const block = defineTask(async () => {
    started.open()
    await held.passed
  })
  const note = defineTask(async (n: number) => void order.push(n))
  await openJobs({ ...servers, tasks: { work: { block, note } }, worker: { concurrency: 1 } })
  await block.enqueue()
  await started.passed

  const handles: JobHandle[] = []
  for (const priority of [5, 9, 0, 1]) handles.push(await note.enqueue(priority, { priority }))
  await new Promise((resolve) => setTimeout(resolve, 500))
  held.open()
  await Promise.all(handles.map(ends))

  expect(order).toEqual([0, 1, 5, 9])
})
