import type { DashboardAction } from '../../../control/access.js'
import type { BulkAction, BulkOutcome } from '../../../job/filter.js'
import type { Operation } from '../../api/contract.js'
import type { Json } from '../api/json.js'
import { tellCount, tellDuration } from './format.js'

/** What is done, as a verb: on buttons and in titles. */
export const actionVerbs: Readonly<Record<BulkAction, string>> = {
  retry: 'Retry',
  cancel: 'Cancel',
  delete: 'Delete',
  promote: 'Run now',
  move: 'Move',
}

/** What it takes to begin one, and to go on with one that was stopped. */
export const bulkRights: Readonly<Record<BulkAction, DashboardAction>> = {
  retry: 'job.retry',
  cancel: 'job.cancel',
  promote: 'job.run',
  move: 'job.move',
  delete: 'job.delete',
}

export function isBulkAction(verb: string): verb is BulkAction {
  return Object.hasOwn(actionVerbs, verb)
}

const outcomeWords: Readonly<Record<BulkOutcome, string>> = {
  retried: 'begun anew',
  cancelled: 'cancelled',
  cancelling: 'asked to stop',
  deleted: 'deleted',
  promoted: 'due now',
  moved: 'moved',
  finished: 'had ended before',
  unfit: 'left alone, in another state by then',
  unknown: 'no longer there',
}

/** What came of how many, what was done first: `1,200 begun anew`, `3 left alone, …`. */
export function tellOutcomes(counts: Json<Operation>['counts']): readonly string[] {
  return (Object.keys(outcomeWords) as BulkOutcome[]).flatMap((outcome) => {
    const count = counts[outcome] ?? 0
    return count === 0 ? [] : [`${tellCount(count)} ${outcomeWords[outcome]}`]
  })
}

/** Whether every job that was looked at came to what was asked. */
export function isClean({ state, counts }: Pick<Json<Operation>, 'state' | 'counts'>): boolean {
  return state === 'done' && !counts.finished && !counts.unfit && !counts.unknown
}

/** `Retry 1,200 jobs`. */
export function titleOf(verb: BulkAction, { done, matched, isMore, state }: Json<Operation>): string {
  const jobs = state === 'done' ? done : Math.max(done, matched)
  const many = `${tellCount(jobs)}${isMore && state !== 'done' ? ' or more' : ''}`
  return `${actionVerbs[verb]}: ${many} ${jobs === 1 ? 'job' : 'jobs'}`
}

const stateWords: Readonly<Record<Operation['state'], string>> = {
  running: 'It goes on while you do something else, and when this page is closed.',
  stopped: 'What is done stays done; the rest is as it was.',
  interrupted: 'The process that worked on it is gone. Another goes on with it in a moment, or you do.',
  failed: 'What is done stays done; the rest is as it was.',
  done: 'It is done.',
}

export function tellState(operation: Json<Operation>): string {
  const { state, stoppedBy, error } = operation
  const words = stateWords[state]
  if (state === 'stopped') return `It was stopped${stoppedBy === null ? '' : ` by ${stoppedBy}`}. ${words}`
  if (state === 'failed') return `It could not go on${error === null ? '' : `: ${error}`}. ${words}`
  const leftMs = state === 'running' ? leftOf(operation) : undefined
  return leftMs === undefined ? words : `About ${tellDuration(leftMs)} left. ${words}`
}

/** By how fast it goes. `undefined`: that says nothing. */
function leftOf({ done, matched, isMore, rate }: Json<Operation>): number | undefined {
  if (isMore || rate === null || rate <= 0 || matched <= done) return undefined
  return Math.ceil((matched - done) / rate) * 1000
}
