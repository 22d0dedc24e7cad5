import {
  attemptOutcomeOf,
  depthsOf,
  endOf,
  isEnqueue,
  isRequeue,
  isStart,
  type Move,
} from '../../job/move.js'
import { type clusterFamilies, openStates } from './family.js'
import { line, Spreads, Sums, toLabels } from './lines.js'

/** What the store says of the whole installation. */
export interface ClusterReading {
  readonly moves: readonly Move[]
  readonly sights: {
    readonly oldest: readonly { readonly queue: string; readonly ageMs: number }[]
    readonly dispatchLagMs: number
    readonly workers: readonly WorkerReading[]
    readonly lostWorkers: number
    readonly repairs: readonly { readonly pass: string; readonly jobs: number }[]
  }
}

interface WorkerReading {
  readonly name: string
  readonly queues: readonly string[]
  readonly concurrency: number
  readonly missed: number
  /** JSON text. */
  readonly report: string
}

/** The lines of each metric. */
export type ClusterLines = Readonly<Record<keyof typeof clusterFamilies, readonly string[]>>

export function toClusterLines({ moves, sights }: ClusterReading): ClusterLines {
  const lag = sights.dispatchLagMs / 1000
  return {
    ...linesOfMoves(moves),
    ...linesOfWorkers(sights.workers, sights.lostWorkers),
    celeriac_jobs: linesOfDepths(moves),
    celeriac_queue_oldest_seconds: linesOfOldest(moves, sights.oldest),
    celeriac_dispatch_lag_seconds: [line('celeriac_dispatch_lag_seconds', '', lag)],
    celeriac_maintenance_repairs_total: sights.repairs.map(({ pass, jobs }) =>
      line('celeriac_maintenance_repairs_total', toLabels({ pass }), jobs),
    ),
  }
}

function linesOfMoves(moves: readonly Move[]) {
  const counters = {
    celeriac_jobs_enqueued_total: new Sums(),
    celeriac_jobs_requeued_total: new Sums(),
    celeriac_jobs_ended_total: new Sums(),
    celeriac_attempts_started_total: new Sums(),
    celeriac_attempts_ended_total: new Sums(),
    celeriac_job_wait_seconds: new Spreads(),
    celeriac_attempt_run_seconds: new Spreads(),
    celeriac_job_total_seconds: new Spreads(),
  }
  for (const move of moves) count(counters, move)
  return linesOfEach(counters)
}

function count(counters: MoveCounters, move: Move): void {
  const { task, queue, is, jobs, took, total } = move
  const labels = toLabels({ task, queue })
  const state = endOf(move)
  const outcome = attemptOutcomeOf(move)
  if (isEnqueue(move)) counters.celeriac_jobs_enqueued_total.add(labels, jobs)
  if (isRequeue(move)) counters.celeriac_jobs_requeued_total.add(labels, jobs)
  if (isStart(move)) counters.celeriac_attempts_started_total.add(labels, jobs)
  if (state) counters.celeriac_jobs_ended_total.add(`${labels},state="${state}"`, jobs)
  if (outcome) counters.celeriac_attempts_ended_total.add(`${labels},outcome="${outcome}"`, jobs)
  if (total.counts.length > 0) counters.celeriac_job_total_seconds.add(labels, total)
  if (took.counts.length === 0) return
  if (is === 'running') counters.celeriac_job_wait_seconds.add(labels, took)
  else counters.celeriac_attempt_run_seconds.add(labels, took)
}

interface MoveCounters {
  readonly celeriac_jobs_enqueued_total: Sums
  readonly celeriac_jobs_requeued_total: Sums
  readonly celeriac_jobs_ended_total: Sums
  readonly celeriac_attempts_started_total: Sums
  readonly celeriac_attempts_ended_total: Sums
  readonly celeriac_job_wait_seconds: Spreads
  readonly celeriac_attempt_run_seconds: Spreads
  readonly celeriac_job_total_seconds: Spreads
}

function linesOfEach<Name extends string>(
  metrics: Readonly<Record<Name, Sums | Spreads>>,
): Record<Name, readonly string[]> {
  const names = Object.keys(metrics) as Name[]
  return Object.fromEntries(names.map((name) => [name, metrics[name].lines(name)])) as Record<Name, string[]>
}

/** Open states are told of a queue that is empty, too: an alert that hears nothing does not know that all is well. */
function linesOfDepths(moves: readonly Move[]): string[] {
  return [...depthsOf(moves)].flatMap(([queue, depths]) => {
    const states = new Set([...openStates, ...depths.keys()])
    return [...states].map((state) =>
      line('celeriac_jobs', toLabels({ queue, state }), depths.get(state) ?? 0),
    )
  })
}

function linesOfOldest(moves: readonly Move[], oldest: ClusterReading['sights']['oldest']): string[] {
  const ages = new Map(oldest.map(({ queue, ageMs }) => [queue, ageMs]))
  const queues = new Set([...moves.map(({ queue }) => queue), ...ages.keys()])
  return [...queues].map((queue) =>
    line('celeriac_queue_oldest_seconds', toLabels({ queue }), (ages.get(queue) ?? 0) / 1000),
  )
}

/** Missed rounds after which a worker counts as silent. */
const silentAfter = 2

function linesOfWorkers(workers: readonly WorkerReading[], lost: number) {
  const up = workers.filter(({ missed }) => missed < silentAfter)
  const states = { up: up.length, silent: workers.length - up.length, lost }
  const served = new Sums()
  for (const queue of up.flatMap(({ queues }) => queues)) served.add(toLabels({ queue }), 1)
  return {
    celeriac_workers: Object.entries(states).map(([state, value]) =>
      line('celeriac_workers', toLabels({ state }), value),
    ),
    celeriac_queue_workers: served.lines('celeriac_queue_workers'),
    ...linesOfReports(workers.map((worker) => ({ ...worker, said: toReport(worker.report) }))),
  }
}

interface Reported extends WorkerReading {
  readonly said: Report
}

/** Workers of one name are added up; of loop delays the worst counts. */
function linesOfReports(workers: readonly Reported[]) {
  const sums = {
    celeriac_worker_slots: new Sums(),
    celeriac_worker_running: new Sums(),
    celeriac_worker_reserved: new Sums(),
    celeriac_worker_unsettled: new Sums(),
    celeriac_worker_memory_bytes: new Sums(),
    celeriac_worker_loop_delay_seconds: new Sums(),
  }
  for (const { name, concurrency, said } of workers) {
    const worker = toLabels({ worker: name })
    const add = (sum: Sums, value: number | undefined) => void (value === undefined || sum.add(worker, value))
    add(sums.celeriac_worker_slots, said.concurrency ?? concurrency)
    add(sums.celeriac_worker_running, said.running)
    add(sums.celeriac_worker_reserved, said.reserved)
    add(sums.celeriac_worker_unsettled, said.unsettled)
    add(sums.celeriac_worker_memory_bytes, said.memory?.rss)
  }
  for (const [name, ms] of worstDelays(workers))
    sums.celeriac_worker_loop_delay_seconds.add(toLabels({ worker: name }), ms / 1000)
  return linesOfEach(sums)
}

function worstDelays(workers: readonly Reported[]): Map<string, number> {
  const worst = new Map<string, number>()
  for (const { name, said } of workers)
    if (said.loopDelayMs !== undefined) worst.set(name, Math.max(worst.get(name) ?? 0, said.loopDelayMs))
  return worst
}

interface Report {
  readonly concurrency?: number
  readonly running?: number
  readonly reserved?: number
  readonly unsettled?: number
  readonly loopDelayMs?: number
  readonly memory?: { readonly rss?: number }
}

/** It may be of a worker of another version. */
function toReport(text: string): Report {
  try {
    const said: unknown = JSON.parse(text)
    return typeof said === 'object' && said !== null ? said : {}
  } catch {
    return {}
  }
}
