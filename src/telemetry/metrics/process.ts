import { collectDefaultMetrics, type Metric, Registry } from 'prom-client'
import type { Exposition } from './exposition.js'
import { type Family, workerFamilies } from './family.js'

/** What one worker process says of itself. */
export interface ProcessReading {
  readonly slots: number
  readonly running: number
  readonly reserved: number
  readonly unsettled: number
  readonly children: number
  readonly outcomes: Readonly<Record<string, number>>
}

/** Metrics of this process: what Node measures, and its slots. */
export function createProcessMetrics(read: () => ProcessReading | undefined): () => Promise<Exposition> {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry })
  for (const [name, family] of Object.entries(workerFamilies))
    registry.registerMetric(
      toMetric(name, family, () => {
        const reading = read()
        return reading ? toProcessValues(reading)[name as keyof typeof workerFamilies] : []
      }),
    )
  return async () => ({ contentType: registry.contentType, body: await registry.metrics() })
}

function toProcessValues(reading: ProcessReading): Record<keyof typeof workerFamilies, readonly Value[]> {
  const outcomes = Object.entries(reading.outcomes)
  return {
    celeriac_process_slots: [{ value: reading.slots }],
    celeriac_process_running: [{ value: reading.running }],
    celeriac_process_reserved: [{ value: reading.reserved }],
    celeriac_process_unsettled: [{ value: reading.unsettled }],
    celeriac_process_pool_children: [{ value: reading.children }],
    celeriac_process_attempts_total: outcomes.map(([outcome, value]) => ({ labels: { outcome }, value })),
  }
}

interface Value {
  readonly value: number
  readonly labels?: Readonly<Record<string, string>>
}

/** A metric whose values are there when it is asked. prom-client's own are told of each change, and these are not. */
function toMetric(name: string, { type, help }: Family, values: () => readonly Value[]): Metric {
  return {
    name,
    help,
    type,
    aggregator: 'sum',
    collect() {},
    reset() {},
    get: async () => ({ name, help, type, aggregator: 'sum', values: values() }),
  } as unknown as Metric
}
