import type pg from 'pg'
import { v7 } from 'uuid'
import { beforeAll, describe, expect, test } from 'vitest'
import { listStatement, reach } from '../../src/store/lists.js'
import type { Store } from '../../src/store/store.js'
import { openStore } from '../support/store.js'

let store: Store
let client: pg.Client

beforeAll(async () => {
  const opened = await openStore()
  store = opened.store
  client = opened.client
  return opened.close
})

/** Rows as many jobs would have left them. `ended` is how many seconds ago. */
async function rows(count: number, queue: string, state: string, { ended = 0, error = false } = {}) {
  await client.query(
    `INSERT INTO celeriac.job (id, task, queue, state, payload, error, run_at, dispatched_at, finished_at)
     SELECT overlay(gen_random_uuid()::text placing lpad(n::text, 8, '0') from 1 for 8)::uuid, 'mail.send', $2, $3::celeriac.job_state, to_json(n)::text, $4, now(), now(),
       CASE WHEN $5::float8 > 0 THEN now() - $5 * interval '1 second' - n * interval '1 millisecond' END
     FROM generate_series(1, $1::int) AS n`,
    [count, queue, state, error ? '{"name":"Error","message":"no"}' : null, ended],
  )
}

test('each list holds the jobs of its states, open ones oldest first, ended ones newest first', async () => {
  const [first, second] = [v7(), v7()]
  for (const id of [second, first])
    await client.query(
      `INSERT INTO celeriac.job (id, task, queue, state, payload, run_at) VALUES ($1, 't', 'order', 'queued', '1', now())`,
      [id],
    )
  await rows(3, 'order', 'failed', { ended: 100, error: true })
  const list = (jobs: Parameters<Store['listJobs']>[0]['jobs']) =>
    store.listJobs({ queue: 'order', jobs, limit: 10, offset: 0 })

  expect((await list('queued')).map(({ id }) => id)).toEqual([first, second])
  expect((await list('failed')).map(({ payload }) => payload)).toEqual([1, 2, 3])
  expect(await list('running')).toEqual([])
})

describe('in a large table', () => {
  beforeAll(async () => {
    await rows(5, 'quiet', 'failed', { ended: 1000, error: true })
    await rows(reach + 500, 'busy', 'succeeded', { ended: 1 })
    await rows(reach + 500, 'busy', 'queued')
    await client.query('VACUUM ANALYZE celeriac.job')
  })

  test('counts end where the lists do', async () => {
    const counts = await store.countJobs(['busy', 'quiet'])

    expect(counts).toContainEqual({ queue: 'busy', state: 'queued', count: reach })
    expect(counts).toContainEqual({ queue: 'busy', state: 'succeeded', count: reach })
    expect(await store.listJobs({ queue: 'busy', jobs: 'queued', limit: 10, offset: reach })).toEqual([])
  })

  test('a failed job of a quiet queue is found, however many others have succeeded since', async () => {
    expect(await store.countJobs(['quiet'])).toEqual([{ queue: 'quiet', state: 'failed', count: 5 }])
    expect(
      (await store.listJobs({ queue: 'quiet', jobs: 'unsuccessful', limit: 10, offset: 0 })).length,
    ).toBe(5)
    expect(await store.knownQueues()).toEqual(expect.arrayContaining(['busy', 'quiet']))
  })

  test.each([
    ['queued', 'busy', 'job_open'],
    ['unsuccessful', 'quiet', 'job_unsuccessful'],
    ['succeeded', 'busy', 'job_finished'],
  ] as const)('the %s jobs of a queue are read in the order of an index', async (jobs, queue, index) => {
    const { text, values } = listStatement({ queue, jobs, limit: 10, offset: 0 })

    const { rows: plan } = await client.query<{ 'QUERY PLAN': string }>({ text: `EXPLAIN ${text}`, values })

    const lines = plan.map((line) => line['QUERY PLAN']).join('\n')
    expect(lines).toMatch(new RegExp(`Index Scan (Backward )?using ${index} on job`))
    expect(lines).not.toMatch(/Sort|Seq Scan/)
  })
})

describe('a job that waits for its time', () => {
  test('is made due now, under a new delivery', async () => {
    const id = v7()
    await client.query(
      `INSERT INTO celeriac.job (id, task, queue, state, payload, run_at) VALUES ($1, 't', 'p', 'scheduled', '1', now() + interval '1 day')`,
      [id],
    )

    expect(await store.promote(id)).toMatchObject({
      jobId: id,
      number: 2,
      task: 't',
      queue: 'p',
      priority: 0,
      dueInMs: 0,
    })
    expect(await store.promote(id)).toBeUndefined()
    expect((await store.find(id))?.state).toBe('queued')
  })
})
