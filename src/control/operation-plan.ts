import { validate as isUuid } from 'uuid'
import { ConfigError } from '../errors.js'
import { type BulkAction, bulkStates, type JobFilter } from '../job/filter.js'
import { type JobState, moves } from '../job/state.js'
import { narrowed } from '../store/search-narrow.js'
import type { JobDeed, MoveTarget, StoredFilter } from '../store/store.js'
import { checkInteger, checkKeys, checkPriority, checkQueue, checkText } from '../task/check.js'
import { toNamedTasks, toStoredFilter } from './filter.js'

/** Ids, or a filter. */
export type Which = readonly string[] | JobFilter

/** A task goes by its name and its aliases. */
export type NamesOf = (task: string) => readonly string[]

/** What is done to which jobs: all that whoever takes an operation over must know. */
export interface Plan {
  readonly deed: JobDeed
  readonly which: PlannedJobs
  /** Jobs in one batch, at most. */
  readonly batch: number
}

export type PlannedJobs = { readonly ids: readonly string[] } | { readonly filter: StoredFilter }

/** What an action takes beside the jobs that are meant. */
export interface DeedOptions {
  readonly by?: string | null
  /** Of a cancel. */
  readonly reason?: string
  /** Of a move. */
  readonly to?: MoveTarget
}

export const defaultBatch = 500
const largestBatch = 1000
/** Ids that the row of a command names. Of more, it says how many. */
const mostNamed = 100

/** @throws {ConfigError} when it makes no sense: what was expected, what came */
export function toPlan(
  action: BulkAction,
  which: Which,
  { batch = defaultBatch, ...options }: DeedOptions & { readonly batch?: number | undefined },
  namesOf?: NamesOf,
): Plan {
  checkInteger(batch, 1, '"batch"', `a whole number from 1 to ${largestBatch}`)
  const deed = toDeed(action, options)
  const jobs = toJobs(deed, which, namesOf)
  return { deed: narrowedTo(jobs, deed), which: jobs, batch: Math.min(batch, largestBatch) }
}

/** What is deleted is gone, so it has to be in a state that was meant still when it is. */
function narrowedTo(jobs: PlannedJobs, deed: JobDeed): JobDeed {
  if (deed.action !== 'delete' || !('filter' in jobs) || !jobs.filter.states) return deed
  return { ...deed, states: jobs.filter.states }
}

function toDeed(action: BulkAction, { by = null, reason, to }: DeedOptions): JobDeed {
  if (reason !== undefined && action !== 'cancel')
    throw new ConfigError(`"reason" is for a cancel, and says nothing of "${action}".`)
  if (to !== undefined && action !== 'move')
    throw new ConfigError(`"to" is for a move, and says nothing of "${action}".`)
  switch (action) {
    case 'cancel':
      return { action, by, reason: reason === undefined ? null : checkText(reason, '"reason"') }
    case 'move':
      return { action, to: checkTarget(to ?? {}) }
    case 'retry':
    case 'promote':
    case 'delete':
      return { action }
    default:
      throw new ConfigError(
        `There is no action "${String(action).slice(0, 100)}". There are ${Object.keys(bulkStates).join(', ')}.`,
      )
  }
}

function toJobs(deed: JobDeed, which: Which, namesOf: NamesOf | undefined): PlannedJobs {
  if (isList(which)) return { ids: [...new Set(which.map((id) => checkText(id, 'An id').toLowerCase()))] }
  const filter = toBulkFilter(deed.action, which, namesOf)
  return { filter: deed.action === 'move' ? { ...filter, notAt: deed.to } : filter }
}

function isList(which: Which): which is readonly string[] {
  return Array.isArray(which)
}

/** For the row that remembers it. */
export function toArgs({ deed, which: planned }: Plan, which: Which): object {
  const how =
    deed.action === 'move'
      ? { to: deed.to }
      : deed.action === 'cancel' && deed.reason !== null
        ? { reason: deed.reason }
        : {}
  if (!('ids' in planned)) return { ...how, filter: which }
  const { ids } = planned
  return ids.length <= mostNamed ? { ...how, ids } : { ...how, ids: ids.slice(0, mostNamed), of: ids.length }
}

/** A filter that means only what the action can do something to. */
export function toBulkFilter(
  action: BulkAction,
  filter: JobFilter,
  namesOf: NamesOf = (task) => [task],
): StoredFilter {
  const stored = toStoredFilter(filter)
  if (filter.query !== undefined && !stored.query)
    throw new ConfigError(
      '"query" is empty, which would mean all jobs. Leave it out where that is meant, or say "state".',
    )
  const fit = bulkStates[action]
  // Also by what its query says.
  const said = narrowed(stored).states
  const states = said?.filter((state) => fit.includes(state)) ?? fit
  if (states.length === 0)
    throw new ConfigError(
      `"${action}" means jobs that are ${listed(fit)}, and the filter only those that are ${listed(said ?? [])}.`,
    )
  const isAll = states.length === allStates
  return toNamedTasks({ ...stored, ...(isAll ? {} : { states }) }, namesOf)
}

const allStates = Object.keys(moves).length

function listed(states: readonly JobState[]): string {
  return states.length < 2 ? states.join('') : `${states.slice(0, -1).join(', ')} or ${states.at(-1)}`
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

/** JSON text; dates come back as dates, so that `'1h'` ago is what it was when it was asked. */
export function toPlanText(plan: Plan): string {
  return JSON.stringify(plan, function (this: Record<string, unknown>, key, value: unknown) {
    const own = this[key]
    return own instanceof Date ? { [dateKey]: own.toISOString() } : value
  })
}

export function fromPlanText(text: string): Plan {
  return JSON.parse(text, (_, value: unknown) => toDate(value) ?? value) as Plan
}

const dateKey = '$date'

function toDate(value: unknown): Date | undefined {
  if (typeof value !== 'object' || value === null || !(dateKey in value)) return undefined
  return new Date(String(value[dateKey]))
}

/** Ids that are none, among those that are. */
export function partIds(given: readonly string[]): { ids: string[]; strangers: string[] } {
  return { ids: given.filter((id) => isUuid(id)), strangers: given.filter((id) => !isUuid(id)) }
}
