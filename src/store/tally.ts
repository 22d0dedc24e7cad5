import type { BulkOutcome } from '../job/filter.js'
import type { OutcomeCounts, Tally } from './operation-store.js'
import type { JobOutcome } from './search-store.js'

/** Nothing was done: the job was in no state for it, or is none. */
const left: readonly BulkOutcome[] = ['unfit', 'unknown', 'finished']

/** What came of all batches so far, and of one more. */
export function addTo({ done, affected, counts }: Tally, outcomes: readonly JobOutcome[]): Tally {
  const sums: { -readonly [Outcome in keyof OutcomeCounts]: OutcomeCounts[Outcome] } = { ...counts }
  for (const { outcome } of outcomes) sums[outcome] = (sums[outcome] ?? 0) + 1
  const changed = outcomes.filter(({ outcome }) => !left.includes(outcome))
  return { done: done + outcomes.length, affected: affected + changed.length, counts: sums }
}

export function toStrangers(ids: readonly string[]): JobOutcome[] {
  return ids.map((id) => ({ id, outcome: 'unknown' }))
}
