import type { ClusterStatus } from '../../control/status.js'
import type { WorkerStats } from '../../control/verbs.js'
import type { KnownWorker } from '../../store/store.js'
import type { AnswerOf, WorkerState, WorkerSummary } from './contract.js'
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

/** `null` before its first word. */
function statsOf({ report, reportedAt }: KnownWorker): WorkerStats | null {
  return reportedAt === null ? null : (parsed(report) as WorkerStats | null)
}

/** Of a worker of another version, whatever it says. */
export function parsed(text: string | null): unknown {
  try {
    return text === null ? null : (JSON.parse(text) as unknown)
  } catch {
    return null
  }
}
