import type pg from 'pg'
import { v7 as uuidv7 } from 'uuid'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createMemoryStore } from '../../src/store/memory.js'
import type { HeldOperation, JobDeed, NewOperation, Store } from '../../src/store/store.js'
import { jobRow } from '../support/job-row.js'
import { openStore } from '../support/store.js'

interface Opened {
  readonly store: Store
  /** Lets so much time pass, as the operations see it. */
  pass(ms: number): Promise<void>
  close(): Promise<void>
}

const kinds = [
  { name: 'memory', open: openMemory },
  { name: 'PostgreSQL', open: openPostgres },
]

async function openMemory(): Promise<Opened> {
  let ahead = 0
  const store = createMemoryStore({ now: () => Date.now() + ahead })
  return {
    store,
    async pass(ms) {
      ahead += ms
    },
    close: () => store.close(),
  }
}

async function openPostgres(): Promise<Opened> {
  const { store, client, close } = await openStore()
  return { store, close, pass: (ms) => setBack(client, ms) }
}

async function setBack(client: pg.Client, ms: number): Promise<void> {
  await client.query(
    `UPDATE celeriac.operation SET seen_at = seen_at - $1 * interval '1 millisecond',
       moved_at = moved_at - $1 * interval '1 millisecond'`,
    [ms],
  )
}

const retry: JobDeed = { action: 'retry' }
const cancel: JobDeed = { action: 'cancel', by: 'ann', reason: null }
const silenceMs = 11_000

describe.each(kinds)('operations of the store in $name', ({ open }) => {
  let store: Store
  let pass: Opened['pass']
  let close: Opened['close']

  beforeEach(async () => {
    ;({ store, pass, close } = await open())
  })

  afterEach(() => close())

  async function insert(count: number): Promise<string[]> {
    const jobs = Array.from({ length: count }, () => jobRow())
    await store.insert(jobs)
    return jobs.map(({ id }) => id)
  }

  async function begin(about: Partial<NewOperation> = {}): Promise<HeldOperation> {
    const operation: NewOperation = {
      ...{ id: uuidv7(), verb: 'cancel', args: '{"filter":{}}', askedBy: 'ann', askedFrom: 'http 10.0.0.7' },
      ...{ plan: '{"a":1}', isLasting: true, cursor: null, runner: uuidv7() },
      ...about,
    }
    await store.addOperation(operation)
    const held = await store.heldOperation(operation)
    if (!held) throw new Error('It is not held.')
    return held
  }

  const batch = (held: HeldOperation, ids: readonly string[], deed: JobDeed = cancel) => ({
    ...{ id: held.id, runner: held.runner, step: held.step, deed, ids },
    ...{ strangers: [], cursor: 'next', isDone: false },
  })

  test('a batch is done and counted in one, and the operation moves on', async () => {
    const [one = '', two = ''] = await insert(2)
    const held = await begin()

    const worked = await store.workOperation({ ...batch(held, [one, uuidv7()]), strangers: ['today'] })

    expect(worked).toMatchObject({
      step: 1,
      ...{ done: 3, affected: 1, counts: { cancelled: 1, unknown: 2 } },
      outcomes: expect.arrayContaining([
        { id: one, outcome: 'cancelled' },
        { id: 'today', outcome: 'unknown' },
      ]),
    })
    const last = await store.workOperation({
      ...batch(held, [one, two]),
      step: 1,
      cursor: null,
      isDone: true,
    })
    expect(last).toMatchObject({ done: 5, affected: 2, counts: { cancelled: 2, unknown: 2, finished: 1 } })
    expect(await store.operation(held.id)).toEqual({
      ...{ id: held.id, verb: 'cancel', args: '{"filter":{}}', askedBy: 'ann', askedFrom: 'http 10.0.0.7' },
      ...{ askedAt: expect.any(Date), state: 'done', isLasting: true, cursor: null },
      ...{ done: 5, affected: 2, counts: { cancelled: 2, unknown: 2, finished: 1 } },
      ...{ matched: 5, isMore: true, rate: expect.any(Number), movedAt: expect.any(Date) },
      ...{ endedAt: expect.any(Date), stoppedBy: null, error: null },
    })
    expect(await store.openOperations()).toEqual([])
  })

  test('who does not stand where he thinks does nothing', async () => {
    const [id = ''] = await insert(1)
    const held = await begin()
    await store.workOperation(batch(held, []))

    expect(await store.workOperation(batch(held, [id]))).toBeUndefined()
    expect(await store.workOperation({ ...batch(held, [id]), step: 1, runner: uuidv7() })).toBeUndefined()

    expect(await store.find(id)).toMatchObject({ state: 'queued' })
    expect(await store.operation(held.id)).toMatchObject({ done: 0, state: 'running', cursor: 'next' })
  })

  test('what is to be sent comes back with the batch', async () => {
    const [id = ''] = await insert(1)
    await store.cancel(id, null, null)
    const held = await begin({ verb: 'retry' })

    const worked = await store.workOperation(batch(held, [id], retry))

    expect(worked).toMatchObject({ redeliveries: [{ jobId: id, number: 2, dueInMs: 0 }] })
  })

  test('one whose runner is silent is interrupted, and goes to whoever comes first', async () => {
    const [id = ''] = await insert(1)
    const held = await begin({ plan: '{"mine":true}' })
    await store.renewOperation(held, { count: 7, isMore: false })
    await store.workOperation(batch(held, []))
    expect(await store.takeOverOperation(uuidv7())).toBeUndefined()

    await pass(silenceMs)

    expect(await store.operation(held.id)).toMatchObject({ state: 'interrupted', matched: 7, isMore: false })
    expect((await store.beginRound([{ pass: 'operations', everyMs: 0 }])).work.operations).toBe(true)
    const [runner, other] = [uuidv7(), uuidv7()]
    expect(await store.takeOverOperation(runner)).toEqual({
      ...{ id: held.id, runner, step: 2, plan: '{"mine":true}', cursor: 'next', isLasting: true },
      ...{ done: 0, matched: 7 },
    })
    expect(await store.takeOverOperation(other)).toBeUndefined()
    expect(await store.operation(held.id)).toMatchObject({ state: 'running' })
    expect(await store.renewOperation(held)).toBe(false)
    expect(await store.workOperation({ ...batch(held, [id]), step: 2 })).toBeUndefined()
    expect(await store.workOperation({ ...batch(held, [id]), step: 2, runner })).toMatchObject({ done: 1 })
  })

  test('a runner that says that it lives keeps its operation', async () => {
    const held = await begin()
    await pass(silenceMs)

    expect(await store.renewOperation(held)).toBe(true)

    expect(await store.takeOverOperation(uuidv7())).toBeUndefined()
    expect((await store.beginRound([{ pass: 'operations', everyMs: 0 }])).work.operations).toBe(false)
  })

  test('one that does not last is taken over by nobody, and lasts once it is resumed', async () => {
    const held = await begin({ isLasting: false })
    await pass(silenceMs)

    expect(await store.operation(held.id)).toMatchObject({ state: 'interrupted', isLasting: false })
    expect(await store.takeOverOperation(uuidv7())).toBeUndefined()
    const runner = uuidv7()
    expect(await store.resumeOperation(held.id, runner)).toMatchObject({ runner, step: 1, isLasting: true })
    expect(await store.operation(held.id)).toMatchObject({ state: 'running', isLasting: true })
  })

  test('one that is left is taken at once', async () => {
    const held = await begin()

    await store.releaseOperation(held)

    expect(await store.takeOverOperation(uuidv7())).toMatchObject({ id: held.id, step: 1 })
  })

  test('nothing is done once it is stopped, until it is resumed', async () => {
    const [id = ''] = await insert(1)
    const held = await begin()

    expect(await store.stopOperation(held.id, 'bob')).toBe(true)
    expect(await store.stopOperation(held.id, 'eve')).toBe(false)

    expect(await store.workOperation(batch(held, [id]))).toBeUndefined()
    expect(await store.workOperation({ ...batch(held, [id]), step: 1 })).toBeUndefined()
    expect(await store.find(id)).toMatchObject({ state: 'queued' })
    expect(await store.operation(held.id)).toMatchObject({ state: 'stopped', stoppedBy: 'bob' })
    const runner = uuidv7()
    const resumed = await store.resumeOperation(held.id, runner)
    expect(await store.resumeOperation(held.id, uuidv7())).toBeUndefined()
    expect(resumed).toMatchObject({ step: 2, runner })
    expect(await store.operation(held.id)).toMatchObject({ state: 'running', stoppedBy: null, endedAt: null })
    expect(await store.workOperation({ ...batch(held, [id]), step: 2, runner })).toMatchObject({ done: 1 })
  })

  test('what has failed says why, and can be resumed; what is done cannot', async () => {
    const held = await begin()
    await store.failOperation(held, 'no room')

    expect(await store.operation(held.id)).toMatchObject({ state: 'failed', error: 'no room' })
    const again = await store.resumeOperation(held.id, uuidv7())
    expect(await store.operation(held.id)).toMatchObject({ state: 'running', error: null })
    if (again) await store.workOperation({ ...batch(again, []), isDone: true })
    expect(await store.operation(held.id)).toMatchObject({ state: 'done' })
    expect(await store.resumeOperation(held.id, uuidv7())).toBeUndefined()
    expect(await store.stopOperation(held.id, null)).toBe(false)
    expect(await store.operation(uuidv7())).toBeUndefined()
    expect(await store.resumeOperation(uuidv7(), uuidv7())).toBeUndefined()
  })

  test('each is a line of the audit, and says there how far it has come', async () => {
    const [id = ''] = await insert(1)
    const held = await begin()
    await store.workOperation({ ...batch(held, [id, uuidv7()]), isDone: true })
    const open = await begin({ verb: 'retry' })

    const [newest, older] = await store.commands({ limit: 2 })

    expect(newest).toMatchObject({ id: open.id, verb: 'retry', affected: 0, operation: { state: 'running' } })
    expect(older).toMatchObject({ id: held.id, affected: 1, operation: { state: 'done', done: 2 } })
    expect(await store.command(held.id)).toEqual(older)
    expect((await store.openOperations()).map((each) => each.id)).toEqual([open.id])
  })
})
