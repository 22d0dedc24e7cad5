import { validate as isUuid } from 'uuid'
import type { Backend, OpenBackend } from './backend.js'
import { workerAdvice } from './config/advice.js'
import { configDifferences, configHash } from './config/agreement.js'
import type { Config, WorkerConfig } from './config/resolve.js'
import { type Audit, createAudit } from './control/audit.js'
import { type Bulk, createBulk } from './control/bulk.js'
import { type ByHand, createByHand } from './control/by-hand.js'
import { type Control, createControl, createInspect, type Inspect } from './control/control.js'
import { createDoor } from './control/door.js'
import { createExport, type Export } from './control/export.js'
import { toNamedTasks, toStoredFilter, toStoredPage } from './control/filter.js'
import { createInsight, type Insight } from './control/insight.js'
import type { RunListeners } from './control/operation-run.js'
import type { Operations } from './control/operations.js'
import { createOperator } from './control/operator.js'
import { createSettings } from './control/settings.js'
import { type ClusterStatus, clusterStatus, unservedQueues } from './control/status.js'
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
import { DiscoveryError, MigrationError, StoreUnavailableError } from './errors.js'
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
import type { Committed, JobOutcome, Setting, Store } from './store/store.js'
import type { PayloadSource } from './task/binding.js'
import { checkPositiveInteger } from './task/check.js'
import type { AnyTask } from './task/define.js'
import { fromPayloadText, fromText } from './task/payload.js'
import type { RegisteredTask, TaskRegistry } from './task/registry.js'
import { toAnnouncedTarget, toHooked, toRetentionBook, toTarget } from './tasks.js'
import { tellEnds } from './telemetry/ends.js'
import { createEvents, type Emitter } from './telemetry/events.js'
import { createHealth, type Health } from './telemetry/health.js'
import { createHookCaller } from './telemetry/hooks.js'
import type { Logger } from './telemetry/log.js'
import type { ClusterReading } from './telemetry/metrics/cluster.js'
import { createClusterMetrics, type Exposition } from './telemetry/metrics/exposition.js'
import { createReadiness, type Readiness } from './telemetry/readiness.js'
import { rest, within } from './waiting.js'
import type { Worker } from './worker/worker.js'
import { createWorkers } from './workers.js'

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
  /** All jobs that match, as CSV or JSON Lines. */
  readonly export: Export
  /** The same for many jobs at once. */
  readonly bulk: Bulk
  /** The same, for who does not wait for the end. */
  readonly operations: Operations
  /** Who did what. */
  readonly audit: Audit
  /** A job with what its task hides; it is noted who saw it. */
  readonly reveal: ByHand['reveal']
  /** Begins an ended job anew with another payload. */
  readonly retryWith: ByHand['retryWith']
  /** Enqueues a job for a person, not for a request. */
  readonly enqueueByHand: ByHand['enqueue']
  readonly limits: Limits
  /** Commands to workers, wherever they run. */
  readonly control: Control
  /** Questions to workers. */
  readonly inspect: Inspect
  /** What there is to see of the whole installation, now and over time. */
  readonly insight: Insight
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
  /** Aborted when it begins to close. */
  readonly closing: AbortSignal
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

const knownPauseMs = 20

/** How long a batch of an operation waits for the broker to take what it sends. The store has it. */
const longestSendMs = 1000

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
    advice: (queue: string, workers: readonly string[]) => workerAdvice(config, queue, workers),
    leaseMs: config.leaseMs,
    heartbeatMs: config.heartbeatMs,
  }
  let hasOpenJobs = true
  const readiness = createReadiness({
    health,
    lacksTables,
    unservedQueues: () => unservedQueues(statusDeps),
    ofWorkers: () => workers.troubles(),
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
  const listeners: RunListeners = {
    onCancelled: noticeCancelled,
    async send(redeliveries) {
      const { dispatcher } = opened(opening.present)
      dispatcher.send(redeliveries)
      await within(longestSendMs, dispatcher.settled())
    },
  }
  const audit = createAudit(async () => (await backend()).store)
  const operationDeps = { store: async () => (await backend()).store, listeners, namesOf }
  const plainBulk = createBulk(operationDeps)
  const operator = createOperator({ ...operationDeps, audit, hold, log })
  const bulk: Bulk = {
    cancel: (...args) => hold.during(plainBulk.cancel(...args)),
    retry: (...args) => hold.during(plainBulk.retry(...args)),
    delete: (...args) => hold.during(plainBulk.delete(...args)),
    promote: (...args) => hold.during(plainBulk.promote(...args)),
    move: (...args) => hold.during(plainBulk.move(...args)),
  }
  const byHand = createByHand({
    ...{ backend, audit, enqueuer, deadlineMs: config.deadlineMs, hasOwners: config.owner !== undefined },
    targetOf: async (task) => targetOf(task),
    async ownTargetOf(task) {
      const known = await withinDeadline(tasks)
      return known.find(task) && toKnownTarget(known, task)
    },
  })
  const targets = new Map<RegisteredTask, EnqueueTarget>()
  const announced = createAnnounced({
    ask: async () => (await backend()).store.announcedTasks(),
    ownNames: () => registry?.names ?? [],
  })
  const workers = createWorkers({
    ...{ config, log, opening, tasks, limits, settings, hooks, learn, readiness, metrics },
    events: emitter,
    onEnd(jobId) {
      watcher.noticeEnd(jobId)
      follower.notice(jobId)
    },
    host: { ...hostOf(), status: handles.status, ended, cancel, logs },
    hasOpenJobs: () => hasOpenJobs,
    isClosing: () => closing !== undefined,
  })
  let registry: TaskRegistry | undefined
  let maintenance: Maintenance | undefined
  let closing: Promise<void> | undefined
  const ending = new AbortController()

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
        takeUp: operator.takeUp,
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
    status: () => hold.during(status()),
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
    export: createExport({
      store: async () => (await hold.during(backend())).store,
      values: config.values,
      namesOf,
    }),
    bulk,
    operations: {
      start: (...args) => hold.during(operator.start(...args)),
      stop: (...args) => hold.during(operator.stop(...args)),
      resume: (...args) => hold.during(operator.resume(...args)),
      progress: (id) => hold.during(operator.progress(id)),
      ended: (...args) => hold.during(operator.ended(...args)),
      open: () => hold.during(operator.open()),
    },
    audit: {
      note: (...args) => hold.during(audit.note(...args)),
      around: (...args) => hold.during(audit.around(...args)),
      list: (query) => hold.during(audit.list(query)),
      line: (id) => hold.during(audit.line(id)),
    },
    reveal: (...args) => hold.during(byHand.reveal(...args)),
    retryWith: (...args) => hold.during(byHand.retryWith(...args)),
    enqueueByHand: (...args) => hold.during(byHand.enqueue(...args)),
    limits: {
      set: (...args) => hold.during(limitControl.set(...args)),
      reset: (scope) => hold.during(limitControl.reset(scope)),
      list: () => hold.during(limitControl.list()),
    },
    control: createControl(controlDeps),
    inspect: createInspect(controlDeps),
    insight: createInsight({
      store: async () => (await backend()).store,
      broker: knownBroker,
      status,
      during: hold.during,
    }),
    metrics: () => hold.during(metrics()),
    repaired: () => maintenance?.repaired() ?? {},
    maintain: async (passes) => maintenance?.run(passes),
    hooksEnded: hooks.settled,
    queuesFor: workers.queuesFor,
    startWorker: workers.start,
    onShutdownAsked: workers.onShutdownAsked,
    closing: ending.signal,
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

  async function status(): Promise<ClusterStatus> {
    await untilKnown()
    return clusterStatus(statusDeps)
  }

  /** Whether or not this process is through with its start: the store may be away. */
  async function knownBroker(): Promise<Backend['broker']> {
    await untilKnown()
    return opened(opening.known).broker
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

  async function noticeCancelled(outcomes: readonly JobOutcome[]): Promise<void> {
    const ended = outcomes.flatMap(({ id, outcome }) => (outcome === 'cancelled' ? id : []))
    for (const id of ended) watcher.noticeEnd(id)
    for (const { id } of outcomes) follower.notice(id)
    await tellEnds({ events: emitter, store: (await backend()).store }, 'cancelled', ended)
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

  /** A child enqueues through this process: it gives and gets text. */
  function hostOf() {
    const toEnqueued = ({ id, created }: JobHandle) => ({ id, created })
    const toPayload = (text: string) => fromText(text, config.values)
    return {
      enqueue: async (task: string, text: string, options?: EnqueueOptions) =>
        toEnqueued(await enqueuer.enqueue(await targetOf(task), toPayload(text), options)),
      enqueueMany: async (task: string, texts: readonly string[], options?: EnqueueOptions) =>
        (await enqueuer.enqueueMany(await targetOf(task), texts.map(toPayload), options)).map(toEnqueued),
    }
  }

  async function readCluster(): Promise<ClusterReading> {
    const { store } = await backend()
    const [moves, sights] = await Promise.all([store.moves(), store.sights()])
    return { moves, sights }
  }

  function learn(found: readonly Setting[]): void {
    limits.learn(found)
    settings.learn(found)
  }

  function onFatalUnlessClosed(error: unknown): void {
    if (!closing) onFatal(error)
  }

  async function close(): Promise<void> {
    ending.abort()
    unserved.close()
    await workers.stop()
    try {
      if (workers.size > 0) await config.onWorkerStop?.()
    } finally {
      await operator.close()
      await workers.close()
      await maintenance?.close()
      await within(workers.size > 0 ? lastHooksMs / 5 : lastHooksMs, hooks.settled())
      watcher.close()
      follower.close()
      await opening.close()
      hold.close()
    }
  }
}
