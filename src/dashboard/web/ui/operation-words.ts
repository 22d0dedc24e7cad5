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
  stopped: 'It was stopped. What is done stays done; the rest is as it was.',
  interrupted: 'The process that worked on it is gone. Another goes on with it in a moment, or you do.',
  failed: 'It could not go on. What is done stays done; the rest is as it was.',
  done: 'It is done.',
}

export function tellState(operation: Json<Operation>, at: string): string {
  const words = stateWords[operation.state]
  const leftMs = operation.state === 'running' ? leftOf(operation, at) : undefined
  return leftMs === undefined ? words : `About ${tellDuration(leftMs)} left. ${words}`
}

/** By how fast it went so far. `undefined`: that says nothing yet. */
function leftOf({ done, matched, isMore, movedAt }: Json<Operation>, at: string): number | undefined {
  const tookMs = new Date(movedAt).getTime() - new Date(at).getTime()
  if (isMore || done === 0 || tookMs < 2000 || matched <= done) return undefined
  return Math.max(1000, Math.round((tookMs * (matched - done)) / done / 1000) * 1000)
}
