import { type Bulk, type BulkAnswer, type BulkOptions, createBulk } from '../../control/bulk.js'
import { isPartOfId } from '../../control/filter.js'
import { checkTarget, toBulkFilter, type Which } from '../../control/operation-plan.js'
import { ConfigError } from '../../errors.js'
import type { BulkAction, BulkOutcome, JobFilter, MatchCount } from '../../job/filter.js'
import { sinceOf } from '../../store/search-narrow.js'
import type { MoveTarget, Store } from '../../store/store.js'
import { confirm, currentUser, exitCodes, exitWith, note, print, printJson, progressLine } from '../kit.js'
import { withStore } from '../open.js'
import { type FilterFlags, isSaid, noteSince, readIds, toFilter } from './which.js'

export interface ActFlags extends FilterFlags {
  readonly all?: boolean
  readonly yes?: boolean
  readonly dryRun?: boolean
  readonly by?: string
  readonly reason?: string
  readonly to?: string
  readonly priority?: string
}

/** What is done, to which jobs. */
export interface Deed {
  readonly action: BulkAction
  readonly flags: ActFlags
  readonly target?: MoveTarget
  /** The question before it. Default: by the action. */
  readonly question?: string
}

/** By ids, which need no question but for what cannot be undone; or by filter, with a count and a question. */
export async function act(given: readonly string[], deed: Deed): Promise<void> {
  const { flags, target } = deed
  if (target) checkTarget(target)
  if (given.length > 0) {
    if (isSaid(flags) || flags.all)
      throw new ConfigError('Say which jobs by their ids, or by what they are like, not both.')
    const ids = await readIds(given)
    return withStore(flags, (store) => actOnIds(store, ids, deed))
  }
  const filter = toFilter(flags)
  if (!isSaid(flags) && !flags.all)
    throw new ConfigError(
      'Say which jobs: their ids, "-" for ids from a pipe, a filter such as --state failed --since 1h, or --all.',
    )
  toBulkFilter(deed.action, filter)
  return withStore(flags, (store) => actOnMatching(store, filter, deed))
}

async function actOnIds(store: Store, ids: readonly string[], deed: Deed): Promise<void> {
  const { action, flags } = deed
  if (flags.dryRun) return print(`${told(ids.length)} would be ${done[action]}. Nothing was done.`)
  if (action === 'delete' && !(await confirm(question(action, told(ids.length)), flags))) return refuse()
  const place = new Map(ids.map((id, at) => [id.toLowerCase(), at]))
  const { isStopped } = await run(store, ids, deed, ({ outcomes }) => {
    const inOrder = outcomes.toSorted((one, other) => (place.get(one.id) ?? 0) - (place.get(other.id) ?? 0))
    for (const { id, outcome } of inOrder) {
      if (flags.json) printJson({ id, answer: outcome })
      else print(`${id} ${isPartOfId(id) ? cutAnswer : answers[outcome]}`)
      exitWith(codes[outcome] ?? exitCodes.done)
    }
  })
  if (isStopped) exitWith(exitCodes.no)
}

/** @param filter of what the action means, besides */
export async function actOnMatching(store: Store, filter: JobFilter, deed: Deed): Promise<void> {
  const { action, flags } = deed
  const meant = toBulkFilter(action, filter)
  noteSince(sinceOf(meant))
  const matched = await store.countMatching(meant, mostCounted)
  const many = `${matched.isMore ? 'More than ' : ''}${told(matched.count)}`
  if (matched.count === 0 && !matched.isMore) {
    if (flags.json) return printJson({ matched: 0, done: 0, counts: {}, isStopped: false, cursor: null })
    return note('No job matches. Nothing was done.')
  }
  const match = `${many} ${matched.count === 1 ? 'matches' : 'match'}.`
  if (flags.dryRun) {
    if (flags.json) return printJson({ matched: matched.count, isMore: matched.isMore, done: 0 })
    return print(`${match} Nothing was done.`)
  }
  if (!flags.json) note(match)
  if (!(await confirm(deed.question ?? question(action, many), flags))) return refuse()
  const line = progressLine()
  const answer = await run(store, filter, deed, ({ done: number }) =>
    line.show(`${number.toLocaleString('en')} of ${many.toLowerCase()} …`),
  ).finally(line.end)
  tell(answer, matched, deed)
}

/** Ctrl-C ends it after the batch that is under way; a second one ends the process. */
async function run(
  store: Store,
  which: Which,
  { action, flags, target }: Deed,
  onProgress: NonNullable<BulkOptions['onProgress']>,
): Promise<BulkAnswer> {
  // Deliveries are sent by the next round of maintenance of a process of the app: this one knows no broker.
  const bulk = createBulk({
    store: async () => store,
    listeners: { onCancelled: async () => {}, send: async () => {} },
  })
  const stopping = new AbortController()
  const stop = () => {
    note('Stopping after this batch …')
    stopping.abort()
  }
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, stop)
  const options = { by: flags.by ?? currentUser(), from: 'cli', signal: stopping.signal, onProgress }
  try {
    return await doIt(bulk, action, which, options, flags, target)
  } finally {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.off(signal, stop)
  }
}

function doIt(
  bulk: Bulk,
  action: BulkAction,
  which: Which,
  options: BulkOptions,
  { reason }: ActFlags,
  target: MoveTarget = {},
): Promise<BulkAnswer> {
  if (action === 'move') return bulk.move(which, target, options)
  if (action === 'cancel')
    return bulk.cancel(which, { ...options, ...(reason === undefined ? {} : { reason }) })
  return bulk[action](which, options)
}

function tell(answer: BulkAnswer, { count }: MatchCount, { flags }: Deed): void {
  const { command: _, ...rest } = answer
  if (answer.isStopped) exitWith(exitCodes.no)
  if (flags.json) {
    printJson({ matched: count, ...rest })
    return
  }
  const counts = Object.entries(answer.counts).map(
    ([outcome, number]) => `${number.toLocaleString('en')} ${summaries[outcome as BulkOutcome]}`,
  )
  const stopped = answer.isStopped ? 'Stopped. So far: ' : ''
  const advice = answer.isStopped ? ' The others are as they were: the same command goes on with them.' : ''
  print(`${stopped}${counts.join(', ') || 'nothing'}.${advice}`)
}

function refuse(): void {
  note('Nothing was done.')
  exitWith(exitCodes.no)
}

const mostCounted = 1_000_000

function told(number: number): string {
  return `${number.toLocaleString('en')} ${number === 1 ? 'job' : 'jobs'}`
}

function question(action: BulkAction, many: string): string {
  const it = { cancel: 'Cancel', retry: 'Retry', delete: 'Delete', promote: 'Run now', move: 'Move' }[action]
  return `${it} ${many.toLowerCase()}?${action === 'delete' ? ' They will be gone, with their results and logs.' : ''}`
}

const done: Readonly<Record<BulkAction, string>> = {
  cancel: 'cancelled',
  retry: 'retried',
  delete: 'deleted',
  promote: 'run now',
  move: 'moved',
}

const answers: Readonly<Record<BulkOutcome, string>> = {
  cancelled: 'cancelled: it will never start',
  cancelling: 'cancelling: it runs, and has been asked to stop',
  finished: 'finished: it had ended before',
  retried: 'retried: it is in its queue again',
  deleted: 'deleted',
  promoted: 'due now',
  moved: 'moved',
  unfit: 'left as it is: its state does not allow it',
  unknown: 'unknown: there is no such job',
}

const cutAnswer = 'unknown: that is a part of an id; say all of it, for many jobs begin alike'

const summaries: Readonly<Record<BulkOutcome, string>> = {
  cancelled: 'cancelled',
  cancelling: 'asked to stop',
  finished: 'had ended before',
  retried: 'retried',
  deleted: 'deleted',
  promoted: 'due now',
  moved: 'moved',
  unfit: 'left as they are, for a worker was quicker',
  unknown: 'gone meanwhile',
}

const codes: Readonly<Partial<Record<BulkOutcome, number>>> = {
  finished: exitCodes.no,
  unfit: exitCodes.no,
  unknown: exitCodes.unknown,
}
