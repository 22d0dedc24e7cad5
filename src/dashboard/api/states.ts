import type { Move } from '../../job/move.js'
import { type JobState, moves } from '../../job/state.js'
import type { StateCounts } from './contract.js'

export const jobStates = Object.keys(moves) as JobState[]

/** How many jobs there are in each state: what came less what went. */
export function countStates(moves: readonly Move[]): StateCounts {
  const counts = Object.fromEntries(jobStates.map((state) => [state, 0])) as Record<JobState, number>
  for (const { was, is, how, jobs } of moves) {
    if (how === 'dropped') continue
    if (was !== '') counts[was] -= jobs
    if (is !== '') counts[is] += jobs
  }
  return counts
}

/** Jobs that have not ended. */
export function openOf({ scheduled, queued, running, retrying }: StateCounts): number {
  return scheduled + queued + running + retrying
}
