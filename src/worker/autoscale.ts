import type { AutoscaleRange } from '../control/verbs.js'

/** What a worker that scales itself knows of its work. */
export interface LoadReading {
  /** How many jobs may run at once now. */
  readonly concurrency: number
  readonly running: number
  /** The most that ran at once in the last {@link idleAfterMs}. */
  readonly peak: number
  /** For how long this size has held. */
  readonly heldMs: number
  /** How long the oldest job that is due has waited in the worker's queues. 0: none waits. */
  readonly oldestMs: number
  /** p99 of what the event loop was late in the last second. */
  readonly loopDelayMs: number
  /** Part of one core that the process used in the last second. */
  readonly cpu: number
  /** Handlers run in this event loop, and not in threads and processes of their own. */
  readonly isInline: boolean
}

/** The oldest job may wait this long before the worker grows. */
export const patienceMs = 1000
/** An event loop that is late by this much has work enough. */
export const longestLoopDelayMs = 100
/** A process that uses this part of a core has no more for work in its event loop. */
export const mostCpu = 0.9
/** Places that nobody used for this long go. */
export const idleAfterMs = 30_000

/**
 * How many jobs a worker should run at once now.
 *
 * - It grows, to twice as many, when the oldest job of its queues has waited for a second or more while every place is
 *   taken. The length of a queue says nothing: a thousand jobs that are done in a second need no more places.
 * - It does not grow while its event loop is late by 100 ms (p99), nor, where handlers run in that loop, while the
 *   process uses 90 % of a core: more places would make every job slower. Nor for jobs that wait for something else than
 *   a place, such as a rate limit: then places are free.
 * - It shrinks, by half and never below what was used, when some places were free for 30 s.
 * - It shrinks at once, by a quarter, when handlers in its event loop make that late by 100 ms.
 *
 * It looks once a second, and stays within the range. What runs is never disturbed.
 */
export function toScale({ min, max }: AutoscaleRange, reading: LoadReading): number {
  const { concurrency, running, peak, heldMs, oldestMs, loopDelayMs, cpu, isInline } = reading
  const within = (size: number) => Math.min(max, Math.max(min, size))
  const isLate = loopDelayMs >= longestLoopDelayMs
  if (isLate && isInline && running > 0) return within(Math.floor(concurrency * 0.75))
  const isFull = running >= concurrency
  const canMore = !isLate && !(isInline && cpu >= mostCpu)
  if (isFull && oldestMs >= patienceMs && canMore) return within(concurrency * 2)
  if (peak < concurrency && heldMs >= idleAfterMs) return within(Math.max(peak, Math.floor(concurrency / 2)))
  return within(concurrency)
}
