import { ConfigError } from '../errors.js'
import { type Duration, toMs } from '../job/duration.js'

/** The value of `--wait`: `true` where no duration was said. */
export type Wait = string | true

/** The longest single wait; longer ones are several. */
const stretchMs = 60_000

/**
 * Waits as `--wait` says; without end where it gives no duration.
 * @param ended waits so many milliseconds, and tells whether the end has come
 * @throws {ConfigError} when it is no duration
 */
export async function waitUntil(
  ended: (ms: number) => Promise<boolean>,
  wait: Wait | undefined,
): Promise<boolean> {
  const deadline = performance.now() + waitMs(wait)
  for (;;) {
    const left = Math.max(0, deadline - performance.now())
    if (await ended(Math.min(left, stretchMs))) return true
    if (performance.now() >= deadline) return false
  }
}

/** @throws {ConfigError} when it is no duration */
export function waitMs(wait: Wait | undefined): number {
  if (wait === undefined) return 0
  if (wait === true) return Number.POSITIVE_INFINITY
  const ms = toMs(wait as Duration)
  if (ms !== undefined) return ms
  throw new ConfigError(`--wait takes a duration, as 30s or 5m, and got "${wait}".`)
}
