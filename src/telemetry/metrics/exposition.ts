import { collectDefaultMetrics, type Metric, Registry } from 'prom-client'
import { type ClusterReading, toClusterLines } from './cluster.js'
import { clusterFamilies, type Family, workerFamilies } from './family.js'

/** What Prometheus is answered. */
export interface Exposition {
  readonly contentType: string
  readonly body: string
}

/** What one worker process says of itself. */
export interface ProcessReading {
  readonly slots: number
  readonly running: number
  readonly reserved: number
  readonly unsettled: number
  readonly children: number
  readonly outcomes: Readonly<Record<string, number>>
}

/**
 * Metrics of the whole installation: the same from every process. Askers that come while an answer is on its way share
 * it, so that many cost the store no more than one.
 */
export function createClusterMetrics(read: () => Promise<ClusterReading>): () => Promise<Exposition> {
  let asked: Promise<Exposition> | undefined
  return () => {
    asked ??= expose().finally(() => {
      asked = undefined
    })
    return asked
  }

  async function expose(): Promise<Exposition> {
    const lines = toClusterLines(await read())
    const blocks = names.map((name) => [headOf(name), ...lines[name]].join('\n'))
    return { contentType: Registry.PROMETHEUS_CONTENT_TYPE, body: `${blocks.join('\n\n')}\n` }
  }
}

const names = Object.keys(clusterFamilies) as (keyof typeof clusterFamilies)[]

function headOf(name: keyof typeof clusterFamilies): string {
  const { help, type } = clusterFamilies[name]
  return `# HELP ${name} ${help}\n# TYPE ${name} ${type}`
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
