import type { Bytes } from '../config/bytes.js'
import type { AutoscaleRange } from '../control/verbs.js'
import { ConfigError } from '../errors.js'
import { toMs } from '../job/duration.js'
import { wholeNumber } from './kit.js'

/**
 * Milliseconds. A number alone is seconds, as Celery has it.
 * @throws {ConfigError} when the text is no length of time
 */
export function toTime(text: string, flag: string): number {
  const ms = toMs(/^\d+(\.\d+)?$/.test(text) ? `${text}s` : text)
  if (ms !== undefined && ms > 0) return ms
  throw new ConfigError(`${flag} must be a time such as 30s, 5m or 30 (seconds), and is "${text}".`)
}

/**
 * `max,min`, as Celery has it; `min` alone may be left out.
 * @throws {ConfigError} when one is no number
 */
export function toRange(text: string, flag: string, least?: string): AutoscaleRange {
  const [max = '', min = least ?? '1'] = text.split(',').map((each) => each.trim())
  return {
    max: wholeNumber(max, `The larger number of ${flag}`),
    min: wholeNumber(min, `The smaller number of ${flag}`),
  }
}

/** Less than any Node takes: whoever says so counts in another unit. */
const leastBytes = 16 * 1024 ** 2

/**
 * A number alone is bytes. Celery's is KiB, and would replace each child after each job.
 * @throws {ConfigError} when it is that little
 */
export function toBytes(text: string, flag: string): Bytes {
  if (!/^\d+$/.test(text)) return text as Bytes
  if (Number(text) >= leastBytes) return Number(text)
  throw new ConfigError(
    `${flag} ${text} is ${text} bytes, which every child exceeds. Celery counts in KiB: say ${text}KB, or as 300MB.`,
  )
}
