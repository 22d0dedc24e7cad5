import pg from 'pg'
import { v7 as uuidv7 } from 'uuid'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { commandsSql, endedSql, firstIdOf, movedSql, openedSql } from '../../src/store/changes.js'
import { migrate } from '../../src/store/migrate.js'
import { freshDatabase } from '../support/servers.js'

/** What a watch asks of a large table: short ranges of its indexes, and nothing else. */

let client: pg.Client

beforeAll(async () => {
  const url = await freshDatabase()
  await migrate({ url, log: { info() {} } })
  client = new pg.Client({ connectionString: url })
  await client.connect()
  await client.query('ALTER TABLE celeriac.job SET (autovacuum_enabled = false)')
  // Ended: 300,000, one a second. Open: 100,000 in twenty queues, which were made by processes long ago.
  await client.query(`
    INSERT INTO celeriac.job (id, task, queue, state, payload, run_at, dispatched_at, finished_at)
    SELECT (lpad(to_hex((extract(epoch FROM now()) * 1000)::bigint - n * 1000), 12, '0') || '70008000' || lpad(to_hex(n), 12, '0'))::uuid,
      'task', 'default', 'succeeded', 'null', now(), now(), now() - n * interval '1 second'
    FROM generate_series(1, 300000) AS n`)
  await client.query(`
    INSERT INTO celeriac.job (id, task, queue, state, payload, run_at)
    SELECT ('00000000-0000-7000-8000-' || lpad(n::text, 12, '0'))::uuid, 'task', 'queue-' || n % 20, 'queued', 'null', now()
    FROM generate_series(1, 100000) AS n`)
  await client.query('VACUUM ANALYZE celeriac.job')
}, 180_000)

afterAll(() => client.end())

const since = () => new Date(Date.now() - 10_000)
const statements: [string, string, () => unknown[], number][] = [
  ['what has ended', endedSql, () => [since(), null, null, 1000], 1000],
  ['the page behind', endedSql, () => [since(), since(), uuidv7(), 1000], 1000],
  ['what was enqueued', openedSql, () => [firstIdOf(since()), 1000], 1000],
  // The first two hundred of twenty queues, the way from queue to queue, and two by their ids.
  ['what has moved', movedSql, () => [since(), [uuidv7(), uuidv7()]], 4100],
]

describe('of 400,000 jobs', () => {
  test.each(statements)('%s is found in some thousand rows at most', async (_, text, values, most) => {
    const nodes = await readersOf(text, values())

    expect(nodes.map((node) => node['Node Type'])).not.toContain('Seq Scan')
    expect(looked(nodes)).toBeLessThanOrEqual(most)
  })

  test('commands have an index of their own', async () => {
    await client.query(`
      INSERT INTO celeriac.command (id, verb, asked_from, asked_at, expires_at)
      SELECT gen_random_uuid(), 'ping', 'code', now() - n * interval '1 minute', now() FROM generate_series(1, 20000) AS n`)
    await client.query('ANALYZE celeriac.command')
    const plan = await planOf(commandsSql, [since(), 1000])

    expect(plan.some((node) => node['Index Name'] === 'command_asked')).toBe(true)
  })
})

interface Node {
  readonly 'Node Type': string
  readonly 'Relation Name'?: string
  readonly 'Index Name'?: string
  readonly 'Actual Rows': number
  readonly 'Actual Loops': number
  readonly 'Rows Removed by Filter'?: number
  readonly Plans?: readonly Node[]
}

async function planOf(text: string, values: unknown[]): Promise<Node[]> {
  const { rows } = await client.query<{ 'QUERY PLAN': readonly { Plan: Node }[] }>({
    text: `EXPLAIN (ANALYZE, FORMAT JSON) ${text}`,
    values,
  })
  const all = (node: Node): Node[] => [node, ...(node.Plans ?? []).flatMap(all)]
  return rows.flatMap((row) => row['QUERY PLAN']).flatMap(({ Plan }) => all(Plan))
}

async function readersOf(text: string, values: unknown[]): Promise<Node[]> {
  return (await planOf(text, values)).filter((node) => node['Relation Name'] === 'job')
}

function looked(nodes: readonly Node[]): number {
  return nodes.reduce(
    (sum, node) => sum + (node['Actual Rows'] + (node['Rows Removed by Filter'] ?? 0)) * node['Actual Loops'],
    0,
  )
}
