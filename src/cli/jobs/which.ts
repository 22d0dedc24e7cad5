import { type Command, Option } from 'commander'
import { ConfigError } from '../../errors.js'
import type { Duration } from '../../job/duration.js'
import type { JobFilter } from '../../job/filter.js'
import type { JobState } from '../../job/state.js'
import { type CommonFlags, list, note, wholeNumber } from '../kit.js'

/** A flag for everything that the store can look for. */
export interface FilterFlags extends CommonFlags {
  readonly state?: readonly string[]
  readonly task?: readonly string[]
  readonly queue?: readonly string[]
  readonly worker?: readonly string[]
  readonly owner?: readonly string[]
  /** `false` of `--no-owner`. */
  readonly tag?: readonly string[]
  readonly unowned?: boolean
  readonly parent?: string
  readonly since?: string
  readonly until?: string
  readonly startedSince?: string
  readonly startedUntil?: string
  readonly endedSince?: string
  readonly endedUntil?: string
  readonly minDuration?: string
  readonly maxDuration?: string
  readonly minAttempts?: string
  readonly errorName?: string
  readonly error?: string
  readonly text?: string
  readonly query?: string
}

export function filterable(command: Command): Command {
  const named = (flags: string, what: string) => command.addOption(new Option(flags, what).argParser(list))
  const said = (flags: string, what: string) => command.addOption(new Option(flags, what))
  named('-s, --state <names>', 'scheduled, queued, running, retrying, succeeded, failed, cancelled, expired')
  named('-t, --task <names>', 'names of tasks')
  named('-Q, --queue <names>', 'names of queues')
  named('--worker <names>', 'names or ids of the workers that run them, or ran them last')
  named('--owner <names>', 'owners')
  said('--unowned', 'without an owner')
  named('--tag <names>', 'with one of these tags')
  said('--parent <id>', 'children of this job')
  said('--since <moment>', 'created since then: 1h ago, as 30m, 2h, 7d, or a date')
  said('--until <moment>', 'created before then')
  said('--started-since <moment>', 'started since then')
  said('--started-until <moment>', 'started before then')
  said('--ended-since <moment>', 'ended since then')
  said('--ended-until <moment>', 'ended before then')
  said('--min-duration <duration>', 'the attempt took so long, or longer, as 30s')
  said('--max-duration <duration>', 'the attempt took so long, or less')
  said('--min-attempts <number>', 'started so often, or more often')
  said('--error-name <class>', 'class of the last error, as TypeError')
  said('--error <text>', 'text of the last error')
  said('--text <text>', 'text in payload, result or error')
  said('--query <query>', 'all of that in one: \'state:failed (tag:vip or attempts>=3) -"hang up"\'')
  return command
}

/** Whether any flag says which jobs. */
export function isSaid(flags: FilterFlags): boolean {
  return Object.keys(toFilter(flags)).length > 0
}

/** Unchecked: `toStoredFilter` says what is wrong with it. */
export function toFilter(flags: FilterFlags): JobFilter {
  if (flags.unowned && flags.owner) throw new ConfigError('Say --owner or --unowned, not both.')
  const said: Record<keyof JobFilter, unknown> = {
    id: undefined,
    state: flags.state as readonly JobState[] | undefined,
    task: flags.task,
    queue: flags.queue,
    worker: flags.worker,
    owner: flags.unowned ? null : flags.owner,
    tag: flags.tag,
    parent: flags.parent,
    createdAfter: flags.since,
    createdBefore: flags.until,
    startedAfter: flags.startedSince,
    startedBefore: flags.startedUntil,
    finishedAfter: flags.endedSince,
    finishedBefore: flags.endedUntil,
    minDuration: flags.minDuration as Duration | undefined,
    maxDuration: flags.maxDuration as Duration | undefined,
    minAttempts:
      flags.minAttempts === undefined ? undefined : wholeNumber(flags.minAttempts, '--min-attempts'),
    errorName: flags.errorName,
    error: flags.error,
    text: flags.text,
    query: flags.query,
  }
  return Object.fromEntries(Object.entries(said).filter(([, value]) => value !== undefined))
}

/** For who looks for text, and said no time. */
export function noteSince(since: Date | null): void {
  if (since)
    note(
      `Text is looked for in jobs of the last 24 hours, since ${since.toISOString()}. Further back: --since 30d`,
    )
}

/** Ids as arguments; `-` stands for those that come from a pipe, by line, space or comma. */
export async function readIds(given: readonly string[]): Promise<readonly string[]> {
  if (!given.includes('-')) return given
  let text = ''
  for await (const chunk of process.stdin) text += chunk
  const piped = text.split(/[\s,]+/).filter((id) => id !== '')
  return [...given.filter((id) => id !== '-'), ...piped]
}
