/**
 * Every error that Celeriac throws or stores. `code` is stable and meant for programs, `message` for people: it says
 * what was expected, what came, and what to do.
 */
export abstract class CeleriacError extends Error {
  abstract readonly code: string
  abstract override readonly name: string
}

/** An option is unknown, of the wrong kind, or in conflict with another. Thrown when `celeriac()` is called. */
export class ConfigError extends CeleriacError {
  readonly code = 'CONFIG'
  override readonly name = 'ConfigError'
}

/** Tasks files could not be found or loaded, or two tasks have one name. `file` is the file at fault. */
export class DiscoveryError extends CeleriacError {
  readonly code = 'DISCOVERY'
  override readonly name = 'DiscoveryError'
  readonly file: string | undefined

  constructor(message: string, options?: ErrorOptions & { file?: string }) {
    super(message, options)
    this.file = options?.file
  }
}

/** A task object is not known to any open `celeriac()`. */
export class TaskNotRegisteredError extends CeleriacError {
  readonly code = 'TASK_NOT_REGISTERED'
  override readonly name = 'TaskNotRegisteredError'
}

/** No task has this name. `suggestion` is the nearest name that exists. */
export class UnknownTaskError extends CeleriacError {
  readonly code = 'UNKNOWN_TASK'
  override readonly name = 'UnknownTaskError'
  readonly task: string
  readonly suggestion: string | undefined

  constructor(task: string, suggestion?: string, note?: string) {
    const hint = suggestion ? ` Did you mean "${suggestion}"?` : ''
    super(`Unknown task "${task}".${hint}${note ? ` ${note}` : ''}`)
    this.task = task
    this.suggestion = suggestion
  }
}

/** One thing that is wrong with a payload. `path` is empty when the whole payload is meant. */
export interface PayloadIssue {
  readonly path: readonly (string | number)[]
  readonly message: string
}

/** A payload does not fit its task's schema, or JSON cannot carry it. */
export class PayloadInvalidError extends CeleriacError {
  readonly code = 'PAYLOAD_INVALID'
  override readonly name = 'PayloadInvalidError'
  readonly task: string
  readonly issues: readonly PayloadIssue[]
  /** What is wrong, without the task's name: `items.0.month: expected a string`. */
  readonly detail: string

  constructor(task: string, issues: readonly PayloadIssue[]) {
    const detail = issues.map(describeIssue).join('; ')
    super(`Invalid payload for task "${task}": ${detail}`)
    this.task = task
    this.issues = issues
    this.detail = detail
  }
}

function describeIssue(issue: PayloadIssue): string {
  return issue.path.length === 0 ? issue.message : `${issue.path.join('.')}: ${issue.message}`
}

/** An asynchronous schema did not answer within the `deadline`. Nothing was written. */
export class SchemaTimeoutError extends CeleriacError {
  readonly code = 'SCHEMA_TIMEOUT'
  override readonly name = 'SchemaTimeoutError'
  readonly task: string

  constructor(task: string, limitMs: number) {
    super(
      `The payload schema of task "${task}" has not answered within ${limitMs} ms. Check quickly at the enqueue, and ask other services in the handler, or raise "deadline".`,
    )
    this.task = task
  }
}

/** A payload is larger than `maxPayload`. Sizes are in bytes of UTF-8 JSON. */
export class PayloadTooLargeError extends CeleriacError {
  readonly code = 'PAYLOAD_TOO_LARGE'
  override readonly name = 'PayloadTooLargeError'
  readonly limit: number

  constructor(limit: number, size?: number) {
    const came = size === undefined ? '' : ` It has ${size} bytes.`
    super(
      `The payload is larger than ${limit} bytes.${came} Store the data elsewhere and enqueue a reference, or raise maxPayload.`,
    )
    this.limit = limit
  }
}

/** The body of a request is not what `accept` reads: not JSON, or not said to be. */
export class BodyInvalidError extends CeleriacError {
  readonly code: 'BODY_NOT_JSON' | 'MEDIA_TYPE'
  override readonly name = 'BodyInvalidError'

  constructor(code: 'BODY_NOT_JSON' | 'MEDIA_TYPE', message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}

/** An option of one `enqueue` call is out of range. */
export class EnqueueOptionError extends CeleriacError {
  readonly code = 'ENQUEUE_OPTION'
  override readonly name = 'EnqueueOptionError'
}

/**
 * `enqueueMany` stopped in the middle of a stream: a payload was refused, the source failed, or the store did not answer.
 * What was accepted stays accepted. `cause` is the reason.
 */
export class EnqueueStreamError extends CeleriacError {
  readonly code = 'ENQUEUE_STREAM'
  override readonly name = 'EnqueueStreamError'
  /** How many payloads are known to be enqueued, the first ones. With `tx`, if the transaction commits. */
  readonly accepted: number
  /** How many payloads the source gave that could be read. */
  readonly read: number

  constructor(accepted: number, read: number, cause: unknown) {
    const why = cause instanceof Error ? cause.message : String(cause)
    super(`The stream stopped after ${read} payloads, of which the first ${accepted} are enqueued: ${why}`, {
      cause,
    })
    this.accepted = accepted
    this.read = read
  }
}

/** A function of the task that gives a key of the payload has thrown, or gave none. Nothing was written. */
export class KeyError extends CeleriacError {
  readonly code = 'KEY'
  override readonly name = 'KeyError'
  readonly task: string

  constructor(task: string, message: string, options?: ErrorOptions) {
    super(message, options)
    this.task = task
  }
}

/** `owner` is configured, and this enqueue has none. */
export class OwnerMissingError extends CeleriacError {
  readonly code = 'OWNER_MISSING'
  override readonly name = 'OwnerMissingError'

  constructor(task: string) {
    super(
      `Task "${task}" was enqueued without an owner, and "owner" is configured. Enqueue inside a request that has one, pass { owner }, or say { owner: null } for a job that only management may see.`,
    )
  }
}

/** `tx` is no transaction on the store's database. Nothing was written. */
export class TransactionError extends CeleriacError {
  readonly code = 'TRANSACTION'
  override readonly name = 'TransactionError'
}

/** The same idempotency key came with another payload. */
export class IdempotencyConflictError extends CeleriacError {
  readonly code = 'IDEMPOTENCY_CONFLICT'
  override readonly name = 'IdempotencyConflictError'
  readonly jobId: string

  constructor(key: string, jobId: string) {
    super(
      `Idempotency key "${key}" was used before with another payload, for job ${jobId}. Use a new key for a new request.`,
    )
    this.jobId = jobId
  }
}

/** A request may not enqueue now: its queue is as full as the option `backpressure` allows. Nothing was written. */
export class QueueFullError extends CeleriacError {
  readonly code = 'QUEUE_FULL'
  override readonly name = 'QueueFullError'
  readonly queue: string

  constructor(queue: string, reason: string) {
    super(
      `Queue "${queue}" takes no more from requests: ${reason}. Let them come again later, run more workers, or raise "backpressure".`,
    )
    this.queue = queue
  }
}

/** A request may not enqueue now: its owner has as many jobs in the queue as the option `backpressure` allows. Nothing was written. */
export class QuotaExceededError extends CeleriacError {
  readonly code = 'QUOTA_EXCEEDED'
  override readonly name = 'QuotaExceededError'
  readonly queue: string
  /** How many of an owner's jobs may wait. */
  readonly share: number

  constructor(queue: string, share: number) {
    super(`Too many jobs of one owner wait in queue "${queue}": "backpressure" allows ${share}.`)
    this.queue = queue
    this.share = share
  }
}

/** The store did not answer in time, or cannot be reached. Nothing is known to be written. */
export class StoreUnavailableError extends CeleriacError {
  readonly code = 'STORE_UNAVAILABLE'
  override readonly name = 'StoreUnavailableError'
}

/** The broker did not answer in time, or cannot be reached. Jobs already accepted are safe in the store. */
export class BrokerUnavailableError extends CeleriacError {
  readonly code = 'BROKER_UNAVAILABLE'
  override readonly name = 'BrokerUnavailableError'
}

/** The database lacks Celeriac's tables, or has newer ones. */
export class MigrationError extends CeleriacError {
  readonly code = 'MIGRATION'
  override readonly name = 'MigrationError'
}

/** The private PostgreSQL of the embedded default cannot be used. */
export class EmbeddedError extends CeleriacError {
  readonly code = 'EMBEDDED'
  override readonly name = 'EmbeddedError'
}

/** No job has this id, or it is not this caller's. */
export class JobNotFoundError extends CeleriacError {
  readonly code = 'JOB_NOT_FOUND'
  override readonly name = 'JobNotFoundError'

  constructor(id: string) {
    super(`No job has the id ${id}.`)
  }
}

/** `result()` waited for its timeout and the job had not ended. The job goes on. */
export class ResultTimeoutError extends CeleriacError {
  readonly code = 'RESULT_TIMEOUT'
  override readonly name = 'ResultTimeoutError'
}

/** The job has succeeded, and its result could not be kept: JSON cannot carry it, or it was too large. */
export class ResultLostError extends CeleriacError {
  readonly code = 'RESULT_LOST'
  override readonly name = 'ResultLostError'
}

/** The job ended without a result: it failed, was cancelled, or expired. `state` says which. */
export class JobEndedError extends CeleriacError {
  readonly code = 'JOB_ENDED'
  override readonly name = 'JobEndedError'
  readonly state: 'failed' | 'cancelled' | 'expired'

  constructor(state: 'failed' | 'cancelled' | 'expired', message: string, options?: ErrorOptions) {
    super(message, options)
    this.state = state
  }
}

/** Throw it in a task to fail at once, whatever attempts are left. */
export class GiveUp extends CeleriacError {
  readonly code = 'GIVE_UP'
  override readonly name = 'GiveUp'
}

/** As `Duration`: milliseconds, or a number with a unit. */
type Wait = number | `${number}${'ms' | 's' | 'm' | 'h' | 'd'}`

/**
 * Throw it in a task to be tried again at a time of your own choice, instead of after the task's backoff. The attempt has
 * failed: the last one that `attempts` allows ends the job.
 */
export class Retry extends CeleriacError {
  readonly code = 'RETRY'
  override readonly name = 'Retry'
  /** How long to wait. Default: the task's backoff. */
  readonly after: Wait | undefined

  constructor({ after, message, cause }: { after?: Wait; message?: string; cause?: unknown } = {}) {
    const reason = cause instanceof Error ? cause.message : 'The task asked for another attempt.'
    super(message ?? reason, cause === undefined ? {} : { cause })
    this.after = after
  }
}

/** Throw it in a task to run again after a time, as if this attempt had not been: it has not failed, and costs none. */
export class Snooze extends CeleriacError {
  readonly code = 'SNOOZE'
  override readonly name = 'Snooze'
  readonly after: Wait
  readonly reason: string | undefined

  /** @param reason kept with the attempt */
  constructor(after: Wait, reason?: string) {
    super(reason ?? 'The task asked to run again later.')
    this.after = after
    this.reason = reason
  }
}

/** An attempt ran past its task's `timeLimit`. It is the reason of the attempt's `signal`. */
export class TimeLimitError extends CeleriacError {
  readonly code = 'TIME_LIMIT'
  override readonly name = 'TimeLimitError'

  /** `soft`: the attempt was asked to stop. `hard`: it was ended, whatever it did. */
  readonly kind: 'soft' | 'hard'

  constructor(limitMs: number, kind: 'soft' | 'hard' = 'soft') {
    super(
      kind === 'soft'
        ? `The attempt ran longer than its time limit of ${limitMs} ms.`
        : `The attempt was ended at its hard time limit of ${limitMs} ms.`,
    )
    this.kind = kind
  }
}

/** The thread or process of a pool died under an attempt: it exited, crashed, ran out of memory, or was killed from outside. */
export class PoolChildLostError extends CeleriacError {
  readonly code = 'POOL_CHILD_LOST'
  override readonly name = 'PoolChildLostError'
  readonly exitCode: number | null
  readonly signal: string | null

  constructor(
    pool: 'thread' | 'process',
    { exitCode, signal, reason }: { exitCode: number | null; signal: string | null; reason?: string },
    options?: ErrorOptions,
  ) {
    const how = reason ?? (signal === null ? `with exit code ${exitCode}` : `by ${signal}`)
    super(`The ${pool} that ran the attempt ended under it: ${how}.`, options)
    this.exitCode = exitCode
    this.signal = signal
  }
}

/** A pool cannot run a task: its thread or process does not start, or does not find the task in the file that exports it. */
export class PoolError extends CeleriacError {
  readonly code = 'POOL'
  override readonly name = 'PoolError'
}

/** The job was cancelled. It is the reason of the attempt's `signal`. */
export class CancelledError extends CeleriacError {
  readonly code = 'CANCELLED'
  override readonly name = 'CancelledError'
}

/** The worker stops and the attempt's grace has run out. It is the reason of the attempt's `signal`. */
export class ShutdownError extends CeleriacError {
  readonly code = 'SHUTDOWN'
  override readonly name = 'ShutdownError'
}

/** The workers that ran this job died or went silent, as often as `maxLost` allows. */
export class WorkerLostError extends CeleriacError {
  readonly code = 'WORKER_LOST'
  override readonly name = 'WorkerLostError'
}

/** This `celeriac()` has been closed. */
export class ClosedError extends CeleriacError {
  readonly code = 'CLOSED'
  override readonly name = 'ClosedError'
}

/** No live worker has this name or id. `suggestion` is the nearest name that there is. */
export class UnknownWorkerError extends CeleriacError {
  readonly code = 'UNKNOWN_WORKER'
  override readonly name = 'UnknownWorkerError'
  readonly worker: string
  readonly suggestion: string | undefined

  constructor(worker: string, live: readonly string[], suggestion?: string) {
    const there = live.length === 0 ? 'No worker is running.' : `Running are: ${live.join(', ')}.`
    const hint = suggestion ? ` Did you mean "${suggestion}"?` : ''
    super(`No live worker is called "${worker}".${hint} ${there}`)
    this.worker = worker
    this.suggestion = suggestion
  }
}
