import { ConfigError } from '../errors.js'
import { type Duration, toMs } from '../job/duration.js'

/** The time of a test: that of the process, and what was added to it. */
export interface TestClock {
  now(): Date
  /**
   * Lets time pass, for delays, backoff and expiry. In eager mode jobs run that fall due, each at its time; in fake
   * mode they are due, and run at the next `drain()`. Resolves when all that is done.
   */
  advance(by: Duration): Promise<void>
  /** The same up to a moment. One that has passed is where the clock stays. */
  advanceTo(moment: Date): Promise<void>
}

/** The clock that store and broker go by. */
export interface MovableTime {
  now(): number
  /** Forward only. */
  moveTo(ms: number): void
}

export function createTime(): MovableTime {
  let ahead = 0

  return {
    now: () => Date.now() + ahead,
    moveTo(ms) {
      ahead = Math.max(ahead, ms - Date.now())
    },
  }
}

/** @throws {ConfigError} when `value` is no duration */
export function durationMs(value: unknown, where: string): number {
  const ms = toMs(value)
  if (ms !== undefined) return ms
  throw new ConfigError(
    `${where} takes milliseconds or a text like "30s" or "10m", not negative. It was given ${String(value)}.`,
  )
}
