import type { Rates, Series, StateCounts } from '../../../api/contract.js'

/** Jobs that ended in a range, whatever came of them. */
export function endedIn({ succeeded, failed, cancelled, expired }: Outcomes): number {
  return succeeded + failed + cancelled + expired
}

type Outcomes = Pick<Rates, 'succeeded' | 'failed' | 'cancelled' | 'expired'>

type Ends = Pick<Series, 'succeeded' | 'failed' | 'retried'>

/** Failed attempts of those that succeeded or failed, step by step; `null` where none did. */
export function failureRates({ succeeded, failed, retried }: Ends): (number | null)[] {
  return failed.map((count, at) => {
    const failures = count + (retried[at] ?? 0)
    const all = failures + (succeeded[at] ?? 0)
    return all === 0 ? null : failures / all
  })
}

/** Jobs that there are, whatever their state. */
export function totalOf(states: StateCounts): number {
  return Object.values(states).reduce((sum, count) => sum + count, 0)
}
