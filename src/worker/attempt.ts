import { runForJob, runInJob, takenOver } from '../enqueue/context.js'
import { TimeLimitError, TransactionError, WorkerLostError } from '../errors.js'
import { toLimitedText, type Values } from '../job/codec.js'
import { afterFailure, type FailureRules, isAsking, noRules, type Thrown, toThrown } from '../job/failure.js'
import { toStoredError } from '../job/json.js'
import { redactText } from '../job/redact.js'
import type { ResolvedBackoff } from '../job/retry.js'
import type { ResolvedTimeLimit } from '../job/time-limit.js'
import { isTransaction, type Transaction } from '../job/transaction.js'
import type { ClaimedJob, Settlement } from '../store/store.js'
import type { PoolKind } from '../task/policy.js'
import { type LongTimer, startTimer } from '../waiting.js'
import type { RemoteRun } from './pool/pool.js'
import { RemoteError } from './pool/remote-error.js'
import { Kept } from './pool/run.js'
import { createProgress } from './progress.js'

/** A task as the runtime needs it: everything resolved. */
export interface RunnableTask {
  readonly name: string
  readonly backoff: ResolvedBackoff
  /** What it says of the errors that its handler throws. Default: every error is tried again. */
  readonly rules?: FailureRules
  readonly timeLimit: ResolvedTimeLimit
  /** What rows hold is read and written by. */
  readonly values: Values
  /** Fields that nobody is to see. */
  readonly redact: readonly string[]
  /** Ends that take the row along. */
  readonly drops: ReadonlySet<string>
  /** Where its handler runs. */
  readonly pool: PoolKind
  /** URL of the file that exports it, if it is known. */
  readonly file: string | undefined
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
  readonly traceparent: string | null
  readonly tracestate: string | null
  readonly locale: string | null
  readonly values: Readonly<Record<string, unknown>>
  readonly parentId: string | null
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
  /** What the handler has returned. */
  readonly result: unknown
}

/** What becomes of the job, by what its handler did. `returned`: nothing; it must run again elsewhere. */
export type Outcome = End | { readonly state: 'returned' }

type Without<Each, Key extends keyof Each> = Each extends unknown ? Omit<Each, Key> : never
export type End = Without<Settlement, 'workerId'>

export interface AttemptOptions {
  readonly job: ClaimedJob
  readonly task: RunnableTask
  /** Which holds for this attempt. */
  readonly timeLimit: ResolvedTimeLimit
  /** Made at its first line: most attempts write none. */
  readonly log: () => AttemptLog
  readonly maxResult: number
  readonly saveProgress: (json: string) => Promise<void>
  /** `false`: the attempt has lost its job. */
  readonly settleIn: (tx: Transaction, success: Success) => Promise<boolean>
  /** Where the handler runs, if not here. */
  readonly remote?: RemoteRun | undefined
}

export type Success = Extract<End, { readonly state: 'succeeded' }>

/** How long a handler may ignore its signal after a time limit or a cancel, before its slot is taken back. */
const ignoredSignalMs = 10_000

/** One attempt: parse → run → judge. What it decides is data; the worker settles it. */
export function createAttempt(options: AttemptOptions): Attempt {
  const { job, task, maxResult, remote } = options
  let log: AttemptLog | undefined
  let controller: AbortController | undefined
  let abandon: ((error: Error) => void) | undefined
  let abortedFor: Error | undefined
  let limit: LongTimer | undefined
  let hardLimit: LongTimer | undefined
  let ignored: NodeJS.Timeout | undefined
  let completed = false
  let given: unknown
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
    ...takenOver(job),
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
    abandon: () => leave(abortedFor ?? new Error('The handler was abandoned.')),
    get abortedFor() {
      return abortedFor
    },
    get completed() {
      return completed || remote?.completed === true
    },
    get result() {
      return remote && given instanceof Kept ? fromKept(given) : given
    },
  }

  async function run(): Promise<Outcome> {
    try {
      // Asked to stop before it began.
      if (abortedFor) throw abortedFor
      const returned = remote ? runRemotely(remote) : runHere()
      const result = isThenable(returned) ? await orAbandoned(returned) : returned
      if (progress.pending) await progress.flushed()
      given ??= result
      return completed || remote?.completed ? failure(uncommitted()) : success(result)
    } catch (error) {
      if (progress.pending) await progress.flushed()
      return failure(error)
    } finally {
      limit?.cancel()
      hardLimit?.cancel()
      clearTimeout(ignored)
    }
  }

  function runHere(): unknown {
    const payload = task.parsePayload(job.payload)
    startTimeLimit()
    return payload instanceof Promise ? payload.then(handle) : handle(payload)
  }

  function handle(payload: unknown): unknown {
    return runInJob(job, task.run, payload, context)
  }

  /** What the handler asks of this process, it asks as its job. */
  function runRemotely({ run }: RemoteRun): Promise<Kept> {
    return runForJob(job, () => run(context, startTimeLimit))
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
    const { softMs, hardMs } = options.timeLimit
    if (softMs !== null) limit = startTimer(softMs, () => abort(new TimeLimitError(softMs))).unref()
    if (hardMs !== null) hardLimit = startTimer(hardMs, () => end(new TimeLimitError(hardMs, 'hard'))).unref()
  }

  /** A handler that was asked to stop for another reason has not stopped; that reason stands. */
  function end(reason: TimeLimitError): void {
    if (!abortedFor) abort(reason)
    else if (abortedFor.name === 'TimeLimitError') abortedFor = reason
    leave(abortedFor ?? reason)
  }

  function leave(reason: Error): void {
    remote?.kill()
    abandon?.(reason)
  }

  function abort(reason: Error): void {
    if (abortedFor) return
    abortedFor = reason
    controller?.abort(reason)
    if (reason.name === 'ShutdownError') return
    ignored = setTimeout(() => leave(reason), ignoredSignalMs)
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
    given = result
    return result as Result
  }

  function success(result: unknown): Success {
    // What a handler gives or throws may be a proxy that has been revoked, which no `instanceof` may touch.
    const text =
      remote && result instanceof Kept ? result.text : toLimitedText(task.values, result, maxResult)
    if ('json' in text && task.redact.length > 0) return { ...key(), ...redacted(text.json, job.payload) }
    const kept =
      'json' in text
        ? { result: text.json, resultError: null }
        : { result: null, resultError: `the result could not be kept: ${text.reason}` }
    if (kept.resultError !== null)
      context.log.warn(`Job ${job.id} (${task.name}) succeeded, but ${kept.resultError}.`)
    return { ...key(), state: 'succeeded', ...kept }
  }

  /** What could not be kept did not cross from where the handler ran. */
  function fromKept({ text }: Kept): unknown {
    return 'json' in text ? task.values.fromText(text.json) : undefined
  }

  /** The caller gets what the store may keep. */
  function redacted(result: string, payload: string) {
    const without = redactText(task.values, task.redact, 'payload', payload)
    return {
      state: 'succeeded' as const,
      result: redactText(task.values, task.redact, 'result', result) ?? result,
      resultError: null,
      ...(without === undefined ? {} : { payload: without }),
    }
  }

  function failure(thrown: unknown): Outcome {
    if (abortedFor?.name === 'ShutdownError' || abortedFor?.name === 'WorkerLostError')
      return { state: 'returned' }
    if (abortedFor?.name === 'CancelledError')
      return { ...key(), state: 'cancelled', error: toStoredError(thrown) }
    const random = Math.random()
    const judged = judge(thrown, random)
    for (const warning of judged.warnings ?? []) context.log.warn(`Task "${task.name}": ${warning}`)
    const { error } = judged
    const policy = { attempts: job.maxAttempts, backoff: job.options.backoff ?? task.backoff }
    const next = afterFailure(job.failures, judged, policy, random)
    if ('giveUp' in next) return { ...key(), state: 'failed', error }
    if ('retryInMs' in next) return { ...key(), state: 'retrying', error, retryInMs: next.retryInMs }
    return { ...key(), state: 'snoozed', reason: next.reason ?? null, retryInMs: next.snoozeMs }
  }

  /** Past its time limit an attempt may still say what is to follow. Whatever else it throws then, it ran too long. */
  function judge(thrown: unknown, random: number): Thrown {
    const rules = task.rules ?? noRules
    const held = job.options.backoff ? { ...rules, backoff: undefined } : rules
    const isLate = abortedFor?.name === 'TimeLimitError' && !isAsking(thrown)
    if (!isLate && remote && thrown instanceof RemoteError && thrown.thrown)
      return judgedElsewhere(thrown, thrown.thrown, held, job.failures, random)
    return toThrown(isLate ? abortedFor : thrown, held, job.failures, random)
  }

  function key(): { jobId: string; number: number; attempt: number } {
    return { jobId: job.id, number: job.number, attempt: job.attempt }
  }
}

/** What the attempt comes to where the end that it recorded is not in the store. */
function uncommitted(): Error {
  return new TransactionError('complete() was called in a transaction that was not committed.')
}

/** The rules of its task were known there; a backoff function of the configuration is known here. */
function judgedElsewhere(
  error: RemoteError,
  thrown: Thrown,
  { backoff }: FailureRules,
  failures: number,
  random: number,
): Thrown {
  if (thrown.kind !== 'failed') return thrown
  if (!backoff) return { ...thrown, afterMs: undefined }
  if (thrown.afterMs !== undefined) return thrown
  const { afterMs, warnings = [] } = toThrown(error, { ...noRules, backoff }, failures, random)
  return {
    ...thrown,
    ...(afterMs === undefined ? {} : { afterMs }),
    warnings: [...(thrown.warnings ?? []), ...warnings],
  }
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function'
}
