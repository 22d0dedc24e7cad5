import type { Duration } from './duration.js'
import type { ResolvedBackoff } from './retry.js'
import type { JobState } from './state.js'
import type { Transaction } from './transaction.js'

/** How long to wait before the next attempt. */
export interface Backoff {
  /** `fixed` waits `delay` each time, `exponential` doubles it from failure to failure. */
  readonly type: 'fixed' | 'exponential'
  /** The first wait. Default 1 s. */
  readonly delay?: Duration
  /** The longest wait. Default 10 min. */
  readonly max?: Duration
  /** The part of each wait that is random, 0 to 1. Default 1: anything from 0 to the whole wait. */
  readonly jitter?: number
}

/** What a call may say for its one job. Anything unsaid comes from the task, then from the configuration. */
export interface EnqueueOptions {
  /** Not before this much time has passed. */
  readonly delay?: Duration
  /** Not before this moment. Not together with `delay`. */
  readonly runAt?: Date
  /** Too late to start after this much time: the job ends `expired`. */
  readonly expiresIn?: Duration
  readonly queue?: string
  /** 0 is first; larger waits longer. Default 0. */
  readonly priority?: number
  /** How many failed attempts end the job. */
  readonly attempts?: number
  readonly backoff?: Backoff
  readonly timeLimit?: Duration
  /** The same key again, for the same task and owner, gives the same job. */
  readonly idempotencyKey?: string
  /** Who may see the job. `null`: only management. Default: the owner of the current request. */
  readonly owner?: string | null
  readonly tags?: readonly string[]
  /**
   * A transaction of your own on the store's database: the job exists if and only if it commits, and starts when it
   * does. A Prisma client or transaction, a client of pg, or another through {@link SqlClient}.
   */
  readonly tx?: Transaction
}

/** An error as it is kept: plain, capped, without prototypes. */
export interface StoredError {
  readonly name: string
  readonly message: string
  readonly code?: string
  readonly stack?: string
  /** Of a `WorkerLostError`: the workers that the job took down. For management only. */
  readonly workers?: readonly LostWorker[]
}

/** A worker that died or went silent while it ran a job. */
export interface LostWorker {
  readonly id: string
  readonly name: string
  readonly host: string
  readonly pid: number
}

/** One execution that is over. The current or last one stands in the job's own fields. */
export interface PastAttempt {
  readonly number: number
  readonly worker: string | null
  readonly startedAt: string | null
  readonly finishedAt: string
  readonly outcome: 'failed' | 'lost' | 'returned'
  readonly error?: StoredError
}

/** A job as the store has it. JSON columns are parsed; a dropped or absent value is `undefined`. */
export interface Job {
  readonly id: string
  readonly task: string
  readonly queue: string
  readonly state: JobState
  readonly payload: unknown
  readonly options: JobOptions
  readonly result: unknown
  readonly resultError: string | null
  readonly error: StoredError | null
  readonly progress: unknown
  readonly priority: number
  readonly attempt: number
  readonly maxAttempts: number
  readonly failures: number
  readonly lost: number
  readonly delivery: number
  readonly workerId: string | null
  readonly owner: string | null
  readonly tags: readonly string[]
  readonly idempotencyKey: string | null
  readonly requestId: string | null
  readonly traceparent: string | null
  readonly runAt: Date
  readonly expiresAt: Date | null
  readonly createdAt: Date
  readonly dispatchedAt: Date | null
  readonly startedAt: Date | null
  readonly finishedAt: Date | null
  readonly cancelRequestedAt: Date | null
  readonly cancelledBy: string | null
  readonly cancelReason: string | null
  readonly attempts: readonly PastAttempt[]
}

/** What a job changes in its task's policy, as kept in its row. Milliseconds. */
export interface JobOptions {
  readonly backoff?: Partial<ResolvedBackoff>
  readonly timeLimitMs?: number
}

/** What a caller sees of a job, over HTTP and from `handle.status()`. Times are ISO 8601 in UTC. */
export interface JobStatus<Result = unknown> {
  readonly id: string
  readonly task: string
  readonly queue: string
  readonly state: JobState
  /** Whatever the task reported last; `null` before that. */
  readonly progress: unknown
  /** Starts so far. */
  readonly attempt: number
  readonly maxAttempts: number
  /** Present when the job has succeeded and its result is kept. */
  readonly result?: Result
  /** Why JSON could not carry the result of a job that has succeeded. */
  readonly resultError?: string
  /** Present when the last attempt failed. */
  readonly error?: { readonly name: string; readonly message: string; readonly code?: string }
  readonly attempts: readonly Omit<PastAttempt, 'worker'>[]
  readonly createdAt: string
  readonly runAt: string
  readonly startedAt: string | null
  readonly finishedAt: string | null
  /** `true` when a running job was asked to stop. */
  readonly cancelRequested?: boolean
  /** `'worker'` when the job waits and no live worker serves its queue. */
  readonly waitingFor?: 'worker'
}

/** What came of a request to cancel. */
export type CancelAnswer =
  /** It waited, and will never start. */
  | 'cancelled'
  /** It runs, and has been asked to stop. */
  | 'cancelling'
  /** It had ended before. */
  | 'finished'
  /** No such job. */
  | 'unknown'

/** A job that was enqueued. Plain data and four questions; it holds no connection. */
export interface JobHandle<Result = unknown> {
  readonly id: string
  readonly task: string
  /** `false` when an idempotency key led to a job that was there before. */
  readonly created: boolean
  /** @throws {JobNotFoundError} when the row has been pruned */
  status(): Promise<JobStatus<Result>>
  /**
   * Waits for the end and gives what the task returned.
   * @param options.timeout default 60 s
   * @throws {JobEndedError} when it failed, was cancelled or expired
   * @throws {ResultLostError} when it succeeded with a result that could not be kept
   * @throws {ResultTimeoutError} when it has not ended in time
   */
  result(options?: { timeout?: Duration }): Promise<Result>
  cancel(options?: { by?: string; reason?: string }): Promise<CancelAnswer>
}
