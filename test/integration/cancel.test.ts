import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import express from 'express'
import pg from 'pg'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import type { JobHandle } from '../../src/job/job.js'
import type { Celeriac } from '../../src/plugin.js'
import { defineTask } from '../../src/task/define.js'
import * as work from '../fixtures/cancel/modules/work/tasks.js'
import { serve } from '../http/app.js'
import { brokers, closeJobsAfterEach, freshServers, gate, openJobs, type Servers } from '../support/lab.js'
import { createProxy } from '../support/proxy.js'
import { shared } from '../support/shared.js'
import { until } from '../support/until.js'
import { type Effects, newEffects, sharedWorkers, startWorkerProcess } from '../support/worker-process.js'

closeJobsAfterEach()
// Each test starts processes, which takes its time on a busy machine.
vi.setConfig({ testTimeout: 120_000 })

const app = 'test/fixtures/cancel'

describe.each(brokers)('a cancel, with the broker on %s', (kind) => {
  const scene = shared(async () => ({ servers: await freshServers(kind), effects: newEffects() }))
  /** Two slots each. */
  const workers = sharedWorkers(async () => {
    const { servers, effects } = await scene()
    return { ...servers, app, effects: effects.file, args: ['-c', '2'] }
  })

  test('of a job that waits: it never starts, and its row says who and why', async () => {
    const { servers, web, effects } = await openWeb()
    const [worker] = await workers(1)
    worker?.signal('SIGSTOP')
    const job = await web.enqueue(work.quick)

    const answer = await job.cancel({ by: 'ann', reason: 'ordered twice' })

    expect(answer).toBe('cancelled')
    expect(await job.status()).toMatchObject({ state: 'cancelled', cancelReason: 'ordered twice' })
    expect(await rowOf(servers, job)).toMatchObject({
      cancelled_by: 'ann',
      cancel_reason: 'ordered twice',
      attempt: 0,
    })
    worker?.signal('SIGCONT')
    await (await web.enqueue(work.quick)).result()
    expect(effects.of(job.id)).toEqual([])
  })

  test('of a job that waits for its next attempt: there is none', async () => {
    const { web, effects } = await openWeb()
    await workers(1)
    const job = await web.enqueue(work.failing)
    await until(async () => (await job.status()).state === 'retrying')

    expect(await job.cancel()).toBe('cancelled')

    const after = await web.enqueue(work.quick, undefined, { delay: '3s' })
    await after.result()
    expect(effects.of(job.id)).toEqual(['start 1'])
    expect(await job.status()).toMatchObject({ state: 'cancelled', error: { message: 'not yet' } })
  })

  test('of a job that runs: its signal aborts at once, and its slot is free', async () => {
    const { servers, web, effects } = await openWeb()
    const other = await takeASlot(web)
    const job = await web.enqueue(work.rest, 60_000)
    await until(() => effects.of(job.id).includes('start 1'))
    const next = await web.enqueue(work.quick)
    const began = Date.now()

    expect(await job.cancel({ by: 'ann', reason: 'enough' })).toBe('cancelling')
    await next.result()

    expect(Date.now() - began).toBeLessThan(2000)
    expect(effects.of(job.id)).toEqual(['start 1', 'aborted 1'])
    await until(async () => (await job.status()).state === 'cancelled')
    expect(await rowOf(servers, job)).toMatchObject({ cancelled_by: 'ann', cancel_reason: 'enough' })
    await other.cancel()
  })

  test('of a job that hears no signal: it is left behind after 10 s, and its end is recorded', async () => {
    const { web, effects } = await openWeb()
    const other = await takeASlot(web)
    const job = await web.enqueue(work.deaf, 14_000)
    await until(() => effects.of(job.id).includes('start 1'))
    const next = await web.enqueue(work.quick)
    const began = Date.now()

    expect(await job.cancel()).toBe('cancelling')
    expect(await job.status()).toMatchObject({ state: 'running', cancelRequested: true })
    await next.result()

    expect(Date.now() - began).toBeGreaterThan(9000)
    expect(Date.now() - began).toBeLessThan(13_000)
    expect((await job.status()).state).toBe('cancelled')
    // What it still does changes nothing.
    await until(() => effects.of(job.id).includes('end 1'))
    expect((await job.status()).state).toBe('cancelled')
    await other.cancel()
  })

  test('of a job that waits for its turn under a limit: the next one has it', async () => {
    const { web, effects } = await openWeb()
    await workers(1)
    const first = await web.enqueue(work.alone, 1500)
    await until(() => effects.of(first.id).includes('start 1'))
    const second = await web.enqueue(work.alone, 1)
    const third = await web.enqueue(work.alone, 1)

    expect(await second.cancel()).toBe('cancelled')

    expect(await third.result()).toBe('done')
    expect(effects.of(second.id)).toEqual([])
    expect((await first.status()).state).toBe('succeeded')
  })

  test('of a job that has ended, or never was, changes nothing and says so', async () => {
    const { web } = await openWeb()
    await workers(1)
    const job = await web.enqueue(work.quick)
    await job.result()
    const ended = await job.status()

    expect(await job.cancel({ by: 'ann', reason: 'too late' })).toBe('finished')
    expect(await web.job(randomUUID()).cancel()).toBe('unknown')
    expect(await web.job('today').cancel()).toBe('unknown')
    expect(await job.status()).toEqual(ended)
  })

  test('of 1,000 delayed jobs: none starts, also after all workers were killed and started anew', async () => {
    const { servers, web, effects } = await openWeb()
    const killed = await workers(2)
    const before = effects.all().length
    const jobs = await web.enqueueMany(work.quick, Array(1000).fill(undefined), { delay: '6s' })
    const kept = await web.enqueueMany(work.quick, Array(10).fill(undefined), { delay: '6s' })

    const answers = await Promise.all(jobs.map((job) => job.cancel({ by: 'ann', reason: 'not needed' })))
    for (const worker of killed) worker.signal('SIGKILL')
    await Promise.all(killed.map((worker) => worker.ended))
    await workers(1)
    await Promise.all(kept.map((job) => job.result()))
    const last = await web.enqueue(work.quick, undefined, { delay: '2s' })
    await last.result()

    expect(new Set(answers)).toEqual(new Set(['cancelled']))
    const started = new Set(
      effects
        .all()
        .slice(before)
        .map(({ jobId }) => jobId),
    )
    expect(jobs.filter(({ id }) => started.has(id))).toEqual([])
    expect(started).toEqual(new Set([...kept, last].map(({ id }) => id)))
    expect(
      await countOf(
        servers,
        `state = 'cancelled' AND cancel_reason = 'not needed' AND cancelled_by = 'ann' AND attempt = 0`,
      ),
    ).toBe(1000)
  })

  test.each(['before', 'after'] as const)(
    'that comes just %s the kill of its worker: the job runs nowhere again',
    async (when) => {
      const { servers, web, effects } = await openWeb()
      const [first] = await workers(1)
      const job = await web.enqueue(work.rest, 60_000)
      await until(() => effects.of(job.id).includes('start 1'))
      await workers(2)

      if (when === 'after') first?.signal('SIGKILL')
      const asked = job.cancel({ by: 'ann' })
      if (when === 'before') first?.signal('SIGKILL')
      expect(await asked).toBe('cancelling')
      await until(async () => (await job.status()).state === 'cancelled')

      await (await web.enqueue(work.quick, undefined, { delay: '1s' })).result()
      expect(effects.of(job.id).filter((effect) => effect.startsWith('start'))).toEqual(['start 1'])
      expect(await rowOf(servers, job)).toMatchObject({ cancelled_by: 'ann' })
    },
  )

  test('can be taken back: a retry by hand begins the job anew', async () => {
    const { servers, web } = await openWeb()
    await workers(1)
    const job = await web.enqueue(work.quick, undefined, { delay: '1h' })
    await job.cancel({ by: 'ann', reason: 'by mistake' })

    expect(await web.retry(job.id)).toBe(true)

    expect(await job.result()).toBe('done')
    expect(await job.status()).not.toHaveProperty('cancelReason')
    expect(await rowOf(servers, job)).toMatchObject({ cancelled_by: null, cancel_reason: null })
  })

  test('that its worker cannot hear, because its store is away for a moment, is heard later', async () => {
    const { servers, web, effects } = await openWeb()
    await workers(0)
    const proxy = await createProxy(servers.database)
    onTestFinished(() => proxy.close())
    const through = kind === 'redis' ? { ...servers, database: proxy.url } : { database: proxy.url }
    await startWorkerProcess({ ...through, app, effects: effects.file })
    const job = await web.enqueue(work.rest, 60_000)
    await until(() => effects.of(job.id).includes('start 1'))

    proxy.set('refuse')
    expect(await job.cancel()).toBe('cancelling')
    await sleep(800)
    proxy.set('pass')

    await until(async () => (await job.status()).state === 'cancelled', { timeoutMs: 30_000 })
    // Where the worker was taken for lost meanwhile, the row is first.
    await until(() => effects.of(job.id).length === 2, { timeoutMs: 30_000 })
    expect(effects.of(job.id)).toEqual(['start 1', 'aborted 1'])
  })

  async function openWeb(): Promise<{ servers: Servers; web: Celeriac; effects: Effects }> {
    const { servers, effects } = await scene()
    const web = await openJobs({ ...servers, lease: '2s', heartbeat: '400ms', tasks: { work } })
    return { servers, web, effects }
  }

  /** Leaves the only worker one slot. */
  async function takeASlot(web: Celeriac): Promise<JobHandle> {
    await workers(1)
    const job = await web.enqueue(work.rest, 60_000)
    await until(async () => (await job.status()).state === 'running')
    return job
  }
})

test('of a job that a worker has taken, and not begun, keeps it from beginning', async () => {
  const begun: string[] = []
  let passed = gate()
  const hold = defineTask(() => passed.passed)
  const quick = defineTask((name: string) => void begun.push(name))
  const web = await openJobs({
    ...(await freshServers('postgres')),
    tasks: { work: { hold, quick } },
    worker: { concurrency: 1 },
  })
  // Quick jobs make the worker take more than it runs.
  const warm = await web.enqueueMany(quick, Array(200).fill('warm'))
  await Promise.all(warm.map((job) => job.result()))
  begun.length = 0
  const taken: JobHandle[] = []
  for (let round = 0; round < 20 && taken.length === 0; round += 1) {
    passed = gate()
    const first = await web.enqueue(hold)
    const behind = await web.enqueueMany(quick, ['behind', 'behind', 'behind'])
    await until(async () => (await first.status()).state === 'running')
    const answers = await Promise.all(behind.map((job) => job.cancel()))
    taken.push(...behind.filter((_, index) => answers[index] === 'cancelling'))
    // What was answered is on its way to the worker.
    await sleep(60)
    passed.open()
    await Promise.all([first.result(), ...behind.map((job) => job.result().catch(() => {}))])
  }

  expect(taken.length).toBeGreaterThan(0)
  expect(begun).toEqual([])
  for (const job of taken) expect(await job.status()).toMatchObject({ state: 'cancelled' })
})

describe('who cancelled a job', () => {
  test('is the first who asked', async () => {
    const servers = await freshServers('postgres')
    const web = await openJobs({ ...servers, tasks: { work }, worker: true })
    vi.stubEnv('EFFECTS', newEffects().file)
    onTestFinished(() => void vi.unstubAllEnvs())
    const job = await web.enqueue(work.rest, 60_000)
    await until(async () => (await job.status()).state === 'running')

    const answers = [
      await job.cancel({ by: 'ann', reason: 'first' }),
      await job.cancel({ by: 'bob', reason: 'second' }),
    ]

    expect(['cancelling', 'cancelled', 'finished']).toContain(answers[1])
    expect(await rowOf(servers, job)).toMatchObject({ cancelled_by: 'ann', cancel_reason: 'first' })
  })

  test('is the owner over HTTP, which says what came of it', async () => {
    const servers = await freshServers('postgres')
    const web = await openJobs({ ...servers, tasks: { work }, owner: (req) => req.get('X-User') })
    const { url, close } = await serve(express().use(web))
    onTestFinished(close)
    const job = await web.enqueue(work.quick, undefined, { owner: 'ann' })
    const cancel = async (id: string, user = 'ann') => {
      const answer = await fetch(`${url}/jobs/${id}?reason=ordered%20twice`, {
        method: 'DELETE',
        headers: { 'X-User': user },
      })
      return { status: answer.status, body: (await answer.json()) as Record<string, unknown> }
    }

    const others = await cancel(job.id, 'bob')
    const first = await cancel(job.id)
    const second = await cancel(job.id)
    const unknown = await cancel(randomUUID())

    expect(first).toMatchObject({
      status: 202,
      body: { answer: 'cancelled', state: 'cancelled', cancelReason: 'ordered twice' },
    })
    expect(second).toMatchObject({
      status: 409,
      body: { answer: 'finished', code: 'JOB_ENDED', state: 'cancelled' },
    })
    expect(unknown).toMatchObject({ status: 404, body: { code: 'JOB_NOT_FOUND' } })
    expect(others).toEqual(unknown)
    expect(await rowOf(servers, job)).toMatchObject({ cancelled_by: 'ann', cancel_reason: 'ordered twice' })
  })

  test('may say anything', async () => {
    const servers = await freshServers('postgres')
    const web = await openJobs({ ...servers, tasks: { work } })
    const job = await web.enqueue(work.quick)

    await job.cancel({ by: 'a\0b\ud800', reason: 'x'.repeat(100_000) })

    const row = await rowOf(servers, job)
    expect(row.cancelled_by).toBe('a\ufffdb\ufffd')
    expect(row.cancel_reason).toHaveLength(1000)
    await expect(job.cancel({ by: 5 as unknown as string })).rejects.toThrow(
      '"by" of cancel() must be a text',
    )
  })
})

async function rowOf({ database }: Servers, { id }: JobHandle): Promise<Record<string, unknown>> {
  const [row] = await query(database, 'SELECT * FROM celeriac.job WHERE id = $1', [id])
  return row ?? {}
}

async function countOf({ database }: Servers, where: string): Promise<number> {
  const rows = await query(database, `SELECT 1 FROM celeriac.job WHERE ${where}`)
  return rows.length
}

async function query(database: string, text: string, values: unknown[] = []) {
  const client = new pg.Client({ connectionString: database })
  await client.connect()
  try {
    return (await client.query<Record<string, unknown>>(text, values)).rows
  } finally {
    await client.end()
  }
}
