import type { Duration } from './duration.js'
import type { Job } from './job.js'
import type { JobState } from './state.js'

type OneOrMore<T> = T | readonly T[]

/** A moment: a date, ISO text, or so long ago (`'1h'`). */
export type Moment = Date | Duration | string

/**
 * Which jobs are meant. All that is said must hold; of a list, one of its members. What is said of an end
 * (`finishedAfter`, a state such as `failed`) means ended jobs alone.
 */
export interface JobFilter {
  readonly id?: OneOrMore<string>
  readonly state?: OneOrMore<JobState>
  readonly task?: OneOrMore<string>
  readonly queue?: OneOrMore<string>
  /** Name or id of the worker that runs the job, or ran it last. */
  readonly worker?: OneOrMore<string>
  /** `null`: jobs without an owner. */
  readonly owner?: OneOrMore<string> | null
  /** Jobs that carry one of these. */
  readonly tag?: OneOrMore<string>
  /** Children of this job. */
  readonly parent?: string
  readonly createdAfter?: Moment
  readonly createdBefore?: Moment
  /** Of the current or last attempt. */
  readonly startedAfter?: Moment
  readonly startedBefore?: Moment
  readonly finishedAfter?: Moment
  readonly finishedBefore?: Moment
  /** The current or last attempt has taken so long. What waits has no duration. */
  readonly minDuration?: Duration
  readonly maxDuration?: Duration
  /** Starts so far, at least. */
  readonly minAttempts?: number
  /** The class of the last error, as `TypeError`. */
  readonly errorName?: string
  /** Text of the last error: class, code, message or stack, in any case of letters. */
  readonly error?: string
  /**
   * Text in payload, result or error, in any case of letters; of large ones, the beginning. Payloads and results with
   * hidden fields (`redact`) are not looked into, or one could guess what they hide.
   */
  readonly text?: string
  /**
   * All of that in one written query, with and, or, not: `state:failed (tag:vip or attempts>=3) -"socket hang up"`. It
   * must hold beside what else is said. See docs/query.md.
   */
  readonly query?: string
}

/** Which part of the jobs that match. */
export interface SearchPage {
  /** 1 to 1000. Default 50. */
  readonly limit?: number
  /** Where the page before ended. */
  readonly cursor?: string
  /** By creation, or by end where only ended jobs are meant. Default `newest`. */
  readonly sort?: SortOrder
}

export type SortOrder = 'newest' | 'oldest'

export interface FoundJobs {
  /** Large payloads and results are left out. */
  readonly jobs: readonly Job[]
  /** For the next page; `null`: there is none. */
  readonly cursor: string | null
  /** The time for a search (2 s) was over before the page was full: there may be more, from `cursor` on. */
  readonly isCut: boolean
  /** How far it looked: everything up to this moment. `null`: at all of it. */
  readonly lookedTo: Date | null
  /**
   * Text was to be found and no time was said, so only jobs of the last 24 hours were looked at: those created since then,
   * or ended, where only ended ones are meant. `null`: whatever there is.
   */
  readonly since: Date | null
}

export interface MatchCount {
  readonly count: number
  /** There are more, or may be: the count ended at its limit, or at its time. */
  readonly isMore: boolean
}

/** What is done with many jobs at once. */
export type BulkAction = 'cancel' | 'retry' | 'delete' | 'promote' | 'move'

/** The states in which each can do something. */
export const bulkStates: Readonly<Record<BulkAction, readonly JobState[]>> = Object.freeze({
  cancel: ['scheduled', 'queued', 'running', 'retrying'],
  retry: ['failed', 'cancelled', 'expired'],
  delete: ['scheduled', 'queued', 'retrying', 'succeeded', 'failed', 'cancelled', 'expired'],
  promote: ['scheduled', 'retrying'],
  move: ['scheduled', 'queued', 'retrying'],
})

/** What came of it for one job. */
export type BulkOutcome =
  /** It waited, and will never start. */
  | 'cancelled'
  /** It runs, and has been asked to stop. */
  | 'cancelling'
  /** To be cancelled, and had ended before. */
  | 'finished'
  | 'retried'
  | 'deleted'
  | 'promoted'
  | 'moved'
  /** Nothing was done: it is in a state for which the action means nothing. */
  | 'unfit'
  | 'unknown'
