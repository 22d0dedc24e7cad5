import type { Depth, KnownWorker, QueueLoad, Setting, Store } from '../store/store.js'
import type { Health, ServerHealth } from '../telemetry/health.js'
import type { HealthCode, HealthReason } from '../telemetry/readiness.js'
import { answerWithin } from '../waiting.js'

/**
 * How the whole cluster is: what `celeriac status` prints. `down`: nothing can be accepted, or nothing starts any more but jobs with limits.
 * `degraded`: something is wrong, and the rest goes on.
 */
export interface ClusterStatus {
  readonly status: 'ok' | 'degraded' | 'down'
  /** Empty when all is well. */
  readonly problems: readonly ClusterProblem[]
  readonly store: ServerHealth
  readonly broker: ServerHealth
  /** Live ones, and those that were lost in the last minutes. Empty while the store is away. */
  readonly workers: readonly WorkerStatus[]
  /** Those that hold open jobs, that a worker serves, or that are paused. */
  readonly queues: readonly QueueStatus[]
}

export interface ClusterProblem {
  readonly code: ClusterCode
  /** What is wrong. */
  readonly message: string
  /** What to do about it. */
  readonly cure: string
  /** The name of the worker, the queue or the task, where it is about one. */
  readonly worker?: string
  readonly queue?: string
  readonly task?: string
}

/** Those of one process, and what can be seen from outside alone. */
export type ClusterCode = HealthCode | 'worker-silent' | 'worker-lost' | 'task-failing'

export interface WorkerStatus {
  readonly id: string
  readonly name: string
  readonly host: string
  readonly pid: number
  /** `hanging`: its lease is renewed, and its event loop stands still. `silent`: its lease is not renewed. */
  readonly state: 'ok' | 'unwell' | 'hanging' | 'silent' | 'lost'
  readonly queues: readonly string[]
  readonly concurrency: number
  /** Jobs that it runs, by its last report; `null` before the first. */
  readonly running: number | null
  readonly startedAt: Date
  /** Milliseconds since its lease was renewed. */
  readonly seenMs: number
  /** Milliseconds since it last said anything of itself; `null` before the first word. */
  readonly reportedMs: number | null
}

export interface QueueStatus {
  readonly queue: string
  /** Jobs that are due and wait for a worker. */
  readonly waiting: number
  /** How long the oldest of them has been due; `null` when there is none. */
  readonly ageMs: number | null
  /** Names of live workers. */
  readonly servedBy: readonly string[]
  readonly isPaused: boolean
}

export interface StatusDeps {
  readonly health: () => Promise<Health>
  readonly lacksTables: () => Promise<boolean>
  readonly store: () => Promise<
    Pick<Store, 'workers' | 'servedQueues' | 'knownQueues' | 'load' | 'settings' | 'depths'>
  >
  /** How to have a queue served, where workers of these names live. */
  readonly advice: (queue: string, workers: readonly string[]) => string
  readonly leaseMs: number
  readonly heartbeatMs: number
}

/** Jobs of a queue that are looked at for the oldest of them. Where there are more, counters say how many. */
const nearby = 200
/** A job that nobody serves is told of when it has waited for so long: a worker may be about to start. */
const patienceMs = 3000
/** A report comes every 5 s. */
const reportLateMs = 12_000
/** What has been lost is shown for this long. */
const lostShownMs = 600_000
const longestLookMs = 5000
/** A server that keeps silent has been waited for already. */
const tablesMs = 1500

/** Looks at the store and the servers, and judges. Never rejects, and answers within seconds. */
export async function clusterStatus(deps: StatusDeps): Promise<ClusterStatus> {
  const health = await deps.health()
  const facts =
    health.store === 'up' ? await answerWithin(longestLookMs, look(deps)).catch(() => undefined) : undefined
  if (facts) return judge(deps, health, facts)
  const lacksTables = await answerWithin(tablesMs, deps.lacksTables()).catch(() => false)
  return {
    status: 'down',
    problems: [lacksTables ? tablesMissing : storeAway, ...(health.broker === 'down' ? [brokerAway] : [])],
    store: 'down',
    broker: health.broker,
    workers: [],
    queues: [],
  }
}

/** The queues with jobs that have been due for seconds, that no live worker serves and nobody has paused. */
export async function unservedQueues(
  deps: Pick<StatusDeps, 'store' | 'leaseMs' | 'heartbeatMs'>,
): Promise<string[]> {
  const store = await deps.store()
  const [queues, known, settings] = await Promise.all([
    store.servedQueues({ seenWithinMs: silentAfterMs(deps) }),
    store.knownQueues(),
    store.settings(),
  ])
  const paused = pausedAmong(settings)
  const served = new Set(queues)
  const suspects = known.filter((queue) => !served.has(queue) && !paused.has(queue))
  // One job that is due is enough, and a queue that is served need not be looked at.
  const loads = await store.load(suspects.map((queue) => toQuestion(queue, 1)))
  return loads.filter(hasWork).map(({ queue }) => queue)
}

function toQuestion(queue: string, waiting: number) {
  return { queue, waiting, share: null, owners: [] }
}

interface Facts {
  readonly workers: readonly KnownWorker[]
  readonly loads: readonly QueueLoad[]
  readonly paused: ReadonlySet<string>
}

async function look({ store }: Pick<StatusDeps, 'store'>): Promise<Facts> {
  const opened = await store()
  const [workers, known, settings] = await Promise.all([
    opened.workers(),
    opened.knownQueues(),
    opened.settings(),
  ])
  const paused = pausedAmong(settings)
  const served = workers.filter(isLive).flatMap(({ queues }) => queues)
  const queues = [...new Set([...known, ...served, ...paused])].sort()
  const loads = await opened.load(queues.map((queue) => toQuestion(queue, nearby)))
  const isLong = loads.some(({ waiting }) => waiting >= nearby)
  return { workers, loads: isLong ? withDepths(loads, await opened.depths()) : loads, paused }
}

/** A count of rows would take the longer the more there are. */
function withDepths(loads: readonly QueueLoad[], depths: readonly Depth[]): QueueLoad[] {
  const queued = new Map<string, number>()
  for (const { queue, state, jobs } of depths)
    if (state === 'queued') queued.set(queue, (queued.get(queue) ?? 0) + jobs)
  return loads.map((load) => ({
    ...load,
    waiting: load.waiting < nearby ? load.waiting : Math.max(load.waiting, queued.get(load.queue) ?? 0),
  }))
}

const pausePrefix = 'pause:'

function pausedAmong(settings: readonly Setting[]): ReadonlySet<string> {
  const names = settings.map(({ name }) => name).filter((name) => name.startsWith(pausePrefix))
  return new Set(names.map((name) => name.slice(pausePrefix.length)))
}

function judge(
  deps: StatusDeps,
  { store, broker }: Health,
  { workers, loads, paused }: Facts,
): ClusterStatus {
  const shown = workers.filter((worker) => isLive(worker) || isLostLately(worker))
  const statuses = shown.map((worker) => toWorkerStatus(worker, deps))
  const serving = statuses.filter(({ state }) => state !== 'silent' && state !== 'lost')
  const names = serving.map(({ name }) => name)
  const queues = loads.map((load) => ({
    queue: load.queue,
    waiting: load.waiting,
    ageMs: load.ageMs,
    servedBy: serving.filter((worker) => worker.queues.includes(load.queue)).map(({ name }) => name),
    isPaused: paused.has(load.queue),
  }))
  const unserved = loads.filter((load, at) => hasWork(load) && isUnserved(queues[at]))
  const problems = [
    ...(broker === 'down' ? [brokerAway] : []),
    ...shown.flatMap((worker, at) => problemsOf(worker, statuses[at])),
    ...unserved.map(({ queue }) => queueUnserved(queue, deps.advice(queue, names))),
  ]
  const nothingRuns = broker === 'down' || (unserved.length > 0 && serving.length === 0)
  const status = problems.length === 0 ? 'ok' : nothingRuns ? 'down' : 'degraded'
  return { status, problems, store, broker, workers: statuses, queues }
}

function isLive({ stoppedAt, lostAt }: KnownWorker): boolean {
  return stoppedAt === null && lostAt === null
}

function isLostLately({ lostAt, now }: KnownWorker): boolean {
  return lostAt !== null && now.getTime() - lostAt.getTime() < lostShownMs
}

type Lease = Pick<StatusDeps, 'leaseMs' | 'heartbeatMs'>

/** Three renewals are missing. */
function silentAfterMs({ leaseMs, heartbeatMs }: Lease): number {
  return Math.min(leaseMs, Math.max(3 * heartbeatMs + 1000, 3000))
}

function isSilent({ seenAt, now }: KnownWorker, lease: Lease): boolean {
  return now.getTime() - seenAt.getTime() > silentAfterMs(lease)
}

function hasWork({ waiting, ageMs }: QueueLoad): boolean {
  return waiting > 0 && (ageMs ?? 0) > patienceMs
}

function isUnserved(queue: QueueStatus | undefined): boolean {
  return queue !== undefined && queue.servedBy.length === 0 && !queue.isPaused
}

/** What a worker says of itself in its row. */
interface Report {
  readonly running?: number
  readonly reasons?: readonly HealthReason[]
}

function reportOf({ report }: KnownWorker): Report {
  try {
    return JSON.parse(report) as Report
  } catch {
    return {}
  }
}

function toWorkerStatus(worker: KnownWorker, deps: StatusDeps): WorkerStatus {
  const { id, name, host, pid, queues, concurrency, startedAt, seenAt, reportedAt, now } = worker
  return {
    id,
    name,
    host,
    pid,
    state: stateOf(worker, deps),
    queues,
    concurrency,
    running: reportOf(worker).running ?? null,
    startedAt,
    seenMs: now.getTime() - seenAt.getTime(),
    reportedMs: reportedAt && now.getTime() - reportedAt.getTime(),
  }
}

function stateOf(worker: KnownWorker, deps: StatusDeps): WorkerStatus['state'] {
  if (worker.lostAt !== null) return 'lost'
  if (isSilent(worker, deps)) return 'silent'
  const { reportedAt, now } = worker
  if (reportedAt && now.getTime() - reportedAt.getTime() > reportLateMs) return 'hanging'
  return (reportOf(worker).reasons ?? []).some(isOwn) ? 'unwell' : 'ok'
}

/** What is wrong with the worker itself, and not with what it stands on. */
function isOwn({ code }: HealthReason): boolean {
  return code === 'takes-no-jobs' || code === 'lease-lost'
}

function problemsOf(worker: KnownWorker, status: WorkerStatus | undefined): ClusterProblem[] {
  const { name, host, pid } = worker
  const where = `process ${pid} on ${host}`
  switch (status?.state) {
    case 'silent':
      return [
        {
          code: 'worker-silent',
          worker: name,
          message: `Worker ${name} has not renewed its lease for ${seconds(status.seenMs)}.`,
          cure: `See whether ${where} runs and reaches PostgreSQL. If it stays silent, its jobs go to other workers by themselves.`,
        },
      ]
    case 'hanging':
      return [
        {
          code: 'loop-blocked',
          worker: name,
          message: `The event loop of worker ${name} has stood still for ${seconds(status.reportedMs ?? 0)}: it starts nothing.`,
          cure: `A task that computes keeps it busy: give that task pool: 'thread' or 'process', or restart ${where}.`,
        },
      ]
    case 'unwell':
      return (reportOf(worker).reasons ?? []).filter(isOwn).map(({ code, message }) => ({
        code,
        worker: name,
        message: `Worker ${name}: ${message}`,
        cure: `Read its log. If it does not come back by itself, restart ${where}.`,
      }))
    default:
      return []
  }
}

function seconds(ms: number): string {
  return `${Math.round(ms / 1000)} s`
}

const storeAway: ClusterProblem = {
  code: 'store-away',
  message: 'PostgreSQL does not answer, or takes no writes.',
  cure: 'See whether it runs and can be reached from here. Run: npx celeriac check',
}

const tablesMissing: ClusterProblem = {
  code: 'tables-missing',
  message: 'The database has no tables of Celeriac, or older ones.',
  cure: 'Run: npx celeriac migrate',
}

const brokerAway: ClusterProblem = {
  code: 'broker-away',
  message:
    'The broker does not answer: jobs are accepted, and wait for it. Those with limits start all the same, for their turn is in the store.',
  cure: 'See whether it runs and can be reached from here; what waits starts when it is back. Run: npx celeriac check',
}

function queueUnserved(queue: string, advice: string): ClusterProblem {
  return {
    code: 'queue-unserved',
    queue,
    message: `Jobs wait in queue "${queue}", and no live worker serves it.`,
    cure: advice,
  }
}
