import type { Duration } from './duration.js'
import type { EventsOptions, JobEvent, JobLogLine, LogsOptions } from './event.js'
import type { ResolvedBackoff } from './retry.js'
import type { JobState } from './state.js'
import type { ResolvedTimeLimit, TimeLimit } from './time-limit.js'
import type { Transaction } from './transaction.js'

/**
 * How long to wait before the next attempt: `{ type: 'exponential', delay: '1s' }`, or each wait by name,
 * `['1s', '10s', '5m']`, of which the last repeats.
 */
export type Backoff = SteadyBackoff | ListedBackoff | readonly Duration[]

/** The same, or a function that decides after each failure. */
export type TaskBackoff = Backoff | BackoffFunction | ComputedBackoff

/**
 * The wait before the next attempt. A function that throws, or gives no duration, is reported, and the default backoff
 * is used.
 * @param failures failed attempts so far: 1 after the first
 * @param error what the attempt threw
 */
export type BackoffFunction = (failures: number, error: unknown) => Duration

export interface SteadyBackoff {
  /** `fixed` waits `delay` each time, `exponential` doubles it from failure to failure. */
  readonly type: 'fixed' | 'exponential'
  /** The first wait. Default 1 s. */
  readonly delay?: Duration
  /** The longest wait. Default 10 min. */
  readonly max?: Duration
  /** The part of each wait that is random, 0 to 1. Default 1: anything from 0 to the whole wait. */
  readonly jitter?: number
}

export interface ListedBackoff {
  readonly type?: undefined
  /** Each wait; the last one repeats. */
  readonly delay: readonly Duration[]
  /** The longest wait. Default: no bound. */
  readonly max?: Duration
  /** The part of each wait that is random, 0 to 1. Default 0. */
  readonly jitter?: number
}

export interface ComputedBackoff {
  readonly type?: undefined
  readonly delay: BackoffFunction
  /** The longest wait. Default: no bound. */
  readonly max?: Duration
  /** The part of each wait that is random, 0 to 1. Default 0. */
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
  readonly timeLimit?: TimeLimit
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

/** Options of a stream of payloads: those of each job, and a look at what is done. */
export interface EnqueueStreamOptions<Result = unknown> extends Omit<EnqueueOptions, 'idempotencyKey'> {
  /** Told of each chunk that was written. The stream waits for what it returns, and stops when that fails. */
  onChunk?(chunk: EnqueuedChunk<Result>): unknown
}

/** Jobs of a stream that were written together. */
export interface EnqueuedChunk<Result = unknown> {
  /** In the order of their payloads. */
  readonly jobs: readonly JobHandle<Result>[]
  /** With all chunks before it. */
  readonly accepted: number
}

/** What came of a stream of payloads. */
export interface EnqueuedStream {
  /** How many payloads it gave. */
  readonly accepted: number
  /** How many jobs that made: fewer, where the task keeps them unique. */
  readonly created: number
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
  readonly outcome: 'failed' | 'lost' | 'returned' | 'snoozed'
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
  /** What else it took over from its request. */
  readonly context: JobContext | null
  /** The job that enqueued it. */
  readonly parentId: string | null
  /** Of a job with limits: its key, or empty. Hidden where `redact` hides something of the payload. */
  readonly limitKey: string | null
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

/** What a job takes over from the request, or the job, that enqueues it, beside owner, request id and `traceparent`. */
export interface JobContext {
  /** A BCP 47 tag, such as `de-CH`. */
  readonly locale?: string
  /** W3C `tracestate`. */
  readonly tracestate?: string
  /** What the option `context` gave. */
  readonly values?: Readonly<Record<string, unknown>>
}

/** What a job changes in its task's policy, as kept in its row. Milliseconds. */
export interface JobOptions {
  readonly backoff?: ResolvedBackoff
  readonly timeLimit?: ResolvedTimeLimit
  /** Fields that nobody is to see. They stand in the row, so that every process knows them. */
  readonly redact?: readonly string[]
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
  /** Why somebody cancelled it, if that was said. */
  readonly cancelReason?: string
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

/** A job that was enqueued. Plain data and a few questions; it holds no connection. */
export interface JobHandle<Result = unknown> {
  readonly id: string
  readonly task: string
  /**
   * Whether this call made the job. `false` when an idempotency key, or what its task keeps unique, led to one that was
   * there before.
   */
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
  /**
   * What happens to the job, from now until its end: `for await (const event of job.events())`.
   * @throws {JobNotFoundError} when there is no such job
   * @throws {StoreUnavailableError} when the store is away at the beginning; later on, its return is waited for
   * @throws {ClosedError} when the app is closed meanwhile
   */
  events(options?: EventsOptions): AsyncIterableIterator<JobEvent<Result>>
  /** The lines that its attempts have logged, oldest first. */
  logs(options?: LogsOptions): Promise<JobLogLine[]>
}
