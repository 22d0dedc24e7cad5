import { extname } from 'node:path'
import type { Backend, BackendOpening } from './backend.js'
import { configHash } from './config/agreement.js'
import { maskedConfig } from './config/masked.js'
import type { Config, WorkerConfig } from './config/resolve.js'
import type { Settings } from './control/settings.js'
import type { WorkerReport } from './control/verbs.js'
import type { LimitBook } from './enqueue/limit-book.js'
import { ClosedError, StoreUnavailableError } from './errors.js'
import { plainValues } from './job/codec.js'
import type { Setting, Store } from './store/store.js'
import type { TaskRegistry } from './task/registry.js'
import { homesOf, queuesOf, toRunnable } from './tasks.js'
import { logEvents } from './telemetry/event-log.js'
import type { Emitter } from './telemetry/events.js'
import { type HealthPort, openHealthPort } from './telemetry/health-port.js'
import type { HookCaller } from './telemetry/hooks.js'
import { createJobLog, type Logger } from './telemetry/log.js'
import type { Exposition } from './telemetry/metrics/exposition.js'
import { type MetricsPort, openMetricsPort } from './telemetry/metrics-port.js'
import { packageVersions } from './telemetry/packages.js'
import type { HealthReason, Readiness } from './telemetry/readiness.js'
import { version } from './version.js'
import { sleep } from './waiting.js'
import { type Attendance, attend } from './worker/attend.js'
import { type Condition, troublesOf, watchCondition } from './worker/condition.js'
import { createPool, type Pool } from './worker/pool/pool.js'
import type { PoolHost } from './worker/pool/run.js'
import { toServed } from './worker/served.js'
import { type Course, toCourse } from './worker/steering.js'
import { watchTaking } from './worker/taking.js'
import { createWorker, defaultMostUnsettled, type Worker, workerName } from './worker/worker.js'

/** The workers of this process: most often none, or one. */
export interface Workers {
  /** The queues that a worker with these settings serves. */
  queuesFor(settings: WorkerConfig): Promise<readonly string[]>
  start(settings: WorkerConfig): Promise<Worker>
  /** What is wrong with them. */
  troubles(): readonly HealthReason[]
  onShutdownAsked(listener: (now: boolean) => void): () => void
  readonly size: number
  /** They finish, or give back, what they run. */
  stop(): Promise<void>
  /** Ends what others ask them by. */
  close(): Promise<void>
}

export interface WorkersDeps {
  readonly config: Config
  readonly log: Logger
  readonly opening: BackendOpening
  readonly tasks: Promise<TaskRegistry>
  readonly limits: LimitBook
  readonly settings: Settings
  readonly events: Emitter
  readonly hooks: HookCaller
  readonly learn: (found: readonly Setting[]) => void
  /** Told of each end, so that those who wait in this process need not ask the store. */
  readonly onEnd: (jobId: string) => void
  /** What handlers in threads and processes may ask of this one. */
  readonly host: Omit<PoolHost, 'installation'>
  readonly readiness: () => Promise<Readiness>
  readonly metrics: () => Promise<Exposition>
  /** As the last round of maintenance saw it. */
  readonly hasOpenJobs: () => boolean
  readonly isClosing: () => boolean
}

/** A worker that cannot learn what was set waits so long before it asks again. */
const settingsPauseMs = 1000
const closedMessage = 'This celeriac() has been closed.'

export function createWorkers(deps: WorkersDeps): Workers {
  const { config, log, opening, tasks, settings, isClosing } = deps
  const workers = new Set<Worker>()
  const conditions = new Set<Condition>()
  const attendances = new Set<Attendance>()
  const shutdownListeners = new Set<(now: boolean) => void>()
  let asked = 0
  let heedsSettings = false
  let healthPort: Promise<HealthPort> | undefined
  let metricsPort: Promise<MetricsPort> | undefined

  return {
    queuesFor,
    start,
    troubles: () => troublesOf(conditions, asked, isClosing()),
    onShutdownAsked(listener) {
      shutdownListeners.add(listener)
      return () => void shutdownListeners.delete(listener)
    },
    get size() {
      return workers.size
    },
    async stop() {
      await Promise.all([...attendances].map((attendance) => attendance.close()))
      await Promise.all([...workers].map((worker) => worker.stop()))
    },
    async close() {
      await healthPort?.then((opened) => opened.close()).catch(() => {})
      await metricsPort?.then((opened) => opened.close()).catch(() => {})
      for (const condition of conditions) condition.close()
    },
  }

  async function queuesFor({ queues }: WorkerConfig): Promise<readonly string[]> {
    return queues ?? queuesOf(await tasks, config)
  }

  /** ports → servers and settings → the worker, and what others ask it by */
  async function start(own: WorkerConfig): Promise<Worker> {
    asked += 1
    await openPorts(own)
    const known = await tasks
    const backend = await opening.opened
    await heedSettings(backend.store)
    const base = await baseOf(own)
    const conf = { ...maskedConfig(config), worker: own }
    const { worker, condition } = make(own, toCourse(base, settings.ofWorker(workerName(own.name))), known, {
      ...backend,
      conf,
    })
    // Its log has a line for each attempt.
    if (workers.size === 0) logEvents(deps.events, log)
    workers.add(worker)
    conditions.add(condition)
    await config.onWorkerStart?.()
    if (isClosing()) throw new ClosedError(closedMessage)
    const attendance = attend({
      ...{ worker, condition, base, settings, store: backend.store, conf, log },
      isInline: own.pool === 'inline',
      learn: () => learnFrom(backend.store),
      taskNames: () => known.names,
      report: () => reportOf(conf, backend),
      shutdown: (now) => shutdown(worker, attendance, now),
    })
    attendances.add(attendance)
    await worker.start()
    attendance.report()
    return worker
  }

  /** Before the servers are there: a probe wants to know what is waited for. */
  async function openPorts({ healthPort: health, metricsPort: metrics }: WorkerConfig): Promise<void> {
    if (health !== null) healthPort ??= openHealthPort({ port: health, readiness: deps.readiness, log })
    await healthPort
    if (metrics !== null) metricsPort ??= openMetrics(metrics)
    await metricsPort
  }

  function make(
    own: WorkerConfig,
    course: Course,
    known: TaskRegistry,
    { store, broker, dispatcher, lease, conf }: Backend & { readonly conf: Conf },
  ): { readonly worker: Worker; readonly condition: Condition } {
    const { concurrency } = course
    const taking = watchTaking({
      broker,
      hasOpenJobs: deps.hasOpenJobs,
      mostUnsettled: defaultMostUnsettled,
    })
    const { leaseMs, heartbeatMs, maxLost, stuckAfterMs, maxResult, logs, tracing, appVersion } = config
    const worker = createWorker({
      ...own,
      ...{ leaseMs, heartbeatMs, maxLost, stuckAfterMs, maxResult, logs, tracing },
      ...{ store, dispatcher, lease, version, concurrency, log },
      broker: taking.broker,
      served: toServed(course.queues, settings.isPaused),
      timeLimitOf: settings.timeLimitOf,
      about: { pool: own.pool, nodeVersion: process.version, appVersion, config: JSON.stringify(conf) },
      tasks: toRunnable(known, config, own.pool),
      limits: deps.limits,
      pool: openPool(known, { ...own, concurrency }, store),
      configHash: configHash(config),
      jobLog: (job, keep, hide) => createJobLog(log, job, keep, hide),
      events: deps.events,
      hooks: deps.hooks,
      onEnd: deps.onEnd,
    })
    return { worker, condition: watchCondition({ worker, taking }) }
  }

  /** Its threads and processes run handlers; what these enqueue goes through this process. */
  function openPool(known: TaskRegistry, settings: WorkerConfig, { installation }: Store): Pool {
    return createPool({
      ...childrenOf(config, settings),
      homes: homesOf(known, config),
      host: { ...deps.host, installation },
    })
  }

  async function openMetrics(port: number): Promise<MetricsPort> {
    // Only here: most processes have no such port, and need nothing of prom-client.
    const { createProcessMetrics } = await import('./telemetry/metrics/process.js')
    const ofProcess = createProcessMetrics(() => {
      const [worker] = workers
      if (!worker) return undefined
      const { concurrency: slots, running, reserved, unsettled, children, outcomes } = worker
      return { slots, running, reserved, unsettled, children, outcomes }
    })
    return openMetricsPort({ port, ofProcess, ofCluster: deps.metrics, log })
  }

  /** What a worker goes by where nothing was set for it. */
  async function baseOf(own: WorkerConfig): Promise<Course> {
    const { concurrency, autoscale } = own
    return { concurrency, autoscale, queues: await queuesFor(own), logLevel: String(log.level) }
  }

  function reportOf(conf: Conf, { broker, store }: Backend): WorkerReport {
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

  async function learnFrom(store: Store): Promise<void> {
    deps.learn(await store.settings())
  }

  /**
   * A worker hears at once what is set while it runs; every round of maintenance reads it, too. It takes nothing before
   * it knows what was set: a queue may be paused.
   */
  async function heedSettings(store: Store): Promise<void> {
    if (!heedsSettings) store.onSettings(() => void learnFrom(store).catch(() => {}))
    heedsSettings = true
    for (;;) {
      if (isClosing()) throw new ClosedError(closedMessage)
      try {
        return await learnFrom(store)
      } catch (error) {
        if (!(error instanceof StoreUnavailableError)) throw error
        await sleep(settingsPauseMs)
      }
    }
  }
}

type Conf = Readonly<Record<string, unknown>>

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
