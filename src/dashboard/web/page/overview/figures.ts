import type { Range, Rates, Series, StateCounts } from '../../../api/contract.js'

const minutes: Readonly<Record<Range, number>> = {
  '15m': 15,
  '1h': 60,
  '6h': 360,
  '24h': 1440,
  '7d': 10_080,
  '30d': 43_200,
}

/** Jobs that ended in a range, whatever came of them. */
export function endedIn({ succeeded, failed, cancelled, expired }: Outcomes): number {
  return succeeded + failed + cancelled + expired
}

type Outcomes = Pick<Rates, 'succeeded' | 'failed' | 'cancelled' | 'expired'>

/** Jobs that ended in each minute, on average. */
export function throughput(range: Range, rates: Outcomes): number {
  return endedIn(rates) / minutes[range]
}

/** As `1,204`, `8.3` or `0.02`: small numbers must not look like nothing. */
export function tellThroughput(value: number): string {
  if (value >= 100 || value === 0) return Math.round(value).toLocaleString()
  return value.toLocaleString(undefined, { maximumSignificantDigits: 2 })
}

type Ends = Pick<Series, 'succeeded' | 'failed'>

/** Failed jobs of those that succeeded or failed, step by step; `null` where none did. */
export function failureRates({ succeeded, failed }: Ends): (number | null)[] {
  return failed.map((count, at) => {
    const all = count + (succeeded[at] ?? 0)
    return all === 0 ? null : count / all
  })
}

/** Jobs that there are, whatever their state. */
export function totalOf(states: StateCounts): number {
  return Object.values(states).reduce((sum, count) => sum + count, 0)
}
