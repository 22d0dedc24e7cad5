import pg from 'pg'
import { describe, expect, onTestFinished, test } from 'vitest'
import type { CeleriacOptions } from '../../src/config/options.js'
import { GiveUp, Retry, Snooze, TimeLimitError } from '../../src/errors.js'
import type { JobHandle, JobStatus } from '../../src/job/job.js'
import type { Celeriac } from '../../src/plugin.js'
import { type AnyTask, defineTask } from '../../src/task/define.js'
import { brokers, closeJobsAfterEach, freshServers, openJobs, type Servers } from '../support/lab.js'

closeJobsAfterEach()

class NetworkError extends Error {
  override name = 'NetworkError'
}

describe.each(brokers)('failures, on %s', (kind) => {
  test('the waits of a list follow one another, and the last one repeats', async () => {
    const { jobs, run, starts } = await openWorker({ attempts: 4, backoff: [0, '300ms'] }, () => fail())
    const asked: number[] = []
    jobs.on('job.retrying', ({ retryInMs }) => asked.push(retryInMs))

    const status = await run()

    expect(status.state).toBe('failed')
    expect(outcomesOf(status)).toEqual(['failed', 'failed', 'failed'])
    const waits = starts.slice(1).map((at, index) => at - (starts[index] ?? 0))
    expect(asked).toEqual([0, 300, 300])
    expect(waits[1]).toBeGreaterThanOrEqual(295)
    expect(waits[2]).toBeGreaterThanOrEqual(295)
  })

  test('a function decides, by the failures so far and by what was thrown', async () => {
    const asked: [number, unknown][] = []
    const backoff = (failures: number, error: unknown) => {
      asked.push([failures, (error as Error).message])
      return 5
    }
    const { run } = await openWorker({ attempts: 3, backoff }, (attempt) => fail(`no ${attempt}`))

    expect((await run()).state).toBe('failed')
    // After the last failure there is nothing to wait for, and the function decides nothing.
    expect(asked.slice(0, 2)).toEqual([
      [1, 'no 1'],
      [2, 'no 2'],
    ])
  })

  test.each([
    ['NaN', () => Number.NaN],
    ['less than nothing', () => -5],
    ['no duration', () => 'soon' as never],
    [
      'an error',
      () => {
        throw new Error('the backoff is broken')
      },
    ],
  ])(
    'a backoff function that gives %s is told, the default takes its place, and the worker lives',
    async (_, backoff) => {
      const { run, log } = await openWorker({ name: 'odd.task', attempts: 2, backoff }, (attempt) =>
        attempt === 1 ? fail() : 'done',
      )

      expect((await run()).state).toBe('succeeded')
      expect(log.join()).toContain(
        'Task "odd.task": The backoff function failed, and the default backoff is used',
      )
      expect((await run()).state).toBe('succeeded')
    },
  )

  test("a call's own backoff goes before the task's function", async () => {
    const { run } = await openWorker({ attempts: 2, backoff: () => fail() }, (attempt) =>
      attempt === 1 ? fail() : 'done',
    )

    expect((await run({ backoff: [10] })).state).toBe('succeeded')
  })

  test.each<[string, object, unknown, number, string]>([
    ['retryOn by class', { retryOn: NetworkError }, new NetworkError(), 3, 'NetworkError'],
    ['what retryOn does not name', { retryOn: NetworkError }, new TypeError('no'), 1, 'TypeError'],
    [
      'retryOn by code',
      { retryOn: ['ECONNRESET'] },
      Object.assign(new Error('cut'), { code: 'ECONNRESET' }),
      3,
      'Error',
    ],
    ['retryOn by function', { retryOn: (error: unknown) => error === 'busy' }, 'busy', 3, 'NonError'],
    ['giveUpOn', { giveUpOn: [TypeError] }, new TypeError('no'), 1, 'TypeError'],
    ['GiveUp', {}, new GiveUp('enough'), 1, 'GiveUp'],
  ])('%s', async (_, options, thrown, attempts, name) => {
    const { run } = await openWorker({ attempts: 3, backoff: [0], ...options }, () => {
      throw thrown
    })

    expect(await run()).toMatchObject({ state: 'failed', attempt: attempts, error: { name } })
  })

  test('a predicate that throws is told, counts as no match, and the worker lives', async () => {
    const retryOn = () => fail('the predicate is broken')
    const { run, log } = await openWorker({ attempts: 3, retryOn }, () => fail())

    expect(await run()).toMatchObject({ state: 'failed', attempt: 1 })
    expect(log.join()).toContain('threw, and counts as no match: the predicate is broken')
    expect(await run()).toMatchObject({ state: 'failed', attempt: 1 })
  })

  test('errors of ours can be named: a time limit that is given up', async () => {
    const { run } = await openWorker(
      { attempts: 3, timeLimit: 50, giveUpOn: TimeLimitError },
      (_, { signal }) =>
        new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason))),
    )

    expect(await run()).toMatchObject({ state: 'failed', attempt: 1, error: { code: 'TIME_LIMIT' } })
  })

  test('past its time limit a handler may still say what is to follow', async () => {
    const { run } = await openWorker({ attempts: 1, timeLimit: 50 }, async (attempt, { signal }) => {
      if (attempt > 1) return 'done'
      await new Promise((resolve) => signal.addEventListener('abort', resolve))
      throw new Snooze(10, 'it takes longer today')
    })

    const status = await run()

    expect(status.state).toBe('succeeded')
    expect(outcomesOf(status)).toEqual(['snoozed'])
  })

  test('Retry says when, keeps its cause, and costs an attempt', async () => {
    const { run, starts } = await openWorker({ attempts: 2, backoff: ['1h'] }, () => {
      throw new Retry({ after: '400ms', cause: new Error('the bank is closed') })
    })

    const status = await run()

    expect(status).toMatchObject({
      state: 'failed',
      attempt: 2,
      error: { name: 'Retry', message: 'the bank is closed' },
    })
    expect((starts[1] ?? 0) - (starts[0] ?? 0)).toBeGreaterThanOrEqual(395)
  })

  test('a snoozed job waits as retrying, costs no attempt, and remembers each time', async () => {
    const { start, jobs } = await openWorker({ attempts: 1 }, (attempt) => {
      if (attempt === 1) throw new Snooze('300ms', 'the bank is closed')
      if (attempt === 2) throw new Snooze(0)
      return 'open'
    })
    const snoozed = new Promise((resolve) => jobs.on('job.snoozed', resolve))
    const job = await start()

    expect(await snoozed).toMatchObject({ attempt: 1, retryInMs: 300, reason: 'the bank is closed' })
    expect(await job.status()).toMatchObject({ state: 'retrying', attempt: 1 })
    expect(await job.result({ timeout: '20s' })).toBe('open')

    const status = await job.status()
    expect(status).not.toHaveProperty('error')
    expect(status).toMatchObject({
      attempt: 3,
      attempts: [
        { number: 1, outcome: 'snoozed', error: { name: 'Snooze', message: 'the bank is closed' } },
        { number: 2, outcome: 'snoozed' },
      ],
    })
    expect(status.attempts[1]).not.toHaveProperty('error')
  })

  test('a job that is cancelled while it is snoozed never runs again', async () => {
    const { start, jobs, starts } = await openWorker({}, () => {
      throw new Snooze('300ms')
    })
    const snoozed = new Promise((resolve) => jobs.on('job.snoozed', resolve))
    const job = await start()
    await snoozed

    expect(await job.cancel()).toBe('cancelled')
    await expect(job.result()).rejects.toMatchObject({ state: 'cancelled' })
    await new Promise((resolve) => setTimeout(resolve, 600))
    expect(starts).toHaveLength(1)
  })

  test('the row keeps every failed attempt with stack, worker and times, also after a retry by hand', async () => {
    const { start, jobs, servers } = await openWorker({ attempts: 2, backoff: [0] }, (attempt) =>
      attempt < 5 ? fail(`no ${attempt}`) : 'done',
    )
    const job = await start()
    await ended(job)
    const failed = await rowOf(servers, job.id)
    await new Promise((resolve) => setTimeout(resolve, 50))
    await jobs.retry(job.id)
    await ended(job)
    await jobs.retry(job.id)
    expect(await job.result({ timeout: '20s' })).toBe('done')

    const past = JSON.parse((await rowOf(servers, job.id)).attempts)
    expect(past.map(({ number, outcome }: Past) => [number, outcome])).toEqual(
      [1, 2, 3, 4].map((number) => [number, 'failed']),
    )
    for (const { number, error, worker, startedAt, finishedAt } of past as Past[]) {
      expect(error.message).toBe(`no ${number}`)
      expect(error.stack).toContain('failures.test.ts')
      expect(worker).toMatch(/^[0-9a-f-]{36}$/)
      expect(Date.parse(finishedAt)).toBeGreaterThanOrEqual(Date.parse(startedAt))
    }
    // The last one of the first life ended when it failed, and not when somebody tried it again.
    expect(Date.parse(past[1].finishedAt)).toBe(failed.finished_at.getTime())
    expect(past[1].worker).toBe(failed.worker_id)
    const shown = await job.status()
    expect(JSON.stringify(shown)).not.toContain('stack')
    expect(JSON.stringify(shown)).not.toContain(past[0].worker)
  })

  interface Past {
    readonly number: number
    readonly outcome: string
    readonly error: { readonly message: string; readonly stack: string }
    readonly worker: string
    readonly startedAt: string
    readonly finishedAt: string
  }

  async function openWorker(
    options: object,
    work: (attempt: number, context: { signal: AbortSignal }) => unknown,
    config: CeleriacOptions = {},
  ) {
    const servers = await freshServers(kind)
    const starts: number[] = []
    const task = defineTask({
      ...options,
      run(_: unknown, context: { attempt: number; signal: AbortSignal }) {
        starts.push(performance.now())
        return work(context.attempt, context)
      },
    } as Parameters<typeof defineTask>[0] & object) as unknown as AnyTask
    const log: string[] = []
    const jobs = await openJobs({
      ...servers,
      ...config,
      tasks: { odd: { task } },
      logger: listening(log),
      worker: { concurrency: 4 },
    })
    const start = (call = {}) => jobs.enqueue(task, {}, call)
    const run = async (call = {}): Promise<JobStatus> => ended(await start(call))
    return { jobs: jobs as Celeriac, servers, start, run, starts, log }
  }
})

async function ended(job: JobHandle): Promise<JobStatus> {
  await job.result({ timeout: '30s' }).catch(() => {})
  return job.status()
}

function outcomesOf({ attempts }: JobStatus): string[] {
  return attempts.map(({ outcome }) => outcome)
}

async function rowOf({ database }: Servers, id: string) {
  const client = new pg.Client({ connectionString: database })
  onTestFinished(() => client.end().catch(() => {}))
  await client.connect()
  const { rows } = await client.query('SELECT * FROM celeriac.job WHERE id = $1', [id])
  await client.end()
  return rows[0]
}

/** A logger whose lines a test can read. */
function listening(lines: string[]): NonNullable<CeleriacOptions['logger']> {
  const write = (...args: unknown[]) =>
    void lines.push(
      args
        .map((each) => JSON.stringify(each))
        .join(' ')
        .replaceAll('\\"', '"'),
    )
  const log = { trace() {}, debug() {}, info() {}, warn: write, error: write, child: () => log }
  return log as never
}

function fail(message = 'no luck'): never {
  throw new Error(message)
}
