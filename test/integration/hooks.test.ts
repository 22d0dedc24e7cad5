import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import type { CeleriacOptions } from '../../src/config/options.js'
import { GiveUp, Snooze } from '../../src/errors.js'
import type { JobHandle } from '../../src/job/job.js'
import { defineTask } from '../../src/task/define.js'
import { hookNames, type TaskHooks } from '../../src/task/hooks.js'
import { eventNames } from '../../src/telemetry/events.js'
import { brokers, closeJobsAfterEach, freshServers, gate, openJobs } from '../support/lab.js'
import { until } from '../support/until.js'

closeJobsAfterEach()

interface Said {
  readonly times: number
}

describe.each(brokers)('hooks, on %s', (kind) => {
  test('tell of a job that succeeds, with its payload and its result', async () => {
    const { heard, hooks } = listener()
    const { start } = await open({ hooks, run: ({ times }) => new Date(times) })
    const job = await start({ times: 7 })
    await ended(job)

    await until(() => heard.length === 3)
    expect(heard.map(({ name }) => name)).toEqual(['onStart', 'onSuccess', 'onEnd'])
    const facts = {
      job: { id: job.id, task: 'work.task', queue: 'default', maxAttempts: 3, owner: null },
      attempt: 1,
      payload: { times: 7 },
    }
    for (const { event } of heard) expect(event).toMatchObject(facts)
    // What the handler returned, and not what JSON makes of it.
    expect(heard[1]?.event).toMatchObject({ result: new Date(7), ms: expect.any(Number) })
    expect(heard[2]?.event).toMatchObject({ state: 'succeeded', result: new Date(7) })
  })

  test('tell failures that are tried again from the last one', async () => {
    const { heard, hooks } = listener()
    const { start } = await open({
      hooks,
      run: (_, attempt) => {
        throw attempt === 3 ? new GiveUp('enough') : new Error(`no ${attempt}`)
      },
    })
    await ended(await start({ times: 1 }))

    await until(() => heard.some(({ name }) => name === 'onEnd'))
    expect(heard.map(({ name }) => name)).toEqual([
      ...['onStart', 'onRetry', 'onStart', 'onRetry', 'onStart', 'onFailure', 'onEnd'],
    ])
    expect(heard[1]?.event).toMatchObject({
      attempt: 1,
      error: { name: 'Error', message: 'no 1', stack: expect.stringContaining('hooks.test.ts') },
      willRetryAt: expect.any(Date),
    })
    expect(heard[5]?.event).toMatchObject({ attempt: 3, error: { name: 'GiveUp' }, payload: { times: 1 } })
    expect(heard[6]?.event).toMatchObject({ state: 'failed', error: { name: 'GiveUp' } })
  })

  test('do not tell of a snooze as of a failure', async () => {
    const { heard, hooks } = listener()
    const { start } = await open({
      hooks,
      run: (_, attempt) => {
        if (attempt === 1) throw new Snooze(10)
      },
    })
    await ended(await start({ times: 1 }))

    await until(() => heard.some(({ name }) => name === 'onEnd'))
    expect(heard.map(({ name }) => name)).toEqual(['onStart', 'onStart', 'onSuccess', 'onEnd'])
  })

  test('begin before the handler, which does not wait for them; those of one job follow one another', async () => {
    const order: string[] = []
    const { passed, open: pass } = gate()
    const { start } = await open({
      hooks: {
        async onStart() {
          order.push('onStart begins')
          await passed
          order.push('onStart ends')
        },
        onSuccess: () => void order.push('onSuccess'),
      },
      run: () => void order.push('handler'),
    })
    await ended(await start({ times: 1 }))
    expect(order).toEqual(['onStart begins', 'handler'])

    pass()

    await until(() => order.length === 4)
    expect(order).toEqual(['onStart begins', 'handler', 'onStart ends', 'onSuccess'])
  })

  test('of a running job that is cancelled, who and why are known', async () => {
    const { heard, hooks } = listener()
    const { start } = await open({
      hooks,
      run: (_, __, signal) =>
        new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason))),
    })
    const job = await start({ times: 1 })
    await until(() => heard.length === 1)
    await job.cancel({ by: 'ada', reason: 'no more' })
    await ended(job)

    await until(() => heard.length === 3)
    expect(heard.map(({ name }) => name)).toEqual(['onStart', 'onCancel', 'onEnd'])
    expect(heard[1]?.event).toMatchObject({ by: 'ada', reason: 'no more', ms: expect.any(Number) })
    expect(heard[2]?.event).toMatchObject({ state: 'cancelled' })
  })

  test('of a job that is cancelled before it starts are called by who cancels it', async () => {
    const { heard, hooks } = listener()
    const { start } = await open({ hooks, run: () => 1 }, { worker: false })
    const job = await start({ times: 4 })

    await job.cancel({ by: 'ada' })

    await until(() => heard.length === 2)
    expect(heard.map(({ name }) => name)).toEqual(['onCancel', 'onEnd'])
    expect(heard[0]?.event).toMatchObject({
      by: 'ada',
      reason: null,
      ms: null,
      attempt: 0,
      payload: { times: 4 },
    })
  })

  test('of a job that expires are called by who finds it so', async () => {
    const { heard, hooks } = listener()
    const { start } = await open({ hooks, run: () => 1 }, { worker: false, heartbeat: '100ms' })

    const job = await start({ times: 4 }, { expiresIn: '50ms' })

    await until(() => heard.length === 1)
    expect(heard[0]).toMatchObject({ name: 'onEnd', event: { state: 'expired', job: { id: job.id } } })
  })

  test.each(['sync', 'async'])(
    'of a payload that no longer fits its %s schema get none, and the failure',
    async (how) => {
      const { heard, hooks } = listener()
      let isStrict = false
      const validate = (value: unknown) =>
        isStrict ? { issues: [{ message: 'too many' }] } : { value: value as Said }
      const payload = {
        '~standard': {
          version: 1 as const,
          vendor: 'own',
          validate: how === 'sync' ? validate : async (value: unknown) => validate(value),
        },
      }
      const task = defineTask({ payload, run: () => 1, ...hooks })
      const jobs = await openJobs({ ...(await freshServers(kind)), worker: true, tasks: { work: { task } } })
      const job = await jobs.enqueue(task, { times: 9 }, { delay: '200ms' })
      isStrict = true
      await ended(job)

      await until(() => heard.length === 2)
      expect(heard.map(({ name }) => name)).toEqual(['onFailure', 'onEnd'])
      expect(heard[0]?.event).toMatchObject({ payload: undefined, error: { code: 'PAYLOAD_INVALID' } })
    },
  )

  test('get the payload of an asynchronous schema, parsed', async () => {
    const { heard, hooks } = listener()
    const payload = z.object({
      at: z.string().transform(async (text) => {
        await sleep(5)
        return new Date(text)
      }),
    })
    const task = defineTask({ payload, run: ({ at }) => at.getTime(), ...hooks })
    const jobs = await openJobs({ ...(await freshServers(kind)), worker: true, tasks: { work: { task } } })
    await ended(await jobs.enqueue(task, { at: '2026-01-01' }))

    await until(() => heard.length === 3)
    for (const { event } of heard) expect(event.payload).toEqual({ at: new Date('2026-01-01') })
  })

  test('of task and app are both called, the task before the app', async () => {
    const order: string[] = []
    const { start } = await open(
      {
        hooks: {
          onSuccess: () => void order.push('task onSuccess'),
          onEnd: () => void order.push('task onEnd'),
        },
        run: () => 1,
      },
      {
        hooks: {
          onSuccess: () => void order.push('app onSuccess'),
          onEnd: () => void order.push('app onEnd'),
        },
      },
    )
    await ended(await start({ times: 1 }))

    await until(() => order.length === 4)
    expect(order).toEqual(['task onSuccess', 'app onSuccess', 'task onEnd', 'app onEnd'])
  })

  test('of a job that completes in its own transaction get its result', async () => {
    const { heard, hooks } = listener()
    const servers = await freshServers(kind)
    const client = new pg.Client({ connectionString: servers.database })
    await client.connect()
    const task = defineTask({
      async run(_: unknown, { complete }) {
        await client.query('BEGIN')
        const result = await complete({ tx: client, result: { rows: 3 } })
        await client.query('COMMIT')
        return result
      },
      ...hooks,
    })
    const jobs = await openJobs({ ...servers, worker: true, tasks: { work: { task } } })
    await ended(await jobs.enqueue(task, {}))

    await until(() => heard.length === 3)
    await client.end()
    expect(heard.map(({ name }) => name)).toEqual(['onStart', 'onSuccess', 'onEnd'])
    expect(heard[1]?.event).toMatchObject({ result: { rows: 3 } })
  })

  test('of a job that was cancelled while its worker stopped are called where it was given back', async () => {
    const { heard, hooks } = listener()
    const { passed: isStopping, open: stop } = gate()
    const { passed: isCancelled, open: cancelled } = gate()
    const { start, jobs } = await open(
      {
        hooks,
        run: async (_, __, signal) => {
          signal.addEventListener('abort', () => stop())
          await isCancelled
          signal.throwIfAborted()
        },
      },
      { worker: { concurrency: 1, grace: 0 } },
    )
    const job = await start({ times: 1 })
    await until(() => heard.length === 1)

    const closed = jobs.close()
    await isStopping
    expect(await job.cancel({ by: 'ada' })).toBe('cancelling')
    cancelled()
    await closed

    expect(heard.map(({ name }) => name)).toEqual(['onStart', 'onCancel', 'onEnd'])
    expect(heard[1]?.event).toMatchObject({ by: 'ada', attempt: 1 })
  })

  test('that throw, now or later, are logged, and change nothing', async () => {
    const log: string[] = []
    const { start } = await open(
      {
        hooks: {
          onStart: () => {
            throw new Error('not now')
          },
          onSuccess: async () => {
            throw null
          },
          onEnd: () => Promise.reject(new Error('not later')),
        },
        run: () => 'done',
      },
      { logger: listening(log) },
    )

    const job = await start({ times: 1 })
    expect(await job.result({ timeout: '20s' })).toBe('done')

    await until(() => log.filter((line) => line.includes('threw')).length === 3)
    expect(log.join('\n')).toMatch(/onStart of work\.task \(job .*\) threw: Error: not now/)
    expect(log.join('\n')).toMatch(/onSuccess of work\.task \(job .*\) threw: NonError: Thrown: null/)
    expect(log.join('\n')).toMatch(/onEnd of work\.task \(job .*\) threw: Error: not later/)
  })

  test('that never settle hold no slot, and a stop waits for them within its grace', async () => {
    const { start, jobs } = await open(
      { hooks: { onSuccess: () => new Promise(() => {}) }, run: () => 'done' },
      { worker: { concurrency: 1, grace: '300ms' } },
    )
    for (let at = 0; at < 3; at += 1)
      expect(await (await start({ times: at })).result({ timeout: '20s' })).toBe('done')

    const began = performance.now()
    await jobs.close()

    expect(performance.now() - began).toBeLessThan(9000)
  })

  test('that are at work when a worker stops are waited for', async () => {
    const { passed, open: pass } = gate()
    let isDone = false
    const { start, jobs } = await open({
      hooks: {
        async onSuccess() {
          await passed
          await sleep(50)
          isDone = true
        },
      },
      run: () => 'done',
    })
    await ended(await start({ times: 1 }))

    const closed = jobs.close()
    pass()
    await closed

    expect(isDone).toBe(true)
  })

  interface Work {
    readonly hooks: TaskHooks<Said, never>
    run(payload: Said, attempt: number, signal: AbortSignal): unknown
  }

  async function open({ hooks, run }: Work, config: CeleriacOptions = {}) {
    const task = defineTask({
      attempts: 3,
      backoff: [0],
      run: (payload: Said, { attempt, signal }) => run(payload, attempt, signal),
      ...hooks,
    })
    const servers = await freshServers(kind)
    const jobs = await openJobs({
      ...servers,
      worker: { concurrency: 1 },
      tasks: { work: { task } },
      ...config,
    })
    return {
      jobs,
      start: (payload: Said, call = {}) => jobs.enqueue(task, payload, call) as Promise<JobHandle>,
    }
  }
})

describe.each(brokers)('events, on %s', (kind) => {
  test('tell everything of a job and its worker, in order', async () => {
    const task = defineTask({
      attempts: 2,
      backoff: [0],
      run: (_: unknown, { attempt }) => {
        if (attempt === 1) throw new Snooze(0, 'not yet')
        if (attempt === 2) throw new Error('no luck')
        return 'done'
      },
    })
    const jobs = await openJobs({ ...(await freshServers(kind)), tasks: { work: { task } }, worker: true })
    const told: { readonly name: string; readonly event: object }[] = []
    for (const name of eventNames) jobs.on(name, (event) => void told.push({ name, event }))
    const job = await jobs.enqueue(task, {}, { priority: 3 })
    await ended(job)
    await jobs.close()

    const names = told.map(({ name }) => name).filter((name) => name !== 'worker.started')
    expect(names).toEqual([
      'job.enqueued',
      ...['job.started', 'job.snoozed', 'job.started', 'job.retrying', 'job.started', 'job.succeeded'],
      'worker.stopped',
    ])
    const of = (name: string) => told.find((each) => each.name === name)?.event
    expect(of('job.enqueued')).toMatchObject({
      job: { id: job.id, task: 'work.task' },
      priority: 3,
      dueInMs: 0,
    })
    expect(of('job.snoozed')).toMatchObject({
      job: { id: job.id },
      attempt: 1,
      reason: 'not yet',
      retryInMs: 0,
    })
    expect(of('job.retrying')).toMatchObject({ attempt: 2, error: { message: 'no luck' } })
    expect(of('job.succeeded')).toMatchObject({
      attempt: 3,
      worker: expect.any(String),
      ms: expect.any(Number),
    })
    expect(of('worker.stopped')).toMatchObject({ processed: 3 })
    // What a job was given and what it gave are for hooks.
    for (const { event } of told) expect(event).not.toHaveProperty('payload')
  })

  test('tell of jobs enqueued in a transaction when it commits', async () => {
    const task = defineTask((_: unknown) => 'done')
    const { database, ...servers } = await freshServers(kind)
    const jobs = await openJobs({ database, ...servers, tasks: { work: { task } } })
    const told: string[] = []
    jobs.on('job.enqueued', ({ job }) => void told.push(job.id))
    const client = new pg.Client({ connectionString: database })
    await client.connect()
    try {
      await client.query('BEGIN')
      const lost = await jobs.enqueue(task, {}, { tx: client })
      await client.query('ROLLBACK')
      await client.query('BEGIN')
      const kept = await jobs.enqueue(task, {}, { tx: client })
      await sleep(100)
      expect(told).toEqual([])
      await client.query('COMMIT')

      await until(() => told.length > 0)
      expect(told).toEqual([kept.id])
      expect(told).not.toContain(lost.id)
    } finally {
      await client.end()
    }
  })

  test('are given back jobs, too', async () => {
    const { passed: isRunning, open: run } = gate()
    const task = defineTask((_: unknown, { signal }) => {
      run()
      return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)))
    })
    const settings = { tasks: { work: { task } }, worker: { grace: 0 } }
    const jobs = await openJobs({ ...(await freshServers(kind)), ...settings })
    const told = new Promise<{ job: { id: string } }>((resolve) => jobs.on('job.returned', resolve))
    const job = await jobs.enqueue(task, {})
    await isRunning
    await jobs.close()

    expect(await told).toMatchObject({ job: { id: job.id }, attempt: 1 })
  })

  test('a listener that throws, now or later, harms nobody else', async () => {
    const log: string[] = []
    const task = defineTask((_: unknown) => 'done')
    const settings = { tasks: { work: { task } }, worker: true, logger: listening(log) }
    const jobs = await openJobs({ ...(await freshServers(kind)), ...settings })
    const heard: string[] = []
    jobs.on('job.succeeded', () => {
      throw new Error('not now')
    })
    jobs.on('job.succeeded', async () => {
      throw new Error('not later')
    })
    const off = jobs.on('job.succeeded', ({ job }) => void heard.push(job.id))
    const first = await jobs.enqueue(task, {})
    await ended(first)
    await until(() => log.filter((line) => line.includes('A listener of')).length === 2)
    off()
    await ended(await jobs.enqueue(task, {}))

    expect(heard).toEqual([first.id])
  })
})

function listener() {
  const heard: { readonly name: string; readonly event: { readonly payload?: unknown } }[] = []
  const hear = (name: string) => (event: object) => void heard.push({ name, event })
  const hooks = Object.fromEntries(hookNames.map((name) => [name, hear(name)])) as TaskHooks<never, never>
  return { heard, hooks }
}

async function ended(job: JobHandle): Promise<void> {
  await job.result({ timeout: '30s' }).catch(() => {})
}

/** A logger whose lines a test can read. */
function listening(lines: string[]): NonNullable<CeleriacOptions['logger']> {
  const write = (...args: unknown[]) => void lines.push(args.map(String).join(' '))
  const log = { trace() {}, debug() {}, info() {}, warn: write, error: write, child: () => log }
  return log as never
}
