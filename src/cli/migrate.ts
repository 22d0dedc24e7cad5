import { migrateTables, printableSql } from '../migrate.js'
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
  if (flags.printSql) {
    process.stdout.write((await printableSql(config, log)) || '-- Nothing is pending.\n')
    return
  }
  const { applied } = await migrateTables(config, log)
  log.info(applied.length === 0 ? 'The tables are up to date.' : `Applied ${applied.length} migration(s).`)
}
