import { readEnvironment } from './config/env.js'
import type { CeleriacOptions } from './config/options.js'
import { type Config, resolveConfig } from './config/resolve.js'
import { openEmbedded } from './embedded/postgres.js'

export interface MigrateLog {
  info(message: string): void
  warn(message: string): void
}

const silent: MigrateLog = { info() {}, warn() {} }

/**
 * Creates the tables of the store, and of a broker on PostgreSQL, or brings them up to date: what `celeriac migrate`
 * does, for a deploy script. Safe to run twice, and in several processes at once.
 *
 * @throws {MigrationError} when the database has another history, a migration fails, or a right is missing
 * @throws {StoreUnavailableError} when the server cannot be reached
 */
export async function migrate(options: CeleriacOptions = {}): Promise<{ applied: string[] }> {
  return migrateTables(resolveConfig(options, readEnvironment()), silent)
}

export function migrateTables(config: Config, log: MigrateLog): Promise<{ applied: string[] }> {
  return withStore(config, log, async (url) => {
    const store = await import('./store/migrate.js')
    const done = await store.migrate({ url, log })
    if (config.broker.kind !== 'postgres') return done
    const { migratePostgresBroker } = await import('./broker/postgres.js')
    await migratePostgresBroker(config.broker.url ?? url)
    return done
  })
}

/** What a role with the rights would have to run for the store. Empty when nothing is pending. */
export function printableSql(config: Config, log: MigrateLog): Promise<string> {
  return withStore(config, log, async (url) => (await import('./store/migrate.js')).pendingSql(url))
}

async function withStore<T>(
  { store, root }: Config,
  log: MigrateLog,
  work: (url: string) => Promise<T>,
): Promise<T> {
  if (store.kind === 'postgres') return work(store.directUrl)
  const embedded = await openEmbedded({ root, log })
  try {
    return await work(embedded.url)
  } finally {
    await embedded.close()
  }
}
