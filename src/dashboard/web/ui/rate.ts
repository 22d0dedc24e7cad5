import type { Range } from '../../api/contract.js'
import { tellDuration, tellShort } from './format.js'

export const rangeMs: Readonly<Record<Range, number>> = {
  '15m': 900_000,
  '1h': 3_600_000,
  '6h': 21_600_000,
  '24h': 86_400_000,
  '7d': 604_800_000,
  '30d': 2_592_000_000,
}

/** As in "the last hour". */
export const rangeWords: Readonly<Record<Range, string>> = {
  '15m': '15 minutes',
  '1h': 'hour',
  '6h': '6 hours',
  '24h': '24 hours',
  '7d': '7 days',
  '30d': '30 days',
}

/** So many of a range, as `12/min`: one unit for all, so that they compare. */
export function tellPerMinute(count: number, range: Range): string {
  const rate = (60_000 * count) / rangeMs[range]
  if (rate === 0) return '0/min'
  if (rate < 0.01) return '< 0.01/min'
  return `${rate < 1 ? rate.toFixed(2) : rate < 10 ? rate.toFixed(1) : tellShort(Math.round(rate))}/min`
}

/** Of a chart's counts: `per minute`, `per 2 h`. */
export function tellStep(stepMs: number): string {
  return `per ${stepMs === 60_000 ? 'minute' : tellDuration(stepMs)}`
}
