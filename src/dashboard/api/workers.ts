import type { ClusterStatus } from '../../control/status.js'
import type { WorkerStats, WorkerWord } from '../../control/verbs.js'
import { UnknownWorkerError } from '../../errors.js'
import { stepFor } from '../../job/resolution.js'
import { suggest } from '../../job/suggest.js'
import type { KnownWorker, WorkerChart } from '../../store/store.js'
import type { DashboardDeps } from '../dashboard.js'
import type { AnswerOf, WorkerPage, WorkerState, WorkerSummary } from './contract.js'
import { rangeMs, usualRange } from './ranges.js'
import { spanOf } from './rates.js'
import type { Reading } from './route.js'

export const workerStates = [
  'ok',
  'unwell',
  'hanging',
  'silent',
  'lost',
  'stopped',
] as const satisfies WorkerState[]

/** `GET /workers`: every worker that the store remembers. */
export async function listWorkers({
  deps,
  query,
}: Reading<'GET /workers'>): Promise<AnswerOf<'GET /workers'>> {
  const [known, status] = await Promise.all([deps.inspect.workers(), deps.status()])
  const all = known.map((worker) => toSummary(worker, status))
  const workers = query.state === undefined ? all : all.filter(({ state }) => state === query.state)
  return { workers, total: workers.length }
}

/** `GET /workers/:id`, by id or by name; of those of one name, the one that lives, else the last. */
export async function showWorker({ deps, params, query }: Reading<'GET /workers/:id'>): Promise<WorkerPage> {
  const { range = usualRange } = query
  const [workers, status] = await Promise.all([deps.inspect.workers(), deps.status()])
  const worker = workers.find(({ id, name }) => id === params.id || name === params.id)
  if (!worker) throw unknownWorker(params.id, workers)
  const [active, chart] = await Promise.all([
    readActive(deps, worker),
    deps.insight.workerChart({ workerId: worker.id, ...spanOf(range), stepMs: stepFor(rangeMs[range]) }),
  ])
  const { version, nodeVersion, appVersion, tasks, config } = worker
  return {
    ...toSummary(worker, status),
    ...{ range, version, nodeVersion, appVersion, tasks, active },
    config: (parsed(config) ?? {}) as WorkerPage['config'],
    series: toWorkerSeries(chart),
  }
}

async function readActive(deps: DashboardDeps, worker: KnownWorker): Promise<WorkerPage['active']> {
  const ids = wordOf(worker)?.active ?? []
  if (!isLive(worker) || ids.length === 0) return []
  const { store } = await deps.backend()
  const { jobs } = await store.searchJobs(
    { ids, states: ['running'], workers: [worker.id] },
    { limit: ids.length, sort: 'oldest' },
  )
  return jobs.map(({ id, task, queue, attempt, startedAt }) => {
    const runningMs = startedAt ? Math.max(0, worker.now.getTime() - startedAt.getTime()) : 0
    return { id, task, queue, attempt, runningMs }
  })
}

function toWorkerSeries({ from, stepMs, points }: WorkerChart): WorkerPage['series'] {
  return {
    ...{ from, stepMs },
    running: points.map(({ running }) => running),
    concurrency: points.map(({ concurrency }) => concurrency),
    memory: points.map(({ memory }) => memory),
    loopDelayMs: points.map(({ loopDelayMs }) => loopDelayMs),
    cpu: points.map(({ cpu }) => cpu),
    processed: points.map(({ processed }) => processed),
  }
}

function unknownWorker(name: string, workers: readonly KnownWorker[]): UnknownWorkerError {
  const live = workers.filter(isLive).map((worker) => worker.name)
  return new UnknownWorkerError(name.slice(0, 100), [...new Set(live)], suggest(name, live))
}

export function toSummary(worker: KnownWorker, status: ClusterStatus): WorkerSummary {
  const { id, name, host, pid, queues, concurrency, pool, startedAt, seenAt, stoppedAt, lostAt } = worker
  return {
    ...{ id, name, host, pid, state: stateOf(worker, status), queues, concurrency, pool },
    stats: statsOf(worker),
    ...{ startedAt, seenAt, endedAt: stoppedAt ?? lostAt },
  }
}

export function isLive({ stoppedAt, lostAt }: Pick<KnownWorker, 'lostAt' | 'stoppedAt'>): boolean {
  return stoppedAt === null && lostAt === null
}

function stateOf(worker: KnownWorker, { workers }: ClusterStatus): WorkerState {
  if (worker.lostAt !== null) return 'lost'
  if (worker.stoppedAt !== null) return 'stopped'
  // It came between the two looks.
  return workers.find(({ id }) => id === worker.id)?.state ?? 'ok'
}

/** What it runs stands apart. */
function statsOf(worker: KnownWorker): WorkerStats | null {
  const word = wordOf(worker)
  if (word === null) return null
  const { active: _, ...stats } = word
  return stats
}

/** `null` before its first word. */
function wordOf({ report, reportedAt }: KnownWorker): WorkerWord | null {
  return reportedAt === null ? null : (parsed(report) as WorkerWord | null)
}

/** Of a worker of another version, whatever it says. */
export function parsed(text: string | null): unknown {
  try {
    return text === null ? null : (JSON.parse(text) as unknown)
  } catch {
    return null
  }
}
