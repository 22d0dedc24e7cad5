import express from 'express'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { z } from 'zod'
import { GiveUp, Snooze } from '../../src/errors.js'
import { defineTask } from '../../src/task/define.js'
import { gate } from '../support/lab.js'
import { kinds, type Lab, openLab } from './lab.js'

/*
 * What an app sees of its jobs, on Redis, on PostgreSQL and in memory: the test kit shows what production does.
 */

let ran: string[] = []
let failures = 0
let atOnce = 0
let mostAtOnce = 0
let started = gate()
let released = gate()

const note = defineTask({
  payload: z.object({ name: z.string(), at: z.string().default('here') }),
  run: ({ name, at }) => {
    ran.push(name)
    return `${name} ${at}`
  },
})
/** Fails so many times. */
const flaky = defineTask({
  attempts: 3,
  backoff: { type: 'fixed', delay: 2000, jitter: 0 },
  run({ times }: { times: number }) {
    failures += 1
    if (failures <= times) throw Object.assign(new TypeError(`no ${failures}`), { code: 'E_NO' })
    return failures
  },
})
const hopeless = defineTask({
  attempts: 5,
  run: () => {
    throw new GiveUp('never')
  },
})
const sleepy = defineTask({
  run: (_: null, { attempt }) => {
    if (attempt === 1) throw new Snooze(2000)
    return attempt
  },
})
const patient = defineTask({
  async run(_: null, { signal, progress, log }) {
    await progress({ percent: 50 })
    log.info('half way')
    started.open()
    await Promise.race([
      released.passed,
      new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason))),
    ])
    return 'done'
  },
})
const parent = defineTask(async ({ names }: { names: string[] }) => {
  const jobs = await note.enqueueMany(names.map((name) => ({ name })))
  return jobs.map(({ id }) => id)
})
const once = defineTask({
  unique: { while: 'running' },
  run: ({ name }: { name: string }) => void ran.push(name),
})
const last = defineTask({
  debounce: { delay: 2000 },
  run: ({ name }: { name: string }) => void ran.push(name),
})
const limited = defineTask({
  key: ({ tenant }: { tenant: string }) => tenant,
  concurrency: { key: 1 },
  async run({ tenant }: { tenant: string }) {
    atOnce += 1
    mostAtOnce = Math.max(mostAtOnce, atOnce)
    await new Promise((resolve) => setTimeout(resolve, 5))
    ran.push(tenant)
    atOnce -= 1
  },
})
const slow = defineTask({
  timeLimit: 100,
  run: (_: null, { signal }) =>
    new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason))),
})
const tasks = { app: { note, flaky, hopeless, sleepy, patient, parent, once, last, limited, slow } }

beforeEach(() => {
  ran = []
  failures = 0
  mostAtOnce = 0
  started = gate()
  released = gate()
})

afterEach(() => released.open())

describe.each(kinds)('jobs on %s', (kind) => {
  let lab: Lab

  beforeEach(async () => {
    lab = await openLab(kind, { tasks })
  })

  test('a job is queued, runs and has its result', async () => {
    const job = await lab.jobs.enqueue(note, { name: 'a' })
    expect(await job.status()).toMatchObject({
      state: 'queued',
      attempt: 0,
      task: 'app.note',
      startedAt: null,
    })
    await lab.run()

    expect(await job.status()).toMatchObject({
      state: 'succeeded',
      attempt: 1,
      result: 'a here',
      attempts: [],
    })
    expect(await job.result()).toBe('a here')
  })

  test('a payload that does not fit is refused, and nothing is enqueued', async () => {
    await expect(lab.jobs.enqueue(note, { name: 1 } as never)).rejects.toMatchObject({
      code: 'PAYLOAD_INVALID',
    })
    await expect(lab.jobs.enqueue('app.not', {})).rejects.toMatchObject({ code: 'UNKNOWN_TASK' })
    await lab.run()
    expect(ran).toEqual([])
  })

  test('jobs of a call run in the order of their payloads', async () => {
    const one = await openLab(kind, { tasks, concurrency: 1 })
    const names = ['1', '2', '3', '4', '5']
    await one.jobs.enqueueMany(
      note,
      names.map((name) => ({ name })),
    )
    await one.run()

    expect(ran).toEqual(names)
  })

  test('a failed attempt is tried again after its backoff', async () => {
    const job = await lab.jobs.enqueue(flaky, { times: 1 })
    await lab.run()
    expect(await job.status()).toMatchObject({
      ...{
        state: 'retrying',
        attempt: 1,
        maxAttempts: 3,
        error: { name: 'TypeError', message: 'no 1', code: 'E_NO' },
      },
      attempts: [{ number: 1, outcome: 'failed', error: { message: 'no 1' } }],
    })
    await lab.pass(2000)
    await lab.run()

    expect(await job.status()).toMatchObject({ state: 'succeeded', attempt: 2, result: 2 })
  })

  test('the last failure ends the job, with what it threw', async () => {
    const job = await lab.jobs.enqueue(flaky, { times: 9 }, { attempts: 2 })
    await lab.run()
    await lab.pass(2000)
    await lab.run()

    const status = await job.status()
    expect(status).toMatchObject({ state: 'failed', attempt: 2, error: { message: 'no 2' } })
    expect(status.attempts).toMatchObject([{ number: 1, outcome: 'failed' }])
    await expect(job.result()).rejects.toMatchObject({ code: 'JOB_ENDED', state: 'failed' })
  })

  test('GiveUp ends the job at once', async () => {
    const job = await lab.jobs.enqueue(hopeless)
    await lab.run()

    expect(await job.status()).toMatchObject({ state: 'failed', attempt: 1, error: { name: 'GiveUp' } })
  })

  test('Snooze waits, and costs no attempt', async () => {
    const job = await lab.jobs.enqueue(sleepy, null)
    await lab.run()
    expect(await job.status()).toMatchObject({ state: 'retrying', attempts: [{ outcome: 'snoozed' }] })
    await lab.pass(2000)
    await lab.run()

    expect(await job.status()).toMatchObject({ state: 'succeeded', attempt: 2, maxAttempts: 1 })
  })

  test('an attempt that takes too long is stopped', async () => {
    const job = await lab.jobs.enqueue(slow, null)
    await lab.run()

    expect(await job.status()).toMatchObject({ state: 'failed', error: { name: 'TimeLimitError' } })
  })

  test('a delayed job waits for its time', async () => {
    const job = await lab.jobs.enqueue(note, { name: 'a' }, { delay: 3000 })
    expect((await job.status()).state).toBe('scheduled')
    await lab.run()
    expect(ran).toEqual([])
    await lab.pass(3000)
    await lab.run()

    expect(await job.status()).toMatchObject({ state: 'succeeded' })
  })

  test('a job that could not start in time expires', async () => {
    const job = await lab.jobs.enqueue(note, { name: 'a' }, { expiresIn: 500 })
    await lab.pass(600)
    await lab.run()

    expect(await job.status()).toMatchObject({ state: 'expired', attempt: 0 })
    expect(ran).toEqual([])
    await expect(job.result()).rejects.toMatchObject({ state: 'expired' })
  })

  test.each([
    ['queued', {}],
    ['scheduled', { delay: 2000 }],
  ] as const)('a %s job that is cancelled never starts', async (state, options) => {
    const job = await lab.jobs.enqueue(note, { name: 'a' }, options)
    expect((await job.status()).state).toBe(state)

    expect(await job.cancel({ by: 'ann', reason: 'oops' })).toBe('cancelled')
    await lab.pass(2000)
    await lab.run()

    expect(await job.status()).toMatchObject({ state: 'cancelled', attempt: 0 })
    expect(ran).toEqual([])
    expect(await job.cancel()).toBe('finished')
  })

  test('a job that waits for its next attempt is cancelled', async () => {
    const job = await lab.jobs.enqueue(flaky, { times: 9 })
    await lab.run()

    expect(await job.cancel()).toBe('cancelled')
    await lab.pass(2000)
    await lab.run()
    expect(await job.status()).toMatchObject({ state: 'cancelled', attempt: 1 })
  })

  test('a running job that is cancelled hears of it, and ends cancelled', async () => {
    const job = await lab.jobs.enqueue(patient, null)
    const running = lab.run()
    await started.passed

    expect(await job.cancel()).toBe('cancelling')
    await running

    expect(await job.status()).toMatchObject({ state: 'cancelled', attempt: 1 })
    expect(await lab.jobs.job('00000000-0000-7000-8000-000000000000').cancel()).toBe('unknown')
  })

  test('progress and log are kept', async () => {
    const job = await lab.jobs.enqueue(patient, null)
    const running = lab.run()
    await started.passed
    released.open()
    await running

    expect(await job.status()).toMatchObject({
      state: 'succeeded',
      progress: { percent: 50 },
      result: 'done',
    })
    expect(await job.logs()).toMatchObject([{ level: 'info', message: 'half way', attempt: 1 }])
    const types: string[] = []
    for await (const event of job.events()) types.push(event.type)
    expect(types).toContain('log')
    expect(types.at(-1)).toBe('state')
  })

  test('a cancelled job can be put back, and runs', async () => {
    const job = await lab.jobs.enqueue(note, { name: 'a' })
    await job.cancel()

    expect(await lab.jobs.retry(job.id)).toBe(true)
    await lab.run()

    expect(await job.status()).toMatchObject({ state: 'succeeded', attempt: 1 })
    expect(await lab.jobs.retry(job.id)).toBe(false)
  })

  test('the smaller priority goes first', async () => {
    const one = await openLab(kind, { tasks, concurrency: 1 })
    for (const [name, priority] of [
      ['c', 9],
      ['b', 5],
      ['a', 0],
    ] as const)
      await one.jobs.enqueue(note, { name }, { priority })
    await one.run()

    expect(ran).toEqual(['a', 'b', 'c'])
  })

  test('the same idempotency key gives the same job, and another payload under it is an error', async () => {
    const [first, second] = [
      await lab.jobs.enqueue(note, { name: 'a' }, { idempotencyKey: 'k' }),
      await lab.jobs.enqueue(note, { name: 'a' }, { idempotencyKey: 'k' }),
    ]
    expect(second).toMatchObject({ id: first.id, created: false })
    await expect(lab.jobs.enqueue(note, { name: 'b' }, { idempotencyKey: 'k' })).rejects.toMatchObject({
      code: 'IDEMPOTENCY_CONFLICT',
    })
    await lab.run()

    expect(ran).toEqual(['a'])
  })

  test('a unique job is there once, until it has ended', async () => {
    const first = await lab.jobs.enqueue(once, { name: 'a' })
    expect(await lab.jobs.enqueue(once, { name: 'a' })).toMatchObject({ id: first.id, created: false })
    expect(await lab.jobs.enqueue(once, { name: 'b' })).toMatchObject({ created: true })
    await lab.run()

    expect(ran.toSorted()).toEqual(['a', 'b'])
    expect(await lab.jobs.enqueue(once, { name: 'a' })).toMatchObject({ created: true })
  })

  test('a burst of calls becomes one job, with the last payload', async () => {
    for (const name of ['a', 'b', 'c']) await lab.jobs.enqueue(last, { name })
    await lab.pass(2000)
    await lab.run()

    expect(ran).toEqual(['c'])
  })

  test('of one key one job runs at a time', async () => {
    for (let at = 0; at < 5; at += 1) await lab.jobs.enqueue(limited, { tenant: 'a' })
    await lab.run()

    expect(ran).toHaveLength(5)
    expect(mostAtOnce).toBe(1)
  })

  test('keys do not wait for each other', async () => {
    for (const tenant of ['a', 'a', 'a', 'a', 'b']) await lab.jobs.enqueue(limited, { tenant })
    await lab.run()

    expect(ran.indexOf('b')).toBeLessThan(4)
    expect(ran).toHaveLength(5)
  })

  test('a job may enqueue others', async () => {
    const job = await lab.jobs.enqueue(parent, { names: ['a', 'b'] })
    await lab.run()

    const ids = (await job.result()) as string[]
    expect(ran.toSorted()).toEqual(['a', 'b'])
    expect(await lab.jobs.job(ids[0] ?? '').status()).toMatchObject({ state: 'succeeded', result: 'a here' })
  })

  test('a route answers 202 before the job has run, and its status is asked for later', async () => {
    const app = express().use(lab.jobs)
    app.post('/notes', lab.jobs.accept(note))
    const server = app.listen(0)
    const address = server.address()
    const base = `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`
    const headers = { 'content-type': 'application/json' }
    const accepted = await fetch(`${base}/notes`, { method: 'POST', headers, body: '{"name":"a"}' })
    expect(accepted.status).toBe(202)
    expect(await accepted.json()).toMatchObject({ state: 'queued' })
    await lab.run()

    const status = await fetch(`${base}${accepted.headers.get('location')}`)
    expect(await status.json()).toMatchObject({ state: 'succeeded', result: 'a here' })
    const refused = await fetch(`${base}/notes`, { method: 'POST', headers, body: '{"name":1}' })
    expect(refused.status).toBe(422)
    server.closeAllConnections()
    server.close()
  })
})
