import { type Command, Option } from 'commander'
import { toMoment } from '../control/filter.js'
import { ConfigError } from '../errors.js'
import { toMs } from '../job/duration.js'
import type { JobFilter } from '../job/filter.js'
import { isEnd, type JobState } from '../job/state.js'
import type { ActFlags } from './jobs/act.js'
import { acting } from './jobs.js'
import { common, list } from './kit.js'

interface PruneFlags extends ActFlags {
  readonly olderThan: string
}

const ends = ['succeeded', 'failed', 'cancelled', 'expired'] as const

export function addPrune(program: Command): void {
  acting(common(program.command('prune')))
    .description(
      'Delete finished jobs now, with their results and logs. By itself it happens as "retain" says.',
    )
    .option('--older-than <duration>', 'those that ended longer ago than this', '7d')
    .addOption(new Option('-s, --state <names>', `only these ends: ${ends.join(', ')}`).argParser(list))
    .addOption(new Option('-t, --task <names>', 'only jobs of these tasks').argParser(list))
    .addOption(new Option('-Q, --queue <names>', 'only jobs of these queues').argParser(list))
    .addHelpText('after', '\nExample:\n  celeriac prune --older-than 30d --state succeeded --dry-run')
    .action(prune)
}

async function prune(flags: PruneFlags): Promise<void> {
  if (toMs(flags.olderThan) === undefined)
    throw new ConfigError(`--older-than must be a duration, as 12h or 7d, and is "${flags.olderThan}".`)
  const state = (flags.state ?? ends) as readonly JobState[]
  const open = state.find((each) => !isEnd(each))
  if (open !== undefined)
    throw new ConfigError(`--state of prune names ends: ${ends.join(', ')}. It names "${open}".`)
  const filter: JobFilter = {
    state,
    finishedBefore: toMoment(flags.olderThan, '--older-than'),
    ...(flags.task ? { task: flags.task } : {}),
    ...(flags.queue ? { queue: flags.queue } : {}),
  }
  const { withStore } = await import('./open.js')
  const { actOnMatching } = await import('./jobs/act.js')
  await withStore(flags, (store) => actOnMatching(store, filter, { action: 'delete', flags }))
}
