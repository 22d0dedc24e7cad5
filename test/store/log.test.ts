import { randomUUID } from 'node:crypto'
import type pg from 'pg'
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { StoreUnavailableError } from '../../src/errors.js'
import type { NewLogLine, Store } from '../../src/store/store.js'
import { createJobLogs } from '../../src/worker/job-logs.js'
import { openStore } from '../support/store.js'

const log = { info() {}, warn() {} }
const workerId = randomUUID()
let store: Store
let client: pg.Client

beforeAll(async () => {
  const opened = await openStore()
  store = opened.store
  client = opened.client
  return opened.close
})

describe('lines of a job', () => {
  test('are read in the order of their numbers, with the time by the clock of the database', async () => {
    const job = await runningJob()
    await store.saveLogs([line(job, 2, { agoMs: 1000 }), line(job, 1, { agoMs: 60_000, details: '{"a":1}' })])

    const [first, second] = await store.listLogs(job, 0, 10)

    expect(first).toMatchObject({
      number: 1,
      attempt: 1,
      level: 'info',
      message: 'line 1',
      details: { a: 1 },
    })
    expect(second).toMatchObject({ number: 2, message: 'line 2' })
    expect(second).not.toHaveProperty('details')
    const { rows } = await client.query<{ now: Date }>('SELECT now()')
    const age = (rows[0]?.now.getTime() ?? 0) - Date.parse(first?.at ?? '')
    expect(age).toBeGreaterThanOrEqual(60_000)
    expect(age).toBeLessThan(70_000)
  })

  test('are there once, however often their batch is sent', async () => {
    const job = await runningJob()

    await store.saveLogs([line(job, 1)])
    await store.saveLogs([line(job, 1), line(job, 2)])

    expect(await numbersOf(job)).toEqual([1, 2])
  })

  test('are read page by page', async () => {
    const job = await runningJob()
    await store.saveLogs([1, 2, 3, 4, 5].map((number) => line(job, number)))

    const page = await store.listLogs(job, 2, 2)

    expect(page.map(({ number }) => number)).toEqual([3, 4])
  })

  test('of one job are kept where another job of the batch is gone', async () => {
    const job = await runningJob()

    await store.saveLogs([line(randomUUID(), 1), line(job, 1)])

    expect(await numbersOf(job)).toEqual([1])
  })
})

describe('an attempt that has lost its job adds no line', () => {
  test.each([
    ['runs elsewhere', `worker_id = '${randomUUID()}'`],
    ['has a newer delivery', `delivery = 2`],
    ['waits for its next attempt', `state = 'retrying', worker_id = NULL, delivery = 2`],
  ])('when the job %s', async (_what, change) => {
    const job = await runningJob()
    await client.query(`UPDATE celeriac.job SET ${change} WHERE id = $1`, [job])

    await store.saveLogs([line(job, 1)])

    expect(await numbersOf(job)).toEqual([])
  })

  test.each([
    ['has ended under it', `state = 'succeeded', finished_at = now()`],
    ['waits because a crash of the store took the claim back', `state = 'queued', worker_id = NULL`],
  ])('but does when the job %s', async (_what, change) => {
    const job = await runningJob()
    await client.query(`UPDATE celeriac.job SET ${change} WHERE id = $1`, [job])

    await store.saveLogs([line(job, 1)])

    expect(await numbersOf(job)).toEqual([1])
  })
})

describe('lines go with their job', () => {
  test('when it is deleted by hand, and no others', async () => {
    const [gone, here] = [await runningJob(), await runningJob()]
    await store.saveLogs([line(gone, 1), line(gone, 2), line(here, 1)])

    await client.query('DELETE FROM celeriac.job WHERE id = $1', [gone])

    expect(await linesIn(gone)).toBe(0)
    expect(await linesIn(here)).toBe(1)
  })

  test('when it is pruned', async () => {
    const job = await runningJob()
    await store.saveLogs([line(job, 1)])
    await client.query(
      `UPDATE celeriac.job SET state = 'succeeded', finished_at = now() - interval '1 hour' WHERE id = $1`,
      [job],
    )

    await store.prune({ task: 'work.log', rule: 'r', states: ['succeeded'], upTo: { ageMs: 1000 } }, 100)

    expect(await store.find(job)).toBeUndefined()
    expect(await linesIn(job)).toBe(0)
  })

  test('by the index, however many lines others have', async () => {
    const [gone, here] = [await runningJob(), await runningJob()]
    await client.query(
      `INSERT INTO celeriac.job_log (job_id, number, attempt, level, message, at)
       SELECT $1, n, 1, 'info', 'x', now() FROM generate_series(1, 50000) n`,
      [here],
    )
    await store.saveLogs([line(gone, 1)])
    const scansBefore = await sequentialScans()

    await client.query('DELETE FROM celeriac.job WHERE id = $1', [gone])

    expect(await sequentialScans()).toBe(scansBefore)
  })
})

describe('what an attempt logs', () => {
  test('is written together with that of all other attempts', async () => {
    const batches: number[] = []
    const logs = open({ onSave: (lines) => void batches.push(lines.length) })
    const jobs: string[] = []
    for (let n = 0; n < 5; n += 1) jobs.push(await runningJob())

    const attempts = jobs.map((id) => logs.open({ id, number: 1, attempt: 1 }, workerId))
    for (const attempt of attempts) for (let n = 0; n < 20; n += 1) attempt.keep('info', `line ${n}`)
    await Promise.all(attempts.map((attempt) => attempt.flushed()))

    expect(batches).toEqual([100])
    for (const job of jobs) expect(await linesIn(job)).toBe(20)
  })

  test('is there when its attempt is flushed, without waiting for the next batch', async () => {
    const logs = open()
    const job = await runningJob()
    const attempt = logs.open({ id: job, number: 1, attempt: 1 }, workerId)
    attempt.keep('warn', { rows: 3 }, 'three rows')

    await attempt.flushed()

    expect(await store.listLogs(job, 0, 10)).toMatchObject([
      { attempt: 1, level: 'warn', message: 'three rows', details: { rows: 3 } },
    ])
  })

  test('ends with a line that says so where the limit is reached', async () => {
    const logs = open({ lines: 3 })
    const job = await runningJob()
    const attempt = logs.open({ id: job, number: 1, attempt: 1 }, workerId)
    for (let n = 1; n <= 10; n += 1) attempt.keep('info', `line ${n}`)

    await attempt.flushed()

    const lines = await store.listLogs(job, 0, 100)
    expect(lines.map(({ message }) => message)).toEqual([
      'line 1',
      'line 2',
      'line 3',
      'What this attempt logs from here on is not kept: the limit is 3 lines.',
    ])
  })

  test('of earlier attempts is kept as far as the limit goes, the newest', async () => {
    const logs = open({ lines: 3 })
    const job = await runningJob()
    for (const attempt of [1, 2, 3, 4]) {
      const lines = logs.open({ id: job, number: 1, attempt }, workerId)
      for (const word of ['a', 'b']) lines.keep('info', `${attempt}${word}`)
      await lines.flushed()
    }

    const lines = await store.listLogs(job, 0, 100)

    expect(lines.map(({ message }) => message)).toEqual(['2b', '3a', '3b', '4a', '4b'])
  })

  test('is left out below the level', async () => {
    const logs = open({ level: 'warn' })
    const job = await runningJob()
    const attempt = logs.open({ id: job, number: 1, attempt: 1 }, workerId)
    for (const level of ['trace', 'debug', 'info', 'warn', 'error'] as const) attempt.keep(level, level)

    await attempt.flushed()

    expect((await store.listLogs(job, 0, 10)).map(({ message }) => message)).toEqual(['warn', 'error'])
  })

  test('waits for a store that is away, and is written once when it is back', async () => {
    let away = true
    const logs = open({
      onSave() {
        if (away) throw new StoreUnavailableError('away')
      },
    })
    const job = await runningJob()
    const attempt = logs.open({ id: job, number: 1, attempt: 1 }, workerId)
    attempt.keep('info', 'during the outage')
    let isFlushed = false
    const flushed = attempt.flushed().then(() => {
      isFlushed = true
    })
    await new Promise((resolve) => setTimeout(resolve, 500))
    expect(isFlushed).toBe(false)

    away = false
    await flushed

    expect(await linesIn(job)).toBe(1)
  })

  test('is given up when the worker waits no longer', async () => {
    const logs = open({
      onSave() {
        throw new StoreUnavailableError('away')
      },
    })
    const attempt = logs.open({ id: randomUUID(), number: 1, attempt: 1 }, workerId)
    attempt.keep('info', 'lost')
    const flushed = attempt.flushed()

    logs.forsake()

    await flushed
  })

  test('does not fill the memory while the store is away: what is too much is left out, and said once', async () => {
    const warnings: string[] = []
    let away = true
    let characters = 0
    const logs = createJobLogs({
      level: 'info',
      lines: 100_000,
      log: { warn: (message) => void warnings.push(message) },
      store: {
        async saveLogs(lines) {
          if (away) throw new StoreUnavailableError('away')
          for (const { message } of lines) characters += message.length
        },
        trimLogs: async () => {},
      },
    })
    const attempt = logs.open({ id: randomUUID(), number: 1, attempt: 1 }, workerId)
    for (let n = 0; n < 20_000; n += 1) attempt.keep('info', `${n} ${'x'.repeat(4000)}`)

    away = false
    await attempt.flushed()

    expect(characters).toBeGreaterThan(10_000_000)
    expect(characters).toBeLessThan(16_000_000)
    expect(warnings).toEqual([
      'The store does not keep up with what handlers log: lines are left out of the logs of jobs.',
    ])
  })
})

function open({
  onSave = () => {},
  ...settings
}: {
  level?: 'info' | 'warn'
  lines?: number
  onSave?: (lines: readonly NewLogLine[]) => void
} = {}) {
  const logs = createJobLogs({
    level: 'info',
    lines: 1000,
    log,
    ...settings,
    store: {
      trimLogs: store.trimLogs,
      async saveLogs(lines) {
        onSave(lines)
        await store.saveLogs(lines)
      },
    },
  })
  onTestFinished(logs.forsake)
  return logs
}

async function runningJob(): Promise<string> {
  const id = randomUUID()
  await client.query(
    `INSERT INTO celeriac.job (id, task, queue, state, payload, run_at, worker_id, attempt, started_at, dispatched_at)
     VALUES ($1, 'work.log', 'default', 'running', 'null', now(), $2, 1, now(), now())`,
    [id, workerId],
  )
  return id
}

function line(jobId: string, number: number, change: Partial<NewLogLine> = {}): NewLogLine {
  const text = { level: 'info', message: `line ${number}`, details: null } as const
  return { jobId, delivery: 1, workerId, number, attempt: 1, agoMs: 0, ...text, ...change }
}

async function numbersOf(job: string): Promise<number[]> {
  return (await store.listLogs(job, 0, 100)).map(({ number }) => number)
}

async function linesIn(job: string): Promise<number> {
  const { rows } = await client.query('SELECT 1 FROM celeriac.job_log WHERE job_id = $1', [job])
  return rows.length
}

/** Counted when their transaction has told; a connection tells at its own pace unless it is asked to. */
async function sequentialScans(): Promise<number> {
  await client.query('SELECT pg_stat_force_next_flush()')
  await client.query('SELECT 1')
  await client.query('SELECT pg_stat_clear_snapshot()')
  const { rows } = await client.query<{ seq_scan: string }>(
    `SELECT seq_scan FROM pg_stat_user_tables WHERE schemaname = 'celeriac' AND relname = 'job_log'`,
  )
  return Number(rows[0]?.seq_scan)
}
