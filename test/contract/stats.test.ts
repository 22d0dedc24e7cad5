import { randomUUID } from 'node:crypto'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { countOf, depthsOf, isEnqueue, type Move } from '../../src/job/move.js'
import { addTally } from '../../src/job/tally.js'
import { createMemoryStore } from '../../src/store/memory.js'
import type { ChartQuery, SumsQuery } from '../../src/store/stat-store.js'
import type { ClaimedJob, NewJob, Store } from '../../src/store/store.js'
import { jobRow } from '../support/job-row.js'
import { openStore } from '../support/store.js'

const kinds = [
  {
    name: 'memory',
    async open() {
      const store = createMemoryStore()
      return { store, close: () => store.close() }
    },
  },
  { name: 'PostgreSQL', open: openStore },
]

const ann = randomUUID()

describe.each(kinds)('the store in $name counts', ({ open }) => {
  let store: Store
  let close: () => Promise<void>

  beforeEach(async () => {
    const opened = await open()
    store = opened.store
    close = opened.close
  })

  afterEach(() => close())

  async function insert(about: Partial<NewJob> = {}): Promise<string> {
    const job = jobRow({ task: 't', queue: 'q', payload: '1', ...about })
    await store.insert([job])
    return job.id
  }

  async function run(about: Partial<NewJob> = {}): Promise<ClaimedJob> {
    const job = await store.claim({ jobId: await insert(about), number: 1 }, ann)
    if (!job) throw new Error('It was not claimed.')
    return job
  }

  const keyOf = ({ id, number, attempt }: ClaimedJob) => ({ jobId: id, number, attempt, workerId: ann })
  const error = { name: 'Error', message: 'no' }

  test('what is written, by task and queue', async () => {
    await insert({ task: 'a', queue: 'x' })
    await store.insert([
      jobRow({ task: 'b', queue: 'x' }),
      jobRow({ task: 'b', queue: 'y' }),
      jobRow({ task: 'b', queue: 'y', delayMs: 60_000 }),
    ])

    expect(await told()).toEqual([
      'a x: → queued 1',
      'b x: → queued 1',
      'b y: → queued 1',
      'b y: → scheduled 1',
    ])
  })

  test('nothing twice, where a key leads to a job that is there', async () => {
    await insert({ idempotencyKey: 'k' })
    await insert({ idempotencyKey: 'k' })
    const unique = { key: 'u', mode: 'queued' } as const
    await insert({ unique })
    await insert({ unique })

    expect(await told()).toEqual(['t q: → queued 2'])
  })

  test('each way in which an attempt ends', async () => {
    await store.settle({ ...keyOf(await run()), state: 'succeeded', result: '1', resultError: null })
    await store.settle({ ...keyOf(await run()), state: 'failed', error })
    await store.settle({ ...keyOf(await run()), state: 'cancelled', error: null })
    await store.settle({ ...keyOf(await run()), state: 'retrying', error, retryInMs: 60_000 })
    await store.settle({ ...keyOf(await run()), state: 'snoozed', reason: null, retryInMs: 60_000 })
    const [one, other] = [await run(), await run()]
    await store.giveBack([{ jobId: one.id, number: 1 }], ann, 'unstarted')
    await store.giveBack([{ jobId: other.id, number: 1 }], ann, 'returned')

    expect(await told()).toEqual([
      't q: queued → running 7',
      't q: running → cancelled 1',
      't q: running → failed 1',
      't q: running → queued returned 1',
      't q: running → queued unstarted 1',
      't q: running → retrying failed 1',
      't q: running → retrying snoozed 1',
      't q: running → succeeded 1',
      't q: → queued 7',
    ])
  })

  test('what waits and is cancelled, made due or begun anew', async () => {
    const id = await insert()
    await store.cancel(id, null, null)
    await store.retry(id)
    await store.promote(await insert({ delayMs: 60_000 }))

    expect(await told()).toEqual([
      't q: cancelled → queued 1',
      't q: queued → cancelled 1',
      't q: scheduled → queued 1',
      't q: → queued 1',
      't q: → scheduled 1',
    ])
  })

  test('how many jobs there are, also when some went with their end', async () => {
    const gone = await run()
    await store.settle({ ...keyOf(gone), state: 'succeeded', result: null, resultError: null, drop: true })
    await store.settle({ ...keyOf(await run()), state: 'succeeded', result: null, resultError: null })
    await run()
    await insert()

    const depths = depthsOf(await store.moves()).get('q')

    expect(depths && [...depths].filter(([, jobs]) => jobs !== 0).sort()).toEqual([
      ['queued', 1],
      ['running', 1],
      ['succeeded', 1],
    ])
  })

  test('how long jobs were due, ran, and took in all', async () => {
    await store.settle({ ...keyOf(await run()), state: 'succeeded', result: null, resultError: null })
    const moves = await store.moves()
    const measured = (move: Partial<Move>) => {
      const found = moves.find(({ was, is }) => was === move.was && is === move.is)
      return found && [countOf(found.took), countOf(found.total)]
    }

    for (const { took } of moves.filter(({ took }) => countOf(took) === 1)) {
      expect(took.leastMs).toBe(Math.floor(took.ms))
      expect(took.mostMs).toBe(Math.ceil(took.ms))
    }
    expect(measured({ was: '', is: 'queued' })).toEqual([0, 0])
    expect(measured({ was: 'queued', is: 'running' })).toEqual([1, 0])
    expect(measured({ was: 'running', is: 'succeeded' })).toEqual([1, 1])
  })

  test('the same before and after it was added up', async () => {
    await store.settle({ ...keyOf(await run()), state: 'succeeded', result: null, resultError: null })
    await store.foldStats()
    await store.settle({ ...keyOf(await run()), state: 'succeeded', result: null, resultError: null })
    const before = await told()
    await store.foldStats()
    await store.foldStats()

    expect(await told()).toEqual(before)
    expect(before).toContain('t q: running → succeeded 2')
  })

  test('what goes to another queue: it left one, and came to the other, and was enqueued once', async () => {
    const [one, two] = [await insert({ queue: 'x' }), await insert({ queue: 'y' })]

    await store.act([one, two], { action: 'move', to: { queue: 'y' } })
    await store.act([one], { action: 'move', to: { priority: 3 } })

    expect(await told()).toEqual([
      't x: queued → moved 1',
      't x: → queued 1',
      't y: → queued 1',
      't y: → queued moved 1',
    ])
    const moves = await store.moves()
    expect(depthsOf(moves).get('y')?.get('queued')).toBe(2)
    expect(depthsOf(moves).get('x')?.get('queued') ?? 0).toBe(0)
    expect(moves.filter(isEnqueue).reduce((sum, { jobs }) => sum + jobs, 0)).toBe(2)
  })

  describe('over time', () => {
    const lately = () => ({ from: new Date(Date.now() - 600_000), to: new Date(Date.now() + 60_000) })
    const chart = async (scope: Pick<ChartQuery, 'task' | 'queue'> = {}) => {
      const { points } = await store.chart({ ...lately(), ...scope, stepMs: 60_000 })
      const {
        at: _,
        depth: __,
        ...tally
      } = points.reduce((sum, point) => ({ ...point, ...addTally(sum, point) }))
      return { points, depth: points.at(-1)?.depth, tally }
    }
    const succeed = async (about: Partial<NewJob> = {}) =>
      store.settle({ ...keyOf(await run(about)), state: 'succeeded', result: null, resultError: null })

    beforeEach(async () => {
      await succeed({ task: 'a', queue: 'x' })
      await succeed({ task: 'a', queue: 'y' })
      await store.settle({ ...keyOf(await run({ task: 'b', queue: 'x' })), state: 'failed', error })
      await store.settle({
        ...keyOf(await run({ task: 'b', queue: 'x' })),
        ...{ state: 'retrying', error, retryInMs: 60_000 },
      })
      await run({ task: 'a', queue: 'x' })
      await insert({ task: 'b', queue: 'y' })
      await insert({ task: 'b', queue: 'y', delayMs: 60_000 })
    })

    test.each(['before', 'after'])('it is in the chart, %s it was added up', async (when) => {
      if (when === 'after') await store.foldStats()
      const { points, tally, depth } = await chart()

      expect(points.map(({ at }) => at.getTime() % 60_000)).toEqual(points.map(() => 0))
      expect(points.length).toBeGreaterThanOrEqual(11)
      expect({ ...tally, wait: countOf(tally.wait), run: countOf(tally.run) }).toEqual({
        ...{ enqueued: 7, requeued: 0, started: 5, succeeded: 2, failed: 1, cancelled: 0, expired: 0 },
        ...{ retried: 1, lost: 0, wait: 5, run: 4 },
      })
      expect(depth).toEqual({ queued: 1, delayed: 2, running: 1 })
      expect(points[0]?.depth).toEqual({ queued: 0, delayed: 0, running: 0 })
    })

    test('a part of it was added up, and a part was not', async () => {
      await store.foldStats()
      await succeed({ task: 'a', queue: 'x' })
      const { tally, depth } = await chart()

      expect([tally.enqueued, tally.succeeded, countOf(tally.run)]).toEqual([8, 3, 5])
      expect(depth).toEqual({ queued: 1, delayed: 2, running: 1 })
    })

    test.each([
      ['a task', { task: ['a'] }, [3, 2], { queued: 0, delayed: 0, running: 1 }],
      ['a task and its name of before', { task: ['a', 'b'] }, [7, 2], { queued: 1, delayed: 2, running: 1 }],
      ['a queue', { queue: 'y' }, [3, 1], { queued: 1, delayed: 1, running: 0 }],
      ['a task in a queue', { task: ['a'], queue: 'x' }, [2, 1], { queued: 0, delayed: 0, running: 1 }],
      ['what is not there', { task: ['c'] }, [0, 0], { queued: 0, delayed: 0, running: 0 }],
    ])('it is in the chart of %s', async (_, scope, counts, depth) => {
      const before = await chart(scope)
      await store.foldStats()
      const after = await chart(scope)

      expect([before.tally.enqueued, before.tally.succeeded]).toEqual(counts)
      expect(before.depth).toEqual(depth)
      expect(after.tally).toEqual(before.tally)
      expect(after.depth).toEqual(depth)
    })

    test('by the hour and by the day it is the same', async () => {
      await store.foldStats()
      const from = new Date(Date.now() - 20 * 86_400_000)
      for (const stepMs of [12 * 3_600_000, 86_400_000]) {
        const { points } = await store.chart({ ...lately(), from, stepMs })
        expect(points.reduce((sum, { enqueued }) => sum + enqueued, 0)).toBe(7)
        expect(points.at(-1)?.depth).toEqual({ queued: 1, delayed: 2, running: 1 })
      }
    })

    test('a chart that cannot be made is refused', async () => {
      await expect(store.chart({ ...lately(), stepMs: 1000 })).rejects.toThrow(/whole minutes/)
    })

    test('it is told by task and by queue', async () => {
      const counts = async (query: Partial<SumsQuery>) =>
        (await store.sums({ ...lately(), by: 'task', ...query })).map(
          ({ name, enqueued, started, succeeded, failed, retried, wait, run }) =>
            `${name}: ${[enqueued, started, succeeded, failed, retried, countOf(wait), countOf(run)].join(' ')}`,
        )
      const told = async () => [
        await counts({ by: 'task' }),
        await counts({ by: 'queue' }),
        await counts({ by: 'task', queue: 'x' }),
        await counts({ by: 'queue', task: ['b'] }),
        await counts({ by: 'task', from: new Date(Date.now() - 7 * 86_400_000) }),
      ]
      const before = await told()
      await store.foldStats()
      const byTask = ['a: 3 3 2 0 0 3 2', 'b: 4 2 0 1 1 2 2']

      expect(before).toEqual([
        byTask,
        ['x: 4 4 1 1 1 4 3', 'y: 3 1 1 0 0 1 1'],
        ['a: 2 2 1 0 0 2 1', 'b: 2 2 0 1 1 2 2'],
        ['x: 2 2 0 1 1 2 2', 'y: 2 0 0 0 0 0 0'],
        byTask,
      ])
      expect(await told()).toEqual(before)
      expect(
        await counts({ from: new Date(Date.now() - 3_600_000), to: new Date(Date.now() - 600_000) }),
      ).toEqual([])
    })

    test('how many jobs there are is told by task, queue and state', async () => {
      const told = async () =>
        (await store.depths()).map(({ task, queue, state, jobs }) => `${task} ${queue} ${state} ${jobs}`)
      const before = await told()
      await store.foldStats()

      expect(before.sort()).toEqual([
        ...['a x running 1', 'a x succeeded 1', 'a y succeeded 1'],
        ...['b x failed 1', 'b x retrying 1', 'b y queued 1', 'b y scheduled 1'],
      ])
      expect((await told()).sort()).toEqual(before)
    })

    test('a job that went to another queue is in the depth of that one', async () => {
      const id = await insert({ task: 'c', queue: 'x' })
      await store.act([id], { action: 'move', to: { queue: 'y' } })
      await store.foldStats()

      expect((await chart({ task: ['c'], queue: 'x' })).depth?.queued).toBe(0)
      expect((await chart({ task: ['c'], queue: 'y' })).depth?.queued).toBe(1)
      expect((await chart({ task: ['c'] })).tally.enqueued).toBe(1)
      expect((await chart({ queue: 'y' })).tally.enqueued).toBe(3)
    })

    test('a job that went with its end counts as ended, and is gone', async () => {
      await store.settle({
        ...keyOf(await run({ task: 'd' })),
        ...{ state: 'succeeded', result: null, resultError: null, drop: true },
      })
      await store.foldStats()
      const { tally, depth } = await chart({ task: ['d'] })

      expect([tally.enqueued, tally.started, tally.succeeded, countOf(tally.run)]).toEqual([1, 1, 1, 1])
      expect(depth).toEqual({ queued: 0, delayed: 0, running: 0 })
    })
  })

  test('since when jobs are due', async () => {
    await insert({ queue: 'x' })
    await run({ queue: 'y' })
    await insert({ queue: 'z', delayMs: 60_000 })
    await store.foldStats()
    await store.noteOldest()

    const { oldest, workers, dispatchLagMs } = await store.sights()

    expect(oldest.map(({ queue }) => queue)).toEqual(['x'])
    expect(oldest[0]?.ageMs).toBeGreaterThanOrEqual(0)
    expect(workers).toEqual([])
    expect(dispatchLagMs).toBeGreaterThanOrEqual(0)
  })

  test('what passes repair', async () => {
    await store.beginRound([{ pass: 'lost', everyMs: 1000 }])
    await store.noteRepairs('lost', 3)
    await store.noteRepairs('lost', 2)
    await store.returnTicket('lost')

    expect((await store.sights()).repairs).toEqual([{ pass: 'lost', jobs: 5 }])
  })

  /** Lines that are not added up yet may stand beside those that are. */
  async function told(): Promise<string[]> {
    const sums = new Map<string, number>()
    for (const { task, queue, was, is, how, jobs } of await store.moves()) {
      const move = [was, '→', is, how].filter((word) => word !== '').join(' ')
      const name = `${task} ${queue}: ${move}`
      sums.set(name, (sums.get(name) ?? 0) + jobs)
    }
    return [...sums].map(([name, jobs]) => `${name} ${jobs}`).sort()
  }
})
