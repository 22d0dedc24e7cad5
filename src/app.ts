import { validate as isUuid } from 'uuid'
import { type Backend, openBackend } from './backend.js'
import { workerAdvice } from './config/advice.js'
import { configDifferences, configHash } from './config/agreement.js'
import type { Config, WorkerConfig } from './config/resolve.js'
import { createBackpressure } from './enqueue/backpressure.js'
import { createEnqueuer, type EnqueueTarget } from './enqueue/enqueue.js'
import { Handle, type HandleHost } from './enqueue/handle.js'
import { createHold } from './enqueue/hold.js'
import { createUnserved } from './enqueue/unserved.js'
import { createWatcher } from './enqueue/watch.js'
import { ClosedError, DiscoveryError, StoreUnavailableError } from './errors.js'
import type { CancelAnswer, EnqueueOptions, Job, JobHandle, JobStatus } from './job/job.js'
import { toStatus } from './job/status.js'
import { type Maintenance, startMaintenance } from './maintain/maintain.js'
import type { Store } from './store/store.js'
import type { AnyTask } from './task/define.js'
import type { RegisteredTask, TaskRegistry } from './task/registry.js'
import { queuesOf, toRetentionBook, toRunnable, toTarget } from './tasks.js'
import { createHealth, type Health } from './telemetry/health.js'
import { createJobLog, type Logger } from './telemetry/log.js'
import { version } from './version.js'
import { createWorker, type Worker } from './worker/worker.js'

/** Everything of one `celeriac()` but Express: what middleware, command line and dashboard stand on. */
export interface App {
  readonly config: Config
  readonly log: Logger
  /** Once they are found. */
  tasks(): Promise<TaskRegistry>
  /** The servers, within the deadline. */
  backend(): Promise<Backend>
  /** Resolves when the tasks are known and both servers answer. @throws the first thing that stands in the way */
  ready(): Promise<Backend>
  /** Never rejects. */
  health(): Promise<Health>

  enqueue(task: AnyTask | string, payload: unknown, options?: EnqueueOptions): Promise<JobHandle>
  enqueueMany(
    task: AnyTask | string,
    payloads: readonly unknown[],
    options?: EnqueueOptions,
  ): Promise<JobHandle[]>
  /** A handle for an id; nobody looks whether there is such a job. */
  handle(id: string): JobHandle
  find(id: string): Promise<Job | undefined>
  toStatus(job: Job): Promise<JobStatus>
  ended(id: string, timeoutMs: number, signal?: AbortSignal): Promise<boolean>
  cancel(id: string, by: string | null, reason: string | null): Promise<CancelAnswer>
  /** Puts a failed, cancelled or expired job back into its queue; `false` when there is none such. */
  retry(id: string): Promise<boolean>
  /** What the maintenance of this process has repaired so far: jobs by pass. */
  repaired(): Readonly<Record<string, number>>

  /** The queues that a worker with these settings serves. */
  queuesFor(settings: WorkerConfig): Promise<readonly string[]>
  startWorker(settings: WorkerConfig): Promise<Worker>
  /** Idempotent. Stops the workers first. */
  close(): Promise<void>
}

export interface AppParts {
  readonly log: Logger
  /** Begun by the caller; an enqueue waits for it. */
  readonly tasks: Promise<TaskRegistry>
  /** What no waiting mends: a tasks file that throws, an embedded server without its package. */
  readonly onFatal: (error: unknown) => void
}

function lateMessage(deadlineMs: number): string {
  return `The tasks files were not loaded within ${deadlineMs} ms. Does one of them await something at its top level, such as jobs.ready()?`
}

/** Two processes that disagree on their broker or their leases harm each other's jobs without a word. */
async function warnOfDifferences(store: Store, config: Config, log: Logger): Promise<void> {
  const own = configHash(config)
  for (const { name, configHash: other } of await store.liveWorkers()) {
    const options = configDifferences(own, other)
    if (options.length === 0) continue
    log.warn(
      `Worker ${name} runs with another ${options.join(', ')} than this process. Let both read one celeriac.config.`,
    )
  }
}

/** Who asks how a process is does not wait for long. */
const longestProbeMs = 2000

function opened(backend: Backend | undefined): Backend {
  if (backend) return backend
  throw new StoreUnavailableError('The store is not ready yet.')
}

function unservedMessage(config: Config, queue: string): string {
  return `Jobs wait in queue "${queue}", and no worker serves it. ${workerAdvice(config, queue)}`
}

/** Wires the parts of one app together. Connects in the background; nothing here waits for a server. */
export function openApp(config: Config, { log, tasks, onFatal }: AppParts): App {
  const hold = createHold()
  const opening = openBackend(config, hold, log)
  const backend = () => opening.ready()
  const watcher = createWatcher({ endedAmong: async (ids) => (await backend()).store.endedAmong(ids) })
  const unserved = createUnserved(
    () => opening.present?.store,
    (queue) => log.warn(unservedMessage(config, queue)),
  )
  const handles: HandleHost = {
    hold,
    async status(id) {
      const job = await find(id)
      return job && describe(job)
    },
    ended,
    cancel,
  }
  const enqueuer = createEnqueuer({
    writePath: () => opening.present ?? backend(),
    handles,
    hold,
    ownerOf: config.owner,
    backpressure:
      config.backpressure &&
      createBackpressure({
        limits: config.backpressure,
        load: async (questions) => (await backend()).store.load(questions),
      }),
  })
  const health = createHealth({
    store: async () => opened(opening.present).store.probe(),
    broker: async () => opened(opening.known).broker.ping(),
    deadlineMs: Math.min(config.deadlineMs, longestProbeMs),
  })
  const targets = new Map<RegisteredTask, EnqueueTarget>()
  const workers = new Set<Worker>()
  let registry: TaskRegistry | undefined
  let maintenance: Maintenance | undefined
  let closing: Promise<void> | undefined

  tasks.then((found) => {
    registry = found
  }, onFatal)
  opening.opened.then(({ store, broker, dispatcher }) => {
    if (closing) return
    store.onCommitted(unserved.noticeCommitted)
    warnOfDifferences(store, config, log).catch(() => {})
    maintenance = startMaintenance(
      {
        store,
        broker,
        dispatcher,
        maxLost: config.maxLost,
        retention: toRetentionBook(() => registry, config),
        log,
      },
      config.heartbeatMs,
    )
  }, onFatalUnlessClosed)

  return {
    config,
    log,
    tasks: () => tasks,
    backend,
    ready: () => hold.during(ready()),
    health: () => hold.during(health()),
    async enqueue(task, payload, options) {
      const target = targetOf(task)
      return enqueuer.enqueue(target instanceof Promise ? await target : target, payload, options)
    },
    enqueueMany: async (task, payloads, options) =>
      enqueuer.enqueueMany(await targetOf(task), payloads, options),
    handle: (id) => new Handle(handles, id, '', false),
    find,
    toStatus: describe,
    ended,
    cancel,
    retry: (id) => hold.during(retry(id)),
    repaired: () => maintenance?.repaired() ?? {},
    queuesFor,
    startWorker,
    close() {
      closing ??= close()
      return closing
    },
  }

  async function ready(): Promise<Backend> {
    await tasks
    const found = await backend()
    await found.store.ping()
    await found.broker.ping()
    return found
  }

  function targetOf(task: AnyTask | string): EnqueueTarget | Promise<EnqueueTarget> {
    if (!registry) return hold.during(withinDeadline(tasks)).then((known) => toKnownTarget(known, task))
    return toKnownTarget(registry, task)
  }

  function toKnownTarget(known: TaskRegistry, task: AnyTask | string): EnqueueTarget {
    const registered = known.get(typeof task === 'string' ? task : known.nameOf(task))
    const present = targets.get(registered)
    if (present) return present
    const target = toTarget(registered, config)
    targets.set(registered, target)
    return target
  }

  /** Discovery may never end: a tasks file may wait for something that waits for it. */
  async function withinDeadline(found: Promise<TaskRegistry>): Promise<TaskRegistry> {
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new DiscoveryError(lateMessage(config.deadlineMs))), config.deadlineMs)
    })
    return Promise.race([found, late]).finally(() => clearTimeout(timer))
  }

  async function retry(id: string): Promise<boolean> {
    if (!isUuid(id)) return false
    const { store, dispatcher } = await backend()
    const redelivery = await store.retry(id)
    if (redelivery) dispatcher.send([redelivery])
    return redelivery !== undefined
  }

  async function find(id: string): Promise<Job | undefined> {
    // What is no id of ours is the id of no job; the database would take it for an error.
    if (!isUuid(id)) return undefined
    return (await backend()).store.find(id)
  }

  async function describe(job: Job): Promise<JobStatus> {
    const status = toStatus(job)
    return (await unserved.isWaiting(job)) ? { ...status, waitingFor: 'worker' } : status
  }

  async function ended(id: string, timeoutMs: number, signal?: AbortSignal): Promise<boolean> {
    return isUuid(id) ? watcher.ended(id, timeoutMs, signal) : true
  }

  async function cancel(id: string, by: string | null, reason: string | null): Promise<CancelAnswer> {
    if (!isUuid(id)) return 'unknown'
    const answer = await (await backend()).store.cancel(id, by, reason)
    if (answer === 'cancelled') watcher.noticeEnd(id)
    return answer
  }

  async function queuesFor({ queues }: WorkerConfig): Promise<readonly string[]> {
    return queues ?? queuesOf(await tasks, config)
  }

  async function startWorker(settings: WorkerConfig): Promise<Worker> {
    const known = await tasks
    const { store, broker, dispatcher, directUrl } = await opening.opened
    const worker = createWorker({
      ...settings,
      queues: await queuesFor(settings),
      store,
      broker,
      dispatcher,
      databaseUrl: directUrl,
      tasks: toRunnable(known, config),
      version,
      configHash: configHash(config),
      leaseMs: config.leaseMs,
      heartbeatMs: config.heartbeatMs,
      maxLost: config.maxLost,
      stuckAfterMs: config.stuckAfterMs,
      maxResult: config.maxResult,
      log,
      jobLog: (job) => createJobLog(log, job),
      onEnd: watcher.noticeEnd,
    })
    workers.add(worker)
    await config.onWorkerStart?.()
    if (closing) throw new ClosedError('This celeriac() has been closed.')
    await worker.start()
    return worker
  }

  function onFatalUnlessClosed(error: unknown): void {
    if (!closing) onFatal(error)
  }

  async function close(): Promise<void> {
    unserved.close()
    await Promise.all([...workers].map((worker) => worker.stop()))
    try {
      if (workers.size > 0) await config.onWorkerStop?.()
    } finally {
      await maintenance?.close()
      watcher.close()
      await opening.close()
      hold.close()
    }
  }
}
