import type pg from 'pg'
import { beforeAll, describe, expect, test, vi } from 'vitest'
import { toStoredFilter } from '../../src/control/filter.js'
import { narrowed } from '../../src/store/search-narrow.js'
import { countStatement, lookStatement } from '../../src/store/search-sql.js'
import type { Store, StoredFilter } from '../../src/store/store.js'
import { vocabularySql } from '../../src/store/vocabulary.js'
import { openStore } from '../support/store.js'

/** What a search asks of a large table: each look walks along one index, and reads no more than it was told to. */

vi.setConfig({ testTimeout: 120_000, hookTimeout: 180_000 })

let store: Store
let client: pg.Client
const parent = '01900000-0000-7000-8000-000000000001'
const total = 200_000

beforeAll(async () => {
  const opened = await openStore()
  store = opened.store
  client = opened.client
  await client.query('ALTER TABLE celeriac.job SET (autovacuum_enabled = false)')
  await fill()
  return opened.close
})

/** A job a second for 200,000 s: of ten tasks and a hundred queues; one in a hundred waits, one in a hundred failed. */
async function fill(): Promise<void> {
  await client.query(
    `INSERT INTO celeriac.job (id, task, queue, state, payload, error, parent_id, run_at, dispatched_at, created_at,
       started_at, finished_at)
     SELECT (lpad(to_hex((extract(epoch FROM made) * 1000)::bigint), 12, '0')::text || '7000' || '8000'
         || lpad(to_hex(n), 12, '0'))::uuid,
       'task.' || n % 10, 'queue.' || n / 10 % 100, state::celeriac.job_state, to_json('payload ' || n)::text,
       CASE state WHEN 'failed' THEN '{"name":"TypeError","message":"boom"}' END,
       CASE WHEN n % 50000 = 0 THEN $1::uuid END, made, made, made,
       CASE WHEN state <> 'queued' THEN made + interval '1 second' END,
       CASE WHEN state <> 'queued' THEN made + interval '2 seconds' END
     FROM (SELECT n, now() - (${total} - n) * interval '1 second' AS made,
         CASE n / 1000 % 100 WHEN 0 THEN 'queued' WHEN 1 THEN 'failed' ELSE 'succeeded' END AS state
       FROM generate_series(1, ${total}) AS n) AS jobs`,
    [parent],
  )
}

/** Reads a row that an index has led to before. */
const again = 'Tid Scan'

interface Node {
  readonly 'Node Type': string
  readonly 'Relation Name'?: string
  readonly 'Index Name'?: string
  readonly 'Actual Rows': number
  readonly 'Actual Loops': number
  readonly 'Rows Removed by Filter'?: number
  readonly Plans?: readonly Node[]
}

/** The nodes that read jobs, under the settings of a search. */
async function readersOf({ text, values }: { text: string; values: unknown[] }): Promise<Node[]> {
  await client.query(
    'BEGIN READ ONLY; SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off; SET LOCAL jit = off',
  )
  const { rows } = await client.query<{ 'QUERY PLAN': readonly { Plan: Node }[] }>({
    text: `EXPLAIN (ANALYZE, FORMAT JSON) ${text}`,
    values,
  })
  await client.query('ROLLBACK')
  const all = (node: Node): Node[] => [node, ...(node.Plans ?? []).flatMap(all)]
  return rows
    .flatMap((row) => row['QUERY PLAN'])
    .flatMap(({ Plan }) => all(Plan))
    .filter((node) => node['Relation Name'] === 'job' && node['Node Type'] !== again)
}

const looked = (nodes: readonly Node[]) =>
  nodes.reduce(
    (sum, node) => sum + (node['Actual Rows'] + (node['Rows Removed by Filter'] ?? 0)) * node['Actual Loops'],
    0,
  )

const hour = 3_600_000
const ago = (hours: number) => new Date(Date.now() - hours * hour)

/** Each with the index that it goes along, and how many of its entries a look of 500 may meet. */
const searches: readonly (readonly [name: string, filter: StoredFilter, index: string, most: number])[] = [
  ['all jobs', {}, 'job_pkey', 500],
  ['jobs of an hour', { created: { from: ago(10), before: ago(9) } }, 'job_pkey', 500],
  ['jobs of a task', { tasks: ['task.3'] }, 'job_pkey', 500],
  ['jobs with a text', { text: 'payload 77' }, 'job_pkey', 500],
  ['waiting jobs of a queue', { states: ['queued'], queues: ['queue.7'] }, 'job_open', 500],
  ['waiting jobs of all queues', { states: ['queued', 'running'] }, 'job_open', 2500],
  ['failed jobs of a queue', { states: ['failed'], queues: ['queue.7'] }, 'job_unsuccessful', 500],
  ['failed jobs', { states: ['failed'] }, 'job_unsuccessful', 2500],
  ['ended jobs', { finished: { from: ago(1) } }, 'job_finished', 500],
  [
    'jobs that have succeeded, of a task',
    { states: ['succeeded'], tasks: ['task.3'] },
    'job_task_finished',
    500,
  ],
  ['children of a job', { parentId: parent }, 'job_parent', 500],
  ['what a query says: waiting jobs', toStoredFilter({ query: 'is:queued queue:queue.7' }), 'job_open', 500],
  [
    'what a query says: failed jobs',
    toStoredFilter({ query: '-state:open -state:succeeded a' }),
    'job_unsuccessful',
    2500,
  ],
  [
    'what a query says: jobs of a task',
    toStoredFilter({ query: 'is:succeeded task:task.3 "x"' }),
    'job_task_finished',
    500,
  ],
  [
    'what a query says: ended jobs',
    toStoredFilter({ query: '(ended>1h) or (ended>2h task:a*)' }),
    'job_finished',
    500,
  ],
  ['what a query says: children', toStoredFilter({ query: `parent:${parent} "x"` }), 'job_parent', 500],
  [
    'what a query says: times',
    toStoredFilter({ query: 'created>10h created<9h payload.a:1' }),
    'job_pkey',
    500,
  ],
]

describe.each([
  ['never analysed', async () => {}],
  ['analysed', () => client.query('VACUUM ANALYZE celeriac.job')],
])('in a table of 200,000 jobs that was %s', (_, prepare) => {
  beforeAll(async () => {
    await prepare()
  })

  test.each(searches)('a look at %s goes along an index', async (_, filter, index, most) => {
    for (const sort of ['newest', 'oldest'] as const) {
      const readers = await readersOf(
        lookStatement(narrowed(filter), { sort }, { size: 500, most: 50, from: undefined }),
      )

      expect(new Set(readers.map((node) => node['Index Name']))).toEqual(new Set([index]))
      expect(looked(readers)).toBeLessThanOrEqual(most)
    }
  })

  test('a look deep in the table begins where the page before ended', async () => {
    for (const filter of [{}, { states: ['queued'] as const }, { states: ['failed'] as const }]) {
      const { cursor } = await store.searchIds(filter, { limit: 900, sort: 'newest' })
      const begun = performance.now()
      const { ids } = await store.searchIds(filter, { limit: 50, sort: 'newest', cursor: cursor ?? '' })

      expect(ids.length).toBe(50)
      expect(performance.now() - begun).toBeLessThan(2000)
    }
  })

  test('a count goes along the same index', async () => {
    const readers = await readersOf(
      countStatement({ states: ['failed'] }, { size: 500, most: 500, from: undefined }),
    )

    expect(new Set(readers.map((node) => node['Index Name']))).toEqual(new Set(['job_unsuccessful']))
  })
})

test('a search and a count find all that there is', async () => {
  expect(await store.countMatching({ states: ['queued'] }, 10_000)).toEqual({ count: 2000, isMore: false })
  expect(await store.countMatching({ states: ['failed'] }, 1000)).toEqual({ count: 1000, isMore: true })
  expect((await store.searchIds({ parentId: parent }, { limit: 10, sort: 'newest' })).ids.length).toBe(4)
  expect(
    (await store.searchIds({ text: '"payload 777"' }, { limit: 10, sort: 'newest', withinMs: 30_000 })).ids
      .length,
  ).toBe(1)
})

test('the names for queries are read along indexes, and few rows for them', async () => {
  const readers = await readersOf({ text: vocabularySql, values: [] })

  expect(readers.map((node) => node['Index Name'])).not.toContain(undefined)
  expect(looked(readers)).toBeLessThan(10_000)
})

test('what takes too long is cut, says how far it came, and goes on from there', async () => {
  const page = { limit: 10, sort: 'newest', withinMs: 1 } as const
  const first = await store.searchIds({ text: 'payload 5"' }, page)

  expect(first).toMatchObject({ ids: [], isCut: true })
  expect(first.lookedTo?.getTime()).toBeGreaterThan(ago(100).getTime())
  const found: string[] = []
  for (let cursor = first.cursor; cursor !== null; ) {
    const next = await store.searchIds({ text: 'payload 5"' }, { ...page, withinMs: 50, cursor })
    found.push(...next.ids)
    cursor = next.cursor
  }
  expect(found.length).toBe(1)
})

test('no statement runs longer than the time that is left', async () => {
  await client.query(
    `INSERT INTO celeriac.job (id, task, queue, state, payload, run_at)
     SELECT gen_random_uuid(), 'large', 'large', 'queued', to_json(repeat('Lorem ipsum ', 5000))::text, now()
     FROM generate_series(1, 3000)`,
  )
  const begun = performance.now()
  const found = await store.searchIds(
    { ...toStoredFilter({ query: 'dolor' }), queues: ['large'], states: ['queued'] },
    { limit: 10, sort: 'newest', withinMs: 300 },
  )

  expect(found).toMatchObject({ ids: [], isCut: true })
  expect(performance.now() - begun).toBeLessThan(1500)
})
