import type { Logger } from 'pino'
import { checkRange } from '../control/range.js'
import type { AutoscaleRange } from '../control/verbs.js'
import type { Limits } from '../enqueue/backpressure.js'
import { ConfigError } from '../errors.js'
import { type Codec, createValues, type Values } from '../job/codec.js'
import type { Limit } from '../job/limit.js'
import { type Retention, withRetention } from '../job/retain.js'
import { type ComputedBackoff, defaultBackoff, type ResolvedBackoff } from '../job/retry.js'
import type { ResolvedTimeLimit } from '../job/time-limit.js'
import {
  checkBoolean,
  checkDuration,
  checkFunction,
  checkKeys,
  checkPositiveInteger,
  checkQueue,
  checkRedact,
  checkRetain,
  checkTaskBackoff,
  checkText,
  wrong,
} from '../task/check.js'
import { type Hooks, hookNames, toHooks } from '../task/hooks.js'
import { checkPool, checkRate, checkTimeLimit, type PoolKind } from '../task/policy.js'
import type { Tracing } from '../telemetry/tracing.js'
import { appVersionAt } from './app-version.js'
import { checkBackpressure } from './backpressure.js'
import { checkBytes } from './bytes.js'
import { checkDashboard, type DashboardConfig } from './dashboard.js'
import { configFileOf } from './define.js'
import type { Environment } from './env.js'
import { checkLogs, type KeptLogs, logsDefaults } from './logs.js'
import type { CeleriacOptions, LogLevel, WorkerOptions } from './options.js'
import { checkPort } from './port.js'
import { guessModules, resolveRoot, runsTypeScript } from './root.js'
import { checkRoutes, noRoutes, type Routes } from './routes.js'
import { type BrokerConfig, resolveBroker, resolveStore, type StoreConfig } from './servers.js'

/** Every option, checked and resolved once. Times are milliseconds. */
export interface Config {
  /** The file that called `defineConfig`. */
  readonly file: string | undefined
  readonly root: string
  /** The working folder, for advice. */
  readonly folder: string
  /** Given by hand; then `modules` means nothing. */
  readonly tasks: Readonly<Record<string, object>> | undefined
  readonly modules: readonly string[]
  readonly preferTypeScript: boolean

  readonly broker: BrokerConfig
  readonly store: StoreConfig
  readonly migrate: boolean
  readonly prefix: string

  /** Begins with a slash and does not end with one; empty for the mount itself. */
  readonly path: string
  /** Does not end with a slash. */
  readonly publicPath: string | undefined
  readonly owner: CeleriacOptions['owner']
  readonly locale: CeleriacOptions['locale']
  readonly context: CeleriacOptions['context']
  readonly authorize: CeleriacOptions['authorize']
  /** Of `celeriac dashboard`. */
  readonly dashboard: DashboardConfig
  /** `undefined`: nothing is refused. */
  readonly backpressure: Limits | undefined

  readonly queue: string
  /** By name. */
  readonly queueLimits: Readonly<Record<string, Limit>>
  readonly routes: Routes
  readonly attempts: number
  readonly backoff: ResolvedBackoff | ComputedBackoff
  readonly timeLimit: ResolvedTimeLimit
  readonly retention: Retention
  readonly redact: readonly string[]
  /** How payloads and results are written and read. */
  readonly values: Values
  readonly maxPayload: number
  readonly maxResult: number
  /** `undefined`: nothing that handlers log is kept. */
  readonly logs: KeptLogs | undefined

  /** The worker inside this process, if there is to be one. */
  readonly worker: WorkerConfig | undefined
  /** What a worker process goes by, where its command line says nothing. */
  readonly workerProcess: WorkerConfig
  /** Of all tasks. */
  readonly hooks: Hooks | undefined
  readonly onWorkerStart: CeleriacOptions['onWorkerStart']
  readonly onWorkerStop: CeleriacOptions['onWorkerStop']

  readonly leaseMs: number
  readonly heartbeatMs: number
  readonly stuckAfterMs: number
  readonly maxLost: number
  readonly deadlineMs: number
  /** Of the app's code. */
  readonly appVersion: string | null
  readonly logger: Logger | LogLevel
  /** `undefined`: nobody makes spans. */
  readonly tracing: Tracing | undefined
  readonly isProduction: boolean
}

export interface WorkerConfig {
  readonly concurrency: number
  /** `undefined`: the default queue, and all that the tasks name. */
  readonly queues: readonly string[] | undefined
  readonly graceMs: number
  /** Of tasks that name none. */
  readonly pool: PoolKind
  /** `null`: never. */
  readonly maxJobsPerChild: number | null
  /** In bytes. `null`: whatever it takes. */
  readonly maxMemoryPerChild: number | null
  /** `null`: `concurrency` holds. */
  readonly autoscale: AutoscaleRange | null
  /** `null`: none. */
  readonly healthPort: number | null
  /** `null`: none. */
  readonly metricsPort: number | null
  /** With `%h` and `%p` still in it. */
  readonly name: string
}

const dayMs = 86_400_000

/** What holds where nothing is said. */
export const defaults = Object.freeze({
  prefix: 'celeriac',
  path: '/jobs',
  queue: 'default',
  attempts: 1,
  timeLimit: Object.freeze({ softMs: null, hardMs: null }) satisfies ResolvedTimeLimit,
  backoff: defaultBackoff,
  retention: Object.freeze({
    ages: Object.freeze({
      succeeded: 7 * dayMs,
      failed: 30 * dayMs,
      cancelled: 30 * dayMs,
      expired: 30 * dayMs,
    }),
    count: 1_000_000,
  }) satisfies Retention,
  maxPayload: 1_048_576,
  maxResult: 1_048_576,
  leaseMs: 15_000,
  heartbeatMs: 3000,
  stuckAfterMs: 3_600_000,
  maxLost: 3,
  deadlineMs: 5000,
  graceMs: 30_000,
  workerName: 'celeriac@%h',
  logger: 'info',
})

const optionNames = {
  modules: true,
  tasks: true,
  root: true,
  broker: true,
  database: true,
  directUrl: true,
  embedded: true,
  migrate: true,
  prefix: true,
  path: true,
  publicPath: true,
  owner: true,
  locale: true,
  context: true,
  authorize: true,
  dashboard: true,
  backpressure: true,
  queue: true,
  queues: true,
  routes: true,
  attempts: true,
  backoff: true,
  timeLimit: true,
  retain: true,
  redact: true,
  codec: true,
  maxPayload: true,
  maxResult: true,
  logs: true,
  worker: true,
  hooks: true,
  onWorkerStart: true,
  onWorkerStop: true,
  lease: true,
  heartbeat: true,
  stuckAfter: true,
  maxLost: true,
  deadline: true,
  appVersion: true,
  logger: true,
  tracing: true,
} satisfies Record<keyof CeleriacOptions, true>

const workerOptionNames = [
  'concurrency',
  'queues',
  'grace',
  'pool',
  'maxJobsPerChild',
  'maxMemoryPerChild',
  'autoscale',
  'healthPort',
  'metricsPort',
  'name',
] satisfies (keyof WorkerOptions)[]

/**
 * Checks all options and fills in what is unsaid: the config goes before the environment, the environment before the
 * defaults.
 * @throws {ConfigError} when an option is unknown, of the wrong kind, or in conflict with another
 */
export function resolveConfig(given: CeleriacOptions, environment: Environment): Config {
  checkKeys(given, Object.keys(optionNames), 'celeriac()')
  const options: Record<string, unknown> = { ...given }
  const read = <T>(name: keyof CeleriacOptions, check: (value: unknown, where: string) => T) =>
    options[name] === undefined ? undefined : check(options[name], `"${name}"`)

  const file = configFileOf(given)
  const root = resolveRoot(read('root', checkText), file, environment)
  const store = resolveStore(options, environment)
  const queue = read('queue', checkQueue) ?? defaults.queue
  const worker = read('worker', checkWorker)
  const workerProcess = resolveWorker(worker, environment)
  return Object.freeze({
    file,
    root,
    folder: environment.folder,
    ...resolveTasks(read('tasks', checkTasks), read('modules', checkModules), () =>
      guessModules(root, file, environment),
    ),
    preferTypeScript: runsTypeScript(file, environment),

    broker: resolveBroker(options, environment),
    store,
    migrate: read('migrate', checkBoolean) ?? (!environment.isProduction || store.kind === 'embedded'),
    prefix: read('prefix', checkPrefix) ?? defaults.prefix,

    path: read('path', checkPath) ?? defaults.path,
    publicPath: read('publicPath', checkPublicPath),
    owner: read('owner', asFunction<NonNullable<CeleriacOptions['owner']>>),
    locale: read('locale', asFunction<NonNullable<CeleriacOptions['locale']>>),
    context: read('context', asFunction<NonNullable<CeleriacOptions['context']>>),
    authorize: read('authorize', asFunction<NonNullable<CeleriacOptions['authorize']>>),
    dashboard: checkDashboard(options.dashboard, root),
    backpressure: read('backpressure', checkBackpressure),

    queue,
    queueLimits: read('queues', checkQueueLimits) ?? {},
    routes: read('routes', checkRoutes) ?? noRoutes,
    attempts: read('attempts', checkPositiveInteger) ?? defaults.attempts,
    backoff: read('backoff', checkTaskBackoff) ?? defaults.backoff,
    timeLimit: read('timeLimit', checkTimeLimit) ?? defaults.timeLimit,
    retention: withRetention(defaults.retention, read('retain', checkRetain)),
    redact: read('redact', checkRedact) ?? [],
    values: createValues(read('codec', checkCodec)),
    maxPayload: read('maxPayload', checkPositiveInteger) ?? defaults.maxPayload,
    maxResult: read('maxResult', checkPositiveInteger) ?? defaults.maxResult,
    logs: withDefault(read('logs', checkLogs), logsDefaults),

    worker: worker === false || worker === undefined ? undefined : workerProcess,
    workerProcess,
    hooks: read('hooks', checkHooks),
    onWorkerStart: read('onWorkerStart', asFunction<NonNullable<CeleriacOptions['onWorkerStart']>>),
    onWorkerStop: read('onWorkerStop', asFunction<NonNullable<CeleriacOptions['onWorkerStop']>>),

    ...resolveLease(read('lease', checkShort), read('heartbeat', checkShort)),
    stuckAfterMs: read('stuckAfter', checkShort) ?? defaults.stuckAfterMs,
    maxLost: read('maxLost', checkPositiveInteger) ?? defaults.maxLost,
    deadlineMs: read('deadline', checkShort) ?? defaults.deadlineMs,
    appVersion: read('appVersion', checkText) ?? environment.appVersion ?? appVersionAt(root) ?? null,
    logger: read('logger', checkLogger) ?? levelOf(environment) ?? defaults.logger,
    tracing: read('tracing', checkTracing),
    isProduction: environment.isProduction,
  })
}

/** `null` says that there is to be none. */
function withDefault<T>(said: T | null | undefined, unsaid: T): T | undefined {
  return said === undefined ? unsaid : (said ?? undefined)
}

function checkHooks(value: unknown, where: string): Hooks | undefined {
  checkKeys(value, hookNames, where)
  return toHooks(value, (hook) => `${where.slice(0, -1)}.${hook}"`)
}

function resolveTasks(
  tasks: Config['tasks'],
  modules: readonly string[] | undefined,
  guess: () => string,
): Pick<Config, 'tasks' | 'modules'> {
  if (tasks && modules) {
    throw new ConfigError(
      '"tasks" and "modules" exclude each other: "tasks" lists by hand what "modules" would find.',
    )
  }
  return { tasks, modules: Object.freeze(tasks ? [] : (modules ?? [guess()])) }
}

/** What is in it is looked at when the tasks are registered. */
function checkTasks(value: unknown, where: string): Readonly<Record<string, object>> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value))
    return value as Record<string, object>
  throw wrong(where, 'an object of modules, such as { reports }', value)
}

function checkModules(value: unknown, where: string): readonly string[] {
  const patterns: unknown[] = Array.isArray(value) ? value : [value]
  if (patterns.length === 0) throw wrong(where, 'one pattern or more', value)
  return patterns.map((pattern) => checkText(pattern, where))
}

/** It stands before every key, and BullMQ joins the parts of a key with colons. */
function checkPrefix(value: unknown, where: string): string {
  if (typeof value === 'string' && /^[^\s:\p{Cc}]{1,100}$/u.test(value)) return value
  throw wrong(where, '1 to 100 characters without spaces and colons', value)
}

function checkPath(value: unknown, where: string): string {
  if (typeof value === 'string' && /^(?:\/|(?:\/[\w.~-]{1,200}){1,20}\/?)$/.test(value))
    return value.replace(/\/$/, '')
  throw wrong(where, "a path such as '/jobs', or '/' for the mount itself", value)
}

function checkPublicPath(value: unknown, where: string): string {
  const isPath = typeof value === 'string' && (value.startsWith('/') || /^https?:\/\//i.test(value))
  if (isPath && !/[\s?#]/.test(value)) return value.endsWith('/') ? value.slice(0, -1) : value
  throw wrong(where, "a path such as '/api/jobs', or the same with https:// and a host", value)
}

function asFunction<Kind>(value: unknown, where: string): Kind {
  checkFunction(value, where)
  return value as Kind
}

function checkQueueLimits(value: unknown, where: string): Record<string, Limit> {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw wrong(where, "an object such as { mail: { rateLimit: '100/m' } }", value)
  return Object.fromEntries(
    Object.entries(value).map(([queue, options]) => {
      const at = `${where} for "${checkQueue(queue, `a key of ${where}`)}"`
      checkKeys(options, ['rateLimit', 'concurrency'], at)
      const { rateLimit, concurrency } = options
      return [
        queue,
        {
          ...(rateLimit === undefined ? {} : { pace: checkRate(rateLimit, `${at}, "rateLimit"`) }),
          ...(concurrency === undefined
            ? {}
            : { concurrency: checkPositiveInteger(concurrency, `${at}, "concurrency"`) }),
        },
      ]
    }),
  )
}

function checkWorker(value: unknown, where: string): boolean | Record<string, unknown> {
  if (typeof value === 'boolean') return value
  checkKeys(value, workerOptionNames, where)
  return value
}

function resolveWorker(
  worker: boolean | Record<string, unknown> | undefined,
  { cores }: Environment,
): WorkerConfig {
  const {
    concurrency,
    queues,
    grace,
    pool,
    maxJobsPerChild,
    maxMemoryPerChild,
    autoscale,
    healthPort,
    metricsPort,
    name,
  } = typeof worker === 'object' ? worker : {}
  return Object.freeze({
    concurrency:
      concurrency === undefined ? cores : checkPositiveInteger(concurrency, '"worker.concurrency"'),
    queues: queues === undefined ? undefined : Object.freeze(checkQueues(queues, '"worker.queues"')),
    graceMs: grace === undefined ? defaults.graceMs : checkDuration(grace, '"worker.grace"'),
    pool: pool === undefined ? 'inline' : checkPool(pool, '"worker.pool"'),
    maxJobsPerChild:
      maxJobsPerChild === undefined
        ? null
        : checkPositiveInteger(maxJobsPerChild, '"worker.maxJobsPerChild"'),
    maxMemoryPerChild:
      maxMemoryPerChild === undefined ? null : checkBytes(maxMemoryPerChild, '"worker.maxMemoryPerChild"'),
    autoscale: autoscale === undefined ? null : checkRange(autoscale, '"worker.autoscale"'),
    healthPort: healthPort === undefined ? null : checkPort(healthPort, '"worker.healthPort"'),
    metricsPort: checkMetricsPort(metricsPort, healthPort),
    name: name === undefined ? defaults.workerName : checkText(name, '"worker.name"'),
  })
}

/** A port of its own: the health port is answered by a thread that knows nothing of jobs. */
function checkMetricsPort(port: unknown, healthPort: unknown): number | null {
  if (port === undefined) return null
  const checked = checkPort(port, '"worker.metricsPort"')
  if (checked === 0 || checked !== healthPort) return checked
  throw new ConfigError(
    `"worker.metricsPort" and "worker.healthPort" are both ${checked}. Give each a port of its own.`,
  )
}

function checkQueues(value: unknown, where: string): string[] {
  if (!Array.isArray(value) || value.length === 0) throw wrong(where, 'a list of queues', value)
  return [...new Set(value.map((queue: unknown) => checkQueue(queue, where)))]
}

const shortestMs = 50

function checkShort(value: unknown, where: string): number {
  return checkDuration(value, where, shortestMs)
}

/** A short lease brings a short heartbeat along. */
function resolveLease(lease: number | undefined, heartbeat: number | undefined) {
  const leaseMs = lease ?? Math.max(defaults.leaseMs, (heartbeat ?? 0) * 5)
  const heartbeatMs = heartbeat ?? Math.min(defaults.heartbeatMs, Math.max(1, Math.floor(leaseMs / 5)))
  if (leaseMs >= 3 * heartbeatMs) return { leaseMs, heartbeatMs }
  throw new ConfigError(
    `"lease" (${leaseMs} ms) must be at least three times "heartbeat" (${heartbeatMs} ms), so that a late heartbeat loses no worker.`,
  )
}

/** It is tried out at once: a wrong one would be noticed when the first job is read. */
function checkCodec(value: unknown, where: string): Codec {
  const codec = value as Codec
  try {
    const { date } = codec.parse(codec.stringify({ date: new Date(0) })) as { date: unknown }
    const values = createValues(codec)
    if (date instanceof Date && 'json' in values.toText({ date })) return codec
  } catch {
    // Said below.
  }
  throw wrong(where, 'a codec such as superjson: stringify gives JSON, and parse gives a Date back', value)
}

const levels: readonly string[] = [
  'fatal',
  'error',
  'warn',
  'info',
  'debug',
  'trace',
  'silent',
] satisfies LogLevel[]

function checkLogger(value: unknown, where: string): Logger | LogLevel {
  if (typeof value === 'string' && levels.includes(value)) return value as LogLevel
  const isLogger =
    typeof value === 'object' && value !== null && 'child' in value && typeof value.child === 'function'
  if (isLogger) return value as unknown as Logger
  throw wrong(where, `a pino logger, or one of ${levels.join(', ')}`, value)
}

function checkTracing(value: unknown, where: string): Tracing {
  const given = value as Partial<Record<keyof Tracing, unknown>> | null
  const isTracing = [given?.enqueue, given?.attempt, given?.inside].every(
    (each) => typeof each === 'function',
  )
  if (isTracing) return value as Tracing
  throw wrong(where, "what openTelemetry() of 'celeriac/opentelemetry' gives", value)
}

function levelOf({ logLevel }: Environment): LogLevel | undefined {
  if (logLevel === undefined) return undefined
  if (levels.includes(logLevel)) return logLevel as LogLevel
  throw wrong('CELERIAC_LOG_LEVEL', `one of ${levels.join(', ')}`, logLevel)
}
