import type { Limits, QueueLimits } from '../enqueue/backpressure.js'
import { checkDuration, checkKeys, checkPositiveInteger, checkQueue, wrong } from '../task/check.js'
import type { QueueLimitOptions } from './options.js'

const limitNames = ['waiting', 'age', 'share'] satisfies (keyof QueueLimitOptions)[]
/** How full a queue is, is known to the second. */
const leastAgeMs = 1000

/** @throws {ConfigError} when a queue's name, a limit's name or a limit is wrong */
export function checkBackpressure(value: unknown, where: string): Limits {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw wrong(where, "limits by queue, such as { '*': { waiting: 10_000 } }", value)
  const entries = Object.entries(value).map(
    ([queue, limits]) =>
      [checkQueue(queue, `A name in ${where}`), checkLimits(limits, `${where} of queue "${queue}"`)] as const,
  )
  return new Map(entries)
}

function checkLimits(value: unknown, where: string): QueueLimits {
  checkKeys(value, limitNames, where)
  const { waiting, age, share } = value
  return Object.freeze({
    waiting: waiting === undefined ? undefined : checkPositiveInteger(waiting, `waiting in ${where}`),
    ageMs: age === undefined ? undefined : checkDuration(age, `age in ${where}`, leastAgeMs),
    share: share === undefined ? undefined : checkPositiveInteger(share, `share in ${where}`),
  })
}
