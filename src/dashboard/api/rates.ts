import type { Chart } from '../../job/chart.js'
import { quantileOf, type Spread } from '../../job/move.js'
import { type Span, stepFor } from '../../job/resolution.js'
import { addTally, noTally, type Tally } from '../../job/tally.js'
import type { StatScope } from '../../store/store.js'
import type { DashboardDeps } from '../dashboard.js'
import type { Percentiles, Range, Rates, Series } from './contract.js'
import { rangeMs } from './ranges.js'

/** A range that ends now. */
export function spanOf(range: Range): Span {
  const to = new Date()
  return { from: new Date(to.getTime() - rangeMs[range]), to }
}

/** What happened in a range, by task or by queue; {@link noRates} where nothing did. */
export async function readRates(
  { insight }: DashboardDeps,
  range: Range,
  by: 'task' | 'queue',
): Promise<ReadonlyMap<string, Rates>> {
  const sums = await insight.sums({ ...spanOf(range), by })
  return new Map(sums.map(({ name, ...tally }) => [name, toRates(tally)]))
}

/** A range in the steps that fit it, and what it adds up to. */
export async function readSeries(
  { insight }: DashboardDeps,
  range: Range,
  scope: StatScope = {},
): Promise<{ readonly rates: Rates; readonly series: Series }> {
  const chart = await insight.chart({ ...scope, ...spanOf(range), stepMs: stepFor(rangeMs[range]) })
  return { rates: toRates(chart.points.reduce(addTally, noTally)), series: toSeries(chart) }
}

export function toSeries({ from, stepMs, points }: Chart): Series {
  const quantiles = (which: 'wait' | 'run', part: number) =>
    points.map((point) => quantileOf(point[which], part) ?? null)
  return {
    ...{ from, stepMs },
    enqueued: points.map(({ enqueued }) => enqueued),
    started: points.map(({ started }) => started),
    succeeded: points.map(({ succeeded }) => succeeded),
    failed: points.map(({ failed }) => failed),
    retried: points.map(({ retried }) => retried),
    cancelled: points.map(({ cancelled }) => cancelled),
    expired: points.map(({ expired }) => expired),
    waiting: points.map(({ depth }) => depth.queued),
    delayed: points.map(({ depth }) => depth.delayed),
    running: points.map(({ depth }) => depth.running),
    waitP50Ms: quantiles('wait', 0.5),
    waitP95Ms: quantiles('wait', 0.95),
    runP50Ms: quantiles('run', 0.5),
    runP95Ms: quantiles('run', 0.95),
  }
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

/** A job that is tried a hundred times and fails each time shows it long before it has failed. */
function failureRateOf({ succeeded, failed, retried }: Tally): number | null {
  const failures = failed + retried
  return succeeded + failures === 0 ? null : failures / (succeeded + failures)
}

function toPercentiles(spread: Spread): Percentiles {
  const at = (part: number) => quantileOf(spread, part) ?? null
  return { p50Ms: at(0.5), p95Ms: at(0.95), p99Ms: at(0.99) }
}
