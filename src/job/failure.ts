import type { StoredError } from './job.js'
import { type RetryPolicy, retryDelayMs } from './retry.js'

/** What a failed attempt leads to. */
export type AfterFailure = { readonly retryInMs: number } | { readonly giveUp: true }

/**
 * Decides what follows a failed attempt. By plain data: what was thrown may throw again when it is looked at.
 *
 * @param failures failed attempts before this one
 * @param random between 0 and 1, for the jitter
 */
export function afterFailure(
  failures: number,
  error: StoredError,
  policy: RetryPolicy,
  random: number,
): AfterFailure {
  if (isFinal(error) || failures + 1 >= policy.attempts) return { giveUp: true }
  return { retryInMs: retryDelayMs(policy.backoff, failures + 1, random) }
}

/** By name and code, so that an app with two copies of this package is understood, too. */
function isFinal({ name, code }: StoredError): boolean {
  return (
    (name === 'GiveUp' && code === 'GIVE_UP') ||
    (name === 'PayloadInvalidError' && code === 'PAYLOAD_INVALID')
  )
}
