import pg from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { migrate } from '../../src/store/migrate.js'
import {
  claimSettings,
  claimStatement,
  markDispatchedStatement,
  type Statement,
} from '../../src/store/statements.js'
import { freshDatabase } from '../support/servers.js'

let client: pg.Client

beforeAll(async () => {
  const url = await freshDatabase()
  await migrate({ url, log: { info() {} } })
  client = new pg.Client({ connectionString: url, options: claimSettings })
  await client.connect()
})

afterAll(() => client.end())

const statements: [string, Statement][] = [
  ['a claim', claimStatement([], '')],
  ['marking what was dispatched', markDispatchedStatement([])],
]

test.each(statements)(
  '%s finds its rows by id in a database that was never analysed',
  async (_, statement) => {
    expect(await planOf(statement)).toContain('Index Scan using job_pkey')
  },
)

test.each(statements)(
  '%s finds its rows by id when no job was open at the last analysis',
  async (_, statement) => {
    await client.query(`
    INSERT INTO celeriac.job (id, task, queue, state, payload, run_at, dispatched_at, finished_at)
    SELECT gen_random_uuid(), 't', 'default', 'succeeded', 'null', now(), now(), now() FROM generate_series(1, 1000)`)
    await client.query('ANALYZE celeriac.job')

    expect(await planOf(statement)).toContain('Index Scan using job_pkey')
  },
)

async function planOf({ text }: Statement): Promise<string> {
  const { rows } = await client.query<{ 'QUERY PLAN': string }>(`EXPLAIN (GENERIC_PLAN) ${text}`)
  return rows.map((row) => row['QUERY PLAN']).join('\n')
}
