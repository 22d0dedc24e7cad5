import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { GiveUp, JobEndedError } from '../../src/errors.js'
import { defineTask } from '../../src/task/define.js'
import { brokers, closeJobsAfterEach, freshServers, gate, openJobs } from '../support/lab.js'
import { until } from '../support/until.js'

closeJobsAfterEach()

describe.each(brokers)('a worker on %s', (kind) => {
  test('runs a job and keeps what it returned', async () => {
    const add = defineTask(async ({ a, b }: { a: number; b: number }) => a + b)
    await openJobs({ ...(await freshServers(kind)), tasks: { math: { add } }, worker: true })

    const job = await add.enqueue({ a: 2, b: 3 })

    expect(await job.result()).toBe(5)
    expect(await job.status()).toMatchObject({ task: 'math.add', state: 'succeeded', attempt: 1, result: 5 })
  })

  test('tries a failing job again after its backoff, then marks it failed', async () => {
    const flaky = defineTask({
      attempts: 3,
      backoff: { type: 'fixed', delay: 20, jitter: 0 },
      run: () => Promise.reject(new TypeError('no luck')),
    })
    await openJobs({ ...(await freshServers(kind)), tasks: { luck: { flaky } }, worker: true })

    const job = await flaky.enqueue()
    await expect(job.result()).rejects.toThrow('TypeError: no luck')

    const status = await job.status()
    expect(status).toMatchObject({
      state: 'failed',
      attempt: 3,
      error: { name: 'TypeError', message: 'no luck' },
    })
    expect(status.attempts.map((attempt) => [attempt.number, attempt.outcome])).toEqual([
      [1, 'failed'],
      [2, 'failed'],
    ])
    expect(JSON.stringify(status)).not.toContain('stack')
  })

  test('succeeds when a later attempt does', async () => {
    const second = defineTask({
      attempts: 2,
      backoff: { type: 'fixed', delay: 1 },
      run: (_: undefined, { attempt }) => {
        if (attempt === 1) throw new Error('not yet')
        return attempt
      },
    })
    await openJobs({ ...(await freshServers(kind)), tasks: { luck: { second } }, worker: true })

    const job = await second.enqueue()

    expect(await job.result()).toBe(2)
    expect((await job.status()).error).toBeUndefined()
  })

  test('gives up at once when the task says so, whatever attempts are left', async () => {
    const hopeless = defineTask({
      attempts: 10,
      run: () => {
        throw new GiveUp('the account is closed')
      },
    })
    await openJobs({ ...(await freshServers(kind)), tasks: { luck: { hopeless } }, worker: true })

    const job = await hopeless.enqueue()
    await expect(job.result()).rejects.toThrow('the account is closed')

    expect(await job.status()).toMatchObject({ state: 'failed', attempt: 1, error: { code: 'GIVE_UP' } })
  })

  test('fails a stored payload that its schema no longer takes, without a retry', async () => {
    const servers = await freshServers(kind)
    const before = defineTask({
      name: 'mail.send',
      attempts: 5,
      payload: z.object({ to: z.string() }),
      run: () => 1,
    })
    const after = defineTask({
      name: 'mail.send',
      attempts: 5,
      payload: z.object({ to: z.email() }),
      run: () => 1,
    })
    const old = await openJobs({ ...servers, tasks: { mail: { before } } })
    const job = await before.enqueue({ to: 'nobody' })
    await old.close()

    const jobs = await openJobs({ ...servers, tasks: { mail: { after } }, worker: true })
    await expect(jobs.job(job.id).result()).rejects.toThrow('to: ')

    expect(await jobs.job(job.id).status()).toMatchObject({
      state: 'failed',
      attempt: 1,
      error: { code: 'PAYLOAD_INVALID' },
    })
  })

  test('gives the handler what the schema makes of the payload, anew in each attempt', async () => {
    const seen: unknown[] = []
    const count = defineTask({
      payload: z.object({ n: z.string().transform(Number) }),
      attempts: 2,
      backoff: { type: 'fixed', delay: 1 },
      run({ n }, { attempt }) {
        seen.push(n)
        if (attempt === 1) throw new Error('again')
      },
    })
    await openJobs({ ...(await freshServers(kind)), tasks: { math: { count } }, worker: true })

    await (await count.enqueue({ n: '7' })).result()

    expect(seen).toEqual([7, 7])
  })

  test('shows progress while the job runs, and keeps the last of it', async () => {
    const half = gate()
    const steps = defineTask(async (_: undefined, { progress }) => {
      await progress({ percent: 1 })
      await progress({ percent: 50 })
      await half.passed
      await progress({ percent: 100 })
    })
    await openJobs({ ...(await freshServers(kind)), tasks: { work: { steps } }, worker: true })
    const job = await steps.enqueue()

    await until(async () => {
      const { state, progress } = await job.status()
      return state === 'running' && JSON.stringify(progress) === '{"percent":50}'
    })
    half.open()
    await job.result()

    expect((await job.status()).progress).toEqual({ percent: 100 })
  })

  test('leaves out progress beyond maxResult, and says so once', async () => {
    const lines: string[] = []
    const noisy = defineTask(async (_: undefined, { progress }) => {
      await progress({ percent: 10 })
      for (let times = 0; times < 3; times += 1) await progress('x'.repeat(200))
      return 'done'
    })
    const options = { tasks: { work: { noisy } }, worker: true, maxResult: 100 }
    await openJobs({ ...(await freshServers(kind)), ...options, logger: listeningLogger(lines) })
    const job = await noisy.enqueue()

    expect(await job.result()).toBe('done')
    expect((await job.status()).progress).toEqual({ percent: 10 })
    expect(lines.filter((line) => line.includes('202 bytes of JSON, and the limit is 100'))).toHaveLength(1)
  })

  test('never starts a waiting job that was cancelled', async () => {
    let ran = false
    const waiting = defineTask(() => {
      ran = true
    })
    const next = defineTask(() => 'next')
    const servers = await freshServers(kind)
    const tasks = { work: { waiting, next } }
    await openJobs({ ...servers, tasks })
    const job = await waiting.enqueue()

    expect(await job.cancel({ by: 'ada', reason: 'a mistake' })).toBe('cancelled')
    expect(await job.cancel()).toBe('finished')
    await openJobs({ ...servers, tasks, worker: { concurrency: 1 } })
    await (await next.enqueue()).result()

    expect(ran).toBe(false)
    expect((await job.status()).state).toBe('cancelled')
    await expect(job.result()).rejects.toBeInstanceOf(JobEndedError)
  })

  test('aborts the signal of a running job that is cancelled, from another process’s handle', async () => {
    const started = gate()
    const long = defineTask(async (_: undefined, { signal }) => {
      started.open()
      await new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)))
    })
    const servers = await freshServers(kind)
    const tasks = { work: { long } }
    await openJobs({ ...servers, tasks, worker: true })
    const web = await openJobs({ ...servers, tasks })
    const job = await long.enqueue()
    await started.passed

    expect(await web.job(job.id).cancel()).toBe('cancelling')
    await expect(job.result({ timeout: '4s' })).rejects.toThrow('cancelled')

    expect((await job.status()).state).toBe('cancelled')
  })

  test('fails an attempt that runs past its time limit', async () => {
    const slow = defineTask({
      timeLimit: 100,
      run: (_: undefined, { signal }) =>
        new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason))),
    })
    await openJobs({ ...(await freshServers(kind)), tasks: { work: { slow } }, worker: true })

    const job = await slow.enqueue()
    await expect(job.result()).rejects.toThrow('time limit of 100 ms')

    expect(await job.status()).toMatchObject({ state: 'failed', error: { code: 'TIME_LIMIT' } })
  })

  test('lets a job of a task that it does not know wait for a worker that does, and says which', async () => {
    const servers = await freshServers(kind)
    const known = defineTask(() => 'known')
    const unknown = defineTask(() => 'found')
    const lines: string[] = []
    const web = await openJobs({ ...servers, tasks: { work: { known, unknown } } })
    await openJobs({
      ...servers,
      tasks: { work: { known } },
      worker: { concurrency: 1 },
      logger: listeningLogger(lines),
    })
    const job = await web.enqueue('work.unknown')

    expect(await (await web.enqueue('work.known')).result()).toBe('known')
    await until(() => lines.some((line) => line.includes('"work.unknown"')))
    expect((await job.status()).state).toBe('queued')

    await openJobs({ ...servers, tasks: { work: { known, unknown } }, worker: true })
    expect(await job.result()).toBe('found')
    // Which of the two workers meets it each second is chance.
  }, 60_000)

  test('finishes what runs when it is stopped, and gives back what has not begun', async () => {
    const servers = await freshServers(kind)
    const started = gate()
    const end = gate()
    const slow = defineTask(async () => {
      started.open()
      await end.passed
      return 'done'
    })
    const quick = defineTask(() => 'quick')
    const tasks = { work: { slow, quick } }
    const first = await openJobs({ ...servers, tasks, worker: { concurrency: 1 } })
    const running = await slow.enqueue()
    const waiting = await quick.enqueue()
    await started.passed

    const closed = first.close()
    const second = await openJobs({ ...servers, tasks, worker: true })
    expect(await second.job(waiting.id).result()).toBe('quick')
    end.open()
    await closed

    expect(await second.job(running.id).status()).toMatchObject({ state: 'succeeded', attempt: 1 })
    expect(await second.job(waiting.id).status()).toMatchObject({ attempt: 1, attempts: [] })
  })

  test('aborts and gives back what does not finish within its grace', async () => {
    const servers = await freshServers(kind)
    const started = gate()
    const stubborn = defineTask({
      attempts: 1,
      async run(_: undefined, { attempt, signal }) {
        if (attempt > 1) return attempt
        started.open()
        return new Promise<number>((_, reject) =>
          signal.addEventListener('abort', () => reject(signal.reason)),
        )
      },
    })
    const tasks = { work: { stubborn } }
    const first = await openJobs({ ...servers, tasks, worker: { concurrency: 1, grace: 50 } })
    const job = await stubborn.enqueue()
    await started.passed

    await first.close()
    const second = await openJobs({ ...servers, tasks, worker: true })
    expect(await second.job(job.id).result()).toBe(2)

    const status = await second.job(job.id).status()
    expect(status.attempts).toMatchObject([{ number: 1, outcome: 'returned' }])
  })

  test('starts a delayed job when it is due, and not before', async () => {
    const stamp = defineTask(() => Date.now())
    await openJobs({ ...(await freshServers(kind)), tasks: { work: { stamp } }, worker: true })
    const from = Date.now()

    const job = await stamp.enqueue(undefined, { delay: 700 })
    expect((await job.status()).state).toBe('scheduled')

    expect((await job.result()) - from).toBeGreaterThanOrEqual(690)
  })

  test('ends a job expired that could not start in time', async () => {
    const servers = await freshServers(kind)
    const late = defineTask(() => 'late')
    const tasks = { work: { late } }
    await openJobs({ ...servers, tasks })
    const job = await late.enqueue(undefined, { expiresIn: 1 })

    await openJobs({ ...servers, tasks, worker: true })
    await expect(job.result()).rejects.toMatchObject({ state: 'expired' })
  })

  test('serves the queue that comes first before the others', async () => {
    const servers = await freshServers(kind)
    const order: string[] = []
    const note = defineTask((name: string) => {
      order.push(name)
    })
    const tasks = { work: { note } }
    const web = await openJobs({ ...servers, tasks })
    const jobs = [
      ...(await note.enqueueMany(['b', 'b', 'b'], { queue: 'bulk' })),
      ...(await note.enqueueMany(['a', 'a', 'a'], { queue: 'urgent' })),
    ]

    await openJobs({ ...servers, tasks, worker: { concurrency: 3, queues: ['urgent', 'bulk'] } })
    await Promise.all(jobs.map((job) => web.job(job.id).result()))

    expect(order.toSorted()).toEqual(['a', 'a', 'a', 'b', 'b', 'b'])
    expect(order.indexOf('a')).toBeLessThanOrEqual(order.indexOf('b') + 3)
  })
})

function listeningLogger(lines: string[]): never {
  const write = (...args: unknown[]) => {
    lines.push(args.map(String).join(' '))
  }
  const logger = { trace() {}, debug() {}, info: write, warn: write, error: write, child: () => logger }
  return logger as never
}
