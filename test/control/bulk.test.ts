import { v7 as uuidv7 } from 'uuid'
import { beforeEach, describe, expect, test, vi } from 'vitest'
import type { BulkProgress } from '../../src/control/bulk.js'
import type { Celeriac } from '../../src/plugin.js'
import { defineTask } from '../../src/task/define.js'
import { brokers, closeJobsAfterEach, freshServers, openJobs, type Servers } from '../support/lab.js'
import { until } from '../support/until.js'

closeJobsAfterEach()
vi.setConfig({ testTimeout: 120_000 })

/** More than two batches. */
const many = 1200

describe.each(brokers)('many jobs at once, on %s', (kind) => {
  let servers: Servers
  let jobs: Celeriac
  /** How often each job was started. */
  let starts: Map<string, number>
  let isBroken: boolean

  const work = defineTask(async (_: number, { id }) => {
    starts.set(id, (starts.get(id) ?? 0) + 1)
    await new Promise((resolve) => setTimeout(resolve, 2))
    if (isBroken) throw new TypeError('broken')
  })

  beforeEach(async () => {
    servers = await freshServers(kind)
    starts = new Map()
    isBroken = false
    jobs = await openJobs({ ...servers, ...plain, worker: false })
  })

  const plain = { tasks: { test: { work } }, attempts: 1, heartbeat: '500ms', lease: '20s' } as const

  const startWorker = (...queues: string[]) =>
    openJobs({ ...servers, ...plain, worker: { concurrency: 8, queues } })

  async function enqueue(count: number, queue = 'a', delay?: '1h'): Promise<string[]> {
    const payloads = Array.from({ length: count }, (_, n) => n)
    const handles = await jobs.enqueueMany('test.work', payloads, { queue, ...(delay ? { delay } : {}) })
    return handles.map(({ id }) => id)
  }

  const inState = async (state: 'succeeded' | 'failed' | 'cancelled' | 'queued' | 'running') =>
    (await jobs.count({ state }, 100_000)).count

  const allEnd = (state: 'succeeded' | 'failed', count: number) =>
    until(async () => (await inState(state)) === count, { timeoutMs: 90_000, everyMs: 200 })

  const startedOnce = (ids: readonly string[]) => ids.filter((id) => starts.get(id) === 1).length

  test('failed jobs are retried while workers run, each once', async () => {
    isBroken = true
    const worker = await startWorker('a')
    const ids = await enqueue(many)
    await allEnd('failed', many)
    isBroken = false
    const seen: BulkProgress[] = []

    const answer = await jobs.bulk.retry(
      { state: 'failed', task: 'test.work' },
      { onProgress: (each) => seen.push(each) },
    )

    expect(answer).toMatchObject({ done: many, counts: { retried: many }, isStopped: false, cursor: null })
    expect(seen.map(({ done }) => done).at(-1)).toBe(many)
    expect(seen[0]).toMatchObject({ done: 500, matched: many, isMore: false })
    await allEnd('succeeded', many)
    expect(ids.filter((id) => starts.get(id) === 2).length).toBe(many)
    await worker.close()
  })

  test('a cancel of what waits, while workers take it, ends each job once', async () => {
    const ids = await enqueue(many)
    const cancelled: string[] = []
    jobs.on('job.cancelled', ({ job }) => void cancelled.push(job.id))
    await startWorker('a')
    await until(() => starts.size > 50)

    const { counts } = await jobs.bulk.cancel(
      { task: 'test.work', state: 'queued' },
      { by: 'ann', reason: 'enough' },
    )

    await until(async () => (await inState('queued')) + (await inState('running')) === 0, {
      timeoutMs: 60_000,
    })
    const neverStarted = ids.filter((id) => !starts.has(id))
    expect(startedOnce(ids) + neverStarted.length).toBe(many)
    // Of those that a worker took just before, and was asked to stop, some had not begun.
    const { cancelled: atOnce = 0, cancelling = 0 } = counts
    expect(neverStarted.length).toBeGreaterThanOrEqual(atOnce)
    expect(neverStarted.length).toBeLessThanOrEqual(atOnce + cancelling)
    expect(atOnce).toBeGreaterThan(0)
    expect(await inState('cancelled')).toBeGreaterThanOrEqual(neverStarted.length)
    // Of the others, the worker tells.
    await until(() => cancelled.length >= atOnce)
    expect(new Set(cancelled).size).toBe(atOnce)
    expect(cancelled.filter((id) => starts.has(id))).toEqual([])
    expect((await jobs.search({ id: neverStarted[0] ?? '' })).jobs).toMatchObject([
      { state: 'cancelled', cancelledBy: 'ann', cancelReason: 'enough' },
    ])
  })

  test('a delete of what waits, while workers take it, leaves what they took', async () => {
    const ids = await enqueue(many)
    await startWorker('a')
    await until(() => starts.size > 50)

    const { counts } = await jobs.bulk.delete({ queue: 'a', state: ['queued', 'scheduled'] })

    await until(async () => (await inState('queued')) + (await inState('running')) === 0, {
      timeoutMs: 60_000,
    })
    expect(counts.deleted).toBeGreaterThan(0)
    expect((counts.deleted ?? 0) + (await inState('succeeded'))).toBe(many)
    expect(startedOnce(ids)).toBe(await inState('succeeded'))
  })

  test('a move of what waits, while workers take it, loses none and runs none twice', async () => {
    const ids = await enqueue(many)
    await startWorker('a', 'b')
    await until(() => starts.size > 50)

    const { counts } = await jobs.bulk.move({ queue: 'a' }, { queue: 'b', priority: 3 })

    expect(counts.moved).toBeGreaterThan(0)
    await allEnd('succeeded', many)
    expect(startedOnce(ids)).toBe(many)
    expect((await jobs.count({ queue: 'b' })).count).toBe(counts.moved)
  })

  test('what waits in a queue that nobody serves runs once it is moved', async () => {
    const ids = await enqueue(many, 'nobody')
    await startWorker('b')

    await jobs.bulk.move({ queue: 'nobody' }, { queue: 'b' })

    await allEnd('succeeded', many)
    expect(startedOnce(ids)).toBe(many)
  })

  test('delayed jobs run now', async () => {
    const ids = await enqueue(many, 'a', '1h')
    await startWorker('a')

    expect(await jobs.bulk.promote({ state: 'scheduled' })).toMatchObject({ counts: { promoted: many } })

    await allEnd('succeeded', many)
    expect(startedOnce(ids)).toBe(many)
  })

  test('a stop in the middle says how far it came, and the next call goes on from there', async () => {
    await enqueue(1000)
    const stopping = new AbortController()

    const first = await jobs.bulk.cancel(
      { queue: 'a' },
      { batch: 100, signal: stopping.signal, onProgress: ({ done }) => done === 300 && stopping.abort() },
    )

    expect(first).toMatchObject({ done: 300, counts: { cancelled: 300 }, isStopped: true })
    expect(await inState('cancelled')).toBe(300)
    const second = await jobs.bulk.cancel({ queue: 'a' }, { cursor: first.cursor ?? '' })
    expect(second).toMatchObject({ done: 700, counts: { cancelled: 700 }, isStopped: false, cursor: null })
    const [last, before] = await jobs.control.commands(2)
    expect(before).toMatchObject({ id: first.command, verb: 'cancel', askedBy: null, askedFrom: 'code' })
    expect(before).toMatchObject({ affected: 300, operation: { done: 300, state: 'stopped' } })
    expect(JSON.parse(before?.args ?? '')).toEqual({ filter: { queue: 'a' } })
    expect(last).toMatchObject({ affected: 700, operation: { done: 700, state: 'done' } })
  })

  test('of ids each gets its answer, also what is none', async () => {
    const [one = '', two = ''] = await enqueue(2)
    const unknown = uuidv7()
    await jobs.job(two).cancel()
    const outcomes: BulkProgress['outcomes'][] = []

    const answer = await jobs.bulk.cancel([one, two, unknown, 'today', one.toUpperCase()], {
      by: 'ann',
      onProgress: (each) => outcomes.push(each.outcomes),
    })

    expect(answer.counts).toEqual({ cancelled: 1, finished: 1, unknown: 2 })
    expect(outcomes.flat()).toEqual(
      expect.arrayContaining([
        { id: one, outcome: 'cancelled' },
        { id: two, outcome: 'finished' },
        { id: unknown, outcome: 'unknown' },
        { id: 'today', outcome: 'unknown' },
      ]),
    )
    expect((await jobs.control.commands(1))[0]).toMatchObject({ verb: 'cancel', askedBy: 'ann' })
  })
})

describe('what makes no sense is refused, and nothing is done', () => {
  let jobs: Celeriac

  beforeEach(async () => {
    jobs = await openJobs({ ...(await freshServers('postgres')), worker: false })
  })

  test.each([
    [{ state: 'faild' as 'failed' }, 'There is no state "faild". Did you mean "failed"?'],
    [{ id: '01987a3c' }, '"01987a3c" is a part of an id'],
    [{ parent: 'x' }, '"x" is no id of a job'],
    [{ createdAfter: 'yesterday' }, '"createdAfter" must be a moment'],
    [{ createdAfter: '1h', createdBefore: '2h' } as const, 'not before "createdBefore"'],
    [{ minDuration: 'long' as '1s' }, '"minDuration" must be a duration'],
    [{ status: 'failed' } as object, 'has no option "status"'],
    [{ queue: [] }, '"queue" is an empty list'],
    [{ text: '' }, '"text" must be text'],
  ])('%j', async (filter, message) => {
    await expect(jobs.search(filter)).rejects.toThrow(message)
    await expect(jobs.bulk.delete(filter)).rejects.toThrow(message)
    expect(await jobs.control.commands()).toEqual([])
  })

  test('a page, a target, an option, and states that the action means nothing to', async () => {
    await expect(jobs.search({}, { limit: 1001 })).rejects.toThrow('"limit" must be at most 1000')
    await expect(jobs.search({}, { cursor: 'x' })).rejects.toThrow('"x" is no cursor')
    await expect(jobs.search({}, { sort: 'up' as 'newest' })).rejects.toThrow('"sort" must be')
    await expect(jobs.bulk.move([], {})).rejects.toThrow('Say what is to change')
    await expect(jobs.bulk.move([], { queue: 'a b' })).rejects.toThrow('the name of a queue')
    await expect(jobs.bulk.cancel({}, { batch: 0 })).rejects.toThrow('"batch"')
    await expect(jobs.bulk.retry({ state: 'succeeded' })).rejects.toThrow(
      '"retry" means jobs that are failed, cancelled or expired, and the filter only those that are succeeded.',
    )
    await expect(jobs.bulk.delete({ state: 'running' })).rejects.toThrow('only those that are running')
  })
})
