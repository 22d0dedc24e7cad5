import type { Steps } from './resolution.js'
import { addOpenJobs, noOpenJobs, noTally, type OpenJobs, type Tally } from './tally.js'

/** What happened over time, in steps without gaps, oldest first. */
export interface Chart {
  /** Where the first step begins. */
  readonly from: Date
  readonly stepMs: number
  readonly points: readonly ChartPoint[]
}

export interface ChartPoint extends Tally {
  /** Where the step begins. */
  readonly at: Date
  /** At its end, or at this moment. */
  readonly depth: OpenJobs
}

/** What is known of a step in which something happened. */
export interface Step {
  readonly tally: Tally
  /** How many more jobs were open at its end than before. */
  readonly change: OpenJobs
}

/**
 * The depth is known of this moment, and of each step by what has changed since.
 *
 * @param found by number; that of what is later than the last step is their count
 */
export function toChart(steps: Steps, found: ReadonlyMap<number, Step>, present: OpenJobs): Chart {
  const { from, stepMs, count } = steps
  const points: ChartPoint[] = []
  let depth = before(present, found.get(count))
  for (let at = count - 1; at >= 0; at -= 1) {
    const step = found.get(at)
    points.push({ at: new Date(from.getTime() + at * stepMs), ...(step?.tally ?? noTally), depth })
    depth = before(depth, step)
  }
  return { from, stepMs, points: points.reverse() }
}

function before(depth: OpenJobs, step: Step | undefined): OpenJobs {
  const { queued, delayed, running } = step?.change ?? noOpenJobs
  return addOpenJobs(depth, { queued: -queued, delayed: -delayed, running: -running })
}
