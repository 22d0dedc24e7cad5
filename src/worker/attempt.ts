import { TimeLimitError, TransactionError, WorkerLostError } from '../errors.js'
import { afterFailure } from '../job/failure.js'
import { toLimitedJsonText, toStoredError } from '../job/json.js'
import type { ResolvedBackoff } from '../job/retry.js'
import { isTransaction, type Transaction } from '../job/transaction.js'
import type { ClaimedJob, Settlement } from '../store/store.js'
import { type LongTimer, startTimer } from '../waiting.js'
import { createProgress } from './progress.js'

/** A task as the runtime needs it: everything resolved. */
export interface RunnableTask {
  readonly name: string
  readonly backoff: ResolvedBackoff
  readonly timeLimitMs: number | undefined
  /** Parses the stored JSON text anew, through the task's schema. */
  parsePayload(text: string): unknown | Promise<unknown>
  run(payload: unknown, context: AttemptContext): unknown
}

export interface AttemptLog {
  trace(...args: unknown[]): void
  debug(...args: unknown[]): void
  info(...args: unknown[]): void
  warn(...args: unknown[]): void
  error(...args: unknown[]): void
}

/** What a handler gets beside its payload. */
export interface AttemptContext {
  readonly id: string
  readonly task: string
  readonly queue: string
  readonly attempt: number
  readonly maxAttempts: number
  readonly owner: string | null
  readonly requestId: string | null
  readonly signal: AbortSignal
  readonly log: AttemptLog
  progress(value: unknown): Promise<void>
  complete<Result>(completion: { readonly tx: Transaction; readonly result?: Result }): Promise<Result>
}

export interface Attempt {
  readonly job: ClaimedJob
  /** Runs the handler. Never rejects; resolves when the handler has returned, or was abandoned. */
  run(): Promise<Outcome>
  /** Fires the handler's signal. */
  abort(reason: Error): void
  /** Stops waiting for a handler that ignores its signal. */
  abandon(): void
  readonly abortedFor: Error | undefined
  /** The handler recorded its end in a transaction of its own; whether that was committed, the store knows. */
  readonly completed: boolean
}

/** What becomes of the job, by what its handler did. `returned`: nothing; it must run again elsewhere. */
export type Outcome = End | { readonly state: 'returned' }

type Without<Each, Key extends keyof Each> = Each extends unknown ? Omit<Each, Key> : never
export type End = Without<Settlement, 'workerId'>

export interface AttemptOptions {
  readonly job: ClaimedJob
  readonly task: RunnableTask
  /** Made at its first line: most attempts write none. */
  readonly log: () => AttemptLog
  readonly maxResult: number
  readonly saveProgress: (json: string) => Promise<void>
  /** `false`: the attempt has lost its job. */
  readonly settleIn: (tx: Transaction, success: Success) => Promise<boolean>
}

export type Success = Extract<End, { readonly state: 'succeeded' }>

/** How long a handler may ignore its signal after a time limit or a cancel, before its slot is taken back. */
const ignoredSignalMs = 10_000

/** One attempt: parse → run → judge. What it decides is data; the worker settles it. */
export function createAttempt(options: AttemptOptions): Attempt {
  const { job, task, maxResult } = options
  let log: AttemptLog | undefined
  let controller: AbortController | undefined
  let abandon: ((error: Error) => void) | undefined
  let abortedFor: Error | undefined
  let limit: LongTimer | undefined
  let ignored: NodeJS.Timeout | undefined
  let completed = false
  const progress = createProgress({
    maxBytes: maxResult,
    save: options.saveProgress,
    onTooLarge: (reason) =>
      context.log.warn(
        `Progress of job ${job.id} (${task.name}) is not shown: ${reason}. This is said once.`,
      ),
  })

  const context: AttemptContext = {
    id: job.id,
    task: task.name,
    queue: job.queue,
    attempt: job.attempt,
    maxAttempts: job.maxAttempts,
    owner: job.owner,
    requestId: job.requestId,
    get log() {
      log ??= options.log()
      return log
    },
    progress: progress.report,
    complete,
    get signal() {
      return signal()
    },
  }

  return {
    job,
    run,
    abort,
    abandon: () => abandon?.(abortedFor ?? new Error('The handler was abandoned.')),
    get abortedFor() {
      return abortedFor
    },
    get completed() {
      return completed
    },
  }

  async function run(): Promise<Outcome> {
    try {
      const payload = task.parsePayload(job.payload)
      startTimeLimit()
      const returned = payload instanceof Promise ? payload.then(handle) : handle(payload)
      const result = isThenable(returned) ? await orAbandoned(returned) : returned
      if (progress.pending) await progress.flushed()
      return completed ? failure(uncommitted()) : success(result)
    } catch (error) {
      if (progress.pending) await progress.flushed()
      return failure(error)
    } finally {
      limit?.cancel()
      clearTimeout(ignored)
    }
  }

  function handle(payload: unknown): unknown {
    return task.run(payload, context)
  }

  function orAbandoned(returned: PromiseLike<unknown>): Promise<unknown> {
    return new Promise((resolve, reject) => {
      abandon = reject
      returned.then(resolve, reject)
    })
  }

  function signal(): AbortSignal {
    if (!controller) {
      controller = new AbortController()
      if (abortedFor) controller.abort(abortedFor)
    }
    return controller.signal
  }

  function startTimeLimit(): void {
    const limitMs = job.options.timeLimitMs ?? task.timeLimitMs
    if (limitMs === undefined) return
    limit = startTimer(limitMs, () => abort(new TimeLimitError(limitMs))).unref()
  }

  function abort(reason: Error): void {
    if (abortedFor) return
    abortedFor = reason
    controller?.abort(reason)
    if (reason.name === 'ShutdownError') return
    ignored = setTimeout(() => abandon?.(reason), ignoredSignalMs)
    ignored.unref()
  }

  /** The end of the attempt, in the handler's own transaction: both are there, or neither is. */
  async function complete<Result>({ tx, result }: { tx: Transaction; result?: Result }): Promise<Result> {
    if (!isTransaction(tx)) throw new TransactionError('complete() needs { tx }: a transaction of your own.')
    if (completed) throw new TransactionError('complete() was called twice in one attempt.')
    if (!(await options.settleIn(tx, success(result)))) {
      throw new WorkerLostError(
        'The job was given to another worker meanwhile; this transaction must not commit.',
      )
    }
    completed = true
    return result as Result
  }

  function success(result: unknown): Success {
    const text = toLimitedJsonText(result, maxResult)
    const kept =
      'json' in text
        ? { result: text.json, resultError: null }
        : { result: null, resultError: `the result could not be kept: ${text.reason}` }
    if (kept.resultError !== null)
      context.log.warn(`Job ${job.id} (${task.name}) succeeded, but ${kept.resultError}.`)
    return { ...key(), state: 'succeeded', ...kept }
  }

  function failure(thrown: unknown): Outcome {
    const error = toStoredError(abortedFor?.name === 'TimeLimitError' ? abortedFor : thrown)
    if (abortedFor?.name === 'ShutdownError' || abortedFor?.name === 'WorkerLostError')
      return { state: 'returned' }
    if (abortedFor?.name === 'CancelledError') return { ...key(), state: 'cancelled', error }
    const policy = { attempts: job.maxAttempts, backoff: backoffOf(job, task) }
    const next = afterFailure(job.failures, error, policy, Math.random())
    if ('giveUp' in next) return { ...key(), state: 'failed', error }
    return { ...key(), state: 'retrying', error, retryInMs: next.retryInMs }
  }

  function key(): { jobId: string; number: number; attempt: number } {
    return { jobId: job.id, number: job.number, attempt: job.attempt }
  }
}

/** What the attempt comes to where the end that it recorded is not in the store. */
function uncommitted(): Error {
  return new TransactionError('complete() was called in a transaction that was not committed.')
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function'
}

function backoffOf(job: ClaimedJob, task: RunnableTask): ResolvedBackoff {
  return job.options.backoff ? { ...task.backoff, ...job.options.backoff } : task.backoff
}
