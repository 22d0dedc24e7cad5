import type { Command } from 'commander'
import { type CommonFlags, common, note, print, printJson } from './kit.js'

interface MigrateFlags extends CommonFlags {
  readonly printSql?: boolean
}

export function addMigrate(program: Command): void {
  common(program.command('migrate'))
    .description(
      'Create the tables, or bring them up to date: those of the store, and of a broker on PostgreSQL.',
    )
    .option('--print-sql', 'print what would run, and change nothing')
    .addHelpText('after', '\nExample:\n  celeriac migrate --print-sql > celeriac.sql')
    .action(migrate)
}

async function migrate(flags: MigrateFlags): Promise<void> {
  const { readConfigOrDefaults } = await import('./open.js')
  const { migrateTables, printableSql } = await import('../migrate.js')
  const config = await readConfigOrDefaults(flags)
  const log = { info: flags.json ? () => {} : print, warn: note }
  if (flags.printSql) {
    print((await printableSql(config, log)).trimEnd() || '-- Nothing is pending.')
    return
  }
  const { applied } = await migrateTables(config, log)
  if (flags.json) return printJson({ applied })
  print(applied.length === 0 ? 'The tables are up to date.' : `Applied ${applied.length} migration(s).`)
}
