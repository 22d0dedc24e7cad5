import type { Command } from 'commander'
import { validate as isUuid } from 'uuid'
import type { CancelAnswer } from '../job/job.js'
import { type CommonFlags, common, currentUser, exitCodes, exitWith, print, printJson } from './kit.js'

interface CancelFlags extends CommonFlags {
  readonly reason?: string
  readonly by?: string
}

export function addCancel(program: Command, aliases: readonly string[] = []): void {
  common(program.command('cancel').aliases(aliases))
    .description('Cancel jobs: one that waits never starts, one that runs is asked to stop.')
    .argument('<id...>', 'ids of jobs')
    .option('--reason <text>', 'why; shown with the job')
    .option('--by <name>', 'who; kept with the job (default: user@host)')
    .addHelpText(
      'after',
      '\nExits with 0 when each is cancelled or asked to stop, 3 when one had ended before, 4 when one is unknown.',
    )
    .action(cancel)
}

/** Says of each job what came of it. */
async function cancel(ids: readonly string[], flags: CancelFlags): Promise<void> {
  const { withStore } = await import('./open.js')
  const by = flags.by ?? currentUser()
  await withStore(flags, async (store) => {
    for (const id of ids) {
      const answer = isUuid(id) ? await store.cancel(id, by, flags.reason ?? null) : 'unknown'
      if (flags.json) printJson({ id, answer })
      else print(`${id} ${told[answer]}`)
      exitWith(codes[answer])
    }
  })
}

const told: Readonly<Record<CancelAnswer, string>> = {
  cancelled: 'cancelled: it will never start',
  cancelling: 'cancelling: it runs, and has been asked to stop',
  finished: 'finished: it had ended before',
  unknown: 'unknown: there is no such job',
}

const codes: Readonly<Record<CancelAnswer, number>> = {
  cancelled: exitCodes.done,
  cancelling: exitCodes.done,
  finished: exitCodes.no,
  unknown: exitCodes.unknown,
}
