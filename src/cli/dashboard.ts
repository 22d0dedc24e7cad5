import type { Command } from 'commander'
import { type CommonFlags, common, wholeNumber } from './kit.js'

export interface DashboardFlags extends CommonFlags {
  readonly port: string
  readonly host: string
}

export function addDashboard(program: Command): void {
  common(program.command('dashboard'))
    .description('Serve the dashboard alone, without the app: what "celery flower" is.')
    .option('-p, --port <port>', 'where it listens; 0: any that is free', '5555')
    .option(
      '--host <address>',
      'on which address; any but this machine needs "authorize" in the config',
      '127.0.0.1',
    )
    .addHelpText('after', '\nExample:\n  celeriac dashboard --port 5555')
    .action(async (flags: DashboardFlags) => {
      const port = wholeNumber(flags.port, '--port', 0)
      await (await import('./run-dashboard.js')).runDashboard(flags, port)
    })
}
