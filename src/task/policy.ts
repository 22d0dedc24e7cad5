import { ConfigError } from '../errors.js'
import type { Duration } from '../job/duration.js'
import type { ErrorMatch } from '../job/error-match.js'
import type { TaskBackoff } from '../job/job.js'
import type { Concurrency, Limit, RateLimit, TaskLimits } from '../job/limit.js'
import { toPace } from '../job/limit.js'
import type { RedactedPath } from '../job/redact.js'
import type { GivenRetention, Retain } from '../job/retain.js'
import type { ComputedBackoff, ResolvedBackoff } from '../job/retry.js'
import type { ResolvedTimeLimit, TimeLimit } from '../job/time-limit.js'
import type { DebounceOptions, ThrottleOptions, Uniqueness, UniqueOptions } from '../job/unique.js'
import {
  checkDuration,
  checkFunction,
  checkKeys,
  checkPositiveInteger,
  checkPriority,
  checkQueue,
  checkRedact,
  checkRetain,
  checkTaskBackoff,
  wrong,
} from './check.js'

/** How a task's jobs run. What is unsaid comes from the configuration; a call may say otherwise for its job. */
export interface TaskPolicy<Payload = never> {
  /** Default: the module's and the export's name, `reports.buildReport`. */
  readonly name?: string
  /** Former names, so that jobs enqueued under them still run. */
  readonly aliases?: readonly string[]
  /** The queue to wait in. Default: what `routes` of the configuration says, else its `queue`. */
  readonly queue?: string
  /** 0 is first; larger waits longer. Default 0. */
  readonly priority?: number
  /** How many failed attempts end a job. Default: the configuration's `attempts`. */
  readonly attempts?: number
  /** How long to wait before the next attempt. Default: the configuration's `backoff`. */
  readonly backoff?: TaskBackoff
  /**
   * The errors after which another attempt may help, by class, by `code`, or by a function that is asked; one, or a list.
   * All others end the job at once. Default: every error is tried again.
   */
  readonly retryOn?: ErrorMatch | readonly ErrorMatch[]
  /** The errors that end the job at once, whatever `retryOn` says. Default: none. */
  readonly giveUpOn?: ErrorMatch | readonly ErrorMatch[]
  /**
   * After this time the attempt's `signal` aborts. An attempt that throws then, or has not returned 10 s later, has
   * failed; one that returns has done its work. With `{ soft, hard }`, `hard` says when the attempt is ended whatever
   * it does: a thread or a process of a pool is killed. Default: no limit.
   */
  readonly timeLimit?: TimeLimit
  /** Too late to start after this much time: the job ends `expired`. Default: never. */
  readonly expiresIn?: Duration
  /**
   * Where its attempts run: `inline` in the worker's event loop, `thread` and `process` in one of their own, which can be
   * killed. Default: the worker's `pool`, which is `inline`.
   */
  readonly pool?: PoolKind
  /** Starts in the whole cluster, evenly spaced: `'100/s'`, or `{ task: '100/s', key: '5/s' }`. Default: no limit. */
  readonly rateLimit?: RateLimit
  /** Jobs that run at once in the whole cluster: `1`, or `{ task: 50, key: 1 }`. Default: no limit. */
  readonly concurrency?: Concurrency
  /** Whose job it is, such as its tenant: keys take turns, and limits may be set for each of them. */
  key?(payload: Payload): string
  /** There is one job with the same key at a time; a call that finds one gets its handle, with `created: false`. */
  readonly unique?: UniqueOptions<Payload>
  /** At most one job in a while, the first. Not together with `unique`. */
  readonly throttle?: ThrottleOptions<Payload>
  /** One job for a burst of calls, the last. Not together with `unique`. */
  readonly debounce?: DebounceOptions<Payload>
  /**
   * How long its finished jobs are kept, and how many. What is unsaid is as the configuration's `retain` says. `0`
   * deletes a job with its end, which is Celery's `ignore_result`.
   */
  readonly retain?: Retain
  /**
   * Fields that nobody is to see: `['payload.card.number', 'result.token']`. Status, pages, events and kept logs show
   * `[redacted]` in their place; in the store they are gone from a result before it is written, and from the payload
   * once the job has succeeded. Added to those of the configuration.
   */
  readonly redact?: readonly RedactedPath[]
}

/** Where attempts run. */
export type PoolKind = 'inline' | 'thread' | 'process'

/** The same, checked. `undefined` is what the configuration decides. */
export interface ResolvedPolicy {
  readonly queue: string | undefined
  readonly priority: number | undefined
  readonly attempts: number | undefined
  readonly backoff: ResolvedBackoff | ComputedBackoff | undefined
  readonly retryOn: readonly ErrorMatch[] | undefined
  readonly giveUpOn: readonly ErrorMatch[] | undefined
  readonly timeLimit: ResolvedTimeLimit | undefined
  readonly expiresInMs: number | undefined
  readonly pool: PoolKind | undefined
  /** With limits, or fair between its keys. */
  readonly limits: TaskLimits | undefined
  readonly key: ((payload: unknown) => unknown) | undefined
  readonly uniqueness: Uniqueness | undefined
  readonly retain: GivenRetention | undefined
  readonly redact: readonly string[] | undefined
}

export const policyOptions = [
  'name',
  'aliases',
  'queue',
  'priority',
  'attempts',
  'backoff',
  'retryOn',
  'giveUpOn',
  'timeLimit',
  'expiresIn',
  'pool',
  'rateLimit',
  'concurrency',
  'key',
  'unique',
  'throttle',
  'debounce',
  'retain',
  'redact',
] as const satisfies (keyof TaskPolicy)[]

/**
 * @param at names an option in messages
 * @throws {ConfigError} when an option is of the wrong kind, or in conflict with another
 */
export function toPolicy(
  options: Readonly<Record<string, unknown>>,
  at: (option: string) => string,
): ResolvedPolicy {
  const read = <T>(name: keyof TaskPolicy, check: (value: unknown, where: string) => T) =>
    options[name] === undefined ? undefined : check(options[name], at(name))
  const key = read('key', checkedFunction)
  return {
    queue: read('queue', checkQueue),
    priority: read('priority', checkPriority),
    attempts: read('attempts', checkPositiveInteger),
    backoff: read('backoff', checkTaskBackoff),
    retryOn: read('retryOn', checkErrorMatches),
    giveUpOn: read('giveUpOn', checkErrorMatches),
    timeLimit: read('timeLimit', checkTimeLimit),
    expiresInMs: read('expiresIn', (value, where) => checkDuration(value, where, 1)),
    pool: read('pool', checkPool),
    limits: toLimits(read('rateLimit', checkRateLimit), read('concurrency', checkConcurrency), key, at),
    key,
    uniqueness: toUniqueness(
      read('unique', checkUnique),
      read('throttle', checkThrottle),
      read('debounce', checkDebounce),
      at,
    ),
    retain: read('retain', checkRetain),
    redact: read('redact', checkRedact),
  }
}

const poolKinds: readonly unknown[] = ['inline', 'thread', 'process'] satisfies PoolKind[]

export function checkPool(value: unknown, where: string): PoolKind {
  if (poolKinds.includes(value)) return value as PoolKind
  throw wrong(where, "'inline', 'thread' or 'process'", value)
}

function checkErrorMatches(value: unknown, where: string): readonly ErrorMatch[] {
  const matches: readonly unknown[] = Array.isArray(value) ? value : [value]
  const isMatch = (match: unknown) =>
    (typeof match === 'string' && match !== '') || typeof match === 'function'
  const other = matches.find((match) => !isMatch(match))
  if (other === undefined && matches.length > 0 && !matches.includes(undefined))
    return matches as readonly ErrorMatch[]
  throw wrong(
    where,
    'an error class, a code, a function, or a list of them that is not empty',
    matches.length > 0 ? other : value,
  )
}

/** A plain duration is the soft limit. */
export function checkTimeLimit(value: unknown, where: string): ResolvedTimeLimit {
  if (typeof value !== 'object' || value === null)
    return { softMs: checkDuration(value, where, 1), hardMs: null }
  checkKeys(value, ['soft', 'hard'], where)
  const softMs = value.soft === undefined ? null : checkDuration(value.soft, `${where}.soft`, 1)
  const hardMs = value.hard === undefined ? null : checkDuration(value.hard, `${where}.hard`, 1)
  if (softMs === null && hardMs === null) throw wrong(where, 'a duration, or { soft, hard }', value)
  if (softMs !== null && hardMs !== null && hardMs < softMs)
    throw wrong(`${where}.hard`, `at least the soft limit (${softMs} ms)`, value.hard)
  return { softMs, hardMs }
}

interface Scoped<T> {
  readonly task?: T
  readonly key?: T
}

/** One value for the task, or an object with one for the task and one for each key. */
function scoped<T>(value: unknown, where: string, check: (value: unknown, where: string) => T): Scoped<T> {
  if (typeof value !== 'object' || value === null) return { task: check(value, where) }
  checkKeys(value, ['task', 'key'], where)
  return {
    ...(value.task === undefined ? {} : { task: check(value.task, `${where}.task`) }),
    ...(value.key === undefined ? {} : { key: check(value.key, `${where}.key`) }),
  }
}

export function checkRate(value: unknown, where: string) {
  const pace = toPace(value)
  if (pace) return pace
  throw wrong(where, "a rate such as '100/s', '30/m' or '10/30s'", value)
}

export function checkRateLimit(value: unknown, where: string) {
  return scoped(value, where, checkRate)
}

export function checkConcurrency(value: unknown, where: string) {
  return scoped(value, where, checkPositiveInteger)
}

function toLimits(
  rates: ReturnType<typeof checkRateLimit> | undefined,
  most: ReturnType<typeof checkConcurrency> | undefined,
  key: unknown,
  at: (option: string) => string,
): TaskLimits | undefined {
  if (!rates && !most && !key) return undefined
  if (!key && (rates?.key ?? most?.key) !== undefined)
    throw new ConfigError(
      `${at('key')} is needed for a limit by key: a function that gives the key of a payload, such as key: (payload) => payload.tenantId.`,
    )
  return { task: toLimit(rates?.task, most?.task), key: toLimit(rates?.key, most?.key) }
}

function toLimit(pace: Limit['pace'], concurrency: number | undefined): Limit {
  return { ...(pace ? { pace } : {}), ...(concurrency === undefined ? {} : { concurrency }) }
}

function checkedFunction(value: unknown, where: string): (payload: unknown) => unknown {
  checkFunction(value, where)
  return value as (payload: unknown) => unknown
}

function checkedKey(value: unknown, where: string) {
  return value === undefined ? undefined : checkedFunction(value, where)
}

function checkUnique(value: unknown, where: string): Uniqueness {
  checkKeys(value, ['key', 'while', 'window'], where)
  const key = checkedKey(value.key, `${where}.key`)
  const mode = value.while ?? 'running'
  if (mode === 'window') return { key, mode, windowMs: checkDuration(value.window, `${where}.window`, 1) }
  if (value.window !== undefined)
    throw new ConfigError(`${where}.window is for while: 'window' only, and "while" is ${String(mode)}.`)
  if (mode === 'queued' || mode === 'running') return { key, mode }
  throw wrong(`${where}.while`, "'queued', 'running' or 'window'", mode)
}

function checkThrottle(value: unknown, where: string): Uniqueness {
  const options = typeof value === 'object' ? value : { window: value }
  checkKeys(options, ['key', 'window'], where)
  const windowMs = checkDuration(options.window, `${where}.window`, 1)
  return { key: checkedKey(options.key, `${where}.key`), mode: 'window', windowMs }
}

function checkDebounce(value: unknown, where: string): Uniqueness {
  checkKeys(value, ['key', 'delay', 'max'], where)
  const delayMs = checkDuration(value.delay, `${where}.delay`, 1)
  const maxMs = value.max === undefined ? null : checkDuration(value.max, `${where}.max`, delayMs)
  return { key: checkedKey(value.key, `${where}.key`) ?? oneKey, mode: 'debounce', delayMs, maxMs }
}

/** All jobs of the task are the same. */
export const oneKey = () => ''

function toUniqueness(
  unique: Uniqueness | undefined,
  throttle: Uniqueness | undefined,
  debounce: Uniqueness | undefined,
  at: (option: string) => string,
): Uniqueness | undefined {
  const [said, other] = [unique, throttle, debounce].filter((each) => each !== undefined)
  if (other)
    throw new ConfigError(`${at('unique')}, "throttle" and "debounce" exclude each other: give one of them.`)
  return said
}
