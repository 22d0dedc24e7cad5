import { longestMs, toMs } from './duration.js'

/** A task's retry policy, resolved. */
export interface RetryPolicy {
  readonly attempts: number
  readonly backoff: ResolvedBackoff
}

/** Plain data, as a job's row has it. Times are milliseconds. */
export type ResolvedBackoff = SteadyBackoff | ListedBackoff

interface BackoffBounds {
  readonly maxMs: number
  /** 0 to 1: the part of the wait that is random. */
  readonly jitter: number
}

export interface SteadyBackoff extends BackoffBounds {
  readonly type: 'fixed' | 'exponential'
  readonly delayMs: number
}

interface ListedBackoff extends BackoffBounds {
  readonly type: 'list'
  /** The last one repeats. At least one. */
  readonly delaysMs: readonly number[]
}

/** A function of the app's decides. It may throw, and give anything. */
export interface ComputedBackoff extends BackoffBounds {
  readonly type: 'function'
  readonly delayOf: (failures: number, error: unknown) => unknown
}

/** A backoff for people: plain data, also of one that a function decides. */
export interface ToldBackoff extends BackoffBounds {
  readonly type: 'fixed' | 'exponential' | 'list' | 'function'
  /** The first of `exponential`, each of a list. Empty where a function decides. */
  readonly delaysMs: readonly number[]
}

export function tellBackoff(backoff: ResolvedBackoff | ComputedBackoff): ToldBackoff {
  const { type, maxMs, jitter } = backoff
  const delaysMs = type === 'function' ? [] : type === 'list' ? backoff.delaysMs : [backoff.delayMs]
  return { type, delaysMs, maxMs, jitter }
}

/** What holds where nothing is said, and where a function of the app's gives no duration. */
export const defaultBackoff: ResolvedBackoff & { readonly type: 'exponential' } = Object.freeze({
  type: 'exponential',
  delayMs: 1000,
  maxMs: 600_000,
  jitter: 1,
})

/** A part of a backoff that is unsaid. A list and a function say each wait themselves. */
export const saidByHand = Object.freeze({ maxMs: longestMs, jitter: 0 })

/**
 * The wait before the next attempt, after so many failures (1 after the first).
 * @param random between 0 and 1
 */
export function retryDelayMs(backoff: ResolvedBackoff, failures: number, random: number): number {
  return jittered(Math.min(plainDelayMs(backoff, failures), backoff.maxMs), backoff.jitter, random)
}

function plainDelayMs(backoff: ResolvedBackoff, failures: number): number {
  switch (backoff.type) {
    case 'fixed':
      return backoff.delayMs
    case 'exponential':
      return backoff.delayMs * 2 ** Math.min(failures - 1, 50)
    case 'list':
      return backoff.delaysMs[failures - 1] ?? backoff.delaysMs.at(-1) ?? defaultBackoff.delayMs
  }
}

/**
 * The same by a function of the app's.
 * @throws what the function throws, or an error that says what it gave instead of a duration
 */
export function computedDelayMs(
  { delayOf, maxMs, jitter }: ComputedBackoff,
  failures: number,
  error: unknown,
  random: number,
): number {
  const given = delayOf(failures, error)
  const ms = toMs(given)
  if (ms === undefined) throw new TypeError(`it gave ${tell(given)}, and no duration`)
  return jittered(Math.min(ms, maxMs), jitter, random)
}

function jittered(ms: number, jitter: number, random: number): number {
  return Math.round(ms * (1 - jitter * random))
}

function tell(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value.slice(0, 60))
  if (value instanceof Promise) return 'a promise'
  return typeof value === 'object' && value !== null ? 'an object' : String(value)
}
