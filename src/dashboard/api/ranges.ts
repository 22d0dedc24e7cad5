import type { Range } from './contract.js'

const minuteMs = 60_000
const hourMs = 60 * minuteMs
const dayMs = 24 * hourMs

/** How long each is. */
export const rangeMs: Readonly<Record<Range, number>> = Object.freeze({
  '15m': 15 * minuteMs,
  '1h': hourMs,
  '6h': 6 * hourMs,
  '24h': dayMs,
  '7d': 7 * dayMs,
  '30d': 30 * dayMs,
})

export const ranges = Object.keys(rangeMs) as Range[]

/** What is shown where nobody has chosen. */
export const usualRange: Range = '1h'
