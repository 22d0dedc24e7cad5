import { runInJob, takenOver } from '../../enqueue/context.js'
import { TransactionError, WorkerLostError } from '../../errors.js'
import { toLimitedText, type Values } from '../../job/codec.js'
import { type FailureRules, toThrown } from '../../job/failure.js'
import { isError, type JsonText } from '../../job/json.js'
import { isTransaction, type Transaction } from '../../job/transaction.js'
import type { ClaimedJob } from '../../store/store.js'
import { settleInTransaction } from '../../store/transaction.js'
import type { AttemptContext, AttemptLog } from '../attempt.js'
import type { Call } from './child-enqueue.js'
import { createChildProgress } from './child-progress.js'
import { fromErrorRecord, toErrorRecord } from './error-record.js'
import type { LogLevel, Order, ToChild } from './message.js'
import type { Port } from './port.js'

/** One attempt, in the child that runs it. */
export interface ChildAttempt {
  /** parse → run → tell. Never rejects. */
  run(): Promise<void>
  abort(message: Extract<ToChild, { type: 'abort' }>): void
}

export interface ChildAttemptOptions {
  readonly order: Order
  readonly port: Port
  readonly call: Call
  readonly values: Values
  /** Loads the task. */
  readonly load: () => Promise<ChildTask>
  readonly inSpan?: InSpan | undefined
}

/** Runs `work` in the span of a job's attempt. */
export type InSpan = <T>(job: ClaimedJob, work: () => T) => T

/** A task as a child needs it. */
export interface ChildTask {
  readonly rules: FailureRules
  parsePayload(text: string): unknown
  run(payload: unknown, context: AttemptContext): unknown
}

export function createChildAttempt(options: ChildAttemptOptions): ChildAttempt {
  const { order, port, call, values, load, inSpan } = options
  const { job, maxResult } = order
  const controller = new AbortController()
  const { signal } = controller
  let completed = false
  const log = createLog(port)
  const progress = createChildProgress(
    maxResult,
    (json) => port.send({ type: 'progress', json }),
    (reason) =>
      log.warn(`Progress of job ${job.id} (${order.task}) is not shown: ${reason}. This is said once.`),
  )
  const context: AttemptContext = {
    id: job.id,
    task: order.task,
    queue: job.queue,
    attempt: job.attempt,
    maxAttempts: job.maxAttempts,
    owner: job.owner,
    requestId: job.requestId,
    ...takenOver(job),
    signal,
    log,
    progress: progress.report,
    complete,
  }

  return {
    run,
    abort({ reason }) {
      controller.abort(fromErrorRecord(reason))
      port.send({ type: 'heard' })
    },
  }

  async function run(): Promise<void> {
    let task: ChildTask | undefined
    try {
      task = await load()
      const payload = await task.parsePayload(job.payload)
      signal.throwIfAborted()
      port.send({ type: 'started' })
      const { run: handle } = task
      const work = () => runInJob(job, handle, payload, context)
      const result = toText(await (inSpan ? inSpan(job, work) : work()))
      progress.flush()
      port.send({ type: 'returned', result, memory: port.memory() })
    } catch (error) {
      progress.flush()
      const thrown = toThrown(error, task?.rules ?? noRules, job.failures, Math.random())
      port.send({ type: 'threw', thrown, memory: port.memory() })
    }
  }

  /** As the worker itself does it, on the handler's own transaction. */
  async function complete<Result>({ tx, result }: { tx: Transaction; result?: Result }): Promise<Result> {
    if (!isTransaction(tx)) throw new TransactionError('complete() needs { tx }: a transaction of your own.')
    if (completed) throw new TransactionError('complete() was called twice in one attempt.')
    const installation = (await call('installation')) as string
    // Before the statement: whatever becomes of the child, the worker then asks the store.
    port.send({ type: 'completing', may: true })
    try {
      completed = await settleInTransaction(
        tx,
        { ...success(result), workerId: order.workerId },
        installation,
      )
    } finally {
      if (!completed) port.send({ type: 'completing', may: false })
    }
    if (completed) return result as Result
    throw new WorkerLostError(
      'The job was given to another worker meanwhile; this transaction must not commit.',
    )
  }

  function success(result: unknown) {
    const text = toText(result)
    const key = { jobId: job.id, number: job.number, attempt: job.attempt, state: 'succeeded' as const }
    if ('json' in text) return { ...key, result: text.json, resultError: null }
    return { ...key, result: null, resultError: `the result could not be kept: ${text.reason}` }
  }

  function toText(result: unknown): JsonText {
    return toLimitedText(values, result, maxResult)
  }
}

const noRules: FailureRules = { retryOn: undefined, giveUpOn: undefined, backoff: undefined }

function createLog(port: Port): AttemptLog {
  const write =
    (level: LogLevel) =>
    (...args: unknown[]) =>
      port.send({ type: 'log', level, args: args.map(toArgument) })
  return {
    trace: write('trace'),
    debug: write('debug'),
    info: write('info'),
    warn: write('warn'),
    error: write('error'),
  }
}

/** As plain data; an error stays one. */
function toArgument(value: unknown): unknown {
  if (isError(value)) return toErrorRecord(value)
  if (typeof value !== 'object' || value === null) return typeof value === 'symbol' ? String(value) : value
  try {
    return JSON.parse(JSON.stringify(value, withErrors))
  } catch {
    return { unreadable: true }
  }
}

function withErrors(_: string, value: unknown): unknown {
  if (typeof value === 'bigint') return value.toString()
  if (!isError(value)) return value
  const { facts, ...record } = toErrorRecord(value)
  return { ...facts, ...record }
}
