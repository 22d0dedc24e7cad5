import type { RequestHandler } from 'express'
import { type App, openApp } from './app.js'
import { openBackend } from './backend.js'
import { readEnvironment } from './config/env.js'
import type { CeleriacOptions } from './config/options.js'
import { type Config, resolveConfig } from './config/resolve.js'
import type { Bulk } from './control/bulk.js'
import type { Control, Inspect } from './control/control.js'
import type { Export } from './control/export.js'
import type { Operations } from './control/operations.js'
import type { ClusterStatus } from './control/status.js'
import { Handle } from './enqueue/handle.js'
import type { Limits } from './enqueue/limits.js'
import { ClosedError } from './errors.js'
import type { Accept } from './http/accept.js'
import { readSmallJson } from './http/body.js'
import { createHttp, type Http, type RequestEnqueue } from './http/middleware.js'
import type { FoundJobs, JobFilter, MatchCount, SearchPage } from './job/filter.js'
import type { EnqueuedStream, EnqueueOptions, EnqueueStreamOptions, JobHandle } from './job/job.js'
import { bind, enqueueEach, type PayloadSource } from './task/binding.js'
import { callerUrl } from './task/caller.js'
import type { AnyTask, Task } from './task/define.js'
import { assertNotDiscovering } from './task/discovering.js'
import { loadTasks } from './task/load.js'
import { describeTask } from './tasks.js'
import type { EventName, Listener } from './telemetry/events.js'
import type { Health } from './telemetry/health.js'
import { createLog } from './telemetry/log.js'
import type { Readiness } from './telemetry/readiness.js'

/** What `celeriac()` gives: a middleware, and everything around it. */
export interface Celeriac extends RequestHandler {
  /** A route in one line: parse, validate, enqueue, answer 202. */
  readonly accept: Accept
  /** An error middleware: problem+json for our errors and those of body parsers. */
  readonly problems: Http['problems']
  /** The dashboard, to be mounted behind your own guard. It stands below the middleware as well. */
  dashboard(): RequestHandler

  /** By task or by name. */
  readonly enqueue: RequestEnqueue
  /** A list in one transaction, a stream in chunks of little memory. */
  enqueueMany<Input, Payload, Result>(
    task: Task<Input, Payload, Result>,
    payloads: readonly Input[],
    options?: EnqueueOptions,
  ): Promise<JobHandle<Result>[]>
  enqueueMany<Input, Payload, Result>(
    task: Task<Input, Payload, Result>,
    payloads: PayloadSource<Input>,
    options?: EnqueueStreamOptions<Result>,
  ): Promise<EnqueuedStream>
  enqueueMany(task: string, payloads: readonly unknown[], options?: EnqueueOptions): Promise<JobHandle[]>
  enqueueMany(task: string, payloads: PayloadSource, options?: EnqueueStreamOptions): Promise<EnqueuedStream>
  /** A handle for an id. Nobody looks yet whether there is such a job; `status()` does. */
  job(id: string): JobHandle

  /**
   * Listens to what this process records of jobs and workers: `jobs.on('job.failed', ({ job, error }) => …)`. What the
   * listener returns is not waited for; what it throws is logged. Gives a function that ends it. See `docs/events.md`.
   * @throws {ConfigError} when there is no such event
   */
  on<Name extends EventName>(name: Name, listener: Listener<Name>): () => void
  off<Name extends EventName>(name: Name, listener: Listener<Name>): void

  /** Puts a failed, cancelled or expired job back into its queue; `false` when there is none such. */
  retry(id: string): Promise<boolean>
  /** Jobs by what is known of them, page by page. See `docs/jobs.md`. */
  search(filter?: JobFilter, page?: SearchPage): Promise<FoundJobs>
  /** How many jobs match, up to `most` (10,000). */
  count(filter?: JobFilter, most?: number): Promise<MatchCount>
  /**
   * All jobs that match, as CSV or JSON Lines, piece by piece: `Readable.from(jobs.export({ state: 'failed' })).pipe(res)`.
   * See `docs/jobs.md`.
   */
  readonly export: Export
  /** Cancel, retry, delete, run now or move many jobs: by ids, or all that match a filter. See `docs/jobs.md`. */
  readonly bulk: Bulk
  /**
   * The same for who does not wait for the end: an operation outlives the request, and the process, that began it. It has
   * its progress, can be stopped from anywhere, and is gone on with. See `docs/jobs.md`.
   */
  readonly operations: Operations
  /** Limits of tasks and queues, to be seen and changed while the app runs. See `docs/limits.md`. */
  readonly limits: Limits
  /** Commands to workers, wherever they run. See `docs/control.md`. */
  readonly control: Control
  /** Questions to workers. */
  readonly inspect: Inspect

  /** Resolves when the tasks are found and both servers answer. @throws what stands in the way, within the deadline */
  ready(): Promise<void>
  /** Which servers answer, and so what this process can do: what `GET /jobs/health` says. Never rejects. */
  health(): Promise<Health>
  /** Whether this process can do all of its work, and if not, why: what `GET /jobs/health/ready` says. Never rejects. */
  readiness(): Promise<Readiness>
  /** How the whole cluster is: what `celeriac status` says. Never rejects. */
  status(): Promise<ClusterStatus>
  /** What Prometheus reads of the whole installation, as text: what the dashboard gives at `metrics`. See `docs/metrics.md`. */
  metrics(): Promise<string>
  /** Stops the worker of this process, sends what is to be sent, and closes all connections. Idempotent. */
  close(): Promise<void>
}

/**
 * Opens background jobs for an Express app.
 *
 * Returns at once and connects in the background. Without a URL, in the configuration or the environment, it starts a
 * private PostgreSQL; see `docs/configuration.md`.
 *
 * @throws {ConfigError} when an option is unknown, wrong, or in conflict with another
 * @throws {DiscoveryError} when a tasks file reaches this call by its imports
 */
export function celeriac(options: CeleriacOptions = {}): Celeriac {
  assertNotDiscovering(callerUrl(celeriac))
  const environment = readEnvironment()
  const config = resolveConfig(options, environment)
  const log =
    typeof config.logger === 'string' ? createLog(config.logger, environment.isTerminal) : config.logger
  const app = openApp(config, { log, tasks: loadTasks(config), onFatal: failAsAnImportWould, openBackend })
  const unbind = bind(app)
  if (config.worker) app.startWorker(config.worker).catch(failUnlessClosed)
  return toCeleriac(app, config, unbind)
}

/** A worker that waited for its servers when the app was closed has not failed. */
function failUnlessClosed(error: unknown): void {
  if (!(error instanceof ClosedError)) failAsAnImportWould(error)
}

/**
 * The dashboard of an app. Its code is loaded at the first request, so that no start waits for it.
 * @param canLogOut whether a login of ours stands before it
 */
export function toDashboard(app: App, config: Config, canLogOut = false): RequestHandler {
  let opening: Promise<RequestHandler> | undefined
  return (req, res, next) => {
    opening ??= openDashboard(app, config, canLogOut)
    opening.then((dashboard) => dashboard(req, res, next)).catch(next)
  }
}

async function openDashboard(app: App, config: Config, canLogOut: boolean): Promise<RequestHandler> {
  const { createDashboard } = await import('./dashboard/router.js')
  return createDashboard({
    ...app,
    config,
    canLogOut,
    describe: (task) => describeTask(task, config),
    readBody: readSmallJson,
  })
}

/** An app as Express sees it. */
export function toCeleriac(app: App, config: Config, unbind: () => void): Celeriac {
  const dashboard = toDashboard(app, config)
  const http = createHttp({
    path: config.path,
    publicPath: config.publicPath,
    maxPayload: config.maxPayload,
    ownerOf: config.owner,
    dashboard,
    find: app.find,
    toStatus: app.toStatus,
    async waitForEnd(id, ms, signal) {
      await app.ended(id, ms, signal)
    },
    events: app.events,
    showsLogs: config.logs?.public ?? false,
    cancel: app.cancel,
    enqueue: app.enqueue,
    statusOf: (handle) => Handle.firstStatus(handle) ?? handle.status(),
    toJson: config.values.toShownJson,
    health: app.health,
    readiness: app.readiness,
  })
  return Object.assign(http.middleware, {
    accept: http.accept,
    problems: http.problems,
    dashboard: () => dashboard,
    enqueue: app.enqueue as RequestEnqueue,
    enqueueMany: ((task: AnyTask, payloads: PayloadSource, options?: EnqueueStreamOptions) =>
      enqueueEach(app, task, payloads, options)) as Celeriac['enqueueMany'],
    job: app.handle,
    on: app.on as Celeriac['on'],
    off: app.off,
    retry: app.retry,
    search: app.search,
    count: app.count,
    export: app.export,
    bulk: app.bulk,
    operations: app.operations,
    metrics: async () => (await app.metrics()).body,
    limits: app.limits,
    control: app.control,
    inspect: app.inspect,
    async ready() {
      await app.ready()
    },
    health: app.health,
    readiness: app.readiness,
    status: app.status,
    close() {
      unbind()
      return app.close()
    },
  })
}

/** An error that no waiting mends ends the process with its message, unless the app catches it. */
function failAsAnImportWould(error: unknown): void {
  process.nextTick(() => {
    throw error
  })
}
