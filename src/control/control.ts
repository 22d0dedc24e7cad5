import type { LimitScope, Limits } from '../enqueue/limits.js'
import { ConfigError } from '../errors.js'
import type { Concurrency, RateLimit } from '../job/limit.js'
import type { TimeLimit } from '../job/time-limit.js'
import type { Command, KnownWorker, Store } from '../store/store.js'
import { checkBoolean, checkPositiveInteger, checkQueue } from '../task/check.js'
import type { AnyTask } from '../task/define.js'
import { checkTimeLimit } from '../task/policy.js'
import type { TaskRegistry } from '../task/registry.js'
import type { LogLevel } from '../telemetry/log.js'
import { logLevelNames } from '../telemetry/log.js'
import type { Answer, AskOptions, Door } from './door.js'
import { checkRange } from './range.js'
import { settingNames } from './settings.js'
import type { AutoscaleRange, ReplyOf, Verb } from './verbs.js'

/**
 * Commands to workers. Each resolves within its deadline, and its answer leaves no worker out. What is set stays set,
 * also after a restart: for all (`pause`, limits) or for a worker of that name (pool, queues, autoscale, log level).
 */
export interface Control {
  /** Workers finish what they run, and end; with `now`, they give it back at once. */
  shutdown(options?: AskOptions & { readonly now?: boolean }): Promise<Answer<ReplyOf<'shutdown'>>>
  /** So many jobs more at once. Refused by a worker that scales itself. */
  poolGrow(by: number, options?: AskOptions): Promise<Answer<ReplyOf<'pool-grow'>>>
  /** So many fewer, but at least one. What runs is not disturbed. */
  poolShrink(by: number, options?: AskOptions): Promise<Answer<ReplyOf<'pool-shrink'>>>
  /** Replaces the threads and processes of the pool, each when its job has ended. */
  poolRestart(options?: AskOptions): Promise<Answer<ReplyOf<'pool-restart'>>>
  /** `null` ends it: the worker stays as large as it is. */
  autoscale(range: AutoscaleRange | null, options?: AskOptions): Promise<Answer<ReplyOf<'autoscale'>>>
  queueAdd(queue: string, options?: AskOptions): Promise<Answer<ReplyOf<'queue-add'>>>
  queueRemove(queue: string, options?: AskOptions): Promise<Answer<ReplyOf<'queue-remove'>>>
  logLevel(level: LogLevel, options?: AskOptions): Promise<Answer<ReplyOf<'log-level'>>>
  /** Back to what configuration and flags of the worker say. */
  reset(options?: AskOptions): Promise<Answer<ReplyOf<'reset'>>>

  /** No worker starts a job of this queue, now or later, until `resume`. What runs goes on; what comes in waits. */
  pause(queue: string, options?: AskOptions): Promise<Answer<ReplyOf<'pause'>>>
  resume(queue: string, options?: AskOptions): Promise<Answer<ReplyOf<'resume'>>>
  /** As `jobs.limits.set({ … }, { rateLimit })`; `null` lifts it. */
  rateLimit(scope: LimitScope, rate: RateLimit | null, options?: AskOptions): Promise<Answer<'set'>>
  /** As `jobs.limits.set({ … }, { concurrency })`; `null` lifts it. */
  concurrency(scope: LimitScope, most: Concurrency | null, options?: AskOptions): Promise<Answer<'set'>>
  /** Rate and concurrency are again what code and configuration say. */
  limitReset(scope: LimitScope, options?: AskOptions): Promise<Answer<'set'>>
  /** Of attempts that begin from now on. `null`: as the code says. A limit that a call gave its job goes before it. */
  timeLimit(task: AnyTask | string, limit: TimeLimit | null, options?: AskOptions): Promise<Answer<'set'>>

  /** The last commands, newest first: who asked for what, when, from where. */
  commands(limit?: number, before?: string): Promise<Command[]>
}

/** Questions to workers. What only the store knows, such as jobs that wait, is asked of the store: see `celeriac jobs`. */
export interface Inspect {
  ping(options?: AskOptions): Promise<Answer<'pong'>>
  /** What runs. */
  active(options?: AskOptions): Promise<Answer<ReplyOf<'active'>>>
  /** What workers have claimed, and not begun. */
  reserved(options?: AskOptions): Promise<Answer<ReplyOf<'reserved'>>>
  /** The tasks that each knows. */
  registered(options?: AskOptions): Promise<Answer<ReplyOf<'registered'>>>
  stats(options?: AskOptions): Promise<Answer<ReplyOf<'stats'>>>
  queues(options?: AskOptions): Promise<Answer<ReplyOf<'queues'>>>
  /** The options that hold, without secrets. */
  conf(options?: AskOptions): Promise<Answer<ReplyOf<'conf'>>>
  /** Versions and settings, for a report of a fault. */
  report(options?: AskOptions): Promise<Answer<ReplyOf<'report'>>>
  /** Every worker that the store remembers, also those that are silent, stopped or lost. Asks no worker. */
  workers(): Promise<KnownWorker[]>
}

export interface ControlDeps {
  readonly door: Door
  readonly limits: Limits
  readonly store: () => Promise<Pick<Store, 'setSetting' | 'commands' | 'workers'>>
  readonly registry: () => Promise<TaskRegistry>
}

export function createControl({ door, limits, store, registry }: ControlDeps): Control {
  return {
    shutdown: ({ now = false, ...options } = {}) =>
      door.ask('shutdown', { now: checkBoolean(now, '"now"') }, options),
    poolGrow: async (by, options) => door.ask('pool-grow', { by: checkPositiveInteger(by, '"by"') }, options),
    poolShrink: async (by, options) =>
      door.ask('pool-shrink', { by: checkPositiveInteger(by, '"by"') }, options),
    poolRestart: (options) => door.ask('pool-restart', {}, options),
    autoscale: async (range, options) =>
      door.ask('autoscale', { range: range && checkRange(range, 'autoscale') }, options),
    queueAdd: async (queue, options) =>
      door.ask('queue-add', { queue: checkQueue(queue, '"queue"') }, options),
    queueRemove: async (queue, options) =>
      door.ask('queue-remove', { queue: checkQueue(queue, '"queue"') }, options),
    logLevel: async (level, options) => door.ask('log-level', { level: checkLevel(level) }, options),
    reset: (options) => door.ask('reset', {}, options),

    async pause(queue, options) {
      const name = settingNames.pause(checkQueue(queue, '"queue"'))
      await (await store()).setSetting(name, '{}', options?.by ?? null)
      return door.ask('pause', { queue }, options)
    },
    async resume(queue, options) {
      const name = settingNames.pause(checkQueue(queue, '"queue"'))
      await (await store()).setSetting(name, null, null)
      return door.ask('resume', { queue }, options)
    },
    async rateLimit(scope, rateLimit, options) {
      await limits.set(scope, { rateLimit } as Parameters<Limits['set']>[1], byOf(options))
      return door.ask('rate-limit', { scope: await nameOf(scope), rateLimit }, options)
    },
    async concurrency(scope, concurrency, options) {
      await limits.set(scope, { concurrency } as Parameters<Limits['set']>[1], byOf(options))
      return door.ask('concurrency', { scope: await nameOf(scope), concurrency }, options)
    },
    async limitReset(scope, options) {
      await limits.reset(scope)
      return door.ask('limit-reset', { scope: await nameOf(scope) }, options)
    },
    async timeLimit(task, limit, options) {
      const { name } = await taskOf(task)
      const value = limit === null ? null : JSON.stringify(checkTimeLimit(limit, '"timeLimit"'))
      await (await store()).setSetting(settingNames.timeLimit(name), value, options?.by ?? null)
      return door.ask('time-limit', { task: name, timeLimit: limit }, options)
    },

    commands: async (limit = 100, before) =>
      (await store()).commands({
        limit: checkPositiveInteger(limit, '"limit"'),
        ...(before === undefined ? {} : { before }),
      }),
  }

  async function nameOf(scope: LimitScope): Promise<string> {
    return 'queue' in scope ? `queue:${scope.queue}` : `task:${(await taskOf(scope.task)).name}`
  }

  async function taskOf(task: AnyTask | string) {
    const known = await registry()
    return known.get(typeof task === 'string' ? task : known.nameOf(task))
  }
}

export function createInspect({ door, store }: Pick<ControlDeps, 'door' | 'store'>): Inspect {
  const asking =
    <V extends Verb>(verb: V) =>
    (options?: AskOptions) =>
      door.ask(verb, {}, options)
  return {
    ping: asking('ping'),
    active: asking('active'),
    reserved: asking('reserved'),
    registered: asking('registered'),
    stats: asking('stats'),
    queues: asking('queues'),
    conf: asking('conf'),
    report: asking('report'),
    workers: async () => (await store()).workers(),
  }
}

function byOf(options: AskOptions | undefined): { readonly by?: string } {
  return options?.by ? { by: options.by } : {}
}

function checkLevel(level: unknown): LogLevel {
  const known = logLevelNames.find((name) => name === level)
  if (known) return known
  throw new ConfigError(`A log level is one of ${logLevelNames.join(', ')}, not ${JSON.stringify(level)}.`)
}
