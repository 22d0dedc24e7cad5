import { type JobState, moves } from '../../job/state.js'
import type { Depth } from '../../store/store.js'
import type { StateCounts } from './contract.js'

export const jobStates = Object.keys(moves) as JobState[]

/** How many jobs there are in each state. */
export function countStates(depths: readonly Depth[]): StateCounts {
  const counts = Object.fromEntries(jobStates.map((state) => [state, 0])) as Record<JobState, number>
  for (const { state, jobs } of depths) counts[state] += jobs
  return counts
}

/** Jobs that have not ended. */
export function openOf({ scheduled, queued, running, retrying }: StateCounts): number {
  return scheduled + queued + running + retrying
}

/** The depths of each name. */
export function groupDepths(
  depths: readonly Depth[],
  nameOf: (depth: Depth) => string,
): ReadonlyMap<string, readonly Depth[]> {
  const groups = new Map<string, Depth[]>()
  for (const depth of depths) {
    const group = groups.get(nameOf(depth))
    if (group) group.push(depth)
    else groups.set(nameOf(depth), [depth])
  }
  return groups
}
