/** A task's retry policy, resolved. */
export interface RetryPolicy {
  readonly attempts: number
  readonly backoff: ResolvedBackoff
}

export interface ResolvedBackoff {
  readonly type: 'fixed' | 'exponential'
  readonly delayMs: number
  readonly maxMs: number
  /** 0 to 1: the part of the wait that is random. */
  readonly jitter: number
}

/**
 * The wait before the next attempt, after so many failures (1 after the first).
 * @param random between 0 and 1
 */
export function retryDelayMs(backoff: ResolvedBackoff, failures: number, random: number): number {
  const doublings = backoff.type === 'fixed' ? 0 : Math.min(failures - 1, 50)
  const wait = Math.min(backoff.delayMs * 2 ** doublings, backoff.maxMs)
  return Math.round(wait * (1 - backoff.jitter * random))
}
