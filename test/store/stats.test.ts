import { randomUUID } from 'node:crypto'
import type pg from 'pg'
import { v7 as uuidv7 } from 'uuid'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { countOf, type Move } from '../../src/job/move.js'
import { createPrismaStore } from '../../src/store/prisma.js'
import { foldSql, inIndexOrder, movesSql, oldestSql, sightsSql } from '../../src/store/stats.js'
import type { NewJob, Store } from '../../src/store/store.js'
import { openStore } from '../support/store.js'

let store: Store
let client: pg.Client
let close: () => Promise<void>

beforeAll(async () => {
  const opened = await openStore()
  store = opened.store
  client = opened.client
  close = opened.close
})

afterAll(() => close())

beforeEach(async () => {
  await client.query(
    'TRUNCATE celeriac.job, celeriac.stat, celeriac.stat_total, celeriac.stat_delta, celeriac.stat_queue',
  )
})

describe('counting', () => {
  test('holds for a transaction of the app: with it, or not at all', async () => {
    await client.query('BEGIN')
    await store.insertIn(client, [newJob()])
    await client.query('ROLLBACK')
    expect(await store.moves()).toEqual([])

    await client.query('BEGIN')
    await store.insertIn(client, [newJob()])
    await client.query('COMMIT')
    expect((await store.moves()).map(({ jobs }) => jobs)).toEqual([1])
  })

  test('holds for whatever statement moves a job, also by hand', async () => {
    await store.insert([newJob(), newJob()])
    await client.query(`UPDATE celeriac.job SET state = 'expired', finished_at = now()`)
    await client.query(`DELETE FROM celeriac.job`)

    expect((await store.moves()).map(({ was, is, jobs }) => `${was} ${is} ${jobs}`).sort()).toEqual([
      ' queued 2',
      'expired  2',
      'queued expired 2',
    ])
  })

  test('does not mind durations of years', async () => {
    const { id } = await insertOne()
    await client.query(`UPDATE celeriac.job SET run_at = '1990-01-01', created_at = '1990-01-01'`)
    await store.claim({ jobId: id, number: 1 }, worker)
    await store.settle({ ...keyOf(id), state: 'succeeded', result: null, resultError: null })
    await store.foldStats()

    const counts = (await store.moves()).map(({ took, total }) => [took.counts.at(-1), total.counts.at(-1)])
    expect(counts).toContainEqual([1, undefined])
    expect(counts).toContainEqual([0, 1])
  })
})

describe('adding up', () => {
  test('gives the same, whoever does it at the same time, while jobs go on', async () => {
    const other = createPrismaStore({ ...urlOf(client), deadlineMs: 20_000, log: { warn() {} } })
    const jobs = Array.from({ length: 3000 }, () => newJob())
    const writing = Promise.all(jobs.map((job) => store.insert([job])))
    for (let round = 0; round < 20; round += 1) await Promise.all([store.foldStats(), other.foldStats()])
    await writing
    await Promise.all([store.foldStats(), other.foldStats()])
    await other.close()

    expect((await store.moves()).map(({ jobs: count }) => count)).toEqual([3000])
    const { rows } = await client.query('SELECT sum(jobs)::int AS jobs FROM celeriac.stat')
    expect(rows).toEqual([{ jobs: 3000 }])
    expect((await client.query('SELECT 1 FROM celeriac.stat_delta')).rows).toEqual([])
  }, 60_000)

  test('makes minutes, of these hours after two days, and forgets after thirty', async () => {
    await runOne()
    await client.query('CREATE TEMP TABLE IF NOT EXISTS lately AS SELECT * FROM celeriac.stat_delta')
    for (const ago of ['49 hours', '49 hours 1 minute', '31 days'])
      await client.query(
        `INSERT INTO celeriac.stat_delta SELECT task, queue, was, "is", how, jobs, took, total,
           date_trunc('hour', now()) + interval '30 minutes' - $1::interval
         FROM lately`,
        [ago],
      )
    await store.foldStats()
    const span = { from: new Date(0), to: new Date(Date.now() + 3_600_000) }
    expect(succeeded(await store.movesByTime({ ...span, minutes: 1 }))).toEqual([1, 1, 1, 1])

    while (!(await store.pruneStats()));

    expect(succeeded(await store.movesByTime({ ...span, minutes: 1 }))).toEqual([1])
    expect(succeeded(await store.movesByTime({ ...span, minutes: 60 }))).toEqual([2])
    expect(succeeded(await store.moves())).toEqual([4])
    const [hour] = await store.movesByTime({ ...span, minutes: 60 })
    expect(hour?.at.getTime()).toBe(Math.floor((hour?.at.getTime() ?? 0) / 3_600_000) * 3_600_000)
    const ended = (await store.movesByTime({ ...span, minutes: 60 })).find(({ is }) => is === 'succeeded')
    expect(ended && [countOf(ended.took), countOf(ended.total)]).toEqual([2, 2])
  })
})

describe('with 100 queues, 20,000 waiting and 20,000 finished jobs', () => {
  beforeEach(async () => {
    await client.query(`
      INSERT INTO celeriac.job (id, task, queue, state, payload, run_at, created_at, dispatched_at, finished_at)
      SELECT gen_random_uuid(), 't' || n % 5, 'q' || n % 100, (CASE WHEN n <= 20000 THEN 'succeeded' ELSE 'queued' END)::celeriac.job_state,
        '1', now(), now(), now(), CASE WHEN n <= 20000 THEN now() END
      FROM generate_series(1, 40000) AS n`)
    await client.query('ANALYZE celeriac.job')
    await store.foldStats()
  })

  test.each(Object.entries({ movesSql, sightsSql, oldestSql, foldSql }))(
    '%s reads no more of the table of jobs than an index leads to',
    async (_, sql) => {
      await store.noteOldest()
      const answers = await client.query(
        `${sql === oldestSql ? inIndexOrder : ''} EXPLAIN (FORMAT JSON) ${sql}`,
      )
      const { rows } = [answers].flat().at(-1) ?? { rows: [] }

      expect(scansOfJobs(rows[0]['QUERY PLAN'])).toEqual(
        sql === oldestSql ? ['Index Scan', 'Index Scan'] : [],
      )
    },
  )

  test('the oldest of each queue is found, and what is older and not due is passed by', async () => {
    await client.query(
      `UPDATE celeriac.job SET run_at = now() - interval '1 hour' WHERE queue = 'q7' AND state = 'queued'`,
    )
    await client.query(
      `UPDATE celeriac.job SET state = 'scheduled', run_at = now() + interval '1 hour' WHERE queue = 'q8' AND state = 'queued'`,
    )
    await store.foldStats()
    await store.noteOldest()
    const { oldest } = await store.sights()

    expect(oldest.length).toBe(99)
    expect(oldest.find(({ queue }) => queue === 'q7')?.ageMs).toBeGreaterThan(3_599_000)
    expect(oldest.find(({ queue }) => queue === 'q8')).toBeUndefined()
  })
})

interface Plan {
  readonly 'Node Type'?: string
  readonly 'Relation Name'?: string
  readonly Plans?: readonly Plan[]
  readonly Plan?: Plan
}

function scansOfJobs(plans: readonly Plan[]): string[] {
  return plans.flatMap((plan) => [
    ...(plan['Relation Name'] === 'job' ? [plan['Node Type'] ?? ''] : []),
    ...scansOfJobs([...(plan.Plans ?? []), ...(plan.Plan ? [plan.Plan] : [])]),
  ])
}

const worker = randomUUID()
const keyOf = (jobId: string) => ({ jobId, number: 1, attempt: 1, workerId: worker })

async function insertOne() {
  const [inserted] = await store.insert([newJob()])
  if (!inserted) throw new Error('Nothing was written.')
  return inserted
}

async function runOne(): Promise<void> {
  const { id } = await insertOne()
  await store.claim({ jobId: id, number: 1 }, worker)
  await store.settle({ ...keyOf(id), state: 'succeeded', result: null, resultError: null })
}

function succeeded(moves: readonly Move[]): number[] {
  return moves.filter(({ is }) => is === 'succeeded').map(({ jobs }) => jobs)
}

function urlOf({ host, port, database, user }: pg.Client) {
  const url = `postgres://${user}:secret@${host}:${port}/${database}`
  return { url, directUrl: url }
}

function newJob(): NewJob {
  return {
    ...{ id: uuidv7(), task: 't', queue: 'q', payload: '1', options: null, priority: 0, maxAttempts: 1 },
    ...{ owner: null, tags: [], idempotencyKey: null, parentId: null, requestId: null, traceparent: null },
    ...{ context: null, limitKey: null, unique: null, delayMs: null, runAt: null, expiresInMs: null },
  }
}
