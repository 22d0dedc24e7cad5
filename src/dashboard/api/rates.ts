import { type Move, quantileOf, type Spread } from '../../job/move.js'
import { noTally, type Tally } from '../../job/tally.js'
import type { StatStore } from '../../store/store.js'
import type { Percentiles, Range, Rates } from './contract.js'
import { rangeMs } from './ranges.js'

/** What happened in a range, by task or by queue; {@link noRates} where nothing did. */
export async function readRates(
  store: Pick<StatStore, 'sums'>,
  range: Range,
  by: 'task' | 'queue',
): Promise<ReadonlyMap<string, Rates>> {
  const to = new Date()
  const from = new Date(to.getTime() - rangeMs[range])
  const sums = await store.sums({ from, to, by })
  return new Map(sums.map(({ name, ...tally }) => [name, toRates(tally)]))
}

/** The moves of each name. */
export function groupMoves<M extends Move>(
  moves: readonly M[],
  by: 'task' | 'queue',
): ReadonlyMap<string, readonly M[]> {
  const groups = new Map<string, M[]>()
  for (const move of moves) {
    const group = groups.get(move[by])
    if (group) group.push(move)
    else groups.set(move[by], [move])
  }
  return groups
}

export function toRates(tally: Tally): Rates {
  const { enqueued, started, succeeded, failed, cancelled, expired, retried, wait, run } = tally
  return {
    ...{ enqueued, started, succeeded, failed, cancelled, expired, retried },
    failureRate: failureRateOf(tally),
    wait: toPercentiles(wait),
    run: toPercentiles(run),
  }
}

export const noRates: Rates = Object.freeze(toRates(noTally))

export function failureRateOf({ succeeded, failed }: Pick<Rates, 'succeeded' | 'failed'>): number | null {
  return succeeded + failed === 0 ? null : failed / (succeeded + failed)
}

export function toPercentiles(spread: Spread): Percentiles {
  const at = (part: number) => quantileOf(spread, part) ?? null
  return { p50Ms: at(0.5), p95Ms: at(0.95), p99Ms: at(0.99) }
}
