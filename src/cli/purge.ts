import { type Command, Option } from 'commander'
import type { JobFilter } from '../job/filter.js'
import type { ActFlags } from './jobs/act.js'
import { acting } from './jobs.js'
import { common, list, note } from './kit.js'

interface PurgeFlags extends ActFlags {
  readonly force?: boolean
  readonly excludeQueues?: readonly string[]
}

export function addPurge(program: Command): void {
  acting(common(program.command('purge')))
    .description('Cancel all jobs that wait. What runs goes on, and what has ended stays.')
    .addOption(new Option('-Q, --queue <names>', 'only those of these queues').argParser(list))
    .addOption(new Option('-X, --exclude-queues <names>', 'all but those of these queues').argParser(list))
    .addOption(new Option('-t, --task <names>', 'only jobs of these tasks').argParser(list))
    .option('-f, --force', 'do not ask, as --yes')
    .option('--reason <text>', 'why; shown with the jobs (default: purged)')
    .addHelpText(
      'after',
      '\nThe jobs end cancelled, and can be retried. To delete them for good: celeriac jobs delete.\n\nExample:\n  celeriac purge -Q mail,reports',
    )
    .action(purge)
}

async function purge(flags: PurgeFlags): Promise<void> {
  const { withStore } = await import('./open.js')
  const { actOnMatching } = await import('./jobs/act.js')
  await withStore(flags, async (store) => {
    const queue = await queuesOf(flags, () => store.knownQueues())
    if (queue?.length === 0) return note('No queue is left. Nothing was done.')
    const filter: JobFilter = {
      state: ['scheduled', 'queued', 'retrying'],
      ...(queue ? { queue } : {}),
      ...(flags.task ? { task: flags.task } : {}),
    }
    const yes = flags.yes ?? flags.force ?? false
    await actOnMatching(store, filter, {
      action: 'cancel',
      flags: { ...flags, yes, reason: flags.reason ?? 'purged' },
    })
  })
}

async function queuesOf(
  { queue, excludeQueues }: PurgeFlags,
  known: () => Promise<readonly string[]>,
): Promise<readonly string[] | undefined> {
  if (!excludeQueues) return queue
  return (queue ?? (await known())).filter((each) => !excludeQueues.includes(each))
}
