import { v7 as uuidv7 } from 'uuid'
import { beforeEach, describe, expect, test, vi } from 'vitest'
import type { Operation } from '../../src/control/operations.js'
import type { Celeriac } from '../../src/plugin.js'
import { defineTask } from '../../src/task/define.js'
import { brokers, closeJobsAfterEach, freshServers, openJobs, type Servers } from '../support/lab.js'
import { until } from '../support/until.js'

closeJobsAfterEach()
vi.setConfig({ testTimeout: 120_000 })

describe.each(brokers)('operations, on %s', (kind) => {
  let servers: Servers
  let jobs: Celeriac
  let starts: Map<string, number>

  const work = defineTask((_: number, { id }) => {
    starts.set(id, (starts.get(id) ?? 0) + 1)
  })

  const plain = { tasks: { test: { work } }, attempts: 1, heartbeat: '300ms', lease: '20s' } as const

  beforeEach(async () => {
    servers = await freshServers(kind)
    starts = new Map()
    jobs = await openJobs({ ...servers, ...plain, worker: false })
  })

  async function enqueue(count: number, queue = 'a'): Promise<string[]> {
    const payloads = Array.from({ length: count }, (_, n) => n)
    return (await jobs.enqueueMany('test.work', payloads, { queue })).map(({ id }) => id)
  }

  const inState = async (state: 'cancelled' | 'queued' | 'succeeded') =>
    (await jobs.count({ state }, 100_000)).count

  async function done({ id }: Operation): Promise<Operation> {
    const found = await jobs.operations.ended(id, 60_000)
    if (!found) throw new Error('It is gone.')
    return found
  }

  test('one begins at once, and tells how far it has come until it is done', async () => {
    await enqueue(1000)
    const seen: Operation[] = []

    const begun = await jobs.operations.start(
      'cancel',
      { queue: 'a' },
      { by: 'ann', from: 'http', reason: 'x' },
    )
    for (let now = begun; now.state === 'running'; ) {
      seen.push(now)
      await new Promise((resolve) => setTimeout(resolve, 10))
      now = (await jobs.operations.progress(begun.id)) ?? now
    }

    expect(begun).toMatchObject({ action: 'cancel', state: 'running', by: 'ann', from: 'http', done: 0 })
    expect(begun).toMatchObject({ filter: { queue: 'a' }, reason: 'x', isLasting: true })
    expect(await jobs.operations.progress(begun.id)).toMatchObject({
      ...{ state: 'done', done: 1000, affected: 1000, matched: 1000, isMore: false },
      counts: { cancelled: 1000 },
    })
    expect(seen.map(({ done: each }) => each)).toEqual(
      seen.map(({ done: each }) => each).toSorted((a, b) => a - b),
    )
    expect(await inState('cancelled')).toBe(1000)
    expect(await jobs.operations.open()).toEqual([])
    const [line] = await jobs.control.commands(1)
    expect(line).toMatchObject({ id: begun.id, verb: 'cancel', askedBy: 'ann', affected: 1000 })
  })

  test('of ids each is done, wherever it is resumed', async () => {
    const ids = await enqueue(30)
    const begun = await jobs.operations.start('cancel', [...ids, uuidv7(), 'today'], { batch: 7 })

    expect(await done(begun)).toMatchObject({ done: 32, counts: { cancelled: 30, unknown: 2 }, matched: 32 })
  })

  test('a retry leads to workers, and a move to another queue', async () => {
    await enqueue(300)
    await done(await jobs.operations.start('cancel', { queue: 'a' }))

    await done(await jobs.operations.start('retry', { state: 'cancelled' }))
    const moved = await done(await jobs.operations.start('move', { queue: 'a' }, { to: { queue: 'b' } }))

    expect(moved).toMatchObject({ counts: { moved: 300 }, to: { queue: 'b' } })
    await openJobs({ ...servers, ...plain, worker: { concurrency: 4, queues: ['b'] } })
    await until(async () => (await inState('succeeded')) === 300, { timeoutMs: 60_000 })
    expect([...starts.values()].every((count) => count === 1)).toBe(true)
  })

  test('another process stops it: nothing more is done, until somebody resumes it', async () => {
    await enqueue(2000)
    const other = await openJobs({ ...servers, ...plain, worker: false })
    const begun = await jobs.operations.start('cancel', { queue: 'a' }, { batch: 20 })
    await until(async () => ((await other.operations.progress(begun.id))?.done ?? 0) > 0)

    const stopped = await other.operations.stop(begun.id, { by: 'bob' })

    expect(stopped).toMatchObject({ state: 'stopped', stoppedBy: 'bob' })
    const cancelled = await inState('cancelled')
    expect(cancelled).toBe(stopped?.done)
    expect(cancelled).toBeLessThan(2000)
    await new Promise((resolve) => setTimeout(resolve, 500))
    expect(await inState('cancelled')).toBe(cancelled)
    expect(await other.operations.stop(begun.id)).toMatchObject({ state: 'stopped', stoppedBy: 'bob' })

    await other.operations.resume(begun.id)

    expect(await done(begun)).toMatchObject({ state: 'done', done: 2000, counts: { cancelled: 2000 } })
    expect(await other.operations.resume(begun.id)).toMatchObject({ state: 'done' })
  })

  test('a process that is closed leaves it to another, which goes on at once', async () => {
    await enqueue(2000)
    const other = await openJobs({ ...servers, ...plain, worker: false })
    const begun = await other.operations.start('cancel', { queue: 'a' }, { batch: 20 })
    await until(async () => ((await jobs.operations.progress(begun.id))?.done ?? 0) > 0)

    await other.close()

    expect((await jobs.operations.progress(begun.id))?.done).toBeLessThan(2000)
    await until(async () => (await jobs.operations.progress(begun.id))?.state === 'done', {
      timeoutMs: 60_000,
    })
    expect(await jobs.operations.progress(begun.id)).toMatchObject({
      done: 2000,
      counts: { cancelled: 2000 },
    })
  })

  test('who waits for a job, follows it or listens hears that an operation has cancelled it', async () => {
    const [id = ''] = await enqueue(1)
    const heard: string[] = []
    jobs.on('job.cancelled', ({ job }) => void heard.push(job.id))
    const states: string[] = []
    const following = (async () => {
      for await (const event of jobs.job(id).events())
        if (event.type === 'state') states.push(event.status.state)
    })()
    const result = jobs.job(id).result({ timeout: '20s' })
    result.catch(() => {})

    await jobs.operations.start('cancel', [id])

    await expect(result).rejects.toThrow('was cancelled')
    await following
    expect(states).toEqual(['queued', 'cancelled'])
    await until(() => heard.length > 0)
    expect(heard).toEqual([id])
  })
})

describe('what makes no sense is refused, and leaves no trace', () => {
  let jobs: Celeriac

  beforeEach(async () => {
    jobs = await openJobs({ ...(await freshServers('postgres')), worker: false })
  })

  test.each([
    ['stop' as 'cancel', {}, {}, 'There is no action "stop". There are cancel, retry'],
    ['retry', { state: 'succeeded' }, {}, '"retry" means jobs that are failed, cancelled or expired'],
    ['retry', { state: 'faild' as 'failed' }, {}, 'Did you mean "failed"?'],
    ['move', {}, {}, 'Say what is to change'],
    ['move', {}, { to: { queue: 'a b' } }, 'the name of a queue'],
    ['retry', {}, { to: { queue: 'a' } }, '"to" is for a move'],
    ['retry', {}, { reason: 'x' }, '"reason" is for a cancel'],
    ['cancel', {}, { batch: 0 }, '"batch"'],
    ['cancel', {}, { signal: 1 } as object, 'has no option "signal"'],
    ['cancel', {}, { by: '' }, '"by"'],
  ] as const)('%s %j %j', async (action, which, options, message) => {
    await expect(jobs.operations.start(action, which, options)).rejects.toThrow(message)
    expect(await jobs.control.commands()).toEqual([])
  })

  test('an operation that nobody knows', async () => {
    for (const id of [uuidv7(), 'today']) {
      expect(await jobs.operations.progress(id)).toBeUndefined()
      expect(await jobs.operations.stop(id)).toBeUndefined()
      expect(await jobs.operations.resume(id)).toBeUndefined()
      expect(await jobs.operations.ended(id, 1000)).toBeUndefined()
    }
  })
})
