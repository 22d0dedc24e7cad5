import type { Broker, BrokerFacts, DeliveryCounts } from '../broker/broker.js'
import type { Chart } from '../job/chart.js'
import type { ChartQuery, Depth, NamedTally, SumsQuery } from '../store/stat-store.js'
import type { PassFacts, Store, StoreFacts, WorkerChart, WorkerChartQuery } from '../store/store.js'
import { type Lately, latelySpans, toAttention } from './attention.js'
import type { ClusterProblem, ClusterStatus } from './status.js'

/** What there is to see of the whole installation, now and over time: what the dashboard stands on. Jobs themselves are never read. */
export interface Insight {
  /** What happened over time, of all jobs, of a task or of a queue. */
  chart(query: ChartQuery): Promise<Chart>
  /** What happened in a range, by task or by queue. */
  sums(query: SumsQuery): Promise<NamedTally[]>
  /** How many jobs there are at this moment, by task, queue and state. */
  depths(): Promise<Depth[]>
  /** What a worker said of itself over time. */
  workerChart(query: WorkerChartQuery): Promise<WorkerChart>
  /** What there is to know of the store's server: versions, sizes, connections. */
  storeFacts(): Promise<StoreFacts>
  /** What there is to know of the broker's server, and what it holds of each queue. */
  brokerFacts(): Promise<BrokerReading>
  /** What maintenance did, by pass. */
  passes(): Promise<PassFacts[]>
  /**
   * What somebody should see to, the most urgent first: the problems of the cluster, and tasks that began to fail. Never
   * rejects.
   * @param status as it was found a moment ago. Default: it is looked for
   */
  attention(status?: ClusterStatus): Promise<ClusterProblem[]>
}

export interface BrokerReading {
  readonly server: BrokerFacts
  /** `null`: the store does not say which queues there are, or the broker not what it holds of them. */
  readonly queues: readonly QueueDeliveries[] | null
}

export interface QueueDeliveries extends DeliveryCounts {
  readonly queue: string
}

export interface InsightDeps {
  readonly store: () => Promise<Store>
  readonly broker: () => Promise<Pick<Broker, 'facts' | 'counts'>>
  readonly status: () => Promise<ClusterStatus>
  /** Keeps the process alive meanwhile. */
  readonly during: <T>(asked: Promise<T>) => Promise<T>
}

export function createInsight({ store, broker, status, during }: InsightDeps): Insight {
  const ask = <T>(question: (store: Store) => Promise<T>) => during(store().then(question))

  return {
    chart: (query) => ask((opened) => opened.chart(query)),
    sums: (query) => ask((opened) => opened.sums(query)),
    depths: () => ask((opened) => opened.depths()),
    workerChart: (query) => ask((opened) => opened.workerChart(query)),
    storeFacts: () => ask((opened) => opened.facts()),
    brokerFacts: () => during(brokerFacts()),
    passes: () => ask((opened) => opened.passes()),
    attention: (found) => during(attention(found)),
  }

  async function brokerFacts(): Promise<BrokerReading> {
    const opened = await broker()
    const [server, queues] = await Promise.all([opened.facts(), deliveries().catch(() => null)])
    return { server, queues }
  }

  /** Of every queue that ever had a job: what is left in one that has none any more is to be seen. */
  async function deliveries(): Promise<QueueDeliveries[]> {
    const [opened, depths] = await Promise.all([broker(), store().then((each) => each.depths())])
    const queues = [...new Set(depths.map(({ queue }) => queue))].sort()
    return Promise.all(queues.map(async (queue) => ({ queue, ...(await opened.counts(queue)) })))
  }

  async function attention(found: ClusterStatus | undefined): Promise<ClusterProblem[]> {
    const { problems, workers, store: health } = found ?? (await status())
    const lately = health === 'up' ? await look().catch(() => nothing) : nothing
    return toAttention({ problems, workers }, lately)
  }

  async function look(): Promise<Lately> {
    const opened = await store()
    const { recent, before } = latelySpans(new Date())
    const sums = await Promise.all([
      opened.sums({ ...recent, by: 'task' }),
      opened.sums({ ...before, by: 'task' }),
    ])
    return { recent: sums[0], before: sums[1] }
  }
}

const nothing: Lately = { recent: [], before: [] }
