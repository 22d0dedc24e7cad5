import pg from 'pg'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { migrate } from '../../src/store/migrate.js'
import { createPrismaStore } from '../../src/store/prisma.js'
import { dueSql, nthStatement, pruneStatement, tasksSql } from '../../src/store/prune.js'
import type { PruneRule, Store } from '../../src/store/store.js'
import { freshDatabase } from '../support/servers.js'

/** What pruning asks of a large table: each statement looks at what it needs, by the index, and at nothing else. */

let store: Store
let client: pg.Client
const dayMs = 86_400_000

beforeAll(async () => {
  const url = await freshDatabase()
  await migrate({ url, log: { info() {} } })
  store = createPrismaStore({ url, directUrl: url, deadlineMs: 20_000, log: { warn() {} } })
  client = new pg.Client({ connectionString: url })
  await client.connect()
})

afterAll(async () => {
  await client.end()
  await store.close()
})

const succeeded: PruneRule = {
  task: 'task.3',
  rule: 'succeeded',
  states: ['succeeded'],
  upTo: { ageMs: 7 * dayMs },
}
const place = (days: number) => ({
  finishedAt: new Date(Date.now() - days * dayMs).toISOString(),
  jobId: '00000000-0000-7000-8000-000000000000',
})
const asked = [[succeeded.task], [succeeded.rule], [7 * dayMs], [null]]

/** Every tenth failed; of ten tasks; one a second for 300,000 s. */
async function fill(): Promise<void> {
  await client.query(`
    INSERT INTO celeriac.job (id, task, queue, state, payload, run_at, dispatched_at, finished_at)
    SELECT gen_random_uuid(), 'task.' || n % 10, 'default',
      (CASE WHEN n / 10 % 10 = 0 THEN 'failed' ELSE 'succeeded' END)::celeriac.job_state, 'null', now(), now(),
      now() - interval '5 days' - n * interval '1 second'
    FROM generate_series(1, 300000) AS n`)
}

interface Node {
  readonly 'Node Type': string
  readonly 'Relation Name'?: string
  readonly 'Index Name'?: string
  readonly 'Actual Rows': number
  readonly 'Actual Loops': number
  readonly 'Rows Removed by Filter'?: number
  readonly Plans?: readonly Node[]
}

/** The nodes that read jobs. It runs the statement and takes it back. */
async function readersOf(text: string, values: unknown[]): Promise<Node[]> {
  await client.query('BEGIN')
  const { rows } = await client.query<{ 'QUERY PLAN': readonly { Plan: Node }[] }>({
    text: `EXPLAIN (ANALYZE, FORMAT JSON) ${text}`,
    values,
  })
  await client.query('ROLLBACK')
  const all = (node: Node): Node[] => [node, ...(node.Plans ?? []).flatMap(all)]
  return rows
    .flatMap((row) => row['QUERY PLAN'])
    .flatMap(({ Plan }) => all(Plan))
    .filter((node) => node['Relation Name'] === 'job')
}

const looked = (nodes: readonly Node[]) =>
  nodes.reduce(
    (sum, node) => sum + (node['Actual Rows'] + (node['Rows Removed by Filter'] ?? 0)) * node['Actual Loops'],
    0,
  )

const statements: [string, () => { text: string; values: unknown[] }, number][] = [
  ['the tasks that have finished jobs', () => ({ text: tasksSql, values: [] }), 20],
  ['the rules that are due', () => ({ text: dueSql, values: asked }), 1],
  ['jobs by their number', () => nthStatement([{ task: succeeded.task, newer: 400 }]), 401],
  [
    'jobs by their number between two places',
    () => nthStatement([{ task: succeeded.task, newer: 400, before: place(0), after: place(40) }]),
    401,
  ],
]

describe.each([
  ['never analysed', async () => {}],
  [
    'analysed when no job had finished',
    async () => {
      await client.query('TRUNCATE celeriac.job')
      await client.query(`INSERT INTO celeriac.job (id, task, queue, state, payload, run_at, dispatched_at)
        SELECT gen_random_uuid(), 'task.3', 'default', 'queued', 'null', now(), now() FROM generate_series(1, 1000)`)
      await client.query('ANALYZE celeriac.job')
      await fill()
    },
  ],
  ['analysed', () => client.query('VACUUM ANALYZE celeriac.job')],
])('of 300,000 finished jobs in a table that was %s', (_, prepare) => {
  beforeAll(async () => {
    await client.query('ALTER TABLE celeriac.job SET (autovacuum_enabled = false)')
    const { rows } = await client.query('SELECT 1 FROM celeriac.job LIMIT 1')
    if (rows.length === 0) await fill()
    await prepare()
  })

  test.each(statements)('%s are found by the index', async (_, statement, most) => {
    const { text, values } = statement()
    const readers = await readersOf(text, values)

    expect(new Set(readers.map((node) => node['Index Name']))).toEqual(new Set(['job_task_finished']))
    expect(looked(readers)).toBeLessThanOrEqual(most)
  })

  test('a page is read by the index, and its rows are found by their ids', async () => {
    const { text, values } = pruneStatement(succeeded, 1000)

    const readers = await readersOf(text, values)

    const [seen, ...byId] = readers.toSorted((a, b) =>
      (b['Index Name'] ?? '').localeCompare(a['Index Name'] ?? ''),
    )
    expect(seen).toMatchObject({ 'Index Name': 'job_task_finished', 'Actual Rows': 1000 })
    expect(readers.map((node) => node['Node Type']).join()).not.toContain('Seq Scan')
    expect(Math.max(...readers.map((node) => looked([node])))).toBeLessThanOrEqual(1000)
    expect(byId.length).toBeGreaterThan(0)
  })
})
