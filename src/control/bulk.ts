import { validate as isUuid, v7 as uuidv7 } from 'uuid'
import { ConfigError, StoreUnavailableError } from '../errors.js'
import { type BulkAction, type BulkOutcome, bulkStates, type JobFilter } from '../job/filter.js'
import { type JobState, moves } from '../job/state.js'
import type { JobOutcome, MoveTarget, Redelivery, Store, StoredFilter } from '../store/store.js'
import { checkInteger, checkKeys, checkPriority, checkQueue, checkText } from '../task/check.js'
import { toStoredFilter } from './filter.js'

/**
 * The same for many jobs: by their ids, or all that a filter means. What is done is done in batches, each in one
 * statement; a stop in the middle leaves every job as it was or as it is to be. A job that a worker takes meanwhile is
 * left alone. Each call is a row among the commands: who did what, to which jobs, and what came of it.
 */
export interface Bulk {
  /** What waits never starts; what runs is asked to stop. */
  cancel(which: Which, options?: BulkOptions & { readonly reason?: string }): Promise<BulkAnswer>
  /** Failed, cancelled and expired jobs begin anew. */
  retry(which: Which, options?: BulkOptions): Promise<BulkAnswer>
  /** All but what runs. */
  delete(which: Which, options?: BulkOptions): Promise<BulkAnswer>
  /** Jobs that wait for their time, or for their next attempt, are due now. */
  promote(which: Which, options?: BulkOptions): Promise<BulkAnswer>
  /** Waiting jobs get another queue, another priority, or both. */
  move(which: Which, to: MoveTarget, options?: BulkOptions): Promise<BulkAnswer>
}

/** Ids, or a filter. */
export type Which = readonly string[] | JobFilter

export interface BulkOptions {
  /** Who asks. It is kept. */
  readonly by?: string | null
  /** From where: kept as well. Default `code`. */
  readonly from?: string
  /** Stops after the batch that is under way. */
  readonly signal?: AbortSignal
  /** Jobs in one statement, 1 to 1000. Default 500. */
  readonly batch?: number
  /** Where a call with the same filter was stopped. */
  readonly cursor?: string
  /** Told after each batch, and waited for. */
  onProgress?(progress: BulkProgress): unknown
}

export interface BulkProgress {
  /** Jobs so far, whatever came of them. */
  readonly done: number
  /** How many match, as far as a count of 2 s tells. */
  readonly matched: number
  /** There are more than `matched`, or may be. */
  readonly isMore: boolean
  /** What came of those of this batch. */
  readonly outcomes: readonly JobOutcome[]
}

export interface BulkAnswer {
  /** Of the row that remembers it. */
  readonly command: string
  /** Jobs that were looked at, whatever came of them. */
  readonly done: number
  readonly counts: Readonly<Partial<Record<BulkOutcome, number>>>
  /** It was stopped before all was done. */
  readonly isStopped: boolean
  /** Where to go on after a stop; `null` when there is nothing left, or ids were given. */
  readonly cursor: string | null
}

export interface BulkDeps {
  readonly store: () => Promise<BulkStore>
  /** Told of waiting jobs that were cancelled: they have ended. */
  readonly onCancelled: (ids: readonly string[]) => Promise<void>
  /** Told of what has a new delivery. */
  readonly send: (redeliveries: readonly Redelivery[]) => void
  /** A task goes by its name and its aliases. Default: by what the filter says. */
  readonly namesOf?: (task: string) => readonly string[]
}

export type BulkStore = Pick<
  Store,
  | 'searchIds'
  | 'countMatching'
  | 'cancelJobs'
  | 'retryJobs'
  | 'deleteJobs'
  | 'promoteJobs'
  | 'moveJobs'
  | 'addCommand'
  | 'closeCommand'
>

const optionNames = ['by', 'from', 'signal', 'batch', 'cursor', 'onProgress', 'reason'] as const
const defaultBatch = 500
const largestBatch = 1000
const mostCounted = 1_000_000
/** Ids that the row of a command names. Of more, it says how many. */
const mostNamed = 100

export function createBulk({ store, onCancelled, send, namesOf }: BulkDeps): Bulk {
  return {
    async cancel(which, options = {}) {
      const { by = null, reason = null } = options
      if (reason !== null) checkText(reason, '"reason"')
      return run('cancel', which, options, reason === null ? {} : { reason }, async (opened, ids) => {
        const outcomes = await opened.cancelJobs(ids, by, reason)
        await onCancelled(outcomes.flatMap(({ id, outcome }) => (outcome === 'cancelled' ? id : [])))
        return outcomes
      })
    },
    retry: async (which, options = {}) =>
      run('retry', which, options, {}, async (opened, ids) => sent(await opened.retryJobs(ids))),
    delete: async (which, options = {}) =>
      run('delete', which, options, {}, (opened, ids) => opened.deleteJobs(ids)),
    promote: async (which, options = {}) =>
      run('promote', which, options, {}, async (opened, ids) => sent(await opened.promoteJobs(ids))),
    async move(which, to, options = {}) {
      const target = checkTarget(to)
      return run('move', which, options, { to: target }, async (opened, ids) =>
        sent(await opened.moveJobs(ids, target)),
      )
    },
  }

  function sent({ outcomes, redeliveries }: Awaited<ReturnType<BulkStore['retryJobs']>>) {
    send(redeliveries)
    return outcomes
  }

  async function run(
    action: BulkAction,
    which: Which,
    options: BulkOptions,
    args: { readonly reason?: string; readonly to?: MoveTarget },
    act: (store: BulkStore, ids: readonly string[]) => Promise<readonly JobOutcome[]>,
  ): Promise<BulkAnswer> {
    const size = checkOptions(options)
    const { signal, onProgress } = options
    const source = sourceOf(action, which, size, options.cursor, namesOf, args.to)
    const opened = await store()
    const tally = createTally()
    const matched = onProgress ? await source.count(opened) : { count: 0, isMore: true }
    const command = await begin(opened, action, options, { ...args, ...source.args })
    let cursor: string | null = null
    for (let isDone = false; !isDone; ) {
      if (signal?.aborted) return close(opened, command, tally, { isStopped: true, cursor })
      const batch = await source.next(opened)
      const outcomes = batch.ids.length === 0 ? [] : await act(opened, batch.ids)
      tally.add([...outcomes, ...batch.strangers])
      cursor = batch.cursor
      isDone = batch.isDone
      await opened.closeCommand(command, JSON.stringify({ ...tally.sum(), isDone, cursor }))
      await onProgress?.({
        done: tally.sum().done,
        matched: Math.max(matched.count, tally.sum().done),
        isMore: matched.isMore,
        outcomes: [...outcomes, ...batch.strangers],
      })
    }
    return { command, ...tally.sum(), isStopped: false, cursor: null }
  }
}

async function close(
  store: BulkStore,
  command: string,
  tally: Tally,
  stop: { readonly isStopped: boolean; readonly cursor: string | null },
): Promise<BulkAnswer> {
  await store.closeCommand(command, JSON.stringify({ ...tally.sum(), isDone: false, ...stop }))
  return { command, ...tally.sum(), ...stop }
}

/** It is there before anything is done, so that nothing is done without a trace. */
async function begin(
  store: BulkStore,
  verb: BulkAction,
  options: BulkOptions,
  args: object,
): Promise<string> {
  const id = uuidv7()
  await store.addCommand({
    id,
    verb,
    args: JSON.stringify(args),
    workers: [],
    askedBy: options.by ?? null,
    askedFrom: options.from ?? 'code',
    expiresInMs: 0,
  })
  return id
}

interface Tally {
  add(outcomes: readonly JobOutcome[]): void
  sum(): Pick<BulkAnswer, 'done' | 'counts'>
}

function createTally(): Tally {
  const counts: Partial<Record<BulkOutcome, number>> = {}
  let done = 0
  return {
    add(outcomes) {
      done += outcomes.length
      for (const { outcome } of outcomes) counts[outcome] = (counts[outcome] ?? 0) + 1
    },
    sum: () => ({ done, counts: { ...counts } }),
  }
}

interface Batch {
  readonly ids: readonly string[]
  /** What is no id at all. */
  readonly strangers: readonly JobOutcome[]
  readonly cursor: string | null
  readonly isDone: boolean
}

/** Where the jobs come from, batch by batch. */
interface Source {
  /** For the row that remembers it. */
  readonly args: object
  count(store: BulkStore): Promise<{ readonly count: number; readonly isMore: boolean }>
  next(store: BulkStore): Promise<Batch>
}

function sourceOf(
  action: BulkAction,
  which: Which,
  size: number,
  cursor: string | undefined,
  namesOf: BulkDeps['namesOf'],
  target: MoveTarget | undefined,
): Source {
  if (isList(which)) return fromIds(which, size)
  const filter = toBulkFilter(action, which, namesOf)
  return fromFilter(which, target ? { ...filter, notAt: target } : filter, size, cursor)
}

function isList(which: Which): which is readonly string[] {
  return Array.isArray(which)
}

function fromIds(given: readonly string[], size: number): Source {
  const ids = [...new Set(given.map((id) => checkText(id, 'An id').toLowerCase()))]
  let at = 0
  return {
    args: ids.length <= mostNamed ? { ids } : { ids: ids.slice(0, mostNamed), of: ids.length },
    count: async () => ({ count: ids.length, isMore: false }),
    async next() {
      const part = ids.slice(at, at + size)
      at += size
      return {
        ids: part.filter((id) => isUuid(id)),
        strangers: part.filter((id) => !isUuid(id)).map((id) => ({ id, outcome: 'unknown' })),
        cursor: null,
        isDone: at >= ids.length,
      }
    },
  }
}

/** Newest first in each queue, so that what comes meanwhile, also from this very call, is not met again. */
function fromFilter(
  filter: JobFilter,
  stored: StoredFilter,
  size: number,
  begin: string | undefined,
): Source {
  let cursor = begin
  return {
    args: { filter },
    count: (store) => store.countMatching(stored, mostCounted),
    async next(store) {
      const page = { limit: size, sort: 'newest', inAnyOrder: true } as const
      const found = await store.searchIds(stored, { ...page, ...(cursor === undefined ? {} : { cursor }) })
      const isStuck = found.isCut && (found.cursor === null || found.cursor === cursor)
      if (isStuck) throw new StoreUnavailableError(stuckMessage)
      cursor = found.cursor ?? cursor
      return { ids: found.ids, strangers: [], cursor: found.cursor, isDone: found.cursor === null }
    },
  }
}

const stuckMessage =
  'PostgreSQL did not get through twenty jobs in 2 s to look for those that match. Check its load, or search for less text.'

/** A filter that means only what the action can do something to. */
export function toBulkFilter(
  action: BulkAction,
  filter: JobFilter,
  namesOf: BulkDeps['namesOf'] = (task) => [task],
): StoredFilter {
  const stored = toStoredFilter(filter)
  const fit = bulkStates[action]
  const states = stored.states?.filter((state) => fit.includes(state)) ?? fit
  if (states.length === 0)
    throw new ConfigError(
      `"${action}" means jobs that are ${listed(fit)}, and the filter only those that are ${listed(stored.states ?? [])}.`,
    )
  const isAll = states.length === allStates
  return toNamedTasks({ ...stored, ...(isAll ? {} : { states }) }, namesOf)
}

/** A task by all its names. */
export function toNamedTasks(
  filter: StoredFilter,
  namesOf: (task: string) => readonly string[],
): StoredFilter {
  return filter.tasks ? { ...filter, tasks: filter.tasks.flatMap((task) => namesOf(task)) } : filter
}

const allStates = Object.keys(moves).length

function listed(states: readonly JobState[]): string {
  return states.length < 2 ? states.join('') : `${states.slice(0, -1).join(', ')} or ${states.at(-1)}`
}

function checkOptions(options: BulkOptions): number {
  checkKeys(options as unknown, optionNames, 'The options of a bulk action')
  const { by, from, batch = defaultBatch } = options
  if (by !== undefined && by !== null) checkText(by, '"by"')
  if (from !== undefined) checkText(from, '"from"')
  checkInteger(batch, 1, '"batch"', `a whole number from 1 to ${largestBatch}`)
  return Math.min(batch, largestBatch)
}

/** @throws {ConfigError} when it says nothing, or what cannot be */
export function checkTarget(to: MoveTarget): MoveTarget {
  checkKeys(to as unknown, ['queue', 'priority'], 'The target of a move')
  const { queue, priority } = to
  if (queue === undefined && priority === undefined)
    throw new ConfigError('Say what is to change: { queue }, { priority }, or both.')
  return {
    ...(queue === undefined ? {} : { queue: checkQueue(queue, '"queue"') }),
    ...(priority === undefined ? {} : { priority: checkPriority(priority, '"priority"') }),
  }
}
