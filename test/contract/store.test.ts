import pg from 'pg'
import { v7 as uuidv7 } from 'uuid'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Transaction } from '../../src/job/transaction.js'
import { createMemoryStore } from '../../src/store/memory.js'
import { migrate } from '../../src/store/migrate.js'
import { createPrismaStore } from '../../src/store/prisma.js'
import type {
  ClaimedJob,
  CommandQuery,
  Committed,
  InsertedJob,
  NewCommand,
  NewJob,
  NewWorker,
  Settlement,
  Store,
} from '../../src/store/store.js'
import { jobRow } from '../support/job-row.js'
import { freshDatabase } from '../support/servers.js'
import { until } from '../support/until.js'
import { workerLoad } from '../support/worker-load.js'
import { workerRow } from '../support/worker-row.js'

interface Opened {
  readonly store: Store
  /** Lets time pass, or makes it as if it had. */
  pass(ms: number): Promise<void>
  /** A transaction of the app's own. */
  begin(): Promise<OpenedTransaction>
  close(): Promise<void>
}

interface OpenedTransaction {
  readonly tx: Transaction
  commit(): Promise<void>
  rollback(): Promise<void>
}

const kinds = [
  { name: 'memory', open: openMemory },
  { name: 'PostgreSQL', open: openPostgres },
]

describe.each(kinds)('the store in $name', ({ open }) => {
  let opened: Opened
  let store: Store
  let committed: Committed[]

  beforeEach(async () => {
    opened = await open()
    store = opened.store
    committed = []
    store.onCommitted((each) => committed.push(each))
  })

  afterEach(() => opened.close())

  async function insert(about: Partial<NewJob> = {}): Promise<InsertedJob> {
    const [inserted] = await store.insert([jobRow(about)])
    return defined(inserted)
  }

  /** A job that the worker runs. */
  async function running(about: Partial<NewJob> = {}, worker = ann): Promise<ClaimedJob> {
    const { id } = await insert(about)
    return defined(await store.claim({ jobId: id, number: 1 }, worker))
  }

  const stateOf = async (id: string) => (await store.find(id))?.state

  describe('insert', () => {
    test('a job is there as it was written', async () => {
      const job = jobRow({
        task: 'mail.send',
        queue: 'mail',
        payload: '{"to":"ann"}',
        options: '{"timeLimit":{"softMs":1000,"hardMs":null}}',
        priority: 3,
        maxAttempts: 4,
        owner: 'ann',
        tags: ['a', 'b'],
        requestId: 'r-1',
        expiresInMs: 60_000,
      })
      const [inserted] = await store.insert([job])

      expect(inserted).toMatchObject({ id: job.id, created: true, state: 'queued', dueInMs: 0 })
      const found = defined(await store.find(job.id))
      expect(found).toMatchObject({
        ...{ id: job.id, task: 'mail.send', queue: 'mail', state: 'queued', payload: { to: 'ann' } },
        ...{
          options: { timeLimit: { softMs: 1000, hardMs: null } },
          priority: 3,
          maxAttempts: 4,
          owner: 'ann',
        },
        ...{ tags: ['a', 'b'], requestId: 'r-1', traceparent: null, context: null, parentId: null },
        ...{ attempt: 0, failures: 0, lost: 0, delivery: 1, workerId: null, attempts: [], error: null },
        ...{
          result: undefined,
          progress: undefined,
          startedAt: null,
          finishedAt: null,
          cancelRequestedAt: null,
        },
      })
      expect(found.runAt).toEqual(found.createdAt)
      expect(inserted?.createdAt).toEqual(found.createdAt)
      expect(found.expiresAt?.getTime()).toBe(found.createdAt.getTime() + 60_000)
    })

    test('a delayed job is scheduled, by a delay or by a moment', async () => {
      const delayed = await insert({ delayMs: 90_000 })
      const timed = await insert({ runAt: new Date(Date.now() + 3_600_000) })

      expect(delayed).toMatchObject({ state: 'scheduled', dueInMs: 90_000 })
      expect(timed.state).toBe('scheduled')
      expect(timed.dueInMs).toBeGreaterThan(3_500_000)
      const { runAt, createdAt } = defined(await store.find(delayed.id))
      expect(runAt.getTime() - createdAt.getTime()).toBe(90_000)
    })

    test('a moment that has passed is now', async () => {
      expect(await insert({ runAt: new Date(0) })).toMatchObject({ state: 'queued', dueInMs: 0 })
    })

    test('tells of what it committed, with what is to be delivered', async () => {
      const jobs = [jobRow({ priority: 2 }), jobRow({ delayMs: 5000 })]
      await store.insert(jobs)

      expect(committed.flatMap(({ deliveries }) => deliveries)).toMatchObject([
        { jobId: jobs[0]?.id, number: 1, task: 'test.task', queue: 'default', priority: 2, dueInMs: 0 },
        { jobId: jobs[1]?.id, number: 1, dueInMs: 5000 },
      ])
    })

    test('the same idempotency key gives the same job, and the payload that it was made with', async () => {
      const first = await insert({ idempotencyKey: 'k', payload: '1' })
      const second = await insert({ idempotencyKey: 'k', payload: '2' })

      expect(second).toMatchObject({ id: first.id, created: false, payload: '1' })
      expect(committed.flatMap(({ deliveries }) => deliveries)).toHaveLength(1)
    })

    test('an idempotency key is one of its task and owner', async () => {
      const ids = [
        await insert({ idempotencyKey: 'k' }),
        await insert({ idempotencyKey: 'k', task: 'other.task' }),
        await insert({ idempotencyKey: 'k', owner: 'ann' }),
        await insert({ idempotencyKey: 'k', owner: 'bob' }),
      ].map(({ id }) => id)

      expect(new Set(ids).size).toBe(4)
    })

    test('of many calls with one key one makes the job', async () => {
      const answers = await Promise.all(Array.from({ length: 20 }, () => insert({ idempotencyKey: 'k' })))

      expect(answers.filter(({ created }) => created)).toHaveLength(1)
      expect(new Set(answers.map(({ id }) => id)).size).toBe(1)
    })
  })

  describe('a transaction', () => {
    test('its jobs are there when it commits, and are told of then', async () => {
      const { tx, commit } = await opened.begin()
      const [inserted] = await store.insertIn(tx, [jobRow()])
      const id = inserted?.id ?? ''

      expect(await store.find(id)).toBeUndefined()
      expect(committed).toEqual([])
      await commit()

      expect(await stateOf(id)).toBe('queued')
      await until(() => committed.length === 1)
    })

    test('its jobs never were when it is rolled back', async () => {
      const { tx, rollback } = await opened.begin()
      const [inserted] = await store.insertIn(tx, [jobRow({ idempotencyKey: 'k' })])
      await rollback()

      expect(await store.find(inserted?.id ?? '')).toBeUndefined()
      expect(await insert({ idempotencyKey: 'k' })).toMatchObject({ created: true })
      expect(committed.flatMap(({ deliveries }) => deliveries)).toHaveLength(1)
    })

    test('who has the same key waits for its end', async () => {
      const { tx, commit } = await opened.begin()
      const [first] = await store.insertIn(tx, [jobRow({ idempotencyKey: 'k' })])
      const waiting = insert({ idempotencyKey: 'k' })
      await commit()

      expect(await waiting).toMatchObject({ id: first?.id, created: false })
    })

    test('an end that is recorded in it counts when it commits', async () => {
      const job = await running()
      const { tx, commit } = await opened.begin()

      expect(await store.settleIn(tx, succeeded(job, '"done"'))).toEqual({ settled: true })
      expect(await stateOf(job.id)).toBe('running')
      await commit()

      expect(await store.find(job.id)).toMatchObject({ state: 'succeeded', result: 'done' })
      expect(await store.isSettledBy({ jobId: job.id, number: 1 }, ann)).toBe(true)
    })

    test('an end that is recorded in it is none when it is rolled back, nor without the fence', async () => {
      const job = await running()
      const { tx, rollback } = await opened.begin()
      expect(await store.settleIn(tx, { ...succeeded(job), workerId: bob })).toEqual({ settled: false })
      await store.settleIn(tx, succeeded(job))
      await rollback()

      expect(await stateOf(job.id)).toBe('running')
      expect(await store.isSettledBy({ jobId: job.id, number: 1 }, ann)).toBe(false)
    })
  })

  describe('claim', () => {
    test('gives what an attempt needs, and the job runs', async () => {
      const { id } = await insert({ payload: '{"a":1}', maxAttempts: 3, owner: 'ann', requestId: 'r' })

      const job = defined(await store.claim({ jobId: id, number: 1 }, ann))

      expect(job).toMatchObject({
        ...{
          id,
          number: 1,
          task: 'test.task',
          queue: 'default',
          payload: '{"a":1}',
          options: {},
          attempt: 1,
        },
        ...{ maxAttempts: 3, failures: 0, lost: 0, owner: 'ann', requestId: 'r', cancelRequested: false },
      })
      const { state, workerId, startedAt } = defined(await store.find(id))
      expect({ state, workerId }).toEqual({ state: 'running', workerId: ann })
      expect(startedAt).toBeInstanceOf(Date)
    })

    test('takes a job once', async () => {
      const { id } = await insert()
      const claims = await Promise.all(
        [ann, bob].map((worker) => store.claim({ jobId: id, number: 1 }, worker)),
      )

      expect(claims.filter((job) => job !== undefined)).toHaveLength(1)
      expect(await store.explain({ jobId: id, number: 1 })).toEqual({ reason: 'stale' })
    })

    test('takes no delivery but the current one', async () => {
      const { id } = await insert()
      await store.defer({ jobId: id, number: 1 })

      expect(await store.claim({ jobId: id, number: 1 }, ann)).toBeUndefined()
      expect(await store.explain({ jobId: id, number: 1 })).toEqual({ reason: 'stale' })
      expect(await store.claim({ jobId: id, number: 3 }, ann)).toBeUndefined()
      expect(await store.claim({ jobId: id, number: 2 }, ann)).toMatchObject({ id })
    })

    test('what came early is to be sent again for the remainder', async () => {
      const { id } = await insert({ delayMs: 30_000 })

      expect(await store.claim({ jobId: id, number: 1 }, ann)).toBeUndefined()
      const refusal = await store.explain({ jobId: id, number: 1 })
      expect(refusal).toMatchObject({ reason: 'early', redelivery: { jobId: id, number: 2 } })
      expect('redelivery' in refusal && refusal.redelivery.dueInMs).toBeGreaterThan(25_000)

      await opened.pass(30_000)
      expect(await store.claim({ jobId: id, number: 2 }, ann)).toMatchObject({ id, attempt: 1 })
    })

    test('a second early is in time', async () => {
      const { id } = await insert({ delayMs: 800 })

      expect(await store.claim({ jobId: id, number: 1 }, ann)).toMatchObject({ id })
    })

    test('nothing is known of a job that is not there', async () => {
      const key = { jobId: uuidv7(), number: 1 }

      expect(await store.claim(key, ann)).toBeUndefined()
      expect(await store.explain(key)).toEqual({ reason: 'stale' })
      expect(await store.find(key.jobId)).toBeUndefined()
    })
  })

  describe('settle', () => {
    test('a success is there with its result', async () => {
      const job = await running()

      expect(await store.settle(succeeded(job, '{"url":"/x"}'))).toEqual({ settled: true })

      const found = defined(await store.find(job.id))
      expect(found).toMatchObject({ state: 'succeeded', result: { url: '/x' }, error: null, workerId: ann })
      expect(found.finishedAt).toBeInstanceOf(Date)
      expect(found.attempts).toEqual([])
    })

    test('a failure that is tried again waits under the next delivery, with its attempt kept', async () => {
      const job = await running({ maxAttempts: 3 })

      const settled = await store.settle({ ...keyOf(job), state: 'retrying', error: boom, retryInMs: 40_000 })

      expect(settled).toMatchObject({ settled: true, redelivery: { jobId: job.id, number: 2 } })
      expect(Math.round(settled.redelivery?.dueInMs ?? 0)).toBe(40_000)
      const found = defined(await store.find(job.id))
      expect(found).toMatchObject({ state: 'retrying', failures: 1, attempt: 1, delivery: 2, workerId: null })
      expect(found.error).toEqual(boom)
      expect(found.attempts).toMatchObject([{ number: 1, worker: ann, outcome: 'failed', error: boom }])
      expect(await store.claim({ jobId: job.id, number: 2 }, bob)).toBeUndefined()
      await opened.pass(40_000)
      expect(await store.claim({ jobId: job.id, number: 2 }, bob)).toMatchObject({ attempt: 2, failures: 1 })
    })

    test('the last failure ends the job; its error stands in the row', async () => {
      const job = await running()

      await store.settle({ ...keyOf(job), state: 'failed', error: boom })

      expect(await store.find(job.id)).toMatchObject({
        ...{ state: 'failed', failures: 1, error: boom, workerId: ann, attempts: [] },
      })
    })

    test('a snooze waits, and nothing is held against it', async () => {
      const job = await running()

      const settled = await store.settle({
        ...{ ...keyOf(job), state: 'snoozed', reason: 'too early', retryInMs: 20_000 },
      })

      expect(settled).toMatchObject({ settled: true, redelivery: { number: 2 } })
      expect(await store.find(job.id)).toMatchObject({
        ...{ state: 'retrying', failures: 0, attempt: 1, error: null },
        attempts: [{ number: 1, outcome: 'snoozed', error: { name: 'Snooze', message: 'too early' } }],
      })
    })

    test('a success forgets the error of the attempt before', async () => {
      const job = await running()
      await store.settle({ ...keyOf(job), state: 'retrying', error: boom, retryInMs: 0 })
      const again = defined(await store.claim({ jobId: job.id, number: 2 }, ann))
      await store.settle(succeeded(again))

      expect(await store.find(job.id)).toMatchObject({
        state: 'succeeded',
        error: null,
        attempt: 2,
        failures: 1,
      })
    })

    test('a job that was asked to stop is not tried again', async () => {
      const job = await running()
      await store.cancel(job.id, 'ann', null)

      const settled = await store.settle({ ...keyOf(job), state: 'retrying', error: boom, retryInMs: 0 })

      expect(settled).toEqual({ settled: true })
      expect(await store.find(job.id)).toMatchObject({ state: 'cancelled', failures: 1, error: boom })
    })

    test('an end may take the row along', async () => {
      const job = await running()

      expect(await store.settle({ ...succeeded(job), drop: true })).toEqual({ settled: true })

      expect(await store.find(job.id)).toBeUndefined()
      expect(await store.endedAmong([job.id])).toEqual([job.id])
    })

    test('what is not to be seen leaves the payload with a success', async () => {
      const job = await running({ payload: '{"card":"1"}' })
      await store.settle({ ...succeeded(job), payload: '{"card":"[hidden]"}' } as Settlement)

      expect(await store.find(job.id)).toMatchObject({ payload: { card: '[hidden]' } })
    })

    test('several ends of one worker are recorded together', async () => {
      const jobs = await Promise.all(Array.from({ length: 20 }, () => running()))
      const ends = jobs.map(
        (job, at): Settlement =>
          at % 2 === 0 ? succeeded(job) : { ...keyOf(job), state: 'failed', error: boom },
      )

      const settled = await Promise.all(ends.map((each) => store.settle(each)))

      expect(settled.every((each) => each.settled)).toBe(true)
      const states = await Promise.all(jobs.map(({ id }) => stateOf(id)))
      expect(states).toEqual(jobs.map((_, at) => (at % 2 === 0 ? 'succeeded' : 'failed')))
    })
  })

  describe('the fence', () => {
    test('lets nobody settle what another worker runs', async () => {
      const job = await running()

      expect(await store.settle({ ...succeeded(job), workerId: bob })).toEqual({ settled: false })
      expect(await stateOf(job.id)).toBe('running')
    })

    test('lets nobody settle under an old delivery', async () => {
      const job = await running()
      await store.giveBack([{ jobId: job.id, number: 1 }], ann, 'returned')
      await store.claim({ jobId: job.id, number: 2 }, ann)

      expect(await store.settle(succeeded(job))).toEqual({ settled: false })
      expect(await stateOf(job.id)).toBe('running')
    })

    test('lets an end be recorded once', async () => {
      const job = await running()
      await store.settle(succeeded(job))

      expect(await store.settle({ ...keyOf(job), state: 'failed', error: boom })).toEqual({ settled: false })
      expect(await stateOf(job.id)).toBe('succeeded')
    })

    test('accepts the end of a claim that a crash took back', async () => {
      const { id } = await insert()

      const end = { jobId: id, number: 1, attempt: 1, workerId: ann, state: 'succeeded' } as const
      expect(await store.settle({ ...end, result: '1', resultError: null })).toEqual({ settled: true })
      expect(await store.find(id)).toMatchObject({ state: 'succeeded', attempt: 1, workerId: ann })
    })

    test('lets a worker hold on to what it runs after a crash', async () => {
      const { id } = await insert()
      await store.holdOn([{ jobId: id, number: 1, attempt: 1 }], ann)

      expect(await store.find(id)).toMatchObject({ state: 'running', workerId: ann, attempt: 1 })
    })
  })

  describe('give back', () => {
    test('what had not begun costs nothing', async () => {
      const job = await running()

      const [again] = await store.giveBack([{ jobId: job.id, number: 1 }], ann, 'unstarted')

      expect(again).toMatchObject({ jobId: job.id, number: 2, dueInMs: 0 })
      expect(await store.find(job.id)).toMatchObject({
        state: 'queued',
        attempt: 0,
        attempts: [],
        workerId: null,
        startedAt: null,
      })
    })

    test('what had not begun, and was cancelled meanwhile, has taken no time', async () => {
      const job = await running()
      await store.cancel(job.id, null, null)
      await store.giveBack([{ jobId: job.id, number: 1 }], ann, 'unstarted')

      expect(await store.find(job.id)).toMatchObject({ state: 'cancelled', attempt: 0, startedAt: null })
      const moves = await store.moves()
      expect(moves.find(({ is }) => is === 'cancelled')).toMatchObject({ jobs: 1, took: { ms: 0 } })
    })

    test('an attempt that was aborted is remembered, and is no failure', async () => {
      const job = await running()
      await store.giveBack([{ jobId: job.id, number: 1 }], ann, 'returned')

      expect(await store.find(job.id)).toMatchObject({
        ...{ state: 'queued', attempt: 1, failures: 0 },
        attempts: [{ number: 1, worker: ann, outcome: 'returned' }],
      })
    })

    test('a job that was asked to stop ends with it', async () => {
      const job = await running()
      await store.cancel(job.id, null, null)

      expect(await store.giveBack([{ jobId: job.id, number: 1 }], ann, 'returned')).toEqual([])
      expect(await stateOf(job.id)).toBe('cancelled')
    })

    test('is for the worker that holds the job', async () => {
      const job = await running()

      expect(await store.giveBack([{ jobId: job.id, number: 1 }], bob, 'unstarted')).toEqual([])
      expect(await stateOf(job.id)).toBe('running')
    })
  })

  describe('cancel', () => {
    test.each([
      ['queued', {}],
      ['scheduled', { delayMs: 60_000 }],
    ] as const)('a %s job ends at once, and never starts', async (state, about) => {
      const { id } = await insert(about)
      expect(await stateOf(id)).toBe(state)

      expect(await store.cancel(id, 'ann', 'not needed')).toBe('cancelled')

      const found = defined(await store.find(id))
      expect(found).toMatchObject({ state: 'cancelled', cancelledBy: 'ann', cancelReason: 'not needed' })
      expect(found.finishedAt).toBeInstanceOf(Date)
      await opened.pass(60_000)
      expect(await store.claim({ jobId: id, number: 1 }, ann)).toBeUndefined()
    })

    test('a job that waits for its next attempt ends at once', async () => {
      const job = await running()
      await store.settle({ ...keyOf(job), state: 'retrying', error: boom, retryInMs: 0 })

      expect(await store.cancel(job.id, null, null)).toBe('cancelled')
      expect(await store.claim({ jobId: job.id, number: 2 }, ann)).toBeUndefined()
    })

    test('a running job is asked to stop, and whoever listens is told', async () => {
      const job = await running()
      const told: string[] = []
      store.onCancelRequest((id) => told.push(id))

      await until(async () => {
        const answer = await store.cancel(job.id, 'ann', null)
        expect(answer).toBe('cancelling')
        return told.length > 0
      })

      expect(told[0]).toBe(job.id)
      expect(await stateOf(job.id)).toBe('running')
      expect(await store.cancelRequestedAmong([job.id, uuidv7()])).toEqual([job.id])
      await store.settle({ ...keyOf(job), state: 'cancelled', error: null })
      expect(await store.find(job.id)).toMatchObject({ state: 'cancelled', failures: 0, cancelledBy: 'ann' })
    })

    test('who asked first is remembered', async () => {
      const job = await running()
      await store.cancel(job.id, 'ann', 'first')
      await store.cancel(job.id, 'bob', 'second')

      expect(await store.find(job.id)).toMatchObject({ cancelledBy: 'ann', cancelReason: 'first' })
    })

    test('what has ended is finished, and what is not there is unknown', async () => {
      const job = await running()
      await store.settle(succeeded(job))

      expect(await store.cancel(job.id, null, null)).toBe('finished')
      expect(await store.cancel(uuidv7(), null, null)).toBe('unknown')
    })
  })

  describe('a retry with another payload', () => {
    const edited = { text: '{"to":"bob"}', limitKey: null, freedKey: null }

    async function failed(about: Partial<NewJob> = {}): Promise<ClaimedJob> {
      const job = await running({ payload: '{"to":"ann"}', ...about })
      await store.settle({ ...keyOf(job), state: 'failed', error: boom })
      return job
    }

    test('begins what has ended anew, with its history', async () => {
      const { id } = await failed({ queue: 'mail', priority: 2 })

      expect(await store.retryWith({ jobId: id, number: 1 }, edited)).toEqual({
        ...{ jobId: id, number: 2, task: 'test.task', queue: 'mail', priority: 2, dueInMs: 0 },
        isLimited: false,
      })

      expect(await store.find(id)).toMatchObject({
        ...{ state: 'queued', payload: { to: 'bob' }, delivery: 2, failures: 0, error: null },
        attempts: [{ number: 1, outcome: 'failed', error: { message: 'boom' } }],
      })
      expect(await store.claim({ jobId: id, number: 2 }, ann)).toMatchObject({ payload: '{"to":"bob"}' })
    })

    test('is for what was cancelled or expired, too, and for nothing else', async () => {
      const { id: cancelled } = await insert()
      await store.cancel(cancelled, null, null)
      const { id: queued } = await insert()
      const succeeded = await running()
      await store.settle({ ...keyOf(succeeded), state: 'succeeded', result: null, resultError: null })

      expect(await store.retryWith({ jobId: cancelled, number: 1 }, edited)).toBeDefined()
      for (const id of [cancelled, queued, succeeded.id, uuidv7()])
        expect(await store.retryWith({ jobId: id, number: 1 }, edited)).toBeUndefined()
      expect((await store.find(succeeded.id))?.payload).toBeNull()
    })

    test('does nothing where somebody else was quicker', async () => {
      const { id } = await failed()
      await store.retry(id)
      await store.cancel(id, null, null)

      expect(await store.retryWith({ jobId: id, number: 1 }, edited)).toBeUndefined()

      expect(await store.find(id)).toMatchObject({ state: 'cancelled', payload: { to: 'ann' } })
    })

    test('takes its turn by the key of the new payload', async () => {
      const { id } = await failed()

      const begun = await store.retryWith({ jobId: id, number: 1 }, { ...edited, limitKey: 'bob' })

      expect(begun).toMatchObject({ isLimited: true })
      expect(await store.claim({ jobId: id, number: 2 }, ann)).toBeUndefined()
      const admitted = await store.admit({
        ...{ workerId: ann, queues: ['default'], places: 1, limitOf: () => undefined },
        limitsOf: (task) => ({ names: [task], limits: { task: {}, key: {} } }),
      })
      expect(admitted).toMatchObject({ jobs: [{ id, number: 2, limitKey: 'bob' }] })
    })

    test('frees what it was one of its kind by, and nothing of another job', async () => {
      const unique = { key: 'ann', mode: 'running' } as const
      const { id } = await insert({ unique })
      const { id: other } = await insert({ unique: { key: 'eve', mode: 'running' } })
      await store.cancel(id, null, null)

      await store.retryWith({ jobId: id, number: 1 }, { ...edited, freedKey: 'ann' })

      expect(await insert({ unique })).toMatchObject({ created: true })
      await store.cancel(id, null, null)
      await store.retryWith({ jobId: id, number: 2 }, { ...edited, freedKey: 'eve' })
      expect(await insert({ unique: { key: 'eve', mode: 'running' } })).toMatchObject({
        id: other,
        created: false,
      })
    })
  })

  test('what a task hides is shown by reveal alone', async () => {
    const { id } = await insert({
      payload: '{"card":{"number":"4111"}}',
      options: '{"redact":["payload.card.number"]}',
    })

    expect((await store.find(id))?.payload).toEqual({ card: { number: '[redacted]' } })
    expect((await store.reveal(id))?.payload).toEqual({ card: { number: '4111' } })
    expect(await store.reveal(uuidv7())).toBeUndefined()
  })

  test.each([
    ['payload.tenant', 'acme', '[redacted]'],
    ['payload["tenant"]', 'acme', '[redacted]'],
    ['payload.tenant', '', ''],
    ['payload.tenant', null, null],
    ['result.token', 'acme', 'acme'],
  ])('where %s is hidden, the key of limits %j is shown as %j', async (path, limitKey, shown) => {
    const { id } = await insert({ limitKey, options: JSON.stringify({ redact: [path] }) })

    expect((await store.find(id))?.limitKey).toBe(shown)
    expect((await store.searchJobs({ ids: [id] }, { limit: 1, sort: 'newest' })).jobs[0]?.limitKey).toBe(
      shown,
    )
  })

  describe('retry and promote', () => {
    test('a failed job begins anew, with its history', async () => {
      const job = await running({ expiresInMs: 60_000 })
      await store.settle({ ...keyOf(job), state: 'failed', error: boom })

      expect(await store.retry(job.id)).toMatchObject({ jobId: job.id, number: 2, dueInMs: 0 })

      expect(await store.find(job.id)).toMatchObject({
        ...{ state: 'queued', failures: 0, error: null, finishedAt: null, expiresAt: null },
        attempts: [{ number: 1, outcome: 'failed', error: boom }],
      })
      expect(await store.claim({ jobId: job.id, number: 2 }, ann)).toMatchObject({ attempt: 2, failures: 0 })
    })

    test('a cancelled job begins anew, as if nobody had asked', async () => {
      const { id } = await insert()
      await store.cancel(id, 'ann', 'oops')
      await store.retry(id)

      expect(await store.find(id)).toMatchObject({
        ...{ state: 'queued', cancelRequestedAt: null, cancelledBy: null, cancelReason: null },
      })
    })

    test('what waits, runs or has succeeded is not retried', async () => {
      const { id } = await insert()
      expect(await store.retry(id)).toBeUndefined()
      const job = defined(await store.claim({ jobId: id, number: 1 }, ann))
      expect(await store.retry(id)).toBeUndefined()
      await store.settle(succeeded(job))
      expect(await store.retry(id)).toBeUndefined()
    })

    test('a scheduled job is due when it is promoted, under a new delivery', async () => {
      const { id } = await insert({ delayMs: 3_600_000 })

      expect(await store.promote(id)).toMatchObject({ jobId: id, number: 2, dueInMs: 0 })

      expect(await stateOf(id)).toBe('queued')
      expect(await store.promote(id)).toBeUndefined()
      expect(await store.claim({ jobId: id, number: 2 }, ann)).toMatchObject({ id })
    })
  })

  describe('expiry', () => {
    test('what is too late is not claimed, and ends', async () => {
      const { id } = await insert({ expiresInMs: 5000 })
      expect(await store.expire(id)).toBe(false)
      await opened.pass(6000)

      expect(await store.claim({ jobId: id, number: 1 }, ann)).toBeUndefined()
      expect(await store.explain({ jobId: id, number: 1 })).toEqual({ reason: 'expired' })
      expect(await store.expire(id)).toBe(true)
      expect(await stateOf(id)).toBe('expired')
      expect(await store.expire(id)).toBe(false)
    })

    test('a pass ends all of them, and leaves what runs and what is in time', async () => {
      const late = [await insert({ expiresInMs: 5000 }), await insert({ expiresInMs: 5000, delayMs: 60_000 })]
      const runs = await running({ expiresInMs: 5000 })
      const inTime = await insert({ expiresInMs: 60_000 })
      await opened.pass(6000)
      expect((await store.beginRound([{ pass: 'expiry', everyMs: 0 }])).work.expired).toBe(true)

      const ended = await store.expireOverdue(100)

      expect([...ended].sort()).toEqual(late.map(({ id }) => id).sort())
      expect(await stateOf(runs.id)).toBe('running')
      expect(await stateOf(inTime.id)).toBe('queued')
      expect(await store.expireOverdue(100)).toEqual([])
    })
  })

  describe('time', () => {
    test('what is due later than a minute is found when its time comes near', async () => {
      const { id } = await insert({ delayMs: 120_000 })
      await opened.pass(10_000)
      expect(await store.undispatched(10)).toEqual([])
      await opened.pass(60_000)

      expect((await store.beginRound([{ pass: 'dispatch', everyMs: 0 }])).work.undispatched).toBe(true)
      const [found] = await store.undispatched(10)
      expect(found).toMatchObject({ jobId: id, number: 1 })
      await store.markDispatched([{ jobId: id, number: 1 }])
      expect(await store.undispatched(10)).toEqual([])
    })

    test('what came due by itself a moment ago is sent at once', async () => {
      const { id } = await insert({ delayMs: 3_600_000 })
      await opened.pass(3_600_500)

      expect(await store.undispatched(10)).toMatchObject([{ jobId: id, number: 1 }])
    })

    test('what was made due a moment ago is left to whoever did that, for as long as he needs', async () => {
      const { id } = await insert({ delayMs: 3_600_000 })
      await opened.pass(10_000)
      await store.promote(id)

      expect(await store.undispatched(10)).toEqual([])
      expect((await store.beginRound([{ pass: 'dispatch', everyMs: 0 }])).work.undispatched).toBe(false)
      await opened.pass(3000)

      expect(await store.undispatched(10)).toMatchObject([{ jobId: id, number: 2 }])
    })

    test('what should have been delivered gets a new delivery', async () => {
      const { id } = await insert({ delayMs: 5000 })
      await opened.pass(10_000)

      expect(await store.overdue(10)).toMatchObject([{ jobId: id, number: 2, dueInMs: 0 }])
      expect(await store.overdue(10)).toEqual([])
      expect(await store.claim({ jobId: id, number: 2 }, ann)).toMatchObject({ id })
    })
  })

  describe('progress and log', () => {
    test('progress is that of the attempt that holds the job', async () => {
      const job = await running()
      await store.saveProgress({ jobId: job.id, number: 1 }, ann, '{"percent":40}')
      await store.saveProgress({ jobId: job.id, number: 1 }, bob, '{"percent":90}')
      await store.saveProgress({ jobId: job.id, number: 2 }, ann, '{"percent":90}')

      expect((await store.find(job.id))?.progress).toEqual({ percent: 40 })
    })

    test('lines are kept in their order, once, of the attempt that holds the job', async () => {
      const job = await running()
      const line = (number: number, workerId = ann) => ({
        ...{ jobId: job.id, delivery: 1, workerId, number, attempt: 1, level: 'info' as const },
        ...{ message: `line ${number}`, details: '{"a":1}', agoMs: 0 },
      })
      await store.saveLogs([line(1), line(2)])
      await store.saveLogs([line(2), line(3), line(4, bob)])

      const lines = await store.listLogs(job.id, 0, 10)
      expect(lines.map(({ number }) => number)).toEqual([1, 2, 3])
      expect(lines[0]).toMatchObject({ message: 'line 1', level: 'info', attempt: 1, details: { a: 1 } })
      expect((await store.listLogs(job.id, 1, 1)).map(({ number }) => number)).toEqual([2])
      expect((await store.lastLogs(job.id, 2)).map(({ number }) => number)).toEqual([2, 3])
      expect((await store.lastLogs(job.id, 1, 3)).map(({ number }) => number)).toEqual([2])
      expect(await store.lastLogs(job.id, 2, 1)).toEqual([])
      await store.trimLogs(job.id, 1)
      expect((await store.listLogs(job.id, 0, 10)).map(({ number }) => number)).toEqual([3])
    })

    test('a look shows what has changed since the one before', async () => {
      const job = await running()
      const [first] = await store.look([{ jobId: job.id, after: 0, version: null }])
      const version = first?.changed?.version ?? null
      expect(first?.changed?.job).toMatchObject({ id: job.id, state: 'running' })
      expect(await store.look([{ jobId: job.id, after: 0, version }])).toEqual([undefined])

      await store.settle(succeeded(job))

      const [second, gone] = await store.look([
        { jobId: job.id, after: 0, version },
        { jobId: uuidv7(), after: 0, version: null },
      ])
      expect(second?.changed?.job.state).toBe('succeeded')
      expect(gone).toMatchObject({ isGone: true })
    })
  })

  describe('questions', () => {
    test('what is watched and has ended, or is gone', async () => {
      const waits = await insert()
      const job = await running()
      await store.settle(succeeded(job))
      const gone = uuidv7()

      const ended = await store.endedAmong([waits.id, job.id, gone])

      expect([...ended].sort()).toEqual([job.id, gone].sort())
      expect(await store.endedJobs([waits.id, job.id, gone])).toMatchObject([
        { id: job.id, state: 'succeeded', number: 1, attempt: 1, payload: 'null' },
      ])
    })

    test('lists by queue: open ones oldest first, ended ones newest first', async () => {
      const queued = [await insert(), await insert()]
      const delayed = await insert({ delayMs: 60_000 })
      const runs = await running()
      const done = [await running(), await running()]
      for (const job of done) await store.settle(succeeded(job))
      const failed = await running()
      await store.settle({ ...keyOf(failed), state: 'failed', error: boom })
      await insert({ queue: 'other' })

      const list = async (jobs: 'queued' | 'delayed' | 'running' | 'succeeded' | 'failed' | 'unsuccessful') =>
        (await store.listJobs({ queue: 'default', jobs, limit: 10, offset: 0 })).map(({ id }) => id)
      expect(await list('queued')).toEqual(queued.map(({ id }) => id))
      expect(await list('delayed')).toEqual([delayed.id])
      expect(await list('running')).toEqual([runs.id])
      expect(await list('succeeded')).toEqual(done.map(({ id }) => id).toReversed())
      expect(await list('failed')).toEqual([failed.id])
      expect(await list('unsuccessful')).toEqual([failed.id])
      const page = await store.listJobs({ queue: 'default', jobs: 'queued', limit: 1, offset: 1 })
      expect(page.map(({ id }) => id)).toEqual([queued[1]?.id])
    })

    test('a list leaves out what is large', async () => {
      await insert({ payload: JSON.stringify('x'.repeat(10_000)) })
      const [listed] = await store.listJobs({ queue: 'default', jobs: 'queued', limit: 1, offset: 0 })

      expect(listed?.payload).toBe('(10002 bytes: shown on the page of the job)')
    })

    test('counts by queue and state', async () => {
      await insert()
      await insert()
      await insert({ delayMs: 60_000 })
      await insert({ queue: 'mail' })
      await store.settle(succeeded(await running({ queue: 'mail' })))

      const counts = await store.countJobs(['default', 'mail', 'none'])

      expect(counts.toSorted((a, b) => `${a.queue}${a.state}`.localeCompare(`${b.queue}${b.state}`))).toEqual(
        [
          { queue: 'default', state: 'queued', count: 2 },
          { queue: 'default', state: 'scheduled', count: 1 },
          { queue: 'mail', state: 'queued', count: 1 },
          { queue: 'mail', state: 'succeeded', count: 1 },
        ],
      )
      expect((await store.knownQueues()).toSorted()).toEqual(['default', 'mail'])
    })

    test('how full a queue is', async () => {
      await insert({ owner: 'ann' })
      await insert({ owner: 'ann' })
      await insert({ owner: 'bob' })
      await insert({ owner: 'ann', delayMs: 60_000 })
      await opened.pass(5000)

      const [load] = await store.load([{ queue: 'default', waiting: 10, share: 2, owners: ['bob', 'eve'] }])

      expect(load).toMatchObject({ queue: 'default', waiting: 3 })
      expect(load?.ageMs).toBeGreaterThanOrEqual(5000)
      expect(load?.owners).toEqual([
        ['ann', 3],
        ['bob', 1],
      ])
      const [few] = await store.load([{ queue: 'default', waiting: 2, share: null, owners: [] }])
      expect(few).toMatchObject({ waiting: 2, owners: [] })
    })
  })

  describe('workers', () => {
    test('one that lives is listed, with the queues that it serves', async () => {
      const worker = newWorker()
      await store.registerWorker(worker)

      expect(await store.liveWorkers()).toMatchObject([
        { id: worker.id, name: 'w', queues: ['default', 'mail'] },
      ])
      expect((await store.servedQueues()).toSorted()).toEqual(['default', 'mail'])
      await store.stopWorker(worker.id)
      expect(await store.liveWorkers()).toEqual([])
      expect(await store.servedQueues()).toEqual([])
    })

    test('a queue whose worker has not renewed its lease for a while is served by nobody who asks for that', async () => {
      await store.registerWorker(newWorker())

      expect((await store.servedQueues({ seenWithinMs: 60_000 })).toSorted()).toEqual(['default', 'mail'])
      expect(await store.servedQueues({ seenWithinMs: -1 })).toEqual([])
    })

    test('names are told of those that are asked for and known', async () => {
      const [one, two, three] = [uuidv7(), uuidv7(), uuidv7()]
      for (const id of [one, two, three]) await store.registerWorker({ ...newWorker(), id, name: `w-${id}` })
      await store.stopWorker(two)

      const names = await store.workerNames([two, one, two, uuidv7()])

      expect(names).toEqual(new Map([one, two].map((id) => [id, `w-${id}`])))
      expect(await store.workerNames([])).toEqual(new Map())
    })

    test('what they tell of their tasks: live ones first, then the newest', async () => {
      const workers = ['{"a":1}', '{"a":2}', '{"a":3}', '{"a":2}'].map((taskOptions) => ({
        ...newWorker(),
        taskOptions,
      }))
      for (const worker of [...workers, newWorker()]) await store.registerWorker(worker)
      await store.stopWorker(workers[2]?.id ?? '')

      expect(await store.announcedTasks()).toEqual(['{"a":2}', '{"a":1}', '{"a":3}'])
    })
  })

  describe('control', () => {
    test('what changes of a worker, and what it says of itself, is in its row', async () => {
      const worker = newWorker()
      await store.registerWorker(worker)
      await store.changeWorker(worker.id, { queues: ['mail'], concurrency: 4 })
      expect(await store.reportWorker(worker.id, '{"running":2}', workerLoad())).toBe(false)

      const [known] = await store.workers()
      expect(known).toMatchObject({
        id: worker.id,
        queues: ['mail'],
        concurrency: 4,
        report: '{"running":2}',
      })
      expect(known?.reportedAt).toBeInstanceOf(Date)
      expect(await store.servedQueues()).toEqual(['mail'])
    })

    test('a setting is replaced where it is as it was read, and nowhere else', async () => {
      expect(await store.replaceSetting('worker:w', '{"concurrency":1}', '{}', 'ann')).toBe(false)
      expect(await store.replaceSetting('worker:w', null, '{"concurrency":4}', 'ann')).toBe(true)
      expect(await store.replaceSetting('worker:w', null, '{"concurrency":5}', 'bob')).toBe(false)
      expect(await store.replaceSetting('worker:w', '{"concurrency":4}', '{"concurrency":6}', 'bob')).toBe(
        true,
      )

      expect(await store.settings()).toMatchObject([
        { name: 'worker:w', value: '{"concurrency":6}', setBy: 'bob' },
      ])
    })

    test('a command is for those that are named, until they reply or it is too late', async () => {
      const [one, two] = [uuidv7(), uuidv7()]
      const heard: (string | undefined)[] = []
      const unlisten = store.onReply((id) => heard.push(id))
      const command = { verb: 'ping', args: '{}', askedBy: 'ann', askedFrom: 'cli', expiresInMs: 60_000 }
      const asked = { ...command, id: uuidv7(), workers: [one] }
      await store.addCommand(asked)
      await store.addCommand({ ...command, id: uuidv7(), workers: [one], expiresInMs: -1 })

      expect(await store.commandsFor(one)).toMatchObject([{ id: asked.id, verb: 'ping', askedBy: 'ann' }])
      expect(await store.commandsFor(two)).toEqual([])
      await store.registerWorker({ ...newWorker(), id: one })
      expect(await store.reportWorker(one, '{}', workerLoad())).toBe(true)

      await store.addReply({ commandId: asked.id, workerId: one, ok: true, value: '"pong"' })
      await store.addReply({ commandId: asked.id, workerId: one, ok: false, value: '"again"' })
      expect(await store.commandsFor(one)).toEqual([])
      expect(await store.repliesTo(asked.id)).toMatchObject([{ workerId: one, ok: true, value: '"pong"' }])
      await until(() => heard.length > 0)
      unlisten()
    })

    test('commands are listed newest first, with what came of them', async () => {
      const command = {
        verb: 'cancel',
        args: '{}',
        workers: [],
        askedBy: null,
        askedFrom: 'code',
        expiresInMs: 0,
      }
      const ids = [uuidv7(), uuidv7(), uuidv7()] as const
      for (const id of ids) await store.addCommand({ ...command, id })
      await store.closeCommand(ids[0], '{"count":3}')

      expect((await store.commands({ limit: 2 })).map(({ id }) => id)).toEqual([ids[2], ids[1]])
      expect(await store.commands({ limit: 2, before: ids[1] })).toMatchObject([
        { id: ids[0], outcome: '{"count":3}' },
      ])
    })
  })

  describe('commands', () => {
    const plain = { args: '{}', workers: [], askedBy: 'ann', askedFrom: 'http 10.0.0.7', expiresInMs: 0 }

    async function add(verb: string, about: Partial<NewCommand> = {}): Promise<string> {
      const id = uuidv7()
      await store.addCommand({ ...plain, id, verb, ...about })
      return id
    }

    const listed = async (query: Omit<CommandQuery, 'limit'>, limit = 10) =>
      (await store.commands({ limit, ...query })).map(({ id }) => id)

    test('are found by what was done, by whom, from where and since when', async () => {
      const retry = await add('retry')
      await opened.pass(10)
      const asked = await add('ping', { isQuestion: true, workers: [uuidv7(), uuidv7()] })
      const bob = await add('retry', { askedBy: 'bob', askedFrom: 'http 10.0.0.8' })
      const nobody = await add('export', { askedBy: null, askedFrom: 'cli', affected: 12 })

      expect(await listed({ verb: 'retry' })).toEqual([bob, retry])
      expect(await listed({ by: 'ann' })).toEqual([asked, retry])
      expect(await listed({ from: 'http' })).toEqual([bob, asked, retry])
      expect(await listed({ from: 'http 10.0.0.8' })).toEqual([bob])
      expect(await listed({ from: 'http 10.0.0' })).toEqual([])
      expect(await listed({ changesOnly: true })).toEqual([nobody, bob, retry])
      expect(await listed({ changesOnly: true, from: 'http', by: 'bob', verb: 'retry' })).toEqual([bob])
      expect(await listed({ before: bob, changesOnly: true })).toEqual([retry])
      expect(await listed({ before: nobody }, 1)).toEqual([bob])
      const [first] = await store.commands({ limit: 1, verb: 'ping' })
      expect(first).toMatchObject({ affected: 2, operation: null, outcome: null })
      expect(await listed({ since: first?.askedAt ?? new Date() })).toEqual([nobody, bob, asked])
      expect(await store.command(nobody)).toMatchObject({ verb: 'export', affected: 12, askedBy: null })
      expect(await store.command(retry)).toMatchObject({ affected: null })
      expect(await store.command(uuidv7())).toBeUndefined()
    })

    test('say what came of them, and for how many', async () => {
      const id = await add('enqueue')

      await store.closeCommand(id, '{"id":"x"}', 1)

      expect(await store.command(id)).toMatchObject({ outcome: '{"id":"x"}', affected: 1 })
    })
  })

  describe('limits', () => {
    test('a job with limits is not claimed: it waits for its turn', async () => {
      const { id } = await insert({ limitKey: '' })

      expect(committed.flatMap(({ deliveries }) => deliveries.filter(({ isLimited }) => !isLimited))).toEqual(
        [],
      )
      expect(await store.claim({ jobId: id, number: 1 }, ann)).toBeUndefined()
      expect(await store.explain({ jobId: id, number: 1 })).toEqual({ reason: 'limited' })
      expect(await store.countLimited()).toEqual([
        { task: 'test.task', queue: 'default', waiting: 1, running: 0 },
      ])
    })

    test('no more of a key run at once than may, and keys take turns', async () => {
      const jobs = [
        await insert({ limitKey: 'a' }),
        await insert({ limitKey: 'a' }),
        await insert({ limitKey: 'b' }),
      ]
      const first = await admitAll({ key: { concurrency: 1 } })
      expect(first.map(({ id }) => id).sort()).toEqual([jobs[0]?.id, jobs[2]?.id].sort())
      expect(await admitAll({ key: { concurrency: 1 } })).toEqual([])

      for (const job of first) await store.settle(succeeded(job))

      expect((await admitAll({ key: { concurrency: 1 } })).map(({ id }) => id)).toEqual([jobs[1]?.id])
    })

    test('a rate lets the next start when its time has come', async () => {
      for (let at = 0; at < 3; at += 1) await insert({ limitKey: '' })
      const limits = { task: { pace: { starts: 1, perMs: 60_000 } } }

      expect(await admitAll(limits)).toHaveLength(1)
      expect(await admitAll(limits)).toHaveLength(0)
      await opened.pass(61_000)
      expect(await admitAll(limits)).toHaveLength(1)
    })

    test('a rate of a key holds back that key alone', async () => {
      for (const limitKey of ['a', 'a', 'b']) await insert({ limitKey })
      const limits = { key: { pace: { starts: 1, perMs: 60_000 } } }

      expect((await admitAll(limits)).map((job) => job.limitKey).sort()).toEqual(['a', 'b'])
      expect(await admitAll(limits)).toEqual([])
      await opened.pass(61_000)
      expect((await admitAll(limits)).map((job) => job.limitKey)).toEqual(['a'])
    })

    test('a delayed job waits for its turn when its time has come', async () => {
      const { id } = await insert({ limitKey: '', delayMs: 30_000 })
      expect(await admitAll({})).toEqual([])
      await opened.pass(30_000)

      expect(await store.explain({ jobId: id, number: 1 })).toEqual({ reason: 'limited' })
      expect((await admitAll({})).map((job) => job.id)).toEqual([id])
    })

    test('what is too late when its turn comes ends', async () => {
      const { id } = await insert({ limitKey: '', expiresInMs: 1000 })
      await opened.pass(2000)

      expect(await admitAll({})).toEqual([])
      expect(await stateOf(id)).toBe('expired')
    })

    test('a job that was claimed without its limits goes back, and costs nothing', async () => {
      const job = await running()

      expect(await store.limit([{ jobId: job.id, number: 1, limitKey: 'k' }], ann)).toBe(1)

      expect(await store.find(job.id)).toMatchObject({ state: 'queued', attempt: 0, limitKey: 'k' })
      expect(await admitAll({})).toMatchObject([{ id: job.id, attempt: 1 }])
    })

    test('settings are kept, changed and removed', async () => {
      await store.setSetting('task:test.task', '{"rateLimit":"1/s"}', 'ann')
      await store.setSetting('task:test.task', '{"rateLimit":"2/s"}', 'bob')
      expect(await store.settings()).toMatchObject([
        { name: 'task:test.task', value: '{"rateLimit":"2/s"}', setBy: 'bob' },
      ])
      await store.setSetting('task:test.task', null, null)
      expect(await store.settings()).toEqual([])
    })

    async function admitAll(limits: { task?: object; key?: object }): Promise<readonly ClaimedJob[]> {
      const admitted: ClaimedJob[] = []
      for (let isUnfinished = true; isUnfinished; ) {
        const answer = await store.admit({
          workerId: ann,
          queues: ['default'],
          places: 10,
          limitsOf: (task) => ({ names: [task], limits: { task: {}, key: {}, ...limits } }),
          limitOf: () => undefined,
        })
        admitted.push(...answer.jobs)
        isUnfinished = answer.isUnfinished
      }
      return admitted
    }
  })

  describe('unique jobs', () => {
    const whileQueued = { key: 'k', mode: 'queued' } as const
    const whileRunning = { key: 'k', mode: 'running' } as const

    test('while one waits there is no other; when it has started there may be', async () => {
      const first = await insert({ unique: whileQueued })
      expect(await insert({ unique: whileQueued })).toMatchObject({ id: first.id, created: false })
      await store.claim({ jobId: first.id, number: 1 }, ann)

      expect(await insert({ unique: whileQueued })).toMatchObject({ created: true })
    })

    test('while one waits or runs there is no other; when it has ended there may be', async () => {
      const job = await running({ unique: whileRunning })
      expect(await insert({ unique: whileRunning })).toMatchObject({ id: job.id, created: false })
      await store.settle(succeeded(job))

      expect(await insert({ unique: whileRunning })).toMatchObject({ created: true })
    })

    test('within a window there is one, whatever becomes of it', async () => {
      const unique = { key: 'k', mode: 'window', windowMs: 60_000 } as const
      const job = await running({ unique })
      await store.settle(succeeded(job))
      expect(await insert({ unique })).toMatchObject({ id: job.id, created: false })
      await opened.pass(61_000)

      expect(await insert({ unique })).toMatchObject({ created: true })
    })

    test('a debounce puts the job off, with the newest payload', async () => {
      const unique = { key: 'k', mode: 'debounce', delayMs: 30_000, maxMs: 45_000 } as const
      const first = await insert({ unique, delayMs: 30_000, payload: '1' })
      await opened.pass(20_000)
      const second = await insert({ unique, delayMs: 30_000, payload: '2' })

      expect(second).toMatchObject({ id: first.id, created: false })
      expect(Math.round(second.dueInMs / 1000)).toBe(25)
      expect(await store.find(first.id)).toMatchObject({ payload: 2, delivery: 2, state: 'scheduled' })
    })

    test('keys are those of a task and an owner', async () => {
      const ids = [
        await insert({ unique: whileQueued }),
        await insert({ unique: whileQueued, owner: 'ann' }),
        await insert({ unique: whileQueued, task: 'other.task' }),
        await insert({ unique: { ...whileQueued, key: 'other' } }),
      ].map(({ id }) => id)

      expect(new Set(ids).size).toBe(4)
    })

    test('of many calls one makes the job, and a rolled back transaction holds nothing', async () => {
      const { tx, rollback } = await opened.begin()
      await store.insertIn(tx, [jobRow({ unique: whileQueued })])
      const calls = Promise.all(Array.from({ length: 10 }, () => insert({ unique: whileQueued })))
      await rollback()

      expect((await calls).filter(({ created }) => created)).toHaveLength(1)
    })

    test('a window that begins in a transaction begins when it commits', async () => {
      const unique = { key: 'k', mode: 'window', windowMs: 60_000 } as const
      const lost = await opened.begin()
      await store.insertIn(lost.tx, [jobRow({ unique })])
      await lost.rollback()
      const kept = await opened.begin()
      const [first] = await store.insertIn(kept.tx, [jobRow({ unique })])
      await kept.commit()

      expect(first).toMatchObject({ created: true })
      expect(await insert({ unique })).toMatchObject({ id: first?.id, created: false })
    })
  })

  describe('changes', () => {
    test('what was opened, moved and ended since then, and no more', async () => {
      const { now, oldest } = await store.changeClock()
      expect(oldest.getTime()).toBeLessThanOrEqual(now.getTime())
      const since = new Date(now.getTime() - 60_000)
      const waiting = await insert({ task: 'mail.send', queue: 'mail' })
      const failing = await running({ queue: 'mail' })
      await store.settle({ ...keyOf(failing), workerId: ann, state: 'failed', error: boom })
      const retried = await running({ queue: 'mail' })
      const again = { state: 'retrying', error: boom, retryInMs: 60_000 } as const
      await store.settle({ ...keyOf(retried), workerId: ann, ...again })
      const busy = await running({ queue: 'mail' })

      const ids = (jobs: readonly { id: string }[]) => jobs.map(({ id }) => id).sort()
      expect(ids(await store.openedSince(since, undefined, 10))).toEqual(
        [waiting.id, retried.id, busy.id].sort(),
      )
      expect(ids(await store.movedSince(since, []))).toEqual([retried.id, busy.id].sort())
      const [ended, ...more] = await store.endedSince(since, undefined, 10)
      expect(more).toEqual([])
      expect(ended).toEqual({
        ...{ id: failing.id, task: failing.task, queue: 'mail', state: 'failed', attempt: 1, workerId: ann },
        ...{ createdAt: expect.any(Date), runAt: expect.any(Date), startedAt: expect.any(Date) },
        ...{ finishedAt: expect.any(Date), cancelRequestedAt: null, cancelledBy: null, cancelReason: null },
        ...{ error: { name: 'TypeError', message: 'boom' }, attempts: [] },
      })
      const moved = (await store.movedSince(since, [])).find(({ id }) => id === retried.id)
      expect(moved?.attempts).toEqual([
        {
          ...{ number: 1, worker: ann, startedAt: expect.any(Date), finishedAt: expect.any(Date) },
          ...{ outcome: 'failed', error: { name: 'TypeError', message: 'boom' } },
        },
      ])
      const later = new Date(now.getTime() + 60_000)
      expect(await store.endedSince(later, undefined, 10)).toEqual([])
      expect(await store.openedSince(later, undefined, 10)).toEqual([])
    })

    test('pages begin behind the last of the one before', async () => {
      const since = new Date((await store.changeClock()).now.getTime() - 60_000)
      const ids: string[] = []
      for (let n = 0; n < 5; n += 1) {
        const job = await running()
        await store.settle({
          ...keyOf(job),
          workerId: ann,
          state: 'succeeded',
          result: null,
          resultError: null,
        })
        ids.push(job.id)
      }

      const first = await store.endedSince(since, undefined, 3)
      const { id = '', finishedAt } = first.at(-1) ?? {}
      const second = await store.endedSince(since, { id, finishedAt: finishedAt ?? since }, 3)

      expect([...first, ...second].map((job) => job.id).sort()).toEqual(ids.sort())
    })

    test('a worker that has stopped can be forgotten, and no other', async () => {
      const worker = newWorker()
      await store.registerWorker(worker)
      await store.forgetWorker(worker.id)
      expect(await store.workers()).toHaveLength(1)

      await store.stopWorker(worker.id)
      await store.forgetWorker(worker.id)

      expect(await store.workers()).toEqual([])
      expect(await store.knownQueues()).toEqual([])
    })

    test('workers that come and go, and commands', async () => {
      const since = new Date((await store.changeClock()).now.getTime() - 60_000)
      const worker = newWorker()
      await store.registerWorker(worker)
      const { id, name, queues, concurrency } = worker
      const about = { id, name, queues, concurrency, startedAt: expect.any(Date), lostAt: null }
      expect(await store.workersSince(since)).toEqual([{ ...about, stoppedAt: null }])

      await store.stopWorker(id)
      const command = {
        id: uuidv7(),
        verb: 'ping',
        args: '{"a":1}',
        workers: [id],
        askedBy: 'ada',
        askedFrom: 'cli',
      }
      await store.addCommand({ ...command, expiresInMs: 1000 })

      expect(await store.workersSince(since)).toEqual([{ ...about, stoppedAt: expect.any(Date) }])
      expect(await store.commandsSince(since, 10)).toEqual([
        { ...command, workers: 1, askedAt: expect.any(Date) },
      ])
    })
  })

  describe('pruning', () => {
    test('finished jobs of a rule go, oldest first; others stay', async () => {
      const old = [await running(), await running()]
      for (const job of old) await store.settle(succeeded(job))
      const failed = await running()
      await store.settle({ ...keyOf(failed), state: 'failed', error: boom })
      await opened.pass(10_000)
      const young = await running()
      await store.settle(succeeded(young))
      const rule = { task: 'test.task', rule: 'r', states: ['succeeded'], upTo: { ageMs: 5000 } } as const

      expect(await store.finishedTasks()).toMatchObject([{ task: 'test.task', isServed: false }])
      expect(await store.dueRules([rule])).toHaveLength(1)
      let deleted = 0
      for (let isDone = false; !isDone; ) {
        const pruned = await store.prune(rule, 2)
        deleted += pruned.deleted
        isDone = pruned.isDone
      }

      expect(deleted).toBe(2)
      expect(await Promise.all([...old, failed, young].map(({ id }) => stateOf(id)))).toEqual([
        ...[undefined, undefined, 'failed', 'succeeded'],
      ])
    })

    test('an idempotency key is free when its job is gone', async () => {
      const job = await running({ idempotencyKey: 'k' })
      await store.settle(succeeded(job))
      await opened.pass(10_000)
      const upTo = { ageMs: 0 }
      await store.prune({ task: 'test.task', rule: 'r', states: ['succeeded'], upTo }, 10)

      expect(await insert({ idempotencyKey: 'k' })).toMatchObject({ created: true })
    })

    test('the place of the job that so many newer ones follow', async () => {
      const jobs = [await running(), await running(), await running()]
      for (const job of jobs) await store.settle(succeeded(job))

      const [newest, third, none] = await store.nthFinished([
        { task: 'test.task', newer: 0 },
        { task: 'test.task', newer: 2 },
        { task: 'test.task', newer: 3 },
      ])

      expect([newest?.jobId, third?.jobId, none]).toEqual([jobs[2]?.id, jobs[0]?.id, undefined])
      const [between] = await store.nthFinished([{ task: 'test.task', newer: 0, before: defined(newest) }])
      expect(between?.jobId).toBe(jobs[1]?.id)
    })
  })
})

const ann = uuidv7()
const bob = uuidv7()
const boom = { name: 'TypeError', message: 'boom', code: 'E_BOOM', stack: 'TypeError: boom\n  at x' }

function newWorker(): NewWorker {
  return workerRow({ id: uuidv7(), name: 'w', queues: ['default', 'mail'], tasks: ['test.task'] })
}

function keyOf({ id, number, attempt }: ClaimedJob) {
  return { jobId: id, number, attempt, workerId: ann }
}

function succeeded(job: ClaimedJob, result = 'null') {
  return { ...keyOf(job), state: 'succeeded', result, resultError: null } as const
}

function defined<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('Something is missing that should be there.')
  return value
}

async function openMemory(): Promise<Opened> {
  let ahead = 0
  const store = createMemoryStore({ now: () => Date.now() + ahead })
  return {
    store,
    async pass(ms) {
      ahead += ms
    },
    async begin() {
      const tx = store.begin()
      return { tx, commit: async () => tx.commit(), rollback: async () => tx.rollback() }
    },
    close: store.close,
  }
}

async function openPostgres(): Promise<Opened> {
  const url = await freshDatabase()
  await migrate({ url, log: { info() {} } })
  const log = { warn() {}, info() {} }
  const store = createPrismaStore({ url, directUrl: url, deadlineMs: 10_000, log })
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  const clients = [client]
  return {
    store,
    async pass(ms) {
      await client.query(olderSql(ms))
    },
    async begin() {
      const tx = new pg.Client({ connectionString: url })
      clients.push(tx)
      await tx.connect()
      await tx.query('BEGIN')
      const end = async (how: string) => void (await tx.query(how))
      return { tx, commit: () => end('COMMIT'), rollback: () => end('ROLLBACK') }
    },
    async close() {
      await Promise.all(clients.map((each) => each.end()))
      await store.close()
    },
  }
}

/** Everything that is remembered was so much earlier. */
function olderSql(ms: number): string {
  const by = `interval '${ms} milliseconds'`
  const older = (table: string, columns: readonly string[]) =>
    `UPDATE celeriac.${table} SET ${columns.map((column) => `${column} = ${column} - ${by}`).join(', ')};`
  return [
    older('job', ['run_at', 'expires_at', 'created_at', 'dispatched_at', 'started_at', 'finished_at']),
    older('unique_key', ['since', 'until']),
    older('limit_state', ['next_at', 'used_at']),
    older('outbox', ['created_at']),
  ].join('\n')
}
