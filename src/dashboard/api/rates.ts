import {
  addSpread,
  attemptOutcomeOf,
  endOf,
  isEnqueue,
  isStart,
  type Move,
  noSpread,
  quantileOf,
  type Spread,
} from '../../job/move.js'
import type { StatStore, TimedMove } from '../../store/store.js'
import type { Percentiles, Range, Rates } from './contract.js'
import { rangeMs } from './ranges.js'

const hoursFromMs = 24 * 3_600_000

/** What happened in a range. */
export async function readRange(store: Pick<StatStore, 'movesByTime'>, range: Range): Promise<TimedMove[]> {
  const to = new Date(Date.now() + 60_000)
  const from = new Date(Date.now() - rangeMs[range])
  const kinds = rangeMs[range] > hoursFromMs ? ([60, 1] as const) : ([1] as const)
  return (await Promise.all(kinds.map((minutes) => store.movesByTime({ from, to, minutes })))).flat()
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

/** What these moves add up to. */
export function toRates(moves: readonly Move[]): Rates {
  const counts = { enqueued: 0, started: 0, succeeded: 0, failed: 0, cancelled: 0, expired: 0, retried: 0 }
  let [wait, run] = [noSpread, noSpread]
  for (const move of moves) {
    const end = endOf(move)
    if (end) counts[end] += move.jobs
    if (isEnqueue(move)) counts.enqueued += move.jobs
    if (isStart(move)) counts.started += move.jobs
    if (attemptOutcomeOf(move) === 'retried') counts.retried += move.jobs
    if (move.is === 'running') wait = addSpread(wait, move.took)
    else run = addSpread(run, move.took)
  }
  return {
    ...counts,
    failureRate: failureRateOf(counts),
    wait: toPercentiles(wait),
    run: toPercentiles(run),
  }
}

export function failureRateOf({ succeeded, failed }: Pick<Rates, 'succeeded' | 'failed'>): number | null {
  return succeeded + failed === 0 ? null : failed / (succeeded + failed)
}

export function toPercentiles(spread: Spread): Percentiles {
  const at = (part: number) => quantileOf(spread, part) ?? null
  return { p50Ms: at(0.5), p95Ms: at(0.95), p99Ms: at(0.99) }
}
