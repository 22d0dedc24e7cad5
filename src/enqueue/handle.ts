import {
  ConfigError,
  JobEndedError,
  JobNotFoundError,
  ResultLostError,
  ResultTimeoutError,
} from '../errors.js'
import { type Duration, toMs } from '../job/duration.js'
import type { EventsOptions, JobEvent, JobLogLine, LogsOptions } from '../job/event.js'
import type { CancelAnswer, JobHandle, JobStatus } from '../job/job.js'
import { isEnd, type JobState } from '../job/state.js'
import type { Hold } from './hold.js'

/** What a handle asks of the app that made it. */
export interface HandleHost {
  readonly hold: Hold
  status(id: string): Promise<JobStatus | undefined>
  ended(id: string, timeoutMs: number): Promise<boolean>
  cancel(id: string, by: string | null, reason: string | null): Promise<CancelAnswer>
  events(id: string, options?: EventsOptions): AsyncIterableIterator<JobEvent>
  logs(id: string, limit: number): Promise<JobLogLine[]>
}

const defaultTimeoutMs = 60_000
const defaultLogLines = 1000

/** A class, so that enqueueing many costs no closures. */
export class Handle<Result> implements JobHandle<Result> {
  readonly id: string
  readonly task: string
  readonly created: boolean
  readonly #host: HandleHost
  readonly #first: FirstStatus | undefined

  /** @param first what the row said when this call wrote it */
  constructor(host: HandleHost, id: string, task: string, created: boolean, first?: FirstStatus) {
    this.#host = host
    this.id = id
    this.task = task
    this.created = created
    this.#first = first
  }

  /** The status at the moment of the enqueue, without asking the store. Only a handle that made its job knows. */
  static firstStatus(handle: JobHandle): JobStatus | undefined {
    return handle instanceof Handle ? handle.#first && toFirstStatus(handle, handle.#first) : undefined
  }

  status(): Promise<JobStatus<Result>> {
    return this.#host.hold.during(this.#status())
  }

  result(options: { timeout?: Duration } = {}): Promise<Result> {
    const timeoutMs = toMs(options.timeout ?? defaultTimeoutMs)
    if (timeoutMs === undefined) {
      return Promise.reject(
        new ConfigError(
          `"timeout" must be milliseconds or a text like "30s". It is ${String(options.timeout)}.`,
        ),
      )
    }
    return this.#host.hold.during(this.#result(timeoutMs))
  }

  cancel({ by, reason }: { by?: string; reason?: string } = {}): Promise<CancelAnswer> {
    for (const [name, said] of Object.entries({ by, reason })) {
      if (said === undefined || typeof said === 'string') continue
      return Promise.reject(new ConfigError(`"${name}" of cancel() must be a text. It is ${String(said)}.`))
    }
    return this.#host.hold.during(this.#host.cancel(this.id, by ?? null, reason ?? null))
  }

  events(options?: EventsOptions): AsyncIterableIterator<JobEvent<Result>> {
    return this.#host.events(this.id, options) as AsyncIterableIterator<JobEvent<Result>>
  }

  logs({ limit = defaultLogLines }: LogsOptions = {}): Promise<JobLogLine[]> {
    return this.#host.hold.during(this.#host.logs(this.id, limit))
  }

  async #status(): Promise<JobStatus<Result>> {
    const status = await this.#host.status(this.id)
    if (!status) throw new JobNotFoundError(this.id)
    return status as JobStatus<Result>
  }

  async #result(timeoutMs: number): Promise<Result> {
    const until = performance.now() + timeoutMs
    for (let leftMs = timeoutMs; leftMs > 0; leftMs = until - performance.now()) {
      if (!(await this.#host.ended(this.id, leftMs))) continue
      const status = await this.#status()
      // Between the two answers somebody may have put it back into its queue.
      if (isEnd(status.state)) return resultOf(status)
    }
    throw new ResultTimeoutError(`Job ${this.id} has not ended within ${timeoutMs} ms. It goes on.`)
  }
}

/** What a new job's status says beside its id and task. */
export interface FirstStatus {
  readonly queue: string
  readonly state: JobState
  readonly maxAttempts: number
  readonly createdAt: Date
  readonly dueInMs: number
}

function toFirstStatus({ id, task }: JobHandle, first: FirstStatus): JobStatus {
  const { queue, state, maxAttempts, createdAt, dueInMs } = first
  return {
    id,
    task,
    queue,
    state,
    progress: null,
    attempt: 0,
    maxAttempts,
    attempts: [],
    createdAt: createdAt.toISOString(),
    runAt: new Date(createdAt.getTime() + dueInMs).toISOString(),
    startedAt: null,
    finishedAt: null,
  }
}

function resultOf<Result>(status: JobStatus<Result>): Result {
  switch (status.state) {
    case 'succeeded':
      if (status.resultError !== undefined) {
        throw new ResultLostError(`Job ${status.id} has succeeded, but ${status.resultError}.`)
      }
      return status.result as Result
    case 'failed': {
      const { name, message } = status.error ?? { name: 'Error', message: 'no error was kept' }
      throw new JobEndedError('failed', `Job ${status.id} (${status.task}) failed: ${name}: ${message}`)
    }
    case 'cancelled':
      throw new JobEndedError('cancelled', `Job ${status.id} (${status.task}) was cancelled.`)
    default:
      throw new JobEndedError('expired', `Job ${status.id} (${status.task}) expired before it could start.`)
  }
}
