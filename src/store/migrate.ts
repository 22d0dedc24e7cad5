import type { Client } from 'pg'
import { CeleriacError, MigrationError } from '../errors.js'
import { createClient, toStoreError } from './connection.js'
import { migrations } from './generated/migrations.js'
import {
  createLedgerSql,
  createSchemaSql,
  entrySql,
  insufficientPrivilege,
  ledgerLock,
  type Migration,
  pendingIn,
  type Queryable,
  readLedger,
  rightsToUse,
} from './ledger.js'

export interface MigrateSettings {
  /** Not through a transaction pooler is better, but it works. */
  readonly url: string
  readonly log: { info(message: string): void }
  /** How long to wait for another process that migrates. Default 1 min. */
  readonly lockWaitMs?: number
  /** Default 5 s. */
  readonly connectTimeoutMs?: number
}

/** How long a statement of a migration waits for a table, while all others wait behind it. */
const tableWaitMs = 10_000

/**
 * Brings the database's tables up to this version. Each migration is one transaction, so one that fails leaves no
 * trace. Of many processes that begin at once one migrates; the others wait, and find it done.
 *
 * @returns the names of the migrations that this call applied
 * @throws {MigrationError} when the database has another history, a migration fails, or a right is missing
 * @throws {StoreUnavailableError} when the server cannot be reached
 */
export function migrate(settings: MigrateSettings): Promise<{ applied: string[] }> {
  return connected(settings.url, settings.connectTimeoutMs, async (client) => {
    const applied: string[] = []
    while (await hasPending(client)) {
      const name = await applyNext(client, settings)
      if (name !== undefined) applied.push(name)
    }
    return { applied }
  })
}

/**
 * @throws {MigrationError} when the tables are missing or older, which `npx celeriac migrate` repairs, or newer, which
 * a newer celeriac understands
 */
export async function assertMigrated(db: Queryable): Promise<void> {
  const pending = pendingIn(await readLedger(db), migrations)
  if (pending.length === 0) return
  const all = pending.length === migrations.length
  throw new MigrationError(
    `The database ${all ? 'has no tables of celeriac' : `lacks ${namesOf(pending)}`}. Run: npx celeriac migrate`,
  )
}

/**
 * Which migrations the database has, and which it lacks.
 * @throws {MigrationError} when the tables are newer, or of another history
 */
export async function migrationsIn(db: Queryable): Promise<{ applied: string[]; pending: string[] }> {
  const ledger = await readLedger(db)
  const pending = pendingIn(ledger, migrations).map(({ name }) => name)
  return { applied: ledger.map(({ name }) => name), pending }
}

/**
 * What `migrate` would run, as a script for a role that has the rights. Empty when nothing is pending. Without a URL,
 * the script for an empty database.
 */
export async function pendingSql(url?: string): Promise<string> {
  const ledger = url === undefined ? [] : await connected(url, undefined, readLedger)
  const pending = pendingIn(ledger, migrations)
  if (pending.length === 0) return ''
  return [
    'BEGIN;',
    `SELECT pg_advisory_xact_lock(${ledgerLock});`,
    createSchemaSql,
    createLedgerSql,
    ...pending.flatMap((migration) => [`-- ${migration.name}`, migration.sql.trim(), entrySql(migration)]),
    'COMMIT;',
    '',
  ].join('\n\n')
}

/**
 * Looks without the lock, so that the usual start costs two reads. A history that seems broken is judged under the
 * lock: it may be that `prisma migrate deploy` is in the middle of it.
 */
async function hasPending(client: Client): Promise<boolean> {
  const ledger = await readLedger(client)
  if (ledger.some((entry) => entry.finishedAt === null)) return true
  return pendingIn(ledger, migrations).length > 0
}

async function applyNext(client: Client, settings: MigrateSettings): Promise<string | undefined> {
  await client.query('BEGIN ISOLATION LEVEL READ COMMITTED')
  try {
    await takeLock(client, settings)
    const [next] = pendingIn(await readLedger(client), migrations)
    if (next) await apply(client, next, settings.log)
    await client.query('COMMIT')
    return next?.name
  } catch (error) {
    await client.query('ROLLBACK').catch(() => {})
    throw error
  }
}

async function takeLock(client: Client, { log, lockWaitMs = 60_000 }: MigrateSettings): Promise<void> {
  const { rows } = await client.query<{ taken: boolean }>(
    `SELECT pg_try_advisory_xact_lock(${ledgerLock}) AS taken`,
  )
  if (rows[0]?.taken) return
  log.info('Another process migrates the database; waiting for it')
  try {
    await client.query(`SET LOCAL lock_timeout = ${lockWaitMs}`)
    await client.query(`SELECT pg_advisory_xact_lock(${ledgerLock})`)
  } catch (cause) {
    if (codeOf(cause) !== lockNotAvailable) throw cause
    throw new MigrationError(
      `Another process has been migrating the database for more than ${lockWaitMs / 1000} s. Try again when it has finished.`,
      { cause },
    )
  }
}

async function apply(client: Client, migration: Migration, log: MigrateSettings['log']): Promise<void> {
  log.info(`Applying migration ${migration.name}`)
  try {
    await client.query(`SET LOCAL lock_timeout = ${tableWaitMs}`)
    await createSchema(client)
    await client.query(createLedgerSql)
    await client.query(withoutSchema(migration.sql))
    await client.query(entrySql(migration))
  } catch (error) {
    throw await explain(error, migration, client)
  }
}

/** PostgreSQL asks for the right to create schemas even where this one exists, so it is not asked then. */
async function createSchema(client: Client): Promise<void> {
  if (!(await hasSchema(client))) await client.query(createSchemaSql)
}

async function hasSchema(client: Client): Promise<boolean> {
  const { rowCount } = await client.query(`SELECT 1 FROM pg_catalog.pg_namespace WHERE nspname = 'celeriac'`)
  return rowCount === 1
}

function withoutSchema(sql: string): string {
  return sql.replace(createSchemaSql, '')
}

const lockNotAvailable = '55P03'

async function explain(error: unknown, migration: Migration, client: Client): Promise<unknown> {
  if (codeOf(error) === insufficientPrivilege)
    return new MigrationError(await missingRight(client, error), { cause: error })
  if (codeOf(error) === lockNotAvailable)
    return new MigrationError(
      `Migration "${migration.name}" waited ${tableWaitMs / 1000} s for a table that a long transaction holds. ` +
        'Nothing of it was kept. Run npx celeriac migrate again when that has ended.',
      { cause: error },
    )
  if (codeOf(error) === undefined || toStoreError(error, '') !== error) return error
  return new MigrationError(
    `Migration "${migration.name}" failed: ${messageOf(error)}. Nothing of it was kept. ` +
      'If the schema "celeriac" holds tables that something else made, drop or rename it, then run: npx celeriac migrate',
    { cause: error },
  )
}

async function missingRight(client: Client, error: unknown): Promise<string> {
  await client.query('ROLLBACK')
  const { rows } = await client.query<{ role: string; database: string }>(
    'SELECT quote_ident(current_user) AS role, quote_ident(current_database()) AS database',
  )
  const { role, database } = rows[0] ?? { role: '<role>', database: '<database>' }
  const grant = (await hasSchema(client))
    ? `GRANT USAGE, CREATE ON SCHEMA celeriac TO ${role};`
    : `GRANT CREATE ON DATABASE ${database} TO ${role};`
  return (
    `The role ${role} may not make celeriac's tables: ${messageOf(error)}. Let an administrator run: ${grant} ` +
    `Or let one run what "npx celeriac migrate --print-sql" prints, and then: ${rightsToUse(role)}`
  )
}

async function connected<T>(
  url: string,
  connectTimeoutMs = 5000,
  use: (client: Client) => Promise<T>,
): Promise<T> {
  const client = createClient({ url, applicationName: 'celeriac migrate', connectTimeoutMs })
  try {
    await client.connect()
    return await use(client)
  } catch (error) {
    throw error instanceof CeleriacError ? error : toStoreError(error, url)
  } finally {
    await client.end()
  }
}

function namesOf(list: readonly Migration[]): string {
  return list.map(({ name }) => `"${name}"`).join(', ')
}

function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error ? String(error.code) : undefined
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
