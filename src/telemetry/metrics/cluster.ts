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
import { Spreads, Sums, type Value } from './value.js'

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

export type ClusterValues = Readonly<Record<keyof typeof clusterFamilies, readonly Value[]>>

export function toClusterValues({ moves, sights }: ClusterReading): ClusterValues {
  return {
    ...countersOf(moves),
    ...durationsOf(moves),
    ...workersOf(sights.workers, sights.lostWorkers),
    celeriac_jobs: depthsAsValues(moves),
    celeriac_queue_oldest_seconds: oldestAsValues(moves, sights.oldest),
    celeriac_dispatch_lag_seconds: [{ value: sights.dispatchLagMs / 1000 }],
    celeriac_maintenance_repairs_total: sights.repairs.map(({ pass, jobs }) => ({
      labels: { pass },
      value: jobs,
    })),
  }
}

function countersOf(moves: readonly Move[]) {
  const enqueued = new Sums()
  const requeued = new Sums()
  const ended = new Sums()
  const started = new Sums()
  const attempts = new Sums()
  for (const move of moves) {
    const { task, queue, jobs } = move
    if (isEnqueue(move)) enqueued.add({ task, queue }, jobs)
    if (isRequeue(move)) requeued.add({ task, queue }, jobs)
    if (isStart(move)) started.add({ task, queue }, jobs)
    const state = endOf(move)
    if (state) ended.add({ task, queue, state }, jobs)
    const outcome = attemptOutcomeOf(move)
    if (outcome) attempts.add({ task, queue, outcome }, jobs)
  }
  return {
    celeriac_jobs_enqueued_total: enqueued.values(),
    celeriac_jobs_requeued_total: requeued.values(),
    celeriac_jobs_ended_total: ended.values(),
    celeriac_attempts_started_total: started.values(),
    celeriac_attempts_ended_total: attempts.values(),
  }
}

function durationsOf(moves: readonly Move[]) {
  const wait = new Spreads()
  const run = new Spreads()
  const total = new Spreads()
  for (const { task, queue, is, took, total: all } of moves) {
    if (took.counts.length > 0) (is === 'running' ? wait : run).add({ task, queue }, took)
    if (all.counts.length > 0) total.add({ task, queue }, all)
  }
  return {
    celeriac_job_wait_seconds: wait.values('celeriac_job_wait_seconds'),
    celeriac_attempt_run_seconds: run.values('celeriac_attempt_run_seconds'),
    celeriac_job_total_seconds: total.values('celeriac_job_total_seconds'),
  }
}

/** Open states are told of a queue that is empty, too: an alert that hears nothing does not know that all is well. */
function depthsAsValues(moves: readonly Move[]): Value[] {
  return [...depthsOf(moves)].flatMap(([queue, depths]) => {
    const states = new Set([...openStates, ...depths.keys()])
    return [...states].map((state) => ({ labels: { queue, state }, value: depths.get(state) ?? 0 }))
  })
}

function oldestAsValues(moves: readonly Move[], oldest: ClusterReading['sights']['oldest']): Value[] {
  const ages = new Map(oldest.map(({ queue, ageMs }) => [queue, ageMs]))
  const queues = new Set([...moves.map(({ queue }) => queue), ...ages.keys()])
  return [...queues].map((queue) => ({ labels: { queue }, value: (ages.get(queue) ?? 0) / 1000 }))
}

/** Missed rounds after which a worker counts as silent. */
const silentAfter = 2

function workersOf(workers: readonly WorkerReading[], lost: number) {
  const up = workers.filter(({ missed }) => missed < silentAfter)
  const states = { up: up.length, silent: workers.length - up.length, lost }
  const served = new Sums()
  for (const queue of up.flatMap(({ queues }) => queues)) served.add({ queue }, 1)
  const reports = workers.map((worker) => ({ ...worker, said: toReport(worker.report) }))
  const sum = (read: (worker: (typeof reports)[number]) => number | undefined) => {
    const sums = new Sums()
    for (const worker of reports) {
      const value = read(worker)
      if (value !== undefined) sums.add({ worker: worker.name }, value)
    }
    return sums.values()
  }
  return {
    celeriac_workers: Object.entries(states).map(([state, value]) => ({ labels: { state }, value })),
    celeriac_queue_workers: served.values(),
    celeriac_worker_slots: sum(({ concurrency, said }) => said.concurrency ?? concurrency),
    celeriac_worker_running: sum(({ said }) => said.running),
    celeriac_worker_reserved: sum(({ said }) => said.reserved),
    celeriac_worker_unsettled: sum(({ said }) => said.unsettled),
    celeriac_worker_loop_delay_seconds: worstDelays(reports),
    celeriac_worker_memory_bytes: sum(({ said }) => said.memory?.rss),
  }
}

/** Of workers of one name, the one that fares worst. */
function worstDelays(reports: readonly { readonly name: string; readonly said: Report }[]): Value[] {
  const worst = new Map<string, number>()
  for (const { name, said } of reports)
    if (said.loopDelayMs !== undefined) worst.set(name, Math.max(worst.get(name) ?? 0, said.loopDelayMs))
  return [...worst].map(([worker, ms]) => ({ labels: { worker }, value: ms / 1000 }))
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
