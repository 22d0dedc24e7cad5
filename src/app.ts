import { extname } from 'node:path'
import { validate as isUuid } from 'uuid'
import type { Backend, OpenBackend } from './backend.js'
import type { Broker } from './broker/broker.js'
import { workerAdvice } from './config/advice.js'
import { configDifferences, configHash } from './config/agreement.js'
import { maskedConfig } from './config/masked.js'
import type { Config, WorkerConfig } from './config/resolve.js'
import { type Bulk, createBulk, toNamedTasks } from './control/bulk.js'
import { type Control, createControl, createInspect, type Inspect } from './control/control.js'
import { createDoor } from './control/door.js'
import { toStoredFilter, toStoredPage } from './control/filter.js'
import { createSettings } from './control/settings.js'
import { type ClusterStatus, clusterStatus, unservedQueues } from './control/status.js'
import type { WorkerReport } from './control/verbs.js'
import { createAnnounced } from './enqueue/announced.js'
import { createBackpressure } from './enqueue/backpressure.js'
import { createEnqueuer, type EnqueueTarget } from './enqueue/enqueue.js'
import { openEvents } from './enqueue/events.js'
import { createFollower } from './enqueue/follow.js'
import { Handle, type HandleHost } from './enqueue/handle.js'
import { createHold } from './enqueue/hold.js'
import { createLimitBook } from './enqueue/limit-book.js'
import { createLimits, type Limits } from './enqueue/limits.js'
import { createUnserved } from './enqueue/unserved.js'
import { createWatcher } from './enqueue/watch.js'
import { ClosedError, DiscoveryError, MigrationError, StoreUnavailableError } from './errors.js'
import { plainValues } from './job/codec.js'
import type { EventsOptions, JobEvent, JobLogLine } from './job/event.js'
import type { FoundJobs, JobFilter, MatchCount, SearchPage } from './job/filter.js'
import type {
  CancelAnswer,
  EnqueuedStream,
  EnqueueOptions,
  EnqueueStreamOptions,
  Job,
  JobHandle,
  JobStatus,
} from './job/job.js'
import { toStatus } from './job/status.js'
import { type Maintenance, startMaintenance } from './maintain/maintain.js'
import type { Committed, Setting, Store } from './store/store.js'
import type { PayloadSource } from './task/binding.js'
import { checkPositiveInteger } from './task/check.js'
import type { AnyTask } from './task/define.js'
import { fromPayloadText, fromText } from './task/payload.js'
import type { RegisteredTask, TaskRegistry } from './task/registry.js'
import {
  homesOf,
  queuesOf,
  toAnnouncedTarget,
  toHooked,
  toRetentionBook,
  toRunnable,
  toTarget,
} from './tasks.js'
import { tellEnds } from './telemetry/ends.js'
import { logEvents } from './telemetry/event-log.js'
import { createEvents, type Emitter } from './telemetry/events.js'
import { createHealth, type Health } from './telemetry/health.js'
import { type HealthPort, openHealthPort } from './telemetry/health-port.js'
import { createHookCaller } from './telemetry/hooks.js'
import { createJobLog, type Logger } from './telemetry/log.js'
import type { ClusterReading } from './telemetry/metrics/cluster.js'
import {
  createClusterMetrics,
  createProcessMetrics,
  type Exposition,
} from './telemetry/metrics/exposition.js'
import { type MetricsPort, openMetricsPort } from './telemetry/metrics-port.js'
import { packageVersions } from './telemetry/packages.js'
import { createReadiness, type Readiness } from './telemetry/readiness.js'
import { version } from './version.js'
import { rest, sleep, within } from './waiting.js'
import { type Attendance, attend } from './worker/attend.js'
import { type Condition, troublesOf, watchCondition } from './worker/condition.js'
import { createPool, type Pool } from './worker/pool/pool.js'
import { toServed } from './worker/served.js'
import { type Course, toCourse } from './worker/steering.js'
import { watchTaking } from './worker/taking.js'
import { createWorker, defaultMostUnsettled, type Worker, workerName } from './worker/worker.js'

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
  /** Whether this process can do all of its work, and if not, why. Never rejects. */
  readiness(): Promise<Readiness>
  /** How the whole cluster is: servers, workers, queues, and what is wrong. Never rejects. */
  status(): Promise<ClusterStatus>

  enqueue(task: AnyTask | string, payload: unknown, options?: EnqueueOptions): Promise<JobHandle>
  enqueueMany(
    task: AnyTask | string,
    payloads: readonly unknown[],
    options?: EnqueueOptions,
  ): Promise<JobHandle[]>
  /** Chunk by chunk, for any number of payloads. */
  enqueueStream(
    task: AnyTask | string,
    source: PayloadSource,
    options?: EnqueueStreamOptions,
  ): Promise<EnqueuedStream>
  /** A handle for an id; nobody looks whether there is such a job. */
  handle(id: string): JobHandle
  find(id: string): Promise<Job | undefined>
  toStatus(job: Job): Promise<JobStatus>
  ended(id: string, timeoutMs: number, signal?: AbortSignal): Promise<boolean>
  /** What happens to a job, until its end. */
  events(id: string, options?: EventsOptions): AsyncIterableIterator<JobEvent>
  logs(id: string, limit: number): Promise<JobLogLine[]>
  cancel(id: string, by: string | null, reason: string | null): Promise<CancelAnswer>
  /** Listens to what this process records. */
  readonly on: Emitter['on']
  readonly off: Emitter['off']
  /** Puts a failed, cancelled or expired job back into its queue; `false` when there is none such. */
  retry(id: string): Promise<boolean>
  /** Jobs by what is known of them, page by page. */
  search(filter?: JobFilter, page?: SearchPage): Promise<FoundJobs>
  /** How many jobs match, up to `most`. */
  count(filter?: JobFilter, most?: number): Promise<MatchCount>
  /** The same for many jobs at once. */
  readonly bulk: Bulk
  readonly limits: Limits
  /** Commands to workers, wherever they run. */
  readonly control: Control
  /** Questions to workers. */
  readonly inspect: Inspect
  /** What Prometheus reads of the whole installation. */
  metrics(): Promise<Exposition>
  /** What the maintenance of this process has repaired so far: jobs by pass. */
  repaired(): Readonly<Record<string, number>>
  /** Runs these passes now; they run by themselves now and then. */
  maintain(passes: readonly string[]): Promise<void>
  /** Resolves when all hooks that have been called have ended, or had their time. */
  hooksEnded(): Promise<void>

  /** The queues that a worker with these settings serves. */
  queuesFor(settings: WorkerConfig): Promise<readonly string[]>
  startWorker(settings: WorkerConfig): Promise<Worker>
  /**
   * Calls `listener` when a worker of this process is asked to shut down, at once or when its jobs have ended. Without a
   * listener the worker stops, and the process goes on.
   */
  onShutdownAsked(listener: (now: boolean) => void): () => void
  /** Idempotent. Stops the workers first. */
  close(): Promise<void>
}

export interface AppParts {
  readonly log: Logger
  /** Begun by the caller; an enqueue waits for it. */
  readonly tasks: Promise<TaskRegistry>
  /** What no waiting mends: a tasks file that throws, an embedded server without its package. */
  readonly onFatal: (error: unknown) => void
  readonly openBackend: OpenBackend
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

/** How long a process that is closed waits for the hooks of what it has cancelled or found expired. A worker has waited. */
const lastHooksMs = 5000

/** A worker that cannot learn what was set waits so long before it asks again. */
const settingsPauseMs = 1000

const knownPauseMs = 20

/** Who asks how a process is does not wait for long. */
const longestProbeMs = 2000

function opened(backend: Backend | undefined): Backend {
  if (backend) return backend
  throw new StoreUnavailableError('The store is not ready yet.')
}

function unservedMessage(config: Config, queue: string): string {
  return `Jobs wait in queue "${queue}", and no worker serves it. ${workerAdvice(config, queue)}`
}

/** How the threads and processes of a worker's pool are made. */
function childrenOf(config: Config, { concurrency, maxJobsPerChild, maxMemoryPerChild }: WorkerConfig) {
  const { file, root, onWorkerStart, onWorkerStop, values, tracing, maxPayload, maxResult } = config
  const needsConfig = onWorkerStart || onWorkerStop || tracing || values !== plainValues
  return {
    program: new URL(`./pool-child${extname(import.meta.url)}`, import.meta.url),
    root,
    config: needsConfig ? file : undefined,
    maxPayload,
    maxResult,
    size: concurrency,
    recycling: { maxJobs: maxJobsPerChild, maxMemory: maxMemoryPerChild },
  }
}

/** Wires the parts of one app together. Connects in the background; nothing here waits for a server. */
export function openApp(config: Config, { log, tasks, onFatal, openBackend }: AppParts): App {
  const hold = createHold()
  const opening = openBackend(config, hold, log)
  const backend = () => opening.ready()
  const watcher = createWatcher({ endedAmong: async (ids) => (await backend()).store.endedAmong(ids) })
  const follower = createFollower({ look: async (looks) => (await backend()).store.look(looks) })
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
    events,
    logs,
  }
  const enqueuer = createEnqueuer({
    writePath: () => opening.present ?? backend(),
    handles,
    hold,
    ownerOf: config.owner,
    deadlineMs: config.deadlineMs,
    contextRules: { localeOf: config.locale, valuesOf: config.context },
    values: config.values,
    tracing: config.tracing,
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
  const statusDeps = {
    // Whoever asks for the cluster asks of servers that are known, whether or not this process is through with its start.
    health: createHealth({
      store: async () => opened(opening.known).store.probe(),
      broker: async () => opened(opening.known).broker.ping(),
      deadlineMs: Math.min(config.deadlineMs, longestProbeMs),
    }),
    lacksTables,
    store: async () => opened(opening.known).store,
    advice: (queue: string) => workerAdvice(config, queue),
    leaseMs: config.leaseMs,
    heartbeatMs: config.heartbeatMs,
  }
  const conditions = new Set<Condition>()
  let workersAsked = 0
  let hasOpenJobs = true
  const readiness = createReadiness({
    health,
    lacksTables,
    unservedQueues: () => unservedQueues(statusDeps),
    ofWorkers: () => troublesOf(conditions, workersAsked, closing !== undefined),
  })
  const limits = createLimitBook({
    registry: () => registry,
    queues: config.queueLimits,
    parse: ({ name, task }, text) => fromPayloadText(name, task, text, config.values),
    log,
  })
  const emitter = createEvents(log)
  const hooks = createHookCaller({ events: emitter, shared: config.hooks, log })
  const limitControl = createLimits({
    book: limits,
    store: async () => (await backend()).store,
    registry: () => tasks,
  })
  const settings = createSettings()
  const metrics = createClusterMetrics(readCluster)
  const door = createDoor(async () => (await backend()).store)
  const heldDoor: typeof door = {
    ask: (...args) => hold.during(door.ask(...args)),
    targets: (options) => hold.during(door.targets(options)),
  }
  const controlDeps = {
    door: heldDoor,
    limits: limitControl,
    store: async () => (await backend()).store,
    registry: () => tasks,
  }
  const attendances = new Set<Attendance>()
  const shutdownListeners = new Set<(now: boolean) => void>()
  const plainBulk = createBulk({
    store: async () => (await backend()).store,
    onCancelled: noticeCancelled,
    send: (redeliveries) => opened(opening.present).dispatcher.send(redeliveries),
    namesOf,
  })
  const bulk: Bulk = {
    cancel: (...args) => hold.during(plainBulk.cancel(...args)),
    retry: (...args) => hold.during(plainBulk.retry(...args)),
    delete: (...args) => hold.during(plainBulk.delete(...args)),
    promote: (...args) => hold.during(plainBulk.promote(...args)),
    move: (...args) => hold.during(plainBulk.move(...args)),
  }
  const targets = new Map<RegisteredTask, EnqueueTarget>()
  const announced = createAnnounced({
    ask: async () => (await backend()).store.announcedTasks(),
    ownNames: () => registry?.names ?? [],
  })
  const workers = new Set<Worker>()
  let heedsSettings = false
  let registry: TaskRegistry | undefined
  let maintenance: Maintenance | undefined
  let healthPort: Promise<HealthPort> | undefined
  let metricsPort: Promise<MetricsPort> | undefined
  let closing: Promise<void> | undefined

  tasks.then((found) => {
    registry = found
    hooks.watch(toHooked(found, config))
  }, onFatal)
  opening.opened.then(({ store, broker, dispatcher }) => {
    if (closing) return
    store.onCommitted(unserved.noticeCommitted)
    store.onCommitted(tellEnqueued)
    warnOfDifferences(store, config, log).catch(() => {})
    maintenance = startMaintenance(
      {
        store,
        broker,
        dispatcher,
        events: emitter,
        maxLost: config.maxLost,
        retention: toRetentionBook(() => registry, config),
        onRound({ settings: found, work }) {
          hasOpenJobs = work.open
          if (found) learn(found)
        },
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
    readiness: () => hold.during(readiness()),
    status: () => hold.during(untilKnown().then(() => clusterStatus(statusDeps))),
    async enqueue(task, payload, options) {
      const target = targetOf(task)
      return enqueuer.enqueue(target instanceof Promise ? await target : target, payload, options)
    },
    enqueueMany: async (task, payloads, options) =>
      enqueuer.enqueueMany(await targetOf(task), payloads, options),
    enqueueStream: async (task, source, options) =>
      enqueuer.enqueueStream(await targetOf(task), source, options),
    handle: (id) => new Handle(handles, id, '', false),
    find,
    toStatus: describe,
    ended,
    events,
    logs,
    cancel,
    on: emitter.on,
    off: emitter.off,
    retry: (id) => hold.during(retry(id)),
    search: (filter = {}, page = {}) => hold.during(search(filter, page)),
    count: (filter = {}, most = 10_000) => hold.during(count(filter, most)),
    bulk,
    limits: {
      set: (...args) => hold.during(limitControl.set(...args)),
      reset: (scope) => hold.during(limitControl.reset(scope)),
      list: () => hold.during(limitControl.list()),
    },
    control: createControl(controlDeps),
    inspect: createInspect(controlDeps),
    metrics: () => hold.during(metrics()),
    repaired: () => maintenance?.repaired() ?? {},
    maintain: async (passes) => maintenance?.run(passes),
    hooksEnded: hooks.settled,
    queuesFor,
    startWorker,
    onShutdownAsked(listener) {
      shutdownListeners.add(listener)
      return () => void shutdownListeners.delete(listener)
    },
    close() {
      closing ??= close()
      return closing
    },
  }

  /** A command asks at once, and where the servers are is known when their drivers are loaded. */
  async function untilKnown(): Promise<void> {
    const until = performance.now() + config.deadlineMs
    while (!opening.known && !closing && performance.now() < until) await rest(knownPauseMs)
  }

  /** `present` comes with the tables; a server that is known and lacks them is looked at again each time. */
  async function lacksTables(): Promise<boolean> {
    const found = opening.known
    if (!found) return false
    const trouble = await found.store.assertMigrated().catch((error: unknown) => error)
    return trouble instanceof MigrationError
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

  function toKnownTarget(
    known: TaskRegistry,
    task: AnyTask | string,
  ): EnqueueTarget | Promise<EnqueueTarget> {
    const registered = known.find(typeof task === 'string' ? task : known.nameOf(task))
    if (!registered) return hold.during(toForeignTarget(String(task)))
    const present = targets.get(registered)
    if (present) return present
    const target = toTarget(registered, config, limits)
    targets.set(registered, target)
    return target
  }

  /** Of a task that this process has no code of. */
  async function toForeignTarget(name: string): Promise<EnqueueTarget> {
    return toAnnouncedTarget(await announced.get(name), config, limits)
  }

  /** Discovery may never end: a tasks file may wait for something that waits for it. */
  async function withinDeadline(found: Promise<TaskRegistry>): Promise<TaskRegistry> {
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new DiscoveryError(lateMessage(config.deadlineMs))), config.deadlineMs)
    })
    return Promise.race([found, late]).finally(() => clearTimeout(timer))
  }

  function tellEnqueued({ deliveries }: Committed): void {
    if (!emitter.has('job.enqueued')) return
    for (const { jobId: id, task, queue, priority, dueInMs } of deliveries)
      emitter.emit('job.enqueued', { job: { id, task, queue }, priority, dueInMs })
  }

  async function retry(id: string): Promise<boolean> {
    if (!isUuid(id)) return false
    const { store, dispatcher } = await backend()
    const redelivery = await store.retry(id)
    if (redelivery) dispatcher.send([redelivery])
    return redelivery !== undefined
  }

  async function search(filter: JobFilter, page: SearchPage): Promise<FoundJobs> {
    const stored = toNamedTasks(toStoredFilter(filter), namesOf)
    return (await backend()).store.searchJobs(stored, toStoredPage(page))
  }

  async function count(filter: JobFilter, most: number): Promise<MatchCount> {
    const stored = toNamedTasks(toStoredFilter(filter), namesOf)
    return (await backend()).store.countMatching(stored, checkPositiveInteger(most, '"most"'))
  }

  /** Jobs of a renamed task stand in the store under the name of their time. */
  function namesOf(task: string): readonly string[] {
    const known = registry?.find(task)
    return known ? [known.name, ...known.definition.aliases] : [task]
  }

  async function noticeCancelled(ids: readonly string[]): Promise<void> {
    for (const id of ids) {
      watcher.noticeEnd(id)
      follower.notice(id)
    }
    await tellEnds({ events: emitter, store: (await backend()).store }, 'cancelled', ids)
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
    const { store } = await backend()
    const answer = await store.cancel(id, by, reason)
    if (answer === 'cancelled') {
      watcher.noticeEnd(id)
      await tellEnds({ events: emitter, store }, 'cancelled', [id])
    }
    follower.notice(id)
    return answer
  }

  function events(id: string, options?: EventsOptions): AsyncIterableIterator<JobEvent> {
    // What is no id of ours is the id of no job.
    const source = isUuid(id) ? follower : { next: async () => ({ isGone: true, lines: [], hasMore: false }) }
    return openEvents({ follower: source, hold, toStatus: describe }, id, options)
  }

  async function logs(id: string, limit: number): Promise<JobLogLine[]> {
    if (!isUuid(id)) return []
    const lines = await (await backend()).store.listLogs(id, 0, limit)
    return lines.map(({ number: _, ...line }) => line)
  }

  async function queuesFor({ queues }: WorkerConfig): Promise<readonly string[]> {
    return queues ?? queuesOf(await tasks, config)
  }

  async function startWorker(own: WorkerConfig): Promise<Worker> {
    const { healthPort: port } = own
    workersAsked += 1
    // Before the servers are there: a probe wants to know what it waits for.
    if (port !== null) healthPort ??= openHealthPort({ port, readiness, log })
    await healthPort
    if (own.metricsPort !== null) metricsPort ??= openMetrics(own.metricsPort)
    await metricsPort
    const known = await tasks
    const { store, broker, dispatcher, lease } = await opening.opened
    await heedSettings(store)
    const base = await baseOf(own)
    const course = toCourse(base, settings.ofWorker(workerName(own.name)))
    const conf = { ...maskedConfig(config), worker: own }
    const taking = watchTaking({
      broker,
      hasOpenJobs: () => hasOpenJobs,
      mostUnsettled: defaultMostUnsettled,
      hooks,
    })
    const worker = createWorker({
      ...own,
      concurrency: course.concurrency,
      served: toServed(course.queues, settings.isPaused),
      timeLimitOf: settings.timeLimitOf,
      about: {
        pool: own.pool,
        nodeVersion: process.version,
        appVersion: config.appVersion,
        config: JSON.stringify(conf),
      },
      store,
      broker: taking.broker,
      dispatcher,
      lease,
      tasks: toRunnable(known, config, own.pool),
      limits,
      pool: openPool(known, { ...own, concurrency: course.concurrency }, store),
      version,
      configHash: configHash(config),
      leaseMs: config.leaseMs,
      heartbeatMs: config.heartbeatMs,
      maxLost: config.maxLost,
      stuckAfterMs: config.stuckAfterMs,
      maxResult: config.maxResult,
      log,
      jobLog: (job, keep, hide) => createJobLog(log, job, keep, hide),
      logs: config.logs,
      tracing: config.tracing,
      events: emitter,
      hooks,
      onEnd(jobId) {
        watcher.noticeEnd(jobId)
        follower.notice(jobId)
      },
    })
    // Its log has a line for each attempt.
    if (workers.size === 0) logEvents(emitter, log)
    workers.add(worker)
    const condition = watchCondition({ worker, taking })
    conditions.add(condition)
    await config.onWorkerStart?.()
    if (closing) throw new ClosedError('This celeriac() has been closed.')
    const attendance = attend({
      ...{ worker, condition, base, settings, store, conf, log },
      isInline: own.pool === 'inline',
      learn: () => learnFrom(store),
      taskNames: () => known.names,
      report: () => reportOf(conf, store, broker),
      shutdown: (now) => shutdown(worker, attendance, now),
    })
    attendances.add(attendance)
    await worker.start()
    return worker
  }

  /** Its threads and processes run handlers; what these enqueue goes through this process. */
  function openPool(known: TaskRegistry, settings: WorkerConfig, store: Store): Pool {
    const toEnqueued = ({ id, created }: JobHandle) => ({ id, created })
    const toPayload = (text: string) => fromText(text, config.values)
    return createPool({
      ...childrenOf(config, settings),
      homes: homesOf(known, config),
      host: {
        enqueue: async (task: string, text: string, options?: EnqueueOptions) =>
          toEnqueued(await enqueuer.enqueue(await targetOf(task), toPayload(text), options)),
        enqueueMany: async (task: string, texts: readonly string[], options?: EnqueueOptions) =>
          (await enqueuer.enqueueMany(await targetOf(task), texts.map(toPayload), options)).map(toEnqueued),
        status: handles.status,
        ended,
        cancel,
        logs,
        installation: store.installation,
      },
    })
  }

  async function readCluster(): Promise<ClusterReading> {
    const { store } = await backend()
    const [moves, sights] = await Promise.all([store.moves(), store.sights()])
    return { moves, sights }
  }

  function openMetrics(port: number): Promise<MetricsPort> {
    const ofProcess = createProcessMetrics(() => {
      const [worker] = workers
      if (!worker) return undefined
      const { concurrency: slots, running, reserved, unsettled, children, outcomes } = worker
      return { slots, running, reserved, unsettled, children, outcomes }
    })
    return openMetricsPort({ port, ofProcess, ofCluster: metrics, log })
  }

  /** What a worker goes by where nothing was set for it. */
  async function baseOf(own: WorkerConfig): Promise<Course> {
    const { concurrency, autoscale } = own
    return { concurrency, autoscale, queues: await queuesFor(own), logLevel: String(log.level) }
  }

  function reportOf(conf: Readonly<Record<string, unknown>>, store: Store, broker: Broker): WorkerReport {
    return {
      celeriac: version,
      node: process.version,
      platform: `${process.platform} ${process.arch}`,
      app: config.appVersion,
      packages: packageVersions(),
      broker: broker.address,
      store: store.address,
      conf,
    }
  }

  function shutdown(worker: Worker, attendance: Attendance, now: boolean): 'ends' | 'stays' {
    for (const listen of shutdownListeners) listen(now)
    if (shutdownListeners.size > 0) return 'ends'
    void worker.stop(now ? 0 : undefined).then(() => attendance.close())
    return 'stays'
  }

  function learn(found: readonly Setting[]): void {
    limits.learn(found)
    settings.learn(found)
  }

  async function learnFrom(store: Store): Promise<void> {
    learn(await store.settings())
  }

  /**
   * A worker hears at once what is set while it runs; every round of maintenance reads it, too. It takes nothing before
   * it knows what was set: a queue may be paused.
   */
  async function heedSettings(store: Store): Promise<void> {
    if (!heedsSettings) store.onSettings(() => void learnFrom(store).catch(() => {}))
    heedsSettings = true
    for (;;) {
      if (closing) throw new ClosedError('This celeriac() has been closed.')
      try {
        return await learnFrom(store)
      } catch (error) {
        if (!(error instanceof StoreUnavailableError)) throw error
        await sleep(settingsPauseMs)
      }
    }
  }

  function onFatalUnlessClosed(error: unknown): void {
    if (!closing) onFatal(error)
  }

  async function close(): Promise<void> {
    unserved.close()
    await Promise.all([...attendances].map((attendance) => attendance.close()))
    await Promise.all([...workers].map((worker) => worker.stop()))
    try {
      if (workers.size > 0) await config.onWorkerStop?.()
    } finally {
      await healthPort?.then((opened) => opened.close()).catch(() => {})
      await metricsPort?.then((opened) => opened.close()).catch(() => {})
      for (const condition of conditions) condition.close()
      await maintenance?.close()
      await within(workers.size > 0 ? lastHooksMs / 5 : lastHooksMs, hooks.settled())
      watcher.close()
      follower.close()
      await opening.close()
      hold.close()
    }
  }
}
