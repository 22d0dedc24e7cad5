import type { Request } from 'express'
import type { Redis, RedisOptions } from 'ioredis'
import type { Logger } from 'pino'
import type { DashboardAccess } from '../control/access.js'
import type { Codec } from '../job/codec.js'
import type { Duration } from '../job/duration.js'
import type { JobLogLevel } from '../job/event.js'
import type { TaskBackoff } from '../job/job.js'
import type { Rate } from '../job/limit.js'
import type { RedactedPath } from '../job/redact.js'
import type { Retain } from '../job/retain.js'
import type { TimeLimit } from '../job/time-limit.js'
import type { JobHooks } from '../task/hooks.js'
import type { PoolKind } from '../task/policy.js'
import type { LogLevel } from '../telemetry/log.js'
import type { Tracing } from '../telemetry/tracing.js'
import type { Bytes } from './bytes.js'
import type { DashboardOptions } from './dashboard-options.js'

/** What web, worker and command line must agree on. Every option is optional; unknown names are refused. */
export interface CeleriacOptions {
  /**
   * Folders that hold a `tasks.ts` (or `.js`, `.mts`, `.mjs`, `.cts`, `.cjs`), as glob patterns relative to `root`.
   * A task's name is what the wildcards matched, joined by dots, and its export: `src/modules/*` gives
   * `reports.buildReport`, `src/**` gives `billing.invoices.send`, a pattern without a wildcard its folder's own name.
   * A default export is `reports.default`. `node_modules`, dotted folders and links out of `root` are left out.
   * Default `'src/modules/*'`; without a config file, an app that runs from `dist/` finds its modules there.
   */
  modules?: string | readonly string[]
  /**
   * Tasks given by hand instead of discovery: `{ reports }` with `import * as reports`. Needs no file system, and so is
   * the way in bundles, in test runners, and in apps of one file. Not together with `modules`.
   */
  tasks?: Readonly<Record<string, Readonly<Record<string, unknown>>>>
  /**
   * What `modules` is relative to; itself relative to the config file, else to the working folder. Default: the folder
   * of the file that calls `defineConfig`, else that of the nearest package.json above the script that Node runs.
   */
  root?: string | undefined

  /**
   * The broker: a `redis:`, `rediss:` or `postgres:` URL, ioredis options, or an ioredis instance.
   * Default: `CELERIAC_BROKER_URL`, else `REDIS_URL`, else the database.
   */
  broker?: string | RedisOptions | Redis | undefined
  /** The store: a `postgres:` URL. Default: `CELERIAC_DATABASE_URL`, else `DATABASE_URL`, else the embedded server. */
  database?: string | undefined
  /**
   * A URL that does not go through a transaction pooler, for LISTEN and session locks. Default: `DIRECT_URL` where it
   * leads to a database of the same name, else `database`. Needed when `database` goes through such a pooler.
   */
  directUrl?: string | undefined
  /** `true` allows the embedded PostgreSQL in production. Default: outside production, when no URL is set. */
  embedded?: boolean
  /** Whether this process creates and updates the tables by itself. Default: outside production, and on the embedded server. */
  migrate?: boolean
  /** What every key in Redis begins with. Default `'celeriac'`. */
  prefix?: string

  /** Where the endpoints are, below the mount; `'/'` is the mount itself. Default `'/jobs'`. */
  path?: string
  /** The address of `path` as browsers see it, for routes that are not below the mount. */
  publicPath?: string | undefined
  /** Who a request belongs to. With it, a job is shown to its owner only. */
  owner?: (req: Request) => string | null | undefined | Promise<string | null | undefined>
  /**
   * The language of whoever asks, a BCP 47 tag, for the handlers of what a request enqueues. Default: the first of its
   * `Accept-Language`.
   */
  locale?: (req: Request) => string | null | undefined
  /** Values of your own that handlers get with what a request enqueues: an object of at most 4 KB of JSON. */
  context?: (req: Request) => Readonly<Record<string, unknown>> | undefined
  /**
   * What requests may put into a queue, by the queue's name; `'*'` stands for each queue that is not named. A request
   * that would go beyond is answered 429 or 503. Scripts and tasks are never refused. Default: no limits.
   */
  backpressure?: Readonly<Record<string, QueueLimitOptions>>
  /**
   * Who may do what on the dashboard and over its API: nothing for nobody, `'viewer'`, `'operator'`, `'admin'` (`true`), a
   * function `(action) => boolean`, or `{ name, role }` or `{ name, may }`, whose name stands in the audit. Whatever else it
   * gives, and whatever it throws, is a no. Without it, the dashboard is open on localhost outside production only.
   */
  authorize?: (req: Request) => DashboardAccess | Promise<DashboardAccess>

  /** What `celeriac dashboard` goes by: address, logins. */
  dashboard?: DashboardOptions

  /** The queue of jobs whose task and call name none. Default `'default'`. */
  queue?: string
  /** Limits of queues in the whole cluster, by the queue's name, whatever the task: `{ mail: { rateLimit: '100/m' } }`. Default: none. */
  queues?: Readonly<Record<string, QueueOptions>>
  /**
   * Queues by the names of tasks: `{ 'media.*': 'heavy', 'mail.send': 'mail' }`, where `*` stands for any characters. A
   * name goes before patterns, and of these the one with the most other characters counts. A task's own `queue`, and a
   * call's, go before.
   */
  routes?: Readonly<Record<string, string>>
  /** Default attempts of a task. Default 1. */
  attempts?: number
  backoff?: TaskBackoff
  timeLimit?: TimeLimit
  /**
   * How long finished jobs are kept: one time for all, or `{ succeeded, failed, cancelled, expired, count }`, where
   * `count` is how many of one task are kept at most. `false`: for ever. A deleted job is a 404, and its idempotency key
   * is free again. Default `{ succeeded: '7d', failed: '30d', cancelled: '30d', expired: '30d', count: 1_000_000 }`.
   */
  retain?: Retain
  /**
   * Fields that nobody is to see, of all tasks: `['payload.password', 'result.token']`. Status, pages, events and kept
   * logs show `[redacted]` in their place, and the store forgets them. Default: none.
   */
  redact?: readonly RedactedPath[]
  /**
   * What turns payloads and results into text and back, where they hold a `Date`, a `BigInt`, a `Map` or typed arrays:
   * superjson and devalue fit as they are. Every process must have the same. Default: plain JSON.
   */
  codec?: Codec
  /** Largest payload, in bytes of JSON. Default 1 MB (1,048,576). */
  maxPayload?: number
  /** Largest result, in bytes of JSON. A larger one is dropped and named in `resultError`. Bounds progress reports, too. Default as `maxPayload`'s. */
  maxResult?: number

  /**
   * Which lines that handlers log are kept with their jobs: `{ level, lines, public }`, or `false` for none.
   * Default `{ level: 'info', lines: 1000, public: true }`.
   */
  logs?: boolean | KeptLogsOptions

  /** Runs a worker inside this process: `true`, or its options. For development and small apps. Default `false`. */
  worker?: boolean | WorkerOptions
  /**
   * Functions that are called as jobs of any task go on: `onStart`, `onSuccess`, `onRetry`, `onFailure`, `onCancel`,
   * `onEnd`; a task's own come first. What they throw is logged, and changes nothing.
   */
  hooks?: JobHooks
  /** Runs in a worker process before it takes jobs: open the app's own clients here. */
  onWorkerStart?: () => void | Promise<void>
  /** Runs in a worker process after its last job. */
  onWorkerStop?: () => void | Promise<void>

  /** How long a silent worker keeps its jobs. Default 15 s. */
  lease?: Duration
  /**
   * How often a worker renews its lease, and how often maintenance looks. At most a third of `lease`. Default 3 s, or a
   * fifth of a shorter `lease`.
   */
  heartbeat?: Duration
  /** How long a job without a time limit may block the event loop before its process is ended. Default 1 h. */
  stuckAfter?: Duration
  /** How many workers a job may take down before it fails. Default 3. */
  maxLost?: number
  /** How long any call waits for a server. Default 5 s. */
  deadline?: Duration

  /**
   * Which version of the app's code this is, as lists of workers show it. Default: `CELERIAC_APP_VERSION`, else the
   * version in the app's package.json.
   */
  appVersion?: string

  /**
   * A pino logger, or a level for our own: on a terminal readable, elsewhere JSON.
   * Default: `CELERIAC_LOG_LEVEL`, else `'info'`.
   */
  logger?: Logger | LogLevel
  /** Who makes spans of enqueues and attempts: `openTelemetry()` of `celeriac/opentelemetry`. Default: nobody. */
  tracing?: Tracing
}

/** What one queue lets through. */
export interface QueueOptions {
  /** Starts in the whole cluster, evenly spaced: `'100/m'`. */
  rateLimit?: Rate
  /** Jobs that run at once in the whole cluster. */
  concurrency?: number
}

export type { LogLevel }

/** What is kept of what handlers log. It goes to the logger in any case. */
export interface KeptLogsOptions {
  /** This level and those above it. Default `'info'`. */
  level?: JobLogLevel
  /** Of one attempt, and of all earlier attempts of its job together. Default 1000, at most 100,000. */
  lines?: number
  /** Whether whoever may see a job may read its lines over HTTP: level and message, without details. Default `true`. */
  public?: boolean
}

/** Limits of one queue. What is left out has no limit. */
export interface QueueLimitOptions {
  /** Jobs that are due and wait for a worker: beyond it, a 503. */
  waiting?: number
  /** How long the oldest of them may have waited: beyond it, a 503. At least 1 s. */
  age?: Duration
  /** Jobs of one owner that wait, due or not: beyond it, a 429. */
  share?: number
}

export interface WorkerOptions {
  /** Jobs that run at once. Default: the number of CPU cores. */
  concurrency?: number
  /** Queues to serve; the first goes first. Default: the default queue, then all that the tasks name. */
  queues?: readonly string[]
  /** How long running jobs have to finish after a stop was asked for. Default 30 s. */
  grace?: Duration
  /** Where tasks run that name no `pool`: `'inline'`, `'thread'` or `'process'`. Default `'inline'`. */
  pool?: PoolKind
  /** A thread or process of a pool is replaced after so many jobs. Default: never. */
  maxJobsPerChild?: number
  /**
   * A thread or process of a pool is replaced when it uses more than this after a job: bytes, or a text such as
   * `'300MB'`. Of a process all its memory counts, of a thread its heap. Default: no limit.
   */
  maxMemoryPerChild?: Bytes
  /**
   * Lets the worker choose how many jobs run at once, between these two, by how long jobs have waited and by how busy
   * the process is: see `docs/control.md`. Default: `concurrency`, always.
   */
  autoscale?: { readonly min: number; readonly max: number }
  /**
   * A port where probes ask how the worker is, at `/health/live` and `/health/ready`. It answers also while the event
   * loop stands still. 0: any that is free. Default: none. See `docs/health.md`.
   */
  healthPort?: number
  /**
   * A port where Prometheus asks: `/metrics` of this process, `/metrics/cluster` of the whole installation. 0: any that
   * is free. Not that of `healthPort`, which a thread of its own answers. Default: none. See `docs/metrics.md`.
   */
  metricsPort?: number
  /** Default `celeriac@%h`. `%h` is the host, `%p` the process id. */
  name?: string
}
