import type { StoredError } from '../job/job.js'
import type { JobState } from '../job/state.js'

/**
 * What has changed lately, for who watches the whole cluster. Nothing is written for it: each question reads a short
 * range of an index, and costs nothing while nobody asks.
 */
export interface ChangeStore {
  /** Where to go on: what was committed until now has an end from `from` on, or was seen. */
  changeClock(): Promise<ChangeClock>
  /** Jobs that have ended since then, oldest first: a page, after this one. */
  endedSince(since: Date, after: ChangePlace | undefined, limit: number): Promise<ChangedJob[]>
  /** Jobs whose ids were made since then and that have not ended, oldest first: a page, after this id. */
  openedSince(since: Date, after: string | undefined, limit: number): Promise<ChangedJob[]>
  /** Open jobs among the first of each queue, and among these ids, whose attempts have begun or ended since then. */
  movedSince(since: Date, ids: readonly string[]): Promise<ChangedJob[]>
  /** Workers that have come or gone since then. */
  workersSince(since: Date): Promise<ChangedWorker[]>
  /** What was asked of workers since then, oldest first. */
  commandsSince(since: Date, limit: number): Promise<ChangedCommand[]>
}

export interface ChangeClock {
  /** The database's time. */
  readonly now: Date
  /** The start of the oldest transaction that may still write, or `now`. */
  readonly oldest: Date
}

/** The last job of a page. */
export interface ChangePlace {
  readonly finishedAt: Date
  readonly id: string
}

/** A job without its payload and result. */
export interface ChangedJob {
  readonly id: string
  readonly task: string
  readonly queue: string
  readonly state: JobState
  readonly attempt: number
  readonly workerId: string | null
  readonly createdAt: Date
  readonly runAt: Date
  readonly startedAt: Date | null
  readonly finishedAt: Date | null
  readonly cancelRequestedAt: Date | null
  readonly cancelledBy: string | null
  readonly cancelReason: string | null
  readonly error: Pick<StoredError, 'name' | 'message'> | null
  readonly attempts: readonly ChangedAttempt[]
}

/** An attempt that did not end its job. */
export interface ChangedAttempt {
  readonly number: number
  readonly worker: string | null
  readonly startedAt: Date | null
  readonly finishedAt: Date
  readonly outcome: 'failed' | 'lost' | 'returned' | 'snoozed'
  readonly error: Pick<StoredError, 'name' | 'message'> | null
}

export interface ChangedWorker {
  readonly id: string
  readonly name: string
  readonly queues: readonly string[]
  readonly concurrency: number
  readonly startedAt: Date
  readonly stoppedAt: Date | null
  readonly lostAt: Date | null
}

export interface ChangedCommand {
  readonly id: string
  readonly verb: string
  /** JSON text. */
  readonly args: string
  readonly workers: number
  readonly askedBy: string | null
  readonly askedFrom: string
  readonly askedAt: Date
}
