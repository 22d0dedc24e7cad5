import { v7 as uuidv7 } from 'uuid'
import { expect, onTestFinished, test } from 'vitest'
import type { HeldOperation, Store } from '../../src/store/store.js'
import { jobRow } from '../support/job-row.js'
import { type OpenStore, openStore } from '../support/store.js'
import { until } from '../support/until.js'

async function opened(): Promise<OpenStore> {
  const found = await openStore()
  onTestFinished(found.close)
  return found
}

async function begin(store: Store): Promise<HeldOperation> {
  const held = { id: uuidv7(), runner: uuidv7(), plan: '{}', isLasting: true, cursor: null }
  await store.addOperation({ ...held, verb: 'cancel', args: '{}', askedBy: null, askedFrom: 'code' })
  return { ...held, step: 0, done: 0, matched: 0 }
}

const work = ({ id, runner, step }: HeldOperation, ids: readonly string[]) => ({
  ...{ id, runner, step, ids, strangers: [], cursor: 'next', isDone: false },
  deed: { action: 'cancel', by: null, reason: null } as const,
})

test('a batch that fails leaves its operation as it was', async () => {
  const { store } = await opened()
  const held = await begin(store)

  await expect(store.workOperation(work(held, ['no id']))).rejects.toThrow('invalid input syntax')

  expect(await store.heldOperation(held)).toMatchObject({ step: 0, cursor: null, done: 0 })
})

test('of many that go on from one place, one does', async () => {
  const { store } = await opened()
  const held = await begin(store)
  const jobs = Array.from({ length: 5 }, () => jobRow())
  await store.insert(jobs)

  const worked = await Promise.all(jobs.map(({ id }) => store.workOperation(work(held, [id]))))

  expect(worked.filter((each) => each !== undefined)).toHaveLength(1)
  expect(await store.operation(held.id)).toMatchObject({ done: 1, affected: 1 })
  expect(await store.countMatching({ states: ['cancelled'] }, 10)).toEqual({ count: 1, isMore: false })
})

test('of many who take over what is left, each gets another, and none gets one twice', async () => {
  const { store } = await opened()
  const held = await Promise.all(Array.from({ length: 4 }, () => begin(store)))
  for (const each of held) await store.releaseOperation(each)

  const taken = await Promise.all(Array.from({ length: 8 }, () => store.takeOverOperation(uuidv7())))

  const ids = taken.flatMap((each) => each?.id ?? [])
  expect(ids.toSorted()).toEqual(held.map(({ id }) => id).toSorted())
})

test('a stop waits for the batch that is under way, and nothing is done after it', async () => {
  const { store, client } = await opened()
  const held = await begin(store)
  const [first, second] = [jobRow(), jobRow()]
  await store.insert([first, second])
  await client.query('BEGIN')
  await client.query('SELECT 1 FROM celeriac.job WHERE id = $1 FOR UPDATE', [first.id])
  const order: string[] = []
  const working = store.workOperation(work(held, [first.id])).then(() => order.push('worked'))
  await untilWaiting(client)

  const stopping = store.stopOperation(held.id, 'ann').then(() => order.push('stopped'))
  await client.query('COMMIT')
  await Promise.all([working, stopping])

  expect(order).toEqual(['worked', 'stopped'])
  expect(await store.workOperation({ ...work(held, [second.id]), step: 1 })).toBeUndefined()
  expect(await store.operation(held.id)).toMatchObject({ state: 'stopped', done: 1 })
})

/** Whoever is in a transaction sees what others do as it was when he looked first, unless he forgets it. */
async function untilWaiting(client: OpenStore['client']): Promise<void> {
  await until(async () => {
    await client.query('SELECT pg_stat_clear_snapshot()')
    const { rowCount } = await client.query(
      `SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`,
    )
    return rowCount === 1
  })
}
