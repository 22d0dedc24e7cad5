import type { BulkOutcome, FoundJobs, MatchCount, SortOrder } from '../job/filter.js'
import type { QueryVocabulary } from '../job/query/complete.js'
import type { QueryTree } from '../job/query/query.js'
import type { JobState } from '../job/state.js'
import type { ErrorHead } from './error-head.js'
import type { Redelivery } from './store.js'

/** What finds jobs by what is known of them, and does the same to many. */
export interface SearchStore {
  /**
   * A page of the jobs that match, in the order of an index: by end where only ended jobs are meant, else by creation.
   * @throws {ConfigError} when the cursor is not one of such a search
   */
  searchJobs(filter: StoredFilter, page: StoredPage): Promise<FoundJobs>
  /** The same with no more of each job than what went wrong. */
  searchErrors(filter: StoredFilter, page: StoredPage): Promise<FoundErrors>
  /** The same without the jobs themselves. */
  searchIds(filter: StoredFilter, page: StoredPage): Promise<FoundIds>
  /** How many match, up to `most`, within 2 s. */
  countMatching(filter: StoredFilter, most: number): Promise<MatchCount>
  /** Names that queries may have, of live workers first. Some thousand jobs are looked at, so that rare ones may be missing. */
  vocabulary(): Promise<QueryVocabulary>

  /** Does the same to each of these jobs, in one statement. What does not fit is left alone, and told. */
  act(ids: readonly string[], deed: JobDeed): Promise<Acted>
}

/** A {@link JobFilter} that has been checked. */
export interface StoredFilter {
  readonly ids?: readonly string[]
  readonly states?: readonly JobState[]
  readonly tasks?: readonly string[]
  readonly queues?: readonly string[]
  readonly workers?: readonly string[]
  /** `null`: none. */
  readonly owners?: readonly string[] | null
  readonly tags?: readonly string[]
  readonly parentId?: string
  readonly created?: TimeRange
  readonly started?: TimeRange
  readonly finished?: TimeRange
  readonly minDurationMs?: number
  readonly maxDurationMs?: number
  readonly minAttempts?: number
  readonly errorName?: string
  readonly error?: string
  readonly text?: string
  /** Its moments are fixed. */
  readonly query?: QueryTree
  /** Where a way leads into the past, no further than this: text is looked for, and no time was said. */
  readonly since?: Date
  /** Not those that have this queue and priority already. */
  readonly notAt?: MoveTarget
}

/** From a moment on, and before another. */
export interface TimeRange {
  readonly from?: Date
  readonly before?: Date
}

export interface StoredPage {
  readonly limit: number
  readonly sort: SortOrder
  readonly cursor?: string
  /** In whatever order is the quickest: for who goes through all of them. */
  readonly inAnyOrder?: boolean
  /** Bytes of a JSON value that comes with a job; of a larger one, how large it is. Default 8,192. */
  readonly largestValue?: number
  /** How long to look. Default 2 s. */
  readonly withinMs?: number
}

export interface FoundErrors extends Omit<FoundJobs, 'jobs'> {
  readonly errors: readonly JobError[]
}

export interface JobError {
  readonly id: string
  /** When its last attempt began. */
  readonly startedAt: Date | null
  readonly finishedAt: Date | null
  /** Without its stack; a long message is cut. */
  readonly error: ErrorHead | null
}

export interface FoundIds extends Omit<FoundJobs, 'jobs'> {
  readonly ids: readonly string[]
}

export interface JobOutcome {
  readonly id: string
  readonly outcome: BulkOutcome
}

/** What is done to jobs, and how. */
export type JobDeed =
  /** As `cancel`. */
  | { readonly action: 'cancel'; readonly by: string | null; readonly reason: string | null }
  /** As `retry`. */
  | { readonly action: 'retry' }
  /** As `promote`. */
  | { readonly action: 'promote' }
  /** Of what does not run, with its log; with `states`, of what is in one of them. */
  | { readonly action: 'delete'; readonly states?: readonly JobState[] }
  /** Gives what waits another queue or priority, under a new delivery. */
  | { readonly action: 'move'; readonly to: MoveTarget }

export interface Acted {
  readonly outcomes: readonly JobOutcome[]
  /** To be sent to the broker. */
  readonly redeliveries: readonly Redelivery[]
}

export interface MoveTarget {
  readonly queue?: string
  readonly priority?: number
}
