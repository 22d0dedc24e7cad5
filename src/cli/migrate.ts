import { migratePostgresBroker } from '../broker/postgres.js'
import type { Config } from '../config/resolve.js'
import { openEmbedded } from '../embedded/postgres.js'
import { migrate, pendingSql } from '../store/migrate.js'
import { type CommonFlags, readConfigOrDefaults } from './open.js'

export interface MigrateFlags extends CommonFlags {
  readonly printSql?: boolean
}

const log = {
  info: (message: string) => void process.stdout.write(`${message}\n`),
  warn: (message: string) => void process.stderr.write(`${message}\n`),
}

/** `celeriac migrate`: brings the tables of the store, and of a broker on PostgreSQL, up to date. */
export async function runMigrate(flags: MigrateFlags): Promise<void> {
  const config = await readConfigOrDefaults(flags)
  const { url, close } = await openStore(config)
  try {
    if (flags.printSql) process.stdout.write((await pendingSql(url)) || '-- Nothing is pending.\n')
    else await migrateAll(config, url)
  } finally {
    await close()
  }
}

async function openStore({ store, root }: Config): Promise<{ url: string; close(): Promise<void> }> {
  if (store.kind === 'embedded') return openEmbedded({ root, log })
  return { url: store.directUrl, close: async () => {} }
}

async function migrateAll({ broker }: Config, url: string): Promise<void> {
  const { applied } = await migrate({ url, log })
  if (broker.kind === 'postgres') await migratePostgresBroker(broker.url ?? url)
  log.info(applied.length === 0 ? 'The tables are up to date.' : `Applied ${applied.length} migration(s).`)
}
