import type { App } from '../../app.js'
import type { ClusterProblem, ClusterStatus } from '../../control/status.js'
import type { WorkerStats } from '../../control/verbs.js'
import { attemptOutcomeOf, endOf, isEnqueue, isStart, type Move } from '../../job/move.js'
import { answerWithin } from '../../waiting.js'
import { type QueueStatus, readQueues } from '../queues.js'

/** What one look has seen. Rates are jobs a second since the look before; `null` at the first. */
export interface Sample {
  readonly at: Date
  readonly status: ClusterStatus['status']
  readonly problems: readonly ClusterProblem[]
  readonly queues: readonly QueueSample[]
  readonly workers: readonly WorkerSample[]
  readonly tasks: readonly TaskSample[]
}

export interface QueueSample extends QueueStatus {
  readonly rates: Rates
}

export interface WorkerSample {
  readonly name: string
  readonly host: string
  readonly pid: number
  readonly state: ClusterStatus['workers'][number]['state']
  readonly concurrency: number
  readonly running: number | null
  readonly reserved: number | null
  readonly memory: number | null
  readonly loopDelayMs: number | null
  readonly cpu: number | null
  readonly load: number | null
  readonly upMs: number
}

export interface TaskSample {
  readonly task: string
  readonly rates: Rates
}

export interface Rates {
  readonly enqueued: number | null
  readonly started: number | null
  /** All ends of jobs. */
  readonly ended: number | null
  /** Attempts that failed, whether or not another follows. */
  readonly failed: number | null
}

const longestLookMs = 5000

/** Gives a function that looks, and never rejects: while the store is away, it shows what it saw last. */
export function createSampler(app: App): () => Promise<Sample> {
  let before: { readonly at: number; readonly moves: readonly Move[] } | undefined
  let last: Pick<Sample, 'queues' | 'workers' | 'tasks'> = { queues: [], workers: [], tasks: [] }

  return async function look() {
    const { status, problems, workers, store } = await app.status()
    if (store === 'up') {
      last = await answerWithin(longestLookMs, read(workers)).catch(() => last)
    }
    return { at: new Date(), status, problems, ...last }
  }

  async function read(statuses: ClusterStatus['workers']) {
    const { store } = await app.backend()
    const names = await store.knownQueues()
    const [queues, moves, known] = await Promise.all([
      readQueues(store, app.config, names),
      store.moves(),
      store.workers(),
    ])
    const rates = ratesSince(before, moves)
    before = { at: performance.now(), moves }
    const reports = new Map(known.map(({ id, report }) => [id, statsOf(report)]))
    return {
      queues: queues.map((queue) => ({ ...queue, rates: rates('queue', queue.queue) })),
      workers: statuses.map((worker) => toWorkerSample(worker, reports.get(worker.id) ?? {})),
      tasks: [...new Set(moves.map(({ task }) => task))]
        .sort()
        .map((task) => ({ task, rates: rates('task', task) })),
    }
  }
}

/** What is counted never goes back, so that two looks tell what has happened in between. */
function ratesSince(before: { at: number; moves: readonly Move[] } | undefined, moves: readonly Move[]) {
  const seconds = before ? Math.max(0.001, (performance.now() - before.at) / 1000) : 0
  return (by: 'queue' | 'task', name: string): Rates => {
    const rate = (counts: (move: Move) => boolean) => {
      if (!before) return null
      const sum = (all: readonly Move[]) =>
        all.reduce((jobs, move) => (move[by] === name && counts(move) ? jobs + move.jobs : jobs), 0)
      return Math.max(0, (sum(moves) - sum(before.moves)) / seconds)
    }
    return {
      enqueued: rate(isEnqueue),
      started: rate(isStart),
      ended: rate((move) => endOf(move) !== undefined),
      failed: rate((move) => ['failed', 'retried', 'lost'].includes(attemptOutcomeOf(move) ?? '')),
    }
  }
}

function toWorkerSample(worker: ClusterStatus['workers'][number], stats: Partial<WorkerStats>): WorkerSample {
  const { name, host, pid, state, concurrency, running, startedAt } = worker
  return {
    ...{ name, host, pid, state, running },
    concurrency: stats.concurrency ?? concurrency,
    reserved: stats.reserved ?? null,
    memory: stats.memory?.rss ?? null,
    loopDelayMs: stats.loopDelayMs ?? null,
    cpu: stats.cpu ?? null,
    load: stats.load?.[0] ?? null,
    upMs: stats.uptimeMs ?? Math.max(0, Date.now() - startedAt.getTime()),
  }
}

function statsOf(report: string): Partial<WorkerStats> {
  try {
    return JSON.parse(report) as Partial<WorkerStats>
  } catch {
    return {}
  }
}
