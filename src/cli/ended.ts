import type { Job } from '../job/job.js'
import { isEnd } from '../job/state.js'
import { exitCodes, exitWith, note, printJson } from './kit.js'

export interface EndFlags {
  readonly json?: boolean
  readonly stack?: boolean
}

/**
 * Prints what a job has left: its result alone on standard output, as JSON; why there is none, for people. The exit
 * code says which.
 */
export function printEnd(job: Job, { json, stack }: EndFlags): void {
  exitWith(codeOf(job))
  if (json) printJson(toDocument(job, stack))
  else if (job.state === 'succeeded' && job.resultError === null) printJson(job.result ?? null)
  else note(describeEnd(job, stack))
}

function codeOf({ state, resultError }: Job): number {
  if (!isEnd(state)) return exitCodes.notYet
  return state === 'succeeded' && resultError === null ? exitCodes.done : exitCodes.no
}

function toDocument({ id, task, state, result, resultError, error, ...job }: Job, stack = false): object {
  return {
    ...{ id, task, state },
    ...(state === 'succeeded' && resultError === null ? { result: result ?? null } : {}),
    ...(resultError === null ? {} : { resultError }),
    ...(error === null ? {} : { error: stack ? error : { ...error, stack: undefined } }),
    ...(job.cancelledBy === null ? {} : { cancelledBy: job.cancelledBy }),
    ...(job.cancelReason === null ? {} : { cancelReason: job.cancelReason }),
    finishedAt: job.finishedAt,
  }
}

/** @param stack whether the stack of an error is told as well */
export function describeEnd(job: Job, stack = false): string {
  const { id, task, state, error, resultError, cancelledBy, cancelReason } = job
  const what = `Job ${id} (${task})`
  if (state === 'succeeded') return `${what} has succeeded, and its result could not be kept: ${resultError}`
  if (state === 'expired') return `${what} expired: it could not start in time.`
  if (state === 'cancelled') {
    const by = cancelledBy === null ? '' : ` by ${cancelledBy}`
    return `${what} was cancelled${by}${cancelReason === null ? '' : `: ${cancelReason}`}`
  }
  if (state !== 'failed') return `${what} is ${state}, and has no result yet. Say --wait to wait for it.`
  const message = error ? `${error.name}: ${error.message}` : 'nobody knows why'
  return `${what} has failed: ${(stack && error?.stack) || message}`
}
