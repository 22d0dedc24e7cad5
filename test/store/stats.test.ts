import { randomUUID } from 'node:crypto'
import type pg from 'pg'
import { v7 as uuidv7 } from 'uuid'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { ChartPoint } from '../../src/job/chart.js'
import { countOf, type Move, noSpread, quantileOf, spreadBoundsMs } from '../../src/job/move.js'
import { isEnd } from '../../src/job/state.js'
import { openChangeOf, tallyOf } from '../../src/job/tally.js'
import { createPrismaStore } from '../../src/store/prisma.js'
import { chartSql, depthsSql, sumsSql } from '../../src/store/stat-charts.js'
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
    const { rows } = await client.query(
      `SELECT minutes, sum(enqueued)::int AS jobs FROM celeriac.stat WHERE task = '' AND queue = 'q' GROUP BY 1 ORDER BY 1`,
    )
    expect(rows).toEqual([1, 60, 1440].map((minutes) => ({ minutes, jobs: 3000 })))
    expect((await client.query('SELECT 1 FROM celeriac.stat_delta')).rows).toEqual([])
  }, 60_000)

  test('keeps minutes for two days, hours for a month and days for a year', async () => {
    await runOne()
    await happenedAlso('10 minutes', '47 hours', '50 hours', '31 days', '33 days', '399 days', '401 days')
    await store.foldStats()
    expect(await keptOf(1)).toBe(8)

    while (!(await store.pruneStats()));

    expect([await keptOf(1), await keptOf(60), await keptOf(1440)]).toEqual([3, 5, 7])
    expect(succeeded(await store.moves())).toEqual([8])
  })

  test('tells charts when it was, and how many jobs waited then', async () => {
    await runOne()
    await happenedAlso('10 minutes', '3 hours', '5 days', '20 days', '60 days')
    await client.query(
      `INSERT INTO celeriac.stat_delta (task, queue, was, "is", how, jobs, at) VALUES ('t', 'q', '', 'queued', '', 1, now() - interval '4 days')`,
    )
    await store.foldStats()
    const seen = async (days: number, stepMs: number) => {
      const to = new Date(Date.now() + 1000)
      const { points } = await store.chart({ from: new Date(to.getTime() - days * 86_400_000), to, stepMs })
      const ended = points.filter((point) => point.succeeded > 0)
      const sum = (count: (point: ChartPoint) => number) =>
        ended.reduce((all, point) => all + count(point), 0)
      return [
        sum(({ succeeded }) => succeeded),
        sum(({ run }) => countOf(run)),
        ended[0]?.depth.queued,
        points.at(-1)?.depth.queued,
      ]
    }

    expect(await seen(1 / 24, 60_000)).toEqual([2, 2, 1, 1])
    expect(await seen(1, 900_000)).toEqual([3, 3, 1, 1])
    expect(await seen(7, 7_200_000)).toEqual([4, 4, 0, 1])
    expect(await seen(30, 43_200_000)).toEqual([5, 5, 0, 1])
    expect(await seen(90, 86_400_000)).toEqual([6, 6, 0, 1])
  })

  test('a chart of the past knows what has happened since', async () => {
    await runOne()
    await insertOne()
    await happenedAlso('2 hours')
    for (const isFolded of [false, true]) {
      if (isFolded) await store.foldStats()
      const to = new Date(Date.now() - 3_600_000)
      const { points } = await store.chart({ from: new Date(to.getTime() - 7_200_000), to, stepMs: 300_000 })
      expect(points[0]?.depth.queued).toBe(0)
      expect(points.at(-1)?.depth.queued).toBe(1)
    }
  })

  test('the shortest and the longest of each time are known, before and after they were added up', async () => {
    const add = (took: string) =>
      client.query(
        `INSERT INTO celeriac.stat_delta (task, queue, was, "is", how, jobs, took)
         VALUES ('t', 'q', 'running', 'succeeded', '', 2, $1::real[])`,
        [took],
      )
    const span = { from: new Date(Date.now() - 60_000), to: new Date(Date.now() + 60_000) }
    const quantiles = async () => {
      const [sums] = await store.sums({ ...span, by: 'task' })
      const { took = noSpread } = (await store.moves()).find(({ is }) => is === 'succeeded') ?? {}
      return [sums?.run, took].map((spread = noSpread) => [0.5, 0.99].map((part) => quantileOf(spread, part)))
    }
    await add('{799000,799000}')
    expect(await quantiles()).toEqual([
      [799_000, 799_000],
      [799_000, 799_000],
    ])
    await store.foldStats()
    expect(await quantiles()).toEqual([
      [799_000, 799_000],
      [799_000, 799_000],
    ])

    await add('{801000.5}')
    await add('{700000}')
    await store.foldStats()
    const [sums] = await store.sums({ ...span, by: 'task' })
    expect(sums?.run).toMatchObject({ leastMs: 700_000, mostMs: 801_001 })
  })

  test('counts each kind of move as the code does', async () => {
    const states = [
      '',
      'scheduled',
      'queued',
      'running',
      'retrying',
      'succeeded',
      'failed',
      'cancelled',
      'expired',
    ] as const
    const kinds = ['', 'failed', 'snoozed', 'lost', 'returned', 'unstarted', 'dropped', 'moved'] as const
    const ways = states.flatMap((was) => states.flatMap((is) => kinds.map((how) => ({ was, is, how }))))
    const moves = ways
      .filter(({ was, is }) => was !== is)
      .map((way, at) => ({ task: `t${at}`, queue: 'q', jobs: 3, ...way, took: noSpread, total: noSpread }))
    await client.query(
      `INSERT INTO celeriac.stat_delta (task, queue, was, "is", how, jobs, took)
       SELECT task, queue, was, "is", how, 3, '{7,7,7}'::real[] FROM json_to_recordset($1)
         AS m(task text, queue text, was text, "is" text, how text)`,
      [JSON.stringify(moves)],
    )
    const span = { from: new Date(Date.now() - 60_000), to: new Date(Date.now() + 60_000) }
    const counts = spreadBoundsMs.map((_, at) => (at === 3 ? 3 : 0)).concat(0)
    const seven = { ms: 21, counts, leastMs: 7, mostMs: 7 }
    const expected = moves
      // That ended jobs were deleted is in no chart.
      .filter(({ was, is }) => is !== '' || was === '' || !isEnd(was))
      .map((move) => ({ name: move.task, ...tallyOf({ ...move, took: seven }), change: openChangeOf(move) }))
      .sort((one, other) => (one.name < other.name ? -1 : 1))

    const before = await store.sums({ ...span, by: 'task' })
    await store.foldStats()
    const { rows } = await client.query(
      `SELECT task AS name, queued::int, delayed::int, running::int FROM celeriac.stat WHERE minutes = 1 AND task <> '' AND queue = '' ORDER BY task COLLATE "C"`,
    )

    expect(before).toEqual(expected.map(({ change: _, ...tally }) => tally))
    expect(await store.sums({ ...span, by: 'task' })).toEqual(before)
    expect(rows).toEqual(expected.map(({ name, change }) => ({ name, ...change })))
  })

  /** What was counted, also so long ago. */
  async function happenedAlso(...agos: string[]): Promise<void> {
    await client.query(
      `INSERT INTO celeriac.stat_delta SELECT task, queue, was, "is", how, jobs, took, total, now() - ago::interval
       FROM celeriac.stat_delta, unnest($1::text[]) AS ago`,
      [agos],
    )
  }

  /** Jobs whose end is still known of at that resolution. */
  async function keptOf(minutes: number): Promise<number> {
    const { rows } = await client.query<{ jobs: number }>(
      `SELECT sum(succeeded)::int AS jobs FROM celeriac.stat WHERE minutes = $1 AND task = '' AND queue = ''`,
      [minutes],
    )
    return rows[0]?.jobs ?? 0
  }
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

  test.each(Object.entries({ movesSql, depthsSql, sightsSql, oldestSql, foldSql }))(
    '%s reads no more of the table of jobs than an index leads to',
    async (_, sql) => {
      await store.noteOldest()
      const answers = await client.query(
        `${sql === oldestSql ? inIndexOrder : ''} EXPLAIN (FORMAT JSON) ${sql}`,
      )
      const { rows } = [answers].flat().at(-1) ?? { rows: [] }

      expect(scansOf(rows[0]['QUERY PLAN'], 'job').map((scan) => scan['Node Type'])).toEqual(
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

describe('with two days of minutes of 20 tasks in 2 queues', () => {
  beforeEach(async () => {
    await client.query(`
      INSERT INTO celeriac.stat (minutes, task, queue, at, enqueued, requeued, started, succeeded, failed, cancelled,
        expired, retried, lost, queued, delayed, running, wait_ms, run_ms, wait, run)
      SELECT 1, task, queue, date_trunc('minute', now()) - n * interval '1 minute', 1, 0, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1,
        '{}', '{}'
      FROM generate_series(0, 2900) AS n, unnest('{"",q0,q1}'::text[]) AS queue,
        (SELECT 't' || t AS task FROM generate_series(1, 20) AS t UNION ALL SELECT '') AS tasks`)
    await client.query(`
      INSERT INTO celeriac.stat_total
      SELECT DISTINCT task, queue, '', 'queued', '', 1, 0, '{}'::bigint[], 0, '{}'::bigint[]
      FROM celeriac.stat WHERE task <> '' AND queue <> ''`)
    await client.query('VACUUM ANALYZE celeriac.stat, celeriac.stat_total')
  })

  const day = 86_400_000
  const from = Date.now() - day
  const pieces = [[1], [new Date(from)], [new Date()]]

  test.each<[string, string, readonly unknown[]]>([
    ['a chart of all', chartSql, [null, null, 1, from, 900_000, 96]],
    ['a chart of a task', chartSql, [['t3'], null, 1, from, 900_000, 96]],
    ['a chart of a task in a queue', chartSql, [['t3'], 'q1', 1, from, 900_000, 96]],
    ['sums by task', sumsSql('task'), [null, null, new Date(from), new Date(), ...pieces]],
    ['sums by queue', sumsSql('queue'), [null, null, new Date(from), new Date(), ...pieces]],
  ])('%s reads no rows but its own', async (_, sql, values) => {
    const { rows } = await client.query(`EXPLAIN (ANALYZE, FORMAT JSON) ${sql}`, [...values])

    const scans = scansOf(rows[0]['QUERY PLAN'], 'stat')
    expect(scans.map((scan) => scan['Node Type'])).toEqual([
      expect.stringMatching(/^(Index|Bitmap Heap) Scan$/),
    ])
    expect(scans.map((scan) => scan['Rows Removed by Filter'] ?? 0)).toEqual([0])
  })
})

interface Plan {
  readonly 'Node Type'?: string
  readonly 'Relation Name'?: string
  readonly 'Rows Removed by Filter'?: number
  readonly Plans?: readonly Plan[]
  readonly Plan?: Plan
}

function scansOf(plans: readonly Plan[], table: string): Plan[] {
  return plans.flatMap((plan) => [
    ...(plan['Relation Name'] === table ? [plan] : []),
    ...scansOf([...(plan.Plans ?? []), ...(plan.Plan ? [plan.Plan] : [])], table),
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
