import type { Logger } from 'pino'
import type { Limits } from '../enqueue/backpressure.js'
import { ConfigError } from '../errors.js'
import { type Retention, withRetention } from '../job/retain.js'
import type { ResolvedBackoff } from '../job/retry.js'
import {
  backoffDefaults,
  checkBackoff,
  checkBoolean,
  checkDuration,
  checkFunction,
  checkKeys,
  checkPositiveInteger,
  checkQueue,
  checkRetain,
  checkText,
  wrong,
} from '../task/check.js'
import { checkBackpressure } from './backpressure.js'
import { configFileOf } from './define.js'
import type { Environment } from './env.js'
import type { CeleriacOptions, LogLevel, WorkerOptions } from './options.js'
import { guessModules, resolveRoot, runsTypeScript } from './root.js'
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
  readonly authorize: CeleriacOptions['authorize']
  /** `undefined`: nothing is refused. */
  readonly backpressure: Limits | undefined

  readonly queue: string
  readonly attempts: number
  readonly backoff: ResolvedBackoff
  readonly timeLimitMs: number | undefined
  readonly retention: Retention
  readonly maxPayload: number
  readonly maxResult: number

  /** The worker inside this process, if there is to be one. */
  readonly worker: WorkerConfig | undefined
  /** What a worker process goes by, where its command line says nothing. */
  readonly workerProcess: WorkerConfig
  readonly onWorkerStart: CeleriacOptions['onWorkerStart']
  readonly onWorkerStop: CeleriacOptions['onWorkerStop']

  readonly leaseMs: number
  readonly heartbeatMs: number
  readonly stuckAfterMs: number
  readonly maxLost: number
  readonly deadlineMs: number
  readonly logger: Logger | LogLevel
  readonly isProduction: boolean
}

export interface WorkerConfig {
  readonly concurrency: number
  /** `undefined`: the default queue, and all that the tasks name. */
  readonly queues: readonly string[] | undefined
  readonly graceMs: number
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
  backoff: Object.freeze({ type: 'exponential', ...backoffDefaults }) satisfies ResolvedBackoff,
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
  authorize: true,
  backpressure: true,
  queue: true,
  attempts: true,
  backoff: true,
  timeLimit: true,
  retain: true,
  maxPayload: true,
  maxResult: true,
  worker: true,
  onWorkerStart: true,
  onWorkerStop: true,
  lease: true,
  heartbeat: true,
  stuckAfter: true,
  maxLost: true,
  deadline: true,
  logger: true,
} satisfies Record<keyof CeleriacOptions, true>

const workerOptionNames = ['concurrency', 'queues', 'grace', 'name'] satisfies (keyof WorkerOptions)[]

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
    authorize: read('authorize', asFunction<NonNullable<CeleriacOptions['authorize']>>),
    backpressure: read('backpressure', checkBackpressure),

    queue,
    attempts: read('attempts', checkPositiveInteger) ?? defaults.attempts,
    backoff: read('backoff', checkBackoff) ?? defaults.backoff,
    timeLimitMs: read('timeLimit', (value, where) => checkDuration(value, where, 1)),
    retention: withRetention(defaults.retention, read('retain', checkRetain)),
    maxPayload: read('maxPayload', checkPositiveInteger) ?? defaults.maxPayload,
    maxResult: read('maxResult', checkPositiveInteger) ?? defaults.maxResult,

    worker: worker === false || worker === undefined ? undefined : workerProcess,
    workerProcess,
    onWorkerStart: read('onWorkerStart', asFunction<NonNullable<CeleriacOptions['onWorkerStart']>>),
    onWorkerStop: read('onWorkerStop', asFunction<NonNullable<CeleriacOptions['onWorkerStop']>>),

    ...resolveLease(read('lease', checkShort), read('heartbeat', checkShort)),
    stuckAfterMs: read('stuckAfter', checkShort) ?? defaults.stuckAfterMs,
    maxLost: read('maxLost', checkPositiveInteger) ?? defaults.maxLost,
    deadlineMs: read('deadline', checkShort) ?? defaults.deadlineMs,
    logger: read('logger', checkLogger) ?? levelOf(environment) ?? defaults.logger,
    isProduction: environment.isProduction,
  })
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

function checkWorker(value: unknown, where: string): boolean | Record<string, unknown> {
  if (typeof value === 'boolean') return value
  checkKeys(value, workerOptionNames, where)
  return value
}

function resolveWorker(
  worker: boolean | Record<string, unknown> | undefined,
  { cores }: Environment,
): WorkerConfig {
  const { concurrency, queues, grace, name } = typeof worker === 'object' ? worker : {}
  return Object.freeze({
    concurrency:
      concurrency === undefined ? cores : checkPositiveInteger(concurrency, '"worker.concurrency"'),
    queues: queues === undefined ? undefined : Object.freeze(checkQueues(queues, '"worker.queues"')),
    graceMs: grace === undefined ? defaults.graceMs : checkDuration(grace, '"worker.grace"'),
    name: name === undefined ? defaults.workerName : checkText(name, '"worker.name"'),
  })
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

function levelOf({ logLevel }: Environment): LogLevel | undefined {
  if (logLevel === undefined) return undefined
  if (levels.includes(logLevel)) return logLevel as LogLevel
  throw wrong('CELERIAC_LOG_LEVEL', `one of ${levels.join(', ')}`, logLevel)
}
