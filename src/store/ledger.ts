import { createHash } from 'node:crypto'
import { MigrationError } from '../errors.js'

/**
 * The table in which Prisma's own migration engine keeps its books. We keep them as it does, so that
 * `prisma migrate deploy` and `prisma migrate status` agree with `celeriac migrate`.
 */

/** The number of the advisory lock that Prisma's engine takes as well: neither migrates while the other does. */
export const ledgerLock = 72707369

export const createSchemaSql = 'CREATE SCHEMA IF NOT EXISTS "celeriac";'

export const createLedgerSql = `CREATE TABLE IF NOT EXISTS "celeriac"."_prisma_migrations" (
    "id"                    VARCHAR(36) PRIMARY KEY NOT NULL,
    "checksum"              VARCHAR(64) NOT NULL,
    "finished_at"           TIMESTAMPTZ,
    "migration_name"        VARCHAR(255) NOT NULL,
    "logs"                  TEXT,
    "rolled_back_at"        TIMESTAMPTZ,
    "started_at"            TIMESTAMPTZ NOT NULL DEFAULT now(),
    "applied_steps_count"   INTEGER NOT NULL DEFAULT 0
);`

export interface Migration {
  readonly name: string
  readonly sql: string
}

/** One line of the ledger. */
export interface LedgerEntry {
  readonly name: string
  readonly checksum: string
  readonly finishedAt: Date | null
  readonly logs: string | null
}

/** A client or a pool of node-postgres. */
export interface Queryable {
  query(text: string): Promise<{ readonly rows: readonly unknown[] }>
}

/**
 * The lines that count, oldest first; none when there is no ledger yet. Whether there is one is read from the catalog:
 * `to_regclass` answers from a cache that waiting for an advisory lock does not refresh.
 *
 * @throws {MigrationError} when the role may not read it
 */
export async function readLedger(db: Queryable): Promise<readonly LedgerEntry[]> {
  const { rows: found } = await db.query(
    `SELECT 1 FROM pg_catalog.pg_class WHERE relname = '_prisma_migrations' AND relnamespace IN
       (SELECT oid FROM pg_catalog.pg_namespace WHERE nspname = 'celeriac')`,
  )
  if (found.length === 0) return []
  const { rows } = await db.query(ledgerSql).catch(failAsReader)
  return rows as LedgerEntry[]
}

const ledgerSql = `SELECT migration_name AS name, checksum, finished_at AS "finishedAt", logs
  FROM celeriac._prisma_migrations WHERE rolled_back_at IS NULL ORDER BY started_at, migration_name`

function failAsReader(error: unknown): never {
  if (!(error instanceof Error && 'code' in error && error.code === insufficientPrivilege)) throw error
  throw new MigrationError(
    `This role may not read celeriac's tables: ${error.message}. Let an administrator run, with its name: ${rightsToUse('<role>')}`,
    { cause: error },
  )
}

export const insufficientPrivilege = '42501'

/** What a role needs that uses the tables and does not make them. */
export function rightsToUse(role: string): string {
  return (
    `GRANT USAGE ON SCHEMA celeriac TO ${role}; ` +
    `GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA celeriac TO ${role};`
  )
}

export function entrySql({ name, sql }: Migration): string {
  return `INSERT INTO "celeriac"."_prisma_migrations"
    ("id", "checksum", "finished_at", "migration_name", "started_at", "applied_steps_count")
  VALUES (gen_random_uuid()::text, '${checksumOf(sql)}', clock_timestamp(), '${name}', now(), 1);`
}

/**
 * The migrations that the database lacks.
 * @throws {MigrationError} when ledger and migrations are not of one history
 */
export function pendingIn(ledger: readonly LedgerEntry[], migrations: readonly Migration[]): Migration[] {
  assertFinished(ledger)
  assertKnown(ledger, migrations)
  assertUnchanged(ledger, migrations)
  const applied = new Set(ledger.map((entry) => entry.name))
  return migrations.filter((migration) => !applied.has(migration.name))
}

function assertFinished(ledger: readonly LedgerEntry[]): void {
  const unfinished = ledger.find((entry) => entry.finishedAt === null)
  if (!unfinished) return
  const { name, logs } = unfinished
  throw new MigrationError(
    `Migration "${name}" was begun by "prisma migrate" and has not finished.${logs ? ` It said: ${logs.trim()}` : ''} ` +
      'Unless it still runs, bring the schema "celeriac" back to what it was before, then run: ' +
      `UPDATE celeriac._prisma_migrations SET rolled_back_at = now() WHERE migration_name = '${name}' AND finished_at IS NULL; ` +
      'and then: npx celeriac migrate',
  )
}

function assertKnown(ledger: readonly LedgerEntry[], migrations: readonly Migration[]): void {
  const known = new Set(migrations.map((migration) => migration.name))
  const unknown = ledger.filter((entry) => !known.has(entry.name)).map((entry) => `"${entry.name}"`)
  if (unknown.length === 0) return
  throw new MigrationError(
    `The database is newer than this version of celeriac, which does not know: ${unknown.join(', ')}. ` +
      'Install the version of celeriac that migrated the database, or a later one.',
  )
}

function assertUnchanged(ledger: readonly LedgerEntry[], migrations: readonly Migration[]): void {
  for (const { name, sql } of migrations) {
    const entry = ledger.find((each) => each.name === name)
    if (!entry || checksumsOf(sql).includes(entry.checksum)) continue
    throw new MigrationError(
      `Migration "${name}" was applied with other SQL than this version of celeriac has ` +
        `(checksum ${entry.checksum}, expected ${checksumOf(sql)}). ` +
        'A published migration never changes: install the version of celeriac that migrated the database, or a later one.',
    )
  }
}

function checksumOf(sql: string): string {
  return createHash('sha256').update(sql).digest('hex')
}

/** Like Prisma, we do not mind that an editor or git changed the line ends. */
function checksumsOf(sql: string): string[] {
  const unix = sql.replaceAll('\r\n', '\n')
  return [sql, unix, unix.replaceAll('\n', '\r\n')].map(checksumOf)
}
