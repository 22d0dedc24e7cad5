import type { Chart } from '../job/chart.js'
import type { ChartQuery, Depth, NamedTally, SumsQuery } from '../store/stat-store.js'
import type { Store } from '../store/store.js'

/** What there is to see of the whole installation, now and over time: what the dashboard stands on. Jobs themselves are never read. */
export interface Insight {
  /** What happened over time, of all jobs, of a task or of a queue. */
  chart(query: ChartQuery): Promise<Chart>
  /** What happened in a range, by task or by queue. */
  sums(query: SumsQuery): Promise<NamedTally[]>
  /** How many jobs there are at this moment, by task, queue and state. */
  depths(): Promise<Depth[]>
}

export interface InsightDeps {
  readonly store: () => Promise<Store>
  /** Keeps the process alive meanwhile. */
  readonly during: <T>(asked: Promise<T>) => Promise<T>
}

export function createInsight({ store, during }: InsightDeps): Insight {
  const ask = <T>(question: (store: Store) => Promise<T>) => during(store().then(question))

  return {
    chart: (query) => ask((opened) => opened.chart(query)),
    sums: (query) => ask((opened) => opened.sums(query)),
    depths: () => ask((opened) => opened.depths()),
  }
}
