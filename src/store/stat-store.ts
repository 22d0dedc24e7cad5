import type { Move } from '../job/move.js'

/** What remembers how many jobs went where. Whatever moves a job counts it, in the same transaction. */
export interface StatStore {
  /** Adds up what was counted since the last time, some thousand lines at once. Gives how many. */
  foldStats(): Promise<number>
  /** Looks which jobs of each queue have been due for the longest time. */
  noteOldest(): Promise<void>
  /** What has happened since the beginning, up to this moment. It costs the same however many jobs there are. */
  moves(): Promise<Move[]>
  /** The same by time, oldest first. */
  movesByTime(span: StatSpan): Promise<TimedMove[]>
  /** What there is to see of the whole installation at this moment, besides. */
  sights(): Promise<Sights>
  /** Adds minutes of the days before yesterday up to hours, and deletes what is older than 30 days. `true`: nothing is left to do. */
  pruneStats(): Promise<boolean>
  /** Remembers that a pass has repaired so many jobs. */
  noteRepairs(pass: string, jobs: number): Promise<void>
}

export interface StatSpan {
  readonly from: Date
  readonly to: Date
  /** By minute, or by hour: minutes are there for two days, hours before that. */
  readonly minutes: 1 | 60
}

export interface TimedMove extends Move {
  /** The beginning of the minute or hour. */
  readonly at: Date
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
