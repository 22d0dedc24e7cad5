import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { defineTask } from '../../src/task/define.js'
import { createTestJobs, type TestJobs, type TestJobsOptions } from '../../src/testing/index.js'

let ran: string[] = []
let fails = false
const note = defineTask((name: string) => {
  if (fails) throw new TypeError(`not ${name}`)
  ran.push(name)
  return name
})
const parent = defineTask(async (name: string) => {
  const child = await note.enqueue(`${name}.child`)
  return (await child.status()).state
})
const completing = defineTask(async (_: null, { complete }) =>
  jobs.transaction(async (tx) => {
    await note.enqueue('inside', { tx })
    const result = await complete({ tx, result: 'completed' })
    if (fails) throw new Error('rolled back')
    return result
  }),
)
const pooled = defineTask({ pool: 'process', run: () => process.pid })
const waiting = defineTask(async () => (await note.enqueue('a')).result({ timeout: '10s' }))
const limited = defineTask({ rateLimit: '1/m', run: (name: string) => void ran.push(name) })
const tasks = { app: { note, parent, completing, pooled, waiting, limited } }

let jobs: TestJobs
function open(options: TestJobsOptions = {}): TestJobs {
  jobs = createTestJobs({ tasks, ...options })
  return jobs
}

afterEach(async () => {
  ran = []
  fails = false
  await jobs.close()
})

describe('drain', () => {
  test('gives the jobs that ended', async () => {
    open()
    await note.enqueueMany(['a', 'b'])
    await note.enqueue('later', { delay: '1h' })

    const drained = await jobs.drain()

    expect(drained).toMatchObject({ succeeded: 2, failed: 0, cancelled: 0, expired: 0, waiting: 1 })
    expect(drained.jobs.map(({ result }) => result)).toEqual(['a', 'b'])
    expect(await jobs.drain()).toMatchObject({ succeeded: 0, waiting: 1 })
  })

  test('a failed job makes it throw, with the stack of the handler as the cause', async () => {
    open()
    fails = true
    await note.enqueue('a')

    const error = await jobs.drain().catch((thrown: Error) => thrown)

    expect(error).toMatchObject({
      name: 'AssertionError',
      message: expect.stringContaining('TypeError: not a'),
    })
    expect((error as Error).cause).toMatchObject({ name: 'TypeError', message: 'not a' })
    expect(((error as Error).cause as Error).stack).toContain('modes.test.ts')
    await note.enqueue('b')
    expect(await jobs.drain({ allowFailures: true })).toMatchObject({ failed: 1 })
  })

  test('runs what falls due within a time, each at its time', async () => {
    open()
    const begun = jobs.clock.now().getTime()
    for (const [name, delay] of [
      ['c', '3h'],
      ['a', '1h'],
      ['b', '2h'],
    ] as const)
      await note.enqueue(name, { delay })

    expect(await jobs.drain({ within: '150m' })).toMatchObject({ succeeded: 2, waiting: 1 })

    expect(ran).toEqual(['a', 'b'])
    expect(jobs.clock.now().getTime() - begun).toBeGreaterThanOrEqual(150 * 60_000)
  })

  test('a rate is kept by the clock', async () => {
    open()
    await limited.enqueueMany(['a', 'b', 'c'])
    await jobs.drain()
    expect(ran).toEqual(['a'])
    await jobs.drain({ within: '1m' })
    expect(ran).toEqual(['a', 'b'])
    await jobs.clock.advance('1m')
    await jobs.drain()
    expect(ran).toEqual(['a', 'b', 'c'])
  })

  test('hooks have run when it resolves, and what they enqueued, too', async () => {
    const told: string[] = []
    const next = defineTask((name: string) => void told.push(name))
    const first = defineTask({
      onSuccess: async () => {
        await new Promise((resolve) => setTimeout(resolve, 20))
        await next.enqueue('by a hook')
      },
      run: () => void told.push('first'),
    })
    open({ tasks: { app: { first, next } } })
    jobs.on('job.succeeded', ({ job }) => void told.push(job.task))
    await first.enqueue()
    await jobs.drain()

    expect(told).toEqual(['first', 'app.first', 'by a hook', 'app.next'])
  })

  test('a slow handler is waited for', async () => {
    open()
    const slow = defineTask(() => new Promise((resolve) => setTimeout(resolve, 50, 'slow')))
    await jobs.close()
    open({ tasks: { app: { slow } } })
    await slow.enqueue()

    expect(await jobs.drain()).toMatchObject({ succeeded: 1 })
  })

  test('serves a queue that only the call names', async () => {
    open()
    await note.enqueue('a', { queue: 'nobody' })

    expect(await jobs.drain()).toMatchObject({ succeeded: 1 })
  })

  test('runs in this process, whatever the pool of a task', async () => {
    open()
    await pooled.enqueue()
    const [job] = (await jobs.drain()).jobs

    expect(job?.result).toBe(process.pid)
  })

  test('a job that waits for another needs a second place', async () => {
    open({ concurrency: 2 })
    await waiting.enqueue()

    expect(await jobs.drain()).toMatchObject({ succeeded: 2 })
  })

  test('finished jobs are pruned when their time has passed', async () => {
    open({ retain: '1d' })
    const { id } = await note.enqueue('a')
    await jobs.drain()
    await jobs.clock.advance('2d')

    await expect(jobs.job(id).status()).rejects.toMatchObject({ code: 'JOB_NOT_FOUND' })
  })
})

describe('eager', () => {
  test('a job that enqueues another waits for its end', async () => {
    open({ mode: 'eager' })
    const job = await parent.enqueue('p')

    expect((await job.status()).result).toBe('succeeded')
  })

  test('a failure is the job’s and not the caller’s, unless it is propagated', async () => {
    open({ mode: 'eager' })
    fails = true
    const job = await note.enqueue('a')
    expect((await job.status()).state).toBe('failed')
    await jobs.close()

    open({ mode: 'eager', propagate: true })
    const error = await note.enqueue('a').catch((thrown: Error) => thrown)
    expect(error).toMatchObject({ code: 'JOB_ENDED', state: 'failed', cause: { message: 'not a' } })
    await expect(parent.enqueue('p')).rejects.toThrow('not p.child')
  })

  test('a job of a paused or limited queue does not hold its enqueue up', async () => {
    open({ mode: 'eager' })
    await limited.enqueue('a')
    const second = await limited.enqueue('b')

    expect(ran).toEqual(['a'])
    expect((await second.status()).state).toBe('queued')
    await jobs.clock.advance('1m')
    expect(ran).toEqual(['a', 'b'])
  })

  test('the clock runs what falls due, retries included', async () => {
    open({ mode: 'eager' })
    fails = true
    const job = await note.enqueue('a', { delay: '1h', attempts: 3 })
    await jobs.clock.advanceTo(new Date(jobs.clock.now().getTime() + 3_600_000))

    expect(await job.status()).toMatchObject({ state: 'failed', attempt: 3 })
  })

  test('a job that expires on the way does not run', async () => {
    open({ mode: 'eager' })
    const job = await note.enqueue('a', { delay: '2h', expiresIn: '1h' })
    await jobs.clock.advance('3h')

    expect((await job.status()).state).toBe('expired')
    expect(ran).toEqual([])
  })
})

describe('transactions', () => {
  test.each(['fake', 'eager'] as const)(
    '%s: jobs are there at the commit, and never were after an error',
    async (mode) => {
      open({ mode })
      await jobs.transaction(async (tx) => {
        await note.enqueue('a', { tx })
        jobs.expectNotEnqueued()
      })
      jobs.expectEnqueued(note, 'a')
      expect(ran).toEqual(mode === 'eager' ? ['a'] : [])

      const failing = jobs.transaction(async (tx) => {
        await note.enqueue('b', { tx })
        throw new Error('no')
      })
      await expect(failing).rejects.toThrow('no')
      jobs.expectNotEnqueued(note, 'b')
    },
  )

  test('complete() ends the job with the transaction', async () => {
    open()
    const job = await completing.enqueue(null)
    await jobs.drain()
    expect(await job.result()).toBe('completed')
    expect(ran).toEqual(['inside'])

    fails = true
    const failed = await completing.enqueue(null)
    await jobs.drain({ allowFailures: true })
    expect(await failed.status()).toMatchObject({ state: 'failed' })
    jobs.expectEnqueued(note, 'inside', { times: 1 })
  })

  test.each(['fake', 'eager'] as const)(
    '%s: a job of a database’s transaction waits for drain()',
    async (mode) => {
      open({ mode })
      const prisma = { $queryRawUnsafe: async () => [] as never }
      await note.enqueue('a', { tx: prisma })

      jobs.expectEnqueued(note, 'a')
      expect(ran).toEqual([])
      await jobs.drain()
      expect(ran).toEqual(['a'])
    },
  )

  test('one that has ended takes nothing more, and none takes SQL', async () => {
    open()
    const tx = await jobs.transaction((given) => given)

    await expect(tx.query('SELECT 1', [])).rejects.toMatchObject({ code: 'TRANSACTION' })
    await expect(note.enqueue('a', { tx })).rejects.toMatchObject({ code: 'TRANSACTION' })
    jobs.expectNotEnqueued()
  })
})

describe('createTestJobs', () => {
  test('takes the config of an app, and none of its servers', async () => {
    open({ broker: 'redis://127.0.0.1:1', database: 'postgres://127.0.0.1:1/x', worker: true, lease: '9s' })
    await note.enqueue('a')

    expect(await jobs.drain()).toMatchObject({ succeeded: 1 })
    expect(await jobs.health()).toMatchObject({ status: 'ok' })
  })

  test.each([
    [{ mode: 'later' }, '"mode" must be'],
    [{ concurrency: 0 }, '"concurrency" must be'],
    [{ colour: 'red' }, 'colour'],
    [{ tasks: { app: { a: note, b: note } } }, 'two names'],
  ])('refuses %j', (options, message) => {
    expect(() => createTestJobs({ tasks, ...options } as TestJobsOptions)).toThrow(message)
    open()
  })

  test('a clock takes durations, and goes forward only', async () => {
    open()
    await expect(jobs.clock.advance('soon' as never)).rejects.toMatchObject({ code: 'CONFIG' })
    const before = jobs.clock.now()
    await jobs.clock.advanceTo(new Date(0))
    expect(jobs.clock.now().getTime()).toBeGreaterThanOrEqual(before.getTime())
  })

  test('goes along with a Date that the test runner has set', async () => {
    vi.useFakeTimers({ toFake: ['Date'], now: new Date('2030-01-01T00:00:00Z') })
    try {
      open()
      const job = await note.enqueue('a', { runAt: new Date('2030-01-02T00:00:00Z') })
      vi.setSystemTime(new Date('2030-01-02T00:00:00Z'))

      await jobs.drain()
      expect((await job.status()).state).toBe('succeeded')
    } finally {
      vi.useRealTimers()
    }
  })

  test('a process that opens it, and closes nothing, ends by itself', async () => {
    open()
    const script = fileURLToPath(new URL('../fixtures/testing/left-open.ts', import.meta.url))
    const child = spawn(process.execPath, ['--import', 'tsx', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    let said = ''
    child.stdout.on('data', (part) => {
      said += part
    })
    const [code] = await once(child, 'exit')

    expect(said.trim()).toBe('ran eager, ran fake, left')
    expect(code).toBe(0)
  })
})
