import { v7 as uuidv7 } from 'uuid'
import { EnqueueOptionError } from '../errors.js'
import { longestMs, toMs } from '../job/duration.js'
import type { Backoff, EnqueueOptions, JobOptions } from '../job/job.js'
import type { ResolvedBackoff } from '../job/retry.js'
import { isTransaction } from '../job/transaction.js'
import type { NewJob } from '../store/store.js'

/** What a task says of its jobs; a call may say otherwise for its one. */
export interface JobDefaults {
  readonly task: string
  readonly queue: string
  readonly priority: number
  readonly attempts: number
}

/** Where an enqueue comes from. */
export interface Origin {
  readonly owner: string | null
  readonly requestId: string | null
  readonly traceparent: string | null
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
  payload: string,
  options: EnqueueOptions,
  defaults: JobDefaults,
  origin: Origin,
): NewJob {
  assertKnown(options)
  if (options.delay !== undefined && options.runAt !== undefined) {
    throw new EnqueueOptionError('Give either "delay" or "runAt", not both.')
  }
  if (options.tx !== undefined && !isTransaction(options.tx)) {
    throw new EnqueueOptionError(
      '"tx" must be a Prisma client or transaction, a client of pg, or an object with query(text, values). See docs/transactions.md.',
    )
  }
  return {
    id: uuidv7(),
    task: defaults.task,
    queue: options.queue === undefined ? defaults.queue : plainText('queue', options.queue),
    payload,
    options: toOptionsText(options),
    priority: integer('priority', options.priority ?? defaults.priority, 0, lastPriority),
    maxAttempts: integer('attempts', options.attempts ?? defaults.attempts, 1, mostAttempts),
    owner: origin.owner,
    tags: (options.tags ?? []).map((tag) => plainText('tags', tag)),
    idempotencyKey:
      options.idempotencyKey === undefined ? null : plainText('idempotencyKey', options.idempotencyKey),
    parentId: null,
    requestId: origin.requestId,
    traceparent: origin.traceparent,
    delayMs: options.delay === undefined ? null : milliseconds('delay', options.delay),
    runAt: options.runAt === undefined ? null : moment(options.runAt),
    expiresInMs: options.expiresIn === undefined ? null : milliseconds('expiresIn', options.expiresIn),
  }
}

/** `null` says that only management may see the job. */
export function checkedOwner(owner: unknown): string | null {
  return owner === null ? null : plainText('owner', owner)
}

function toOptionsText({ backoff, timeLimit }: EnqueueOptions): string | null {
  if (backoff === undefined && timeLimit === undefined) return null
  const kept: JobOptions = {
    ...(backoff === undefined ? {} : { backoff: checkedBackoff(backoff) }),
    ...(timeLimit === undefined ? {} : { timeLimitMs: milliseconds('timeLimit', timeLimit) }),
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

function checkedBackoff({ type, delay, max, jitter }: Backoff): Partial<ResolvedBackoff> {
  if (type !== 'fixed' && type !== 'exponential') {
    throw new EnqueueOptionError('"backoff.type" must be "fixed" or "exponential".')
  }
  if (jitter !== undefined && !(jitter >= 0 && jitter <= 1)) {
    throw new EnqueueOptionError('"backoff.jitter" must be a number from 0 to 1.')
  }
  return {
    type,
    ...(delay === undefined ? {} : { delayMs: milliseconds('backoff.delay', delay) }),
    ...(max === undefined ? {} : { maxMs: milliseconds('backoff.max', max) }),
    ...(jitter === undefined ? {} : { jitter }),
  }
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

/** PostgreSQL refuses NUL in text, and UTF-8 has no lone surrogates. */
export function isPlain(value: string): boolean {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  return !/[\u0000-\u001f\u007f]/.test(value) && !/\p{Surrogate}/u.test(value)
}

function show(value: unknown): string {
  const text = typeof value === 'string' ? JSON.stringify(value) : String(value)
  return text.length > 80 ? `${text.slice(0, 80)}…` : text
}
