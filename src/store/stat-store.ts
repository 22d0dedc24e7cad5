import type { Chart } from '../job/chart.js'
import type { Move } from '../job/move.js'
import type { Span, SteppedSpan } from '../job/resolution.js'
import type { JobState } from '../job/state.js'
import type { Tally } from '../job/tally.js'

/** What remembers how many jobs went where. Whatever moves a job counts it, in the same transaction. */
export interface StatStore {
  /** Adds up what was counted since the last time, some thousand lines at once. Gives how many. */
  foldStats(): Promise<number>
  /** Looks which jobs of each queue have been due for the longest time. */
  noteOldest(): Promise<void>
  /** What has happened since the beginning, up to this moment. It costs the same however many jobs there are. */
  moves(): Promise<Move[]>
  /**
   * What happened over time: of all jobs, of one task or queue, of a task in a queue. It costs the same however many
   * jobs there are, and hardly more for many tasks.
   * @throws {ConfigError} when what is asked is kept no finer than by steps that are longer
   */
  chart(query: ChartQuery): Promise<Chart>
  /** What happened in a range, by task or by queue; those of which nothing is known of it are left out. */
  sums(query: SumsQuery): Promise<NamedTally[]>
  /** How many jobs there are at this moment. None is counted: it is what has come less what has gone. */
  depths(): Promise<Depth[]>
  /** What there is to see of the whole installation at this moment, besides. */
  sights(): Promise<Sights>
  /** Deletes what is older than charts reach. `true`: nothing is left to do. */
  pruneStats(): Promise<boolean>
  /** Remembers that a pass has repaired so many jobs. */
  noteRepairs(pass: string, jobs: number): Promise<void>
}

/** Of which jobs; all that is said must hold. */
export interface StatScope {
  /** A task, by its name and those that it had before. */
  readonly task?: readonly string[]
  readonly queue?: string
}

export interface ChartQuery extends StatScope, SteppedSpan {}

/** The range is widened to whole minutes; to whole hours where it is longer than three, or longer ago than minutes are kept. */
export interface SumsQuery extends StatScope, Span {
  readonly by: 'task' | 'queue'
}

export interface NamedTally extends Tally {
  /** Of the task, or the queue. */
  readonly name: string
}

export interface Depth {
  readonly task: string
  readonly queue: string
  readonly state: JobState
  readonly jobs: number
}

export interface Sights {
  /** Queues where jobs are due, and for how long the oldest has been. */
  readonly oldest: readonly { readonly queue: string; readonly ageMs: number }[]
  /** How long the oldest batch of jobs has been committed that the broker is not known to have; 0: there is none. */
  readonly dispatchLagMs: number
  readonly workers: readonly SeenWorker[]
  /** Workers that were lost in the last days. */
  readonly lostWorkers: number
  /** Jobs by the pass that has repaired them. */
  readonly repairs: readonly { readonly pass: string; readonly jobs: number }[]
}

/** A worker that has not said goodbye, and is not given up. */
export interface SeenWorker {
  readonly id: string
  readonly name: string
  readonly queues: readonly string[]
  readonly concurrency: number
  /** Rounds of maintenance since it was last heard. */
  readonly missed: number
  /** JSON text: what it said last of itself. */
  readonly report: string
}
