import { type Duration, toMs } from '../../../../job/duration.js'
import { type BulkAction, bulkStates, type JobFilter } from '../../../../job/filter.js'
import type { JobState } from '../../../../job/state.js'
import type { ActBody, JobsQuery } from '../../../api/contract.js'

/** Which jobs are chosen: some of the page by id, or all that match, on whichever page. */
export type Choice = { readonly kind: 'some'; readonly ids: ReadonlySet<string> } | { readonly kind: 'all' }

const all = 'all'

export function readChoice(selected: string): Choice {
  if (selected === all) return { kind: 'all' }
  return { kind: 'some', ids: new Set(selected.split(',').filter((id) => id !== '')) }
}

export function writeChoice(choice: Choice): string {
  return choice.kind === 'all' ? all : [...choice.ids].join(',')
}

/** Of the states that are asked for (none: all), those in which the action can do something. */
export function fitStates(action: BulkAction, states: readonly JobState[]): readonly JobState[] {
  return bulkStates[action].filter((state) => states.length === 0 || states.includes(state))
}

interface Known {
  readonly id: string
  readonly state: JobState
}

/** How many of the chosen jobs the action can do something to; of all that match, nobody knows before they are counted. */
export function countFit(action: BulkAction, ids: ReadonlySet<string>, rows: readonly Known[]): number {
  return rows.filter(({ id, state }) => ids.has(id) && bulkStates[action].includes(state)).length
}

/** What the API is told of the jobs that are meant: never more than the list shows. */
export function toWhich(
  action: BulkAction,
  choice: Choice,
  query: JobsQuery,
  states: readonly JobState[],
): Pick<ActBody, 'ids' | 'filter'> {
  if (choice.kind === 'some') return { ids: [...choice.ids] }
  const { minDuration, maxDuration, ...said } = query
  const filter: JobFilter = {
    ...said,
    ...(minDuration === undefined ? {} : { minDuration: checked(minDuration) }),
    ...(maxDuration === undefined ? {} : { maxDuration: checked(maxDuration) }),
    state: fitStates(action, states),
  }
  return { filter }
}

/** @throws {Error} when it is none: left out, it would mean more jobs than are shown */
function checked(text: string): Duration {
  if (isDuration(text)) return text
  throw new Error(`"${text}" is no duration. Write it as 500ms, 30s, 5m, 2h or 7d.`)
}

function isDuration(text: string): text is `${number}s` {
  return toMs(text) !== undefined
}
