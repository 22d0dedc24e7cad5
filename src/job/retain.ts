import type { Duration } from './duration.js'
import type { EndState } from './state.js'

/** How long finished jobs are kept: one time for all ends, or each its own; `false`: for ever. */
export type Retain = Duration | false | RetainOptions

export interface RetainOptions {
  succeeded?: Duration | false
  failed?: Duration | false
  cancelled?: Duration | false
  expired?: Duration | false
  /** How many finished jobs of one task are kept at most, whatever their age; the newest stay. `false`: any number. */
  count?: number | false
}

/** What was said of it, in milliseconds; `null`: for ever, or any number. */
export interface GivenRetention {
  readonly ages: Partial<Readonly<Record<EndState, number | null>>>
  readonly count?: number | null
}

/** The same with nothing unsaid. */
export interface Retention {
  readonly ages: Readonly<Record<EndState, number | null>>
  readonly count: number | null
}

/** What is unsaid is as in `base`. */
export function withRetention(base: Retention, given: GivenRetention | undefined): Retention {
  if (!given) return base
  return {
    ages: { ...base.ages, ...given.ages },
    count: given.count === undefined ? base.count : given.count,
  }
}

/** Ends that are kept for the same time. */
export interface AgeRule {
  readonly ageMs: number
  readonly states: readonly EndState[]
}

/** By age, shortest first. Ends that are kept for ever are in none. */
export function toAgeRules({ ages }: Retention): AgeRule[] {
  const byAge = new Map<number, EndState[]>()
  for (const [state, ageMs] of Object.entries(ages) as [EndState, number | null][]) {
    if (ageMs !== null) byAge.set(ageMs, [...(byAge.get(ageMs) ?? []), state])
  }
  return [...byAge].sort(([a], [b]) => a - b).map(([ageMs, states]) => ({ ageMs, states: states.sort() }))
}
