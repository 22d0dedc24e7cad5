import { toMs } from './duration.js'
import { type ErrorMatch, isMatch } from './error-match.js'
import type { StoredError } from './job.js'
import { isError, read, toStoredError } from './json.js'
import {
  type ComputedBackoff,
  computedDelayMs,
  defaultBackoff,
  type RetryPolicy,
  retryDelayMs,
} from './retry.js'

/** What a task says of the errors that its handler throws. */
export interface FailureRules {
  readonly retryOn: readonly ErrorMatch[] | undefined
  readonly giveUpOn: readonly ErrorMatch[] | undefined
  /** Where the wait is a function's decision. */
  readonly backoff: ComputedBackoff | undefined
}

/** What was thrown, judged where it was thrown. Plain data, so that it can cross from another thread or process. */
export interface Thrown {
  readonly error: StoredError
  /**
   * `failed`: the policy decides. `final`: no attempt follows. `again`: the task asked for another attempt. `snoozed`: it
   * has not failed, and asked to run again later.
   */
  readonly kind: 'failed' | 'final' | 'again' | 'snoozed'
  /** What was asked for, or what a backoff function gave. */
  readonly afterMs?: number | undefined
  /** Why it was snoozed, if it said so. */
  readonly reason?: string
  /** What went wrong in the app's own functions meanwhile, for the log. */
  readonly warnings?: readonly string[]
}

/**
 * Judges what a handler threw by the task's rules. Never throws, whatever `thrown` and the app's functions do.
 *
 * @param failures failed attempts before this one
 * @param random between 0 and 1, for the jitter
 */
export function toThrown(thrown: unknown, rules: FailureRules, failures: number, random: number): Thrown {
  const error = toStoredError(thrown)
  switch (askedFor(error)) {
    case 'final':
      return { error, kind: 'final' }
    case 'again':
      return again(thrown, error)
    case 'snoozed':
      return snoozed(thrown, error)
  }
  const warnings: string[] = []
  const matches = (option: 'retryOn' | 'giveUpOn') =>
    isMatch(thrown, rules[option] ?? [], (reason) =>
      warnings.push(`A function in "${option}" threw, and counts as no match: ${tell(reason)}`),
    )
  const isFinal = matches('giveUpOn') || (rules.retryOn !== undefined && !matches('retryOn'))
  const afterMs = isFinal ? undefined : computed(thrown, rules, failures, random, warnings)
  return {
    error,
    kind: isFinal ? 'final' : 'failed',
    ...(afterMs === undefined ? {} : { afterMs }),
    ...(warnings.length === 0 ? {} : { warnings }),
  }
}

/** Whether a handler said what is to follow, by an error of ours. */
export function isAsking(thrown: unknown): boolean {
  return isError(thrown) && askedFor(toStoredError(thrown)) !== undefined
}

/** By name and code, so that an app with two copies of this package is understood, too. */
function askedFor({ name, code }: StoredError): Exclude<Thrown['kind'], 'failed'> | undefined {
  if (name === 'GiveUp' && code === 'GIVE_UP') return 'final'
  if (name === 'PayloadInvalidError' && code === 'PAYLOAD_INVALID') return 'final'
  if (name === 'Retry' && code === 'RETRY') return 'again'
  if (name === 'Snooze' && code === 'SNOOZE') return 'snoozed'
  return undefined
}

function again(thrown: unknown, error: StoredError): Thrown {
  const after = read(thrown as object, 'after')
  if (after === undefined) return { error, kind: 'failed' }
  const afterMs = toMs(after)
  if (afterMs !== undefined) return { error, kind: 'again', afterMs }
  const warnings = [`"after" of Retry must be a duration such as '5m', and is ${tell(after)}.`]
  return { error, kind: 'failed', warnings }
}

/** Without a duration it is a mistake, and costs an attempt like any other. */
function snoozed(thrown: unknown, error: StoredError): Thrown {
  const after = read(thrown as object, 'after')
  const afterMs = toMs(after)
  if (afterMs !== undefined) return { error, kind: 'snoozed', afterMs, ...reasonOf(thrown) }
  const message = `Snooze takes a duration such as '5m', and got ${tell(after)}.`
  return { error: { ...error, message }, kind: 'failed' }
}

function reasonOf(thrown: unknown): { reason?: string } {
  return typeof read(thrown as object, 'reason') === 'string' ? { reason: toStoredError(thrown).message } : {}
}

function computed(
  thrown: unknown,
  { backoff }: FailureRules,
  failures: number,
  random: number,
  warnings: string[],
): number | undefined {
  if (!backoff) return undefined
  try {
    return computedDelayMs(backoff, failures + 1, thrown, random)
  } catch (error) {
    warnings.push(`The backoff function failed, and the default backoff is used: ${tell(error)}`)
    return retryDelayMs(defaultBackoff, failures + 1, random)
  }
}

function tell(thrown: unknown): string {
  if (typeof thrown === 'string') return JSON.stringify(thrown.slice(0, 60))
  if (typeof thrown !== 'object' || thrown === null) return String(thrown)
  return toStoredError(thrown).message
}

/** What a failed attempt leads to. */
export type AfterFailure =
  | { readonly retryInMs: number }
  | { readonly giveUp: true }
  /** It costs no attempt. */
  | { readonly snoozeMs: number; readonly reason: string | undefined }

/**
 * Decides what follows an attempt that threw.
 *
 * @param failures failed attempts before this one
 * @param random between 0 and 1, for the jitter
 */
export function afterFailure(
  failures: number,
  { kind, afterMs, reason }: Thrown,
  policy: RetryPolicy,
  random: number,
): AfterFailure {
  if (kind === 'snoozed') return { snoozeMs: afterMs ?? 0, reason }
  if (kind === 'final' || failures + 1 >= policy.attempts) return { giveUp: true }
  return { retryInMs: afterMs ?? retryDelayMs(policy.backoff, failures + 1, random) }
}

/** Every error is tried again. */
export const noRules: FailureRules = Object.freeze({
  retryOn: undefined,
  giveUpOn: undefined,
  backoff: undefined,
})
