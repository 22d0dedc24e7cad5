import { hostname } from 'node:os'
import { v7 as uuidv7 } from 'uuid'
import type { Broker } from '../broker/broker.js'
import type { Dispatcher } from '../enqueue/dispatch.js'
import type { LimitBook } from '../enqueue/limit-book.js'
import { CancelledError, ShutdownError, WorkerLostError } from '../errors.js'
import type { Hide } from '../job/log-line.js'
import type { ResolvedTimeLimit } from '../job/time-limit.js'
import type { ClaimedJob, NewWorker, Store } from '../store/store.js'
import { tellEnds } from '../telemetry/ends.js'
import { createEvents, type Emitter } from '../telemetry/events.js'
import type { HookCaller } from '../telemetry/hooks.js'
import type { KeepLine } from '../telemetry/log.js'
import type { Tracing } from '../telemetry/tracing.js'
import { sleep, within } from '../waiting.js'
import type { AttemptLog, RunnableTask } from './attempt.js'
import { createBoard } from './board.js'
import { watchCancelRequests } from './cancel.js'
import { createGate, type Gate } from './gate.js'
import { createIntakes, type Intakes } from './intake.js'
import { createJobLogs, type LogsConfig } from './job-logs.js'
import { type LeaseFactory, newLockKey } from './lease.js'
import type { Pool } from './pool/pool.js'
import { createRunner, type HeldJob } from './runner.js'
import type { Served } from './served.js'
import { createTeller } from './teller.js'

/** A process that runs jobs: intakes bring them, a runner runs them, a lease says that it lives. */
export interface Worker {
  readonly name: string
  /** Empty while it has no lease. */
  readonly id: string
  /** Resolves when the lease is held and jobs are taken. Waits for servers that are not there yet. */
  start(): Promise<void>
  /**
   * Takes no more, lets running jobs finish for `graceMs`, aborts them, and gives back what is left. Idempotent; a later
   * call with a shorter grace hurries the first.
   */
  stop(graceMs?: number): Promise<void>
  /** How many jobs it runs at once. What runs goes on. */
  resize(concurrency: number): void
  /** Which queues it takes from. What was taken of others, and not begun, is given back. */
  serve(served: Served): void
  /** Replaces the threads and processes of its pool, each when its job has ended. Gives how many. */
  restartPool(): number
  readonly served: Served
  readonly concurrency: number
  /** `false` before the first renewal, and while it could not be renewed for so long that others may have taken over. */
  readonly holdsLease: boolean
  readonly isStopping: boolean
  readonly startedAt: Date
  /** What runs, and what waits for a handler. */
  held(): readonly HeldJob[]
  readonly running: number
  /** Claimed, and not begun. */
  readonly reserved: number
  /** Ends that the store has not yet recorded. */
  readonly unsettled: number
  /** Threads and processes of its pool. */
  readonly children: number
  /** Attempts that have ended, since the start. */
  readonly processed: number
  /** Those, by what came of them. */
  readonly outcomes: Readonly<Record<string, number>>
}

export interface WorkerDeps {
  readonly store: Store
  readonly broker: Broker
  readonly dispatcher: Dispatcher
  /** How it says that it lives. */
  readonly lease: LeaseFactory
  readonly tasks: {
    get(name: string): RunnableTask | undefined
    names(): readonly string[]
    /** JSON text: what processes without the code must know of them. */
    announcement?(): string
  }
  readonly limits: LimitBook
  /** What it takes from at first. */
  readonly served: Served
  /** How many jobs it runs at once at first. */
  readonly concurrency: number
  /** What was set while the app ran. */
  readonly timeLimitOf?: (task: string) => ResolvedTimeLimit | undefined
  /** What its row says of it besides. */
  readonly about?: Pick<NewWorker, 'pool' | 'nodeVersion' | 'appVersion' | 'config'>
  /** `%h` is the host, `%p` the process id. */
  readonly name: string
  readonly version: string
  readonly configHash: string
  readonly graceMs: number
  readonly leaseMs: number
  readonly heartbeatMs: number
  /** Workers that a job may take down. */
  readonly maxLost: number
  readonly stuckAfterMs: number
  readonly maxResult: number
  /** Ends that may wait for the store before no more is taken. */
  readonly mostUnsettled?: number
  readonly log: AttemptLog
  readonly jobLog: (job: ClaimedJob, keep?: KeepLine, hide?: Hide) => AttemptLog
  /** Which lines of handlers are kept with their jobs. Default: none. */
  readonly logs?: LogsConfig | undefined
  /** Threads and processes for the tasks that run in them. */
  readonly pool: Pool
  /** Told of what becomes of jobs. Default: nobody listens. */
  readonly events?: Emitter
  /** What is still called of that; a stop waits for it. */
  readonly hooks?: Pick<HookCaller, 'settled' | 'isFull' | 'onRoom'>
  /** Makes spans of attempts. Default: nobody does. */
  readonly tracing?: Tracing | undefined
  /** Told of each end, so that those who wait in this process need not ask the store. */
  readonly onEnd: (jobId: string) => void
}

/** `%h` is the host, `%p` the process id, as Celery has it. */
export function workerName(pattern: string): string {
  return pattern.replaceAll('%h', hostname()).replaceAll('%p', String(process.pid))
}

/** How long handlers may take to answer the abort of a stop. */
const abortGraceMs = 2000
/** How long a stop waits for a store that is away. */
const lastWordsMs = 10_000
const hurriedWordsMs = 1000
/** What hooks have, where jobs have used up the grace. */
const leastHooksMs = 1000
/** Ends that may wait for the store before no more is taken. */
export const defaultMostUnsettled = 2000

export function createWorker(deps: WorkerDeps): Worker {
  const { store, dispatcher, tasks, log, events = createEvents(log) } = deps
  const board = createBoard()
  const name = workerName(deps.name)
  const startedAt = new Date()
  let workerId = ''
  let { served, concurrency } = deps
  let intakes: Intakes | undefined
  let gate: Gate | undefined
  let stopped: Promise<void> | undefined
  let hurry: (() => void) | undefined

  const runner = createRunner({
    mostUnsettled: defaultMostUnsettled,
    ...deps,
    board,
    teller: createTeller(events, store),
    jobLogs: deps.logs && createJobLogs({ store, log, ...deps.logs }),
    queues: served.open,
    onChange: () => intakes?.adjust(),
    onFreed: () => gate?.noticeFreed(),
  })
  const lease = deps.lease({
    ...deps,
    board,
    onLost: () => void beginAnew(),
    onSilent: distrust,
    onReconnected: runner.holdOn,
  })
  const ignoreRoom = deps.hooks?.onRoom(() => intakes?.adjust())
  const cancelRequests = watchCancelRequests({
    store,
    running: runner.runningIds,
    onCancel: (jobId) => runner.abort(jobId, new CancelledError('The job was cancelled.')),
  })

  return {
    name,
    get id() {
      return workerId
    },
    async start() {
      await register()
      if (stopped) return
      const door = {
        ...deps,
        served,
        slots: runner,
        workerId: () => workerId,
        onClaimed: runner.hold,
        onExpired(jobId: string) {
          deps.onEnd(jobId)
          void tellEnds({ events, store }, 'expired', [jobId])
        },
        holds: runner.holds,
      }
      const opened = createGate(door)
      gate = opened
      intakes = createIntakes({
        ...door,
        knows: (task) => tasks.get(task) !== undefined,
        onClaimed(queue, job, claimedBy) {
          if (opened.mustWait(job)) opened.sendBack(job, claimedBy)
          else runner.hold(queue, job, claimedBy)
        },
      })
      intakes.adjust()
      tellStarted()
    },
    stop(graceMs = deps.graceMs) {
      if (graceMs < deps.graceMs) hurry?.()
      stopped ??= stop(graceMs)
      return stopped
    },
    resize(next) {
      concurrency = next
      deps.pool.resize(next)
      runner.resize(next)
    },
    serve(next) {
      served = next
      intakes?.serve(next)
      runner.serve(next.open)
      gate?.serve(next)
    },
    restartPool: deps.pool.restart,
    get served() {
      return served
    },
    get concurrency() {
      return concurrency
    },
    get holdsLease() {
      return lease.isHeld
    },
    get isStopping() {
      return stopped !== undefined
    },
    startedAt,
    held: runner.held,
    get running() {
      return runner.running
    },
    get reserved() {
      return runner.reserved
    },
    get unsettled() {
      return runner.unsettled
    },
    get children() {
      return deps.pool.children
    },
    get processed() {
      return runner.processed
    },
    get outcomes() {
      return runner.outcomes
    },
  }

  async function register(): Promise<void> {
    const identity = { workerId: uuidv7(), lockKey: newLockKey() }
    while (!(await writeRow(identity.workerId, identity.lockKey))) {
      if (stopped) return
      await sleep(registerPauseMs)
    }
    if (stopped) return sayGoodbye(identity.workerId)
    workerId = identity.workerId
    await lease.begin(identity)
  }

  async function writeRow(id: string, lockKey: bigint): Promise<boolean> {
    try {
      await store.registerWorker({
        id,
        name,
        host: hostname(),
        pid: process.pid,
        ...deps.about,
        queues: served.queues,
        tasks: tasks.names(),
        taskOptions: tasks.announcement?.() ?? '{}',
        concurrency,
        version: deps.version,
        configHash: deps.configHash,
        missedLimit: Math.max(3, Math.ceil(deps.leaseMs / deps.heartbeatMs)),
        lockKey,
      })
      return true
    } catch (error) {
      log.warn(`The worker waits for the store: ${error instanceof Error ? error.message : String(error)}`)
      return false
    }
  }

  /** It was silent for so long that its jobs were given to others. What it still runs can write nothing. */
  async function beginAnew(): Promise<void> {
    if (stopped) return
    log.warn('This worker was silent past its lease, and its jobs were given to others. It begins anew.')
    // What it claimed now would be claimed by one that nobody looks after.
    workerId = ''
    runner.abortAll(new WorkerLostError('The worker was silent past its lease; the job may run elsewhere.'))
    await register()
    if (workerId) tellStarted()
  }

  function tellStarted(): void {
    events.emit('worker.started', { worker: { id: workerId, name }, queues: served.queues, concurrency })
  }

  function distrust(reason: string): void {
    if (runner.running > 0)
      log.warn(`The lease cannot be renewed (${reason}); running jobs are asked to stop.`)
    runner.abortAll(new WorkerLostError('The worker cannot renew its lease; the job may run elsewhere.'))
  }

  /** take no more → let finish → abort → give back → say goodbye */
  async function stop(graceMs: number): Promise<void> {
    const hurried = new Promise<void>((resolve) => {
      hurry = resolve
    })
    const until = performance.now() + graceMs
    const intakesStopped = Promise.all([intakes?.stop(), gate?.stop()])
    runner.drain()
    await within(graceMs, Promise.race([runner.idle(), hurried]))
    if (runner.running > 0) await abortRest()
    await intakesStopped
    await within(lastWordsMs, Promise.race([runner.settled(), hurried.then(() => sleep(hurriedWordsMs))]))
    await within(lastWordsMs, dispatcher.settled())
    await deps.pool.close()
    cancelRequests.close()
    ignoreRoom?.()
    await within(Math.max(leastHooksMs, until - performance.now()), Promise.race([hooksSettled(), hurried]))
    tellWhatIsLeft()
    // A worker that could not record everything says no goodbye: the lost pass looks after its jobs.
    if (runner.unsettled > 0) runner.forsake()
    else if (workerId) await sayGoodbye(workerId)
    if (workerId)
      events.emit('worker.stopped', { worker: { id: workerId, name }, processed: runner.processed })
    await lease.stop()
  }

  async function hooksSettled(): Promise<void> {
    await deps.hooks?.settled()
  }

  async function abortRest(): Promise<void> {
    log.warn(`${count(runner.running, 'job is', 'jobs are')} asked to stop.`)
    runner.abortAll(new ShutdownError('The worker stops; the job will run again elsewhere.'))
    await within(abortGraceMs, runner.idle())
    if (runner.running > 0)
      log.warn(`${count(runner.running, 'job does', 'jobs do')} not heed the signal, and will be cut off.`)
    runner.abandonAll()
    await runner.idle()
  }

  function tellWhatIsLeft(): void {
    if (runner.returned > 0)
      log.warn(`${count(runner.returned, 'job was', 'jobs were')} given back, to run again elsewhere.`)
    if (runner.unsettled > 0)
      log.error(
        `The store is away, so ${count(runner.unsettled, 'job is', 'jobs are')} left to the pass for lost workers, and may run again.`,
      )
  }

  async function sayGoodbye(id: string): Promise<void> {
    await store.stopWorker(id).catch(() => {})
  }
}

const registerPauseMs = 1000

function count(jobs: number, one: string, many: string): string {
  return `${jobs} ${jobs === 1 ? one : many}`
}
