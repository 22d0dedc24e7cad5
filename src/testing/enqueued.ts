import { AssertionError } from 'node:assert'
import { inspect } from 'node:util'
import type { Duration } from '../job/duration.js'
import type { StoredError } from '../job/job.js'
import type { JobState } from '../job/state.js'
import type { AnyTask, Task } from '../task/define.js'
import { durationMs } from './clock.js'
import { matches } from './match.js'

/** A job that was enqueued in a test, as it stands at the time of the question. */
export interface EnqueuedJob<Input = unknown, Result = unknown> {
  readonly id: string
  readonly task: string
  /** As it was given to `enqueue`, and kept. */
  readonly payload: Input
  readonly state: JobState
  readonly queue: string
  readonly priority: number
  readonly owner: string | null
  readonly tags: readonly string[]
  readonly idempotencyKey: string | null
  /** The job that enqueued it. */
  readonly parentId: string | null
  readonly createdAt: Date
  readonly runAt: Date
  readonly expiresAt: Date | null
  /** Starts so far. */
  readonly attempt: number
  readonly maxAttempts: number
  /** `undefined` before it has succeeded. */
  readonly result: Result | undefined
  /** Of the last failed attempt. */
  readonly error: StoredError | null
}

/** A payload, with Vitest's or Jest's matchers anywhere in it, or what tells whether one is meant. */
export type ExpectedPayload<Input> = Input | ((payload: Input) => boolean)

/** What else must hold of a job that is expected. */
export interface ExpectedOptions {
  /** How many there are. Default: one or more. */
  readonly times?: number
  readonly delay?: Duration
  readonly runAt?: Date
  readonly queue?: string
  readonly priority?: number
  readonly owner?: string | null
  /** At least these. */
  readonly tags?: readonly string[]
  readonly idempotencyKey?: string
}

/** Questions about what was enqueued since the start, or since `clear()`. */
export interface Expectations {
  /** All that was enqueued, oldest first; of one task, if it is said. */
  enqueued(): EnqueuedJob[]
  enqueued<Input, Payload, Result>(task: Task<Input, Payload, Result>): EnqueuedJob<Input, Result>[]
  enqueued(task: string): EnqueuedJob[]
  /**
   * Gives the first job that is as expected.
   * @throws {AssertionError} when there is none, with what was enqueued instead
   */
  expectEnqueued<Input, Payload, Result>(
    task: Task<Input, Payload, Result>,
    payload?: ExpectedPayload<Input>,
    options?: ExpectedOptions,
  ): EnqueuedJob<Input, Result>
  expectEnqueued(task: string, payload?: unknown, options?: ExpectedOptions): EnqueuedJob
  /**
   * Without a task: nothing at all was enqueued.
   * @throws {AssertionError} with what was enqueued after all
   */
  expectNotEnqueued(): void
  expectNotEnqueued<Input, Payload, Result>(
    task: Task<Input, Payload, Result>,
    payload?: ExpectedPayload<Input>,
  ): void
  expectNotEnqueued(task: string, payload?: unknown): void
}

export interface ExpectationDeps {
  readonly jobs: () => EnqueuedJob[]
  /** @throws when no such task is known */
  readonly nameOf: (task: AnyTask | string) => string
}

export function createExpectations({ jobs, nameOf }: ExpectationDeps): Expectations {
  return {
    enqueued: ((task?: AnyTask | string) => of(task)) as Expectations['enqueued'],
    expectEnqueued: expectEnqueued as Expectations['expectEnqueued'],
    expectNotEnqueued,
  }

  function of(task: AnyTask | string | undefined): EnqueuedJob[] {
    if (task === undefined) return jobs()
    const name = nameOf(task)
    return jobs().filter((job) => job.task === name)
  }

  function expectEnqueued(
    task: AnyTask | string,
    payload?: unknown,
    options: ExpectedOptions = {},
  ): EnqueuedJob {
    const ofTask = of(task)
    const found = ofTask.filter((job) => isMeant(job, payload, options))
    const [first] = found
    const isRight = options.times === undefined ? first !== undefined : found.length === options.times
    if (isRight && first) return first
    if (isRight) return undefined as never
    const name = nameOf(task)
    throw new AssertionError({
      message: `${wanted(name, payload, options)}${told(options, found.length)} ${instead(ofTask, jobs())}`,
      actual: payload === undefined ? ofTask.length : ofTask.map((job) => job.payload),
      expected: payload === undefined ? (options.times ?? 1) : [payload],
      operator: 'expectEnqueued',
      stackStartFn: expectEnqueued,
    })
  }

  function expectNotEnqueued(task?: AnyTask | string, payload?: unknown): void {
    const found = of(task).filter((job) => isMeant(job, payload, {}))
    if (found.length === 0) return
    const what = task === undefined ? 'no job' : `no job of "${nameOf(task)}"${withPayload(payload)}`
    throw new AssertionError({
      message: `Expected that ${what} was enqueued. There ${areJobs(found)}:\n${list(found)}`,
      actual: found.length,
      expected: 0,
      operator: 'expectNotEnqueued',
      stackStartFn: expectNotEnqueued,
    })
  }
}

function isMeant(job: EnqueuedJob, payload: unknown, options: ExpectedOptions): boolean {
  if (
    typeof payload === 'function'
      ? !payload(job.payload)
      : payload !== undefined && !matches(job.payload, payload)
  )
    return false
  const { delay, runAt, tags = [] } = options
  const delayMs = job.runAt.getTime() - job.createdAt.getTime()
  return (
    (delay === undefined || delayMs === durationMs(delay, '"delay"')) &&
    (runAt === undefined || job.runAt.getTime() === runAt.getTime()) &&
    tags.every((tag) => job.tags.includes(tag)) &&
    (['queue', 'priority', 'owner', 'idempotencyKey'] as const).every(
      (field) => options[field] === undefined || options[field] === job[field],
    )
  )
}

function wanted(name: string, payload: unknown, { times, ...options }: ExpectedOptions): string {
  const count = times === undefined ? 'a job' : times === 1 ? 'one job' : `${times} jobs`
  const said = Object.keys(options).length === 0 ? '' : ` and ${show(options)}`
  return `Expected ${count} of "${name}"${withPayload(payload)}${said} to be enqueued.`
}

function told({ times }: ExpectedOptions, found: number): string {
  return times === undefined || found === 0
    ? ''
    : ` There ${found === 1 ? 'is 1' : `are ${found}`} like this.`
}

function instead(ofTask: readonly EnqueuedJob[], all: readonly EnqueuedJob[]): string {
  if (ofTask.length > 0) return `Of this task there ${areJobs(ofTask)}:\n${list(ofTask)}`
  if (all.length === 0) return 'Nothing was enqueued.'
  return `Of this task there is none. There ${areJobs(all)} of others:\n${list(all)}`
}

function withPayload(payload: unknown): string {
  if (payload === undefined) return ''
  return typeof payload === 'function' ? ' with such a payload' : ` with the payload ${show(payload)}`
}

function areJobs(jobs: readonly EnqueuedJob[]): string {
  return jobs.length === 1 ? 'is 1' : `are ${jobs.length}`
}

const mostListed = 20

function list(jobs: readonly EnqueuedJob[]): string {
  const lines = jobs.slice(0, mostListed).map(line)
  return [...lines, ...(jobs.length > mostListed ? [`  … and ${jobs.length - mostListed} more`] : [])].join(
    '\n',
  )
}

function line({ task, payload, state, queue, priority, createdAt, runAt }: EnqueuedJob): string {
  const delayMs = runAt.getTime() - createdAt.getTime()
  const facts = [
    state,
    ...(queue === 'default' ? [] : [`queue "${queue}"`]),
    ...(priority === 0 ? [] : [`priority ${priority}`]),
    ...(delayMs > 0 ? [`delay ${delayMs} ms`] : []),
  ]
  return `  ${task} ${show(payload)} (${facts.join(', ')})`
}

function show(value: unknown): string {
  return inspect(value, { depth: 6, breakLength: 100, maxStringLength: 200 })
}
