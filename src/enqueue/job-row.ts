import { v7 as uuidv7 } from 'uuid'
import { EnqueueOptionError } from '../errors.js'
import { longestMs, toMs } from '../job/duration.js'
import type { Backoff, EnqueueOptions, JobOptions } from '../job/job.js'
import type { ResolvedBackoff } from '../job/retry.js'
import { isPlain } from '../job/text.js'
import type { ResolvedTimeLimit } from '../job/time-limit.js'
import { isTransaction } from '../job/transaction.js'
import type { Uniqueness } from '../job/unique.js'
import type { NewJob, UniqueClaim } from '../store/store.js'
import { checkBackoff } from '../task/check.js'
import type { CheckedPayload, KeyedPayload } from '../task/payload.js'
import { checkTimeLimit } from '../task/policy.js'
import type { InheritedOrigin } from './context.js'

/** What a task says of its jobs; a call may say otherwise for its one. */
export interface JobDefaults {
  readonly task: string
  readonly queue: string
  readonly priority: number
  readonly attempts: number
  /** Fields that nobody is to see. */
  readonly redact: readonly string[]
  readonly expiresInMs?: number | undefined
  readonly uniqueness?: Uniqueness | undefined
  /** Whether a job has limits by its queue, or by what was set while the app ran; the task's own come with its payload. */
  isLimited?(queue: string): boolean
}

/** Where an enqueue comes from. */
export interface Origin extends InheritedOrigin {
  readonly owner: string | null
}

const optionNames: ReadonlySet<string> = new Set<keyof EnqueueOptions>([
  'delay',
  'runAt',
  'expiresIn',
  'queue',
  'priority',
  'attempts',
  'backoff',
  'timeLimit',
  'idempotencyKey',
  'owner',
  'tags',
  'tx',
])

/** BullMQ's largest priority. */
const lastPriority = 2_097_151
const mostAttempts = 1_000_000
const longestText = 255

/**
 * The row of one job: what the call says, else what the task says.
 * @throws {EnqueueOptionError} when an option is unknown, out of range, or in conflict with another
 */
export function toNewJob(
  payload: CheckedPayload,
  options: EnqueueOptions,
  defaults: JobDefaults,
  origin: Origin,
): NewJob {
  assertKnown(options)
  if (options.delay !== undefined && options.runAt !== undefined) {
    throw new EnqueueOptionError('Give either "delay" or "runAt", not both.')
  }
  if (defaults.uniqueness?.mode === 'debounce' && (options.delay ?? options.runAt) !== undefined) {
    throw new EnqueueOptionError(
      `Task "${defaults.task}" has "debounce", which says when its jobs start: "delay" and "runAt" cannot be given.`,
    )
  }
  if (options.tx !== undefined && !isTransaction(options.tx)) {
    throw new EnqueueOptionError(
      '"tx" must be a Prisma client or transaction, a client of pg, or an object with query(text, values). See docs/transactions.md.',
    )
  }
  const queue = options.queue === undefined ? defaults.queue : plainText('queue', options.queue)
  return {
    id: uuidv7(),
    task: defaults.task,
    queue,
    payload: typeof payload === 'string' ? payload : payload.text,
    options: toOptionsText(options, defaults.redact),
    priority: integer('priority', options.priority ?? defaults.priority, 0, lastPriority),
    maxAttempts: integer('attempts', options.attempts ?? defaults.attempts, 1, mostAttempts),
    owner: origin.owner,
    tags: (options.tags ?? []).map((tag) => plainText('tags', tag)),
    idempotencyKey:
      options.idempotencyKey === undefined ? null : plainText('idempotencyKey', options.idempotencyKey),
    parentId: origin.parentId,
    requestId: origin.requestId,
    traceparent: origin.traceparent,
    context: origin.context,
    limitKey: limitKeyOf(payload, queue, defaults),
    unique: typeof payload === 'string' ? null : toUniqueClaim(payload, defaults),
    delayMs: options.delay === undefined ? firstDelay(defaults) : milliseconds('delay', options.delay),
    runAt: options.runAt === undefined ? null : moment(options.runAt),
    expiresInMs:
      options.expiresIn === undefined
        ? (defaults.expiresInMs ?? null)
        : milliseconds('expiresIn', options.expiresIn),
  }
}

function toUniqueClaim(
  { uniqueKey }: KeyedPayload,
  { uniqueness }: Pick<JobDefaults, 'uniqueness'>,
): UniqueClaim | null {
  if (uniqueKey === null || !uniqueness) return null
  const { key: _, ...rule } = uniqueness
  return { ...rule, key: uniqueKey }
}

function firstDelay({ uniqueness }: Pick<JobDefaults, 'uniqueness'>): number | null {
  return uniqueness?.mode === 'debounce' ? uniqueness.delayMs : null
}

export function limitKeyOf(payload: CheckedPayload, queue: string, defaults: JobDefaults): string | null {
  const key = typeof payload === 'string' ? null : payload.limitKey
  return key === null && defaults.isLimited?.(queue) ? '' : key
}

/** `null` says that only management may see the job. */
export function checkedOwner(owner: unknown): string | null {
  return owner === null ? null : plainText('owner', owner)
}

function toOptionsText({ backoff, timeLimit }: EnqueueOptions, redact: readonly string[]): string | null {
  if (backoff === undefined && timeLimit === undefined && redact.length === 0) return null
  const kept: JobOptions = {
    ...(backoff === undefined ? {} : { backoff: checkedBackoff(backoff) }),
    ...(timeLimit === undefined ? {} : { timeLimit: checkedTimeLimit(timeLimit) }),
    ...(redact.length === 0 ? {} : { redact }),
  }
  return JSON.stringify(kept)
}

function assertKnown(options: EnqueueOptions): void {
  const unknown = Object.keys(options).find((name) => !optionNames.has(name))
  if (unknown === undefined) return
  throw new EnqueueOptionError(
    `Unknown option "${unknown}" for enqueue. It takes ${[...optionNames].join(', ')}.`,
  )
}

function checkedTimeLimit(value: unknown): ResolvedTimeLimit {
  return asEnqueueOption(() => checkTimeLimit(value, '"timeLimit"'))
}

/** The same checks as for a task, with the error of a call. */
function asEnqueueOption<T>(check: () => T): T {
  try {
    return check()
  } catch (error) {
    throw new EnqueueOptionError(error instanceof Error ? error.message : String(error))
  }
}

function checkedBackoff(value: Backoff): ResolvedBackoff {
  return asEnqueueOption(() => checkBackoff(value, '"backoff"'))
}

function milliseconds(name: string, value: unknown): number {
  const ms = toMs(value)
  if (ms !== undefined) return ms
  throw new EnqueueOptionError(
    `"${name}" must be milliseconds or a text like "30s" or "5m", not negative and under a hundred years. It is ${show(value)}.`,
  )
}

function moment(value: unknown): Date {
  const time = value instanceof Date ? value.getTime() : Number.NaN
  if (Math.abs(time - Date.now()) <= longestMs) return value as Date
  throw new EnqueueOptionError(`"runAt" must be a valid Date within a hundred years. It is ${show(value)}.`)
}

function integer(name: string, value: unknown, least: number, most: number): number {
  if (typeof value === 'number' && Number.isInteger(value) && value >= least && value <= most) return value
  throw new EnqueueOptionError(
    `"${name}" must be a whole number from ${least} to ${most}. It is ${show(value)}.`,
  )
}

function plainText(name: string, value: unknown): string {
  if (typeof value === 'string' && value !== '' && value.length <= longestText && isPlain(value)) return value
  throw new EnqueueOptionError(
    `"${name}" must be a text of 1 to ${longestText} characters without control characters. It is ${show(value)}.`,
  )
}

function show(value: unknown): string {
  const text = typeof value === 'string' ? JSON.stringify(value) : String(value)
  return text.length > 80 ? `${text.slice(0, 80)}…` : text
}
