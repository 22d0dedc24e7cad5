import { GiveUp, PayloadInvalidError } from '../errors.js'
import { type RetryPolicy, retryDelayMs } from './retry.js'

/** What a failed attempt leads to. */
export type AfterFailure = { readonly retryInMs: number } | { readonly giveUp: true }

/**
 * Decides what follows a failed attempt.
 *
 * @param failures failed attempts before this one
 * @param random between 0 and 1, for the jitter
 */
export function afterFailure(
  failures: number,
  error: unknown,
  policy: RetryPolicy,
  random: number,
): AfterFailure {
  if (isFinal(error) || failures + 1 >= policy.attempts) return { giveUp: true }
  return { retryInMs: retryDelayMs(policy.backoff, failures + 1, random) }
}

/** By code as well as by class, for an app that has two copies of this package. */
function isFinal(error: unknown): boolean {
  if (error instanceof GiveUp || error instanceof PayloadInvalidError) return true
  if (!(error instanceof Error)) return false
  try {
    return error.name === 'GiveUp' && (error as { code?: unknown }).code === 'GIVE_UP'
  } catch {
    return false
  }
}
