import { loadavg } from 'node:os'
import type { Settings } from '../control/settings.js'
import type { WorkerStats, WorkerWord } from '../control/verbs.js'
import type { Store, WorkerLoad } from '../store/store.js'
import type { Condition } from './condition.js'
import type { Steering } from './steering.js'
import type { Vitals } from './vitals.js'
import type { Worker } from './worker.js'

export interface StatsDeps {
  readonly worker: Worker
  readonly steering: Pick<Steering, 'course' | 'keepRow'>
  readonly settings: Pick<Settings, 'paused'>
  readonly vitals: Vitals
  /** What keeps it from its work. Default: nothing. */
  readonly condition?: Pick<Condition, 'reasons'>
  readonly log: { readonly level: string }
}

/** What a worker says of itself. */
export function statsOf({ worker, steering, settings, vitals, condition, log }: StatsDeps): WorkerStats {
  const { rss, heapUsed, heapTotal } = process.memoryUsage()
  const { running, reserved, unsettled, processed, children, concurrency } = worker
  return {
    uptimeMs: Date.now() - worker.startedAt.getTime(),
    concurrency,
    autoscale: steering.course.autoscale,
    running,
    reserved,
    unsettled,
    processed,
    outcomes: { ...worker.outcomes },
    children,
    memory: { rss, heapUsed, heapTotal },
    loopDelayMs: vitals.loopDelayMs(reportSeconds),
    cpu: Math.round(vitals.cpu(reportSeconds) * 100) / 100,
    load: loadavg().map((load) => Math.round(load * 100) / 100),
    paused: settings.paused.filter((queue) => worker.served.queues.includes(queue)),
    logLevel: String(log.level),
    reasons: condition?.reasons ?? [],
  }
}

const mostActive = 100

/** Jobs of a worker are found by what it says: an index of them would have to be kept with each claim. */
function activeOf(worker: Worker): readonly string[] {
  return worker
    .held()
    .flatMap(({ job, runningMs }) => (runningMs === undefined ? [] : [{ id: job.id, runningMs }]))
    .sort((one, other) => other.runningMs - one.runningMs)
    .slice(0, mostActive)
    .map(({ id }) => id)
}

/** What is kept over time. */
function loadOf(
  { running, concurrency, memory, loopDelayMs, cpu, processed }: WorkerStats,
  told: number,
): WorkerLoad {
  return { running, concurrency, memory: memory.rss, loopDelayMs, cpu, processed: processed - told }
}

const reportSeconds = 5

/** Keeps the worker's row by what it says of itself, every few seconds, and hears of commands that it has missed. */
export function startReports(
  deps: StatsDeps & { readonly store: Pick<Store, 'reportWorker'>; readonly onAsked: () => void },
  everyMs = reportSeconds * 1000,
): { now(): void; close(): void } {
  let isWriting = false
  /** Attempts that were told of. */
  let told = 0
  const timer = setInterval(() => void write(), everyMs)
  timer.unref()

  return { now: () => void write(), close: () => clearInterval(timer) }

  async function write(): Promise<void> {
    const { id } = deps.worker
    if (isWriting || id === '') return
    isWriting = true
    try {
      const stats = statsOf(deps)
      const word: WorkerWord = { ...stats, active: activeOf(deps.worker) }
      const isAsked = await deps.store.reportWorker(id, JSON.stringify(word), loadOf(stats, told))
      told = stats.processed
      if (isAsked) deps.onAsked()
      await deps.steering.keepRow()
    } catch {
      // A store that is away is told of by others.
    } finally {
      isWriting = false
    }
  }
}
