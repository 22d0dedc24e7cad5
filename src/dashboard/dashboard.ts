import type { Request } from 'express'
import type { Broker } from '../broker/broker.js'
import type { Audit } from '../control/audit.js'
import type { Bulk } from '../control/bulk.js'
import type { ByHand } from '../control/by-hand.js'
import type { Control, Inspect } from '../control/control.js'
import type { Export } from '../control/export.js'
import type { Insight } from '../control/insight.js'
import type { Operations } from '../control/operations.js'
import type { ClusterStatus } from '../control/status.js'
import type { Dispatcher } from '../enqueue/dispatch.js'
import type { JobLogLine } from '../job/event.js'
import type { FoundJobs, JobFilter, MatchCount, SearchPage } from '../job/filter.js'
import type { Job, JobStatus } from '../job/job.js'
import type { Limit, TaskLimits } from '../job/limit.js'
import type { Retention } from '../job/retain.js'
import type { ToldBackoff } from '../job/retry.js'
import type { ResolvedTimeLimit } from '../job/time-limit.js'
import type { Store } from '../store/store.js'
import type { RegisteredTask, TaskRegistry } from '../task/registry.js'
import type { GuardSettings } from './guard.js'

/** What the dashboard needs of an app. */
export interface DashboardDeps {
  readonly config: GuardSettings & {
    /** Where the public endpoints are, below the mount. */
    readonly path: string
    /** Their address as browsers see it, if the app says. */
    readonly publicPath: string | undefined
    readonly queue: string
    readonly heartbeatMs: number
    /** Bytes of a payload. */
    readonly maxPayload: number
    /** Where a trace is shown, with `{traceId}` in it. */
    readonly dashboard: { readonly traceUrl: string | undefined }
    /** By the configuration. */
    readonly queueLimits: Readonly<Record<string, Limit>>
    readonly workerProcess: { readonly queues: readonly string[] | undefined }
  }
  /** Whether there is a `POST /logout` beside it. */
  readonly canLogOut: boolean
  readonly log: { error(message: string): void; warn(message: string): void }
  backend(): Promise<DashboardBackend>
  find(id: string): Promise<Job | undefined>
  logs(id: string, limit: number): Promise<JobLogLine[]>
  tasks(): Promise<TaskRegistry>
  /** What code and configuration say of a task together. */
  describe(task: RegisteredTask): TaskFacts
  toStatus(job: Job): Promise<JobStatus>
  /** Waits for a job's end. `false`: it has not come in time. */
  ended(id: string, timeoutMs: number, signal?: AbortSignal): Promise<boolean>
  /** Never rejects. */
  status(): Promise<ClusterStatus>
  /** What Prometheus reads. */
  metrics(): Promise<{ readonly contentType: string; readonly body: string }>
  search(filter: JobFilter, page: SearchPage): Promise<FoundJobs>
  count(filter: JobFilter, most: number): Promise<MatchCount>
  /** What there is to see of the whole installation, now and over time. */
  readonly insight: Insight
  readonly bulk: Bulk
  readonly operations: Operations
  readonly audit: Audit
  readonly reveal: ByHand['reveal']
  readonly retryWith: ByHand['retryWith']
  readonly enqueueByHand: ByHand['enqueue']
  readonly control: Control
  readonly inspect: Inspect
  /** All jobs that match, as text. */
  readonly export: Export
  /** Aborted when the app closes. */
  readonly closing: AbortSignal
  /** The JSON body of a request, whether the app has parsed it or not; `undefined` when there is none. */
  readBody(req: Request, mostBytes?: number): Promise<unknown>
}

/** How a task's jobs run. Milliseconds. */
export interface TaskFacts {
  readonly aliases: readonly string[]
  readonly queue: string
  readonly priority: number
  readonly attempts: number
  readonly backoff: ToldBackoff
  readonly timeLimit: ResolvedTimeLimit
  readonly expiresInMs: number | null
  /** `null`: that of the worker. */
  readonly pool: string | null
  /** By which rule its jobs are kept unique. */
  readonly unique: string | null
  readonly limits: TaskLimits | null
  readonly retention: Retention
  /** Fields that nobody is to see. */
  readonly redact: readonly string[]
}

export interface DashboardBackend {
  readonly store: Pick<
    Store,
    | 'listJobs'
    | 'countJobs'
    | 'knownQueues'
    | 'liveWorkers'
    | 'settings'
    | 'workers'
    | 'workerNames'
    | 'announcedTasks'
    | 'searchJobs'
    | 'searchErrors'
    | 'address'
    | 'changeClock'
    | 'vocabulary'
    | 'sights'
    | 'command'
    | 'commands'
    | 'repliesTo'
    | 'listLogs'
    | 'lastLogs'
  >
  readonly broker: Pick<Broker, 'kind' | 'address'>
  readonly dispatcher: Pick<Dispatcher, 'send'>
}
