import { hostname } from 'node:os'
import { v7 as uuidv7 } from 'uuid'
import type { Broker } from '../broker/broker.js'
import type { Dispatcher } from '../enqueue/dispatch.js'
import { CancelledError, ShutdownError, WorkerLostError } from '../errors.js'
import type { ClaimedJob, Store } from '../store/store.js'
import { sleep, within } from '../waiting.js'
import type { AttemptLog, RunnableTask } from './attempt.js'
import { createBoard } from './board.js'
import { watchCancelRequests } from './cancel.js'
import { createIntakes, type Intakes } from './intake.js'
import { createLease, newLockKey } from './lease.js'
import { createRunner } from './runner.js'

/** A process that runs jobs: intakes bring them, a runner runs them, a lease says that it lives. */
export interface Worker {
  readonly name: string
  /** Resolves when the lease is held and jobs are taken. Waits for servers that are not there yet. */
  start(): Promise<void>
  /**
   * Takes no more, lets running jobs finish for `graceMs`, aborts them, and gives back what is left. Idempotent; a later
   * call with a shorter grace hurries the first.
   */
  stop(graceMs?: number): Promise<void>
  readonly running: number
  /** Attempts that have ended, since the start. */
  readonly processed: number
}

export interface WorkerDeps {
  readonly store: Store
  readonly broker: Broker
  readonly dispatcher: Dispatcher
  /** For the lease thread's own connection; not through a transaction pooler. */
  readonly databaseUrl: string
  readonly tasks: { get(name: string): RunnableTask | undefined; names(): readonly string[] }
  /** In the order in which they are served. */
  readonly queues: readonly string[]
  readonly concurrency: number
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
  readonly jobLog: (job: ClaimedJob) => AttemptLog
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
const defaultMostUnsettled = 2000

export function createWorker(deps: WorkerDeps): Worker {
  const { store, dispatcher, tasks, log } = deps
  const board = createBoard()
  const name = workerName(deps.name)
  let workerId = ''
  let intakes: Intakes | undefined
  let stopped: Promise<void> | undefined
  let hurry: (() => void) | undefined

  const runner = createRunner({
    mostUnsettled: defaultMostUnsettled,
    ...deps,
    board,
    queues: deps.queues.length,
    onChange: () => intakes?.adjust(),
  })
  const lease = createLease({
    ...deps,
    url: deps.databaseUrl,
    board,
    onLost: () => void beginAnew(),
    onSilent: distrust,
    onReconnected: runner.holdOn,
  })
  const cancelRequests = watchCancelRequests({
    store,
    running: runner.runningIds,
    onCancel: (jobId) => runner.abort(jobId, new CancelledError('The job was cancelled.')),
  })

  return {
    name,
    async start() {
      await register()
      if (stopped) return
      intakes = createIntakes({
        ...deps,
        slots: runner,
        workerId: () => workerId,
        knows: (task) => tasks.get(task) !== undefined,
        onClaimed: runner.hold,
        holds: runner.holds,
      })
      intakes.adjust()
    },
    stop(graceMs = deps.graceMs) {
      if (graceMs < deps.graceMs) hurry?.()
      stopped ??= stop(graceMs)
      return stopped
    },
    get running() {
      return runner.running
    },
    get processed() {
      return runner.processed
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
        queues: deps.queues,
        tasks: tasks.names(),
        concurrency: deps.concurrency,
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
    const intakesStopped = intakes?.stop()
    runner.drain()
    await within(graceMs, Promise.race([runner.idle(), hurried]))
    if (runner.running > 0) await abortRest()
    await intakesStopped
    await within(lastWordsMs, Promise.race([runner.settled(), hurried.then(() => sleep(hurriedWordsMs))]))
    await within(lastWordsMs, dispatcher.settled())
    cancelRequests.close()
    tellWhatIsLeft()
    // A worker that could not record everything says no goodbye: the lost pass looks after its jobs.
    if (runner.unsettled > 0) runner.forsake()
    else if (workerId) await sayGoodbye(workerId)
    await lease.stop()
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
