import { toMs } from '../../../../job/duration.js'
import { toPace } from '../../../../job/limit.js'

/** What is wrong with a rate as it is typed; `undefined`: nothing. Empty lifts it. */
export function rateFault(text: string): string | undefined {
  if (text.trim() === '' || toPace(text) !== undefined) return undefined
  return 'A rate is a number of starts and a time, as 100/s, 30/m or 10/30s: at most 100,000 a second.'
}

export function concurrencyFault(text: string): string | undefined {
  if (text.trim() === '' || isWhole(text)) return undefined
  return 'A whole number, 1 or more.'
}

/** Empty: no limit. */
export function timeFault(text: string): string | undefined {
  if (text.trim() === '') return undefined
  const ms = toTime(text)
  return ms !== undefined && ms > 0 ? undefined : 'A time, as 500ms, 30s, 5m or 2h.'
}

/** Milliseconds. A number alone means nothing: it may be meant as seconds. */
export function toTime(text: string): number | undefined {
  return /^\d+(\.\d+)?$/.test(text.trim()) ? undefined : toMs(text.trim())
}

function isWhole(text: string): boolean {
  return /^\d{1,9}$/.test(text.trim()) && Number(text) >= 1
}
