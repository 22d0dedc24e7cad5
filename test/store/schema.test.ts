import pg from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { migrations } from '../../src/store/generated/migrations.js'
import { migrate } from '../../src/store/migrate.js'
import { freshDatabase } from '../support/servers.js'
import { createJudge, type Judge, schemaFile } from './schema-engine.js'

const log = { info: () => {} }
let url: string
let judge: Judge

beforeAll(async () => {
  url = await freshDatabase()
  await migrate({ url, log })
  judge = await createJudge(url)
})

afterAll(() => judge.close())

test('the migrated database is what schema.prisma says', async () => {
  expect(await judge.difference()).toBe('')
})

test('a column that only schema.prisma has would be noticed', async () => {
  const changed = schemaFile.replace('model Pass {', 'model Pass {\n  note String?\n')
  expect(await judge.difference(changed)).toBe('ALTER TABLE "pass" ADD COLUMN     "note" TEXT;')
})

test('a default and an index that only the database has would be noticed', async () => {
  const changed = schemaFile
    .replace('lost              Int       @default(0)', 'lost              Int')
    .replace('@@index([stoppedAt, lostAt], map: "worker_live")', '')
  const difference = await judge.difference(changed)
  expect(difference).toContain('ALTER COLUMN "lost" DROP DEFAULT')
  expect(difference).toContain('DROP INDEX "worker_live"')
})

test('what schema.prisma cannot say are these indexes', async () => {
  expect(await partialIndexesOf(url)).toEqual([
    'command_changes',
    'job_delayed',
    'job_expiring',
    'job_finished',
    'job_idempotency',
    'job_open',
    'job_parent',
    'job_task_finished',
    'job_undispatched',
    'job_unsuccessful',
    'operation_open',
  ])
})

test("Prisma's own engine finds every migration applied, and has nothing to deploy", async () => {
  expect(await judge.diagnose()).toEqual({
    editedMigrationNames: [],
    failedMigrationNames: [],
    hasMigrationsTable: true,
    history: null,
  })
  expect(await judge.deploy()).toEqual([])
})

test("the ledger is the one that Prisma's own engine makes", async () => {
  const theirs = await freshDatabase()
  await deployWithPrisma(theirs)

  expect(await ledgerOf(url)).toEqual(await ledgerOf(theirs))
})

test("a database that Prisma's own engine migrated needs nothing from us", async () => {
  const theirs = await freshDatabase()
  await deployWithPrisma(theirs)

  expect(await migrate({ url: theirs, log })).toEqual({ applied: [] })
})

/** Prisma makes the schema that the URL names when it connects; the adapter leaves that to its caller. */
async function deployWithPrisma(database: string): Promise<void> {
  await asked(database, 'CREATE SCHEMA celeriac')
  const engine = await createJudge(database)
  expect(await engine.deploy()).toEqual(migrations.map(({ name }) => name))
  await engine.close()
}

async function partialIndexesOf(database: string): Promise<unknown[]> {
  const rows = await asked(
    database,
    `SELECT relname AS name FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid
     WHERE relnamespace = 'celeriac'::regnamespace AND (indpred IS NOT NULL OR indexprs IS NOT NULL) ORDER BY 1`,
  )
  return rows.map((row) => row.name)
}

/** Its columns, and its lines without what is new each time. */
async function ledgerOf(database: string): Promise<unknown> {
  return {
    columns: await asked(
      database,
      `SELECT column_name, data_type, character_maximum_length, is_nullable, column_default
       FROM information_schema.columns WHERE table_schema = 'celeriac' AND table_name = '_prisma_migrations'
       ORDER BY ordinal_position`,
    ),
    keys: await asked(
      database,
      `SELECT conname, pg_get_constraintdef(oid) AS rule FROM pg_constraint
       WHERE conrelid = 'celeriac._prisma_migrations'::regclass AND contype <> 'n' ORDER BY 1`,
    ),
    lines: await asked(
      database,
      `SELECT checksum, migration_name, logs, rolled_back_at, applied_steps_count,
         finished_at >= started_at AS "finished", id ~ '^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}$' AS "uuid"
       FROM celeriac._prisma_migrations ORDER BY migration_name`,
    ),
  }
}

async function asked(database: string, statement: string): Promise<pg.QueryResultRow[]> {
  const client = new pg.Client(database)
  await client.connect()
  const { rows } = await client.query(statement)
  await client.end()
  return rows
}
