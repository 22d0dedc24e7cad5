import type { Command } from 'commander'
import type { ActFlags } from './jobs/act.js'
import { common } from './kit.js'

/** The short form of `celeriac jobs cancel`, for ids alone. */
export function addCancel(program: Command, aliases: readonly string[] = []): void {
  common(program.command('cancel').aliases(aliases))
    .description('Cancel jobs: one that waits never starts, one that runs is asked to stop.')
    .argument('<id...>', 'ids of jobs; "-" reads them from standard input')
    .option('--reason <text>', 'why; shown with the job')
    .option('--by <name>', 'who; kept with the job (default: user@host)')
    .addHelpText(
      'after',
      '\nBy what jobs are like: celeriac jobs cancel --help\n\nExits with 0 when each is cancelled or asked to stop, 3 when one had ended before, 4 when one is unknown.\n\nExample:\n  celeriac cancel 01890a5d-ac96-774b-bcce-b302099a8057 --reason "a mistake"',
    )
    .action(async (ids: readonly string[], flags: ActFlags) => {
      const { act } = await import('./jobs/act.js')
      await act(ids, { action: 'cancel', flags })
    })
}
