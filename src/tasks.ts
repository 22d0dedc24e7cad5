import { pathToFileURL } from 'node:url'
import type { Config } from './config/resolve.js'
import type { AnnouncedTask } from './enqueue/announced.js'
import type { EnqueueTarget } from './enqueue/enqueue.js'
import type { LimitBook } from './enqueue/limit-book.js'
import { KeyError } from './errors.js'
import { noRules } from './job/failure.js'
import type { TaskLimits } from './job/limit.js'
import { type Retention, withRetention } from './job/retain.js'
import { defaultBackoff, type ToldBackoff, tellBackoff } from './job/retry.js'
import type { ResolvedTimeLimit } from './job/time-limit.js'
import type { RetentionBook } from './maintain/maintain.js'
import {
  type AboutTask,
  announcedUniqueKey,
  announceKeys,
  type TaskAnnouncement,
  type TaskAnnouncements,
  withinBounds,
} from './task/announcement.js'
import {
  type CheckedPayload,
  fromPayloadText,
  toKeyedPayload,
  toPayloadText,
  toText,
} from './task/payload.js'
import type { PoolKind } from './task/policy.js'
import type { RegisteredTask, TaskRegistry } from './task/registry.js'
import { payloadSchemaOf } from './task/schema.js'
import type { HookedTask } from './telemetry/hooks.js'
import type { RunnableTask } from './worker/attempt.js'
import type { TaskHome } from './worker/pool/message.js'

/**
 * A task as the write path and the worker need it. Here, and nowhere else, the order of precedence stands: what the
 * task says, else what the configuration says. A call's own options come before both, in `enqueue/job-row.ts`.
 */
export function toTarget(
  { name, task, definition }: RegisteredTask,
  config: Config,
  limits: LimitBook,
): EnqueueTarget {
  return {
    task: name,
    queue: queueOf(name, definition, config),
    priority: definition.priority ?? 0,
    attempts: definition.attempts ?? config.attempts,
    redact: redactOf(definition, config),
    expiresInMs: definition.expiresInMs,
    uniqueness: definition.uniqueness,
    isLimited: (queue) => limits.isLimited(name, queue),
    toPayload: hasKeys(definition)
      ? (payload) => toKeyedPayload(name, task, payload, config.maxPayload, config.values)
      : (payload) => toPayloadText(name, task, payload, config.maxPayload, config.values),
  }
}

/** The same for a task that this process has no code of. Its payload is checked by the worker alone. */
export function toAnnouncedTarget(task: AnnouncedTask, config: Config, limits: LimitBook): EnqueueTarget {
  const { name, queue, priority, attempts, expiresInMs, redact, limited, unique } = task
  const toKeys = (text: string): CheckedPayload => {
    const uniqueKey = announcedUniqueKey(task, text)
    if (uniqueKey === undefined) throw new KeyError(name, unknownKey(name))
    return { text, uniqueKey, limitKey: limited === 'task' ? '' : null }
  }
  return {
    ...{ task: name, queue, priority, attempts, expiresInMs },
    redact: redact ?? nothing,
    uniqueness: unique && { ...unique, key: undefined },
    // A key that is not known here is added by the worker, and must not be taken for none.
    isLimited: (queue) => limited !== 'key' && limits.isLimited(name, queue),
    toPayload(payload) {
      const text = toText(name, payload, config.maxPayload, config.values)
      return limited || unique ? toKeys(text) : text
    },
  }
}

function unknownKey(name: string): string {
  return `Jobs of task "${name}" are unique by a function of its code, which this process lacks. Enqueue it where its code is, or give its "unique" no "key": then the payload decides.`
}

/** How a task's jobs run, for people. Milliseconds; what a function decides is absent. */
export interface TaskDescription {
  readonly aliases: readonly string[]
  readonly queue: string
  readonly priority: number
  readonly attempts: number
  readonly backoff: ToldBackoff
  readonly timeLimit: ResolvedTimeLimit
  readonly expiresInMs: number | null
  /** `null`: that of the worker. */
  readonly pool: PoolKind | null
  readonly limits: TaskLimits | null
  /** By which rule its jobs are kept unique. */
  readonly unique: string | null
  readonly retention: Retention
  /** Fields that nobody is to see. */
  readonly redact: readonly string[]
}

export function describeTask({ name, definition }: RegisteredTask, config: Config): TaskDescription {
  const { aliases, priority, attempts, expiresInMs, timeLimit, pool, limits, uniqueness, retain } = definition
  return {
    aliases,
    queue: queueOf(name, definition, config),
    priority: priority ?? 0,
    attempts: attempts ?? config.attempts,
    backoff: tellBackoff(definition.backoff ?? config.backoff),
    timeLimit: timeLimit ?? config.timeLimit,
    expiresInMs: expiresInMs ?? null,
    pool: pool ?? null,
    limits: limits ?? null,
    unique: uniqueness?.mode ?? null,
    retention: withRetention(config.retention, retain),
    redact: redactOf(definition, config),
  }
}

/** What workers tell of their tasks, by name. */
function announce(registry: TaskRegistry, config: Config): TaskAnnouncements {
  const all = registry.names.map((name) => [name, announcementOf(registry.get(name), config)] as const)
  return withinBounds(Object.fromEntries(all))
}

function announcementOf(registered: RegisteredTask, config: Config): TaskAnnouncement {
  const { name, definition } = registered
  const { aliases, priority, attempts, expiresInMs } = definition
  const redact = redactOf(definition, config)
  return {
    ...(aliases.length === 0 ? {} : { aliases }),
    queue: queueOf(name, definition, config),
    priority: priority ?? 0,
    attempts: attempts ?? config.attempts,
    ...(expiresInMs === undefined ? {} : { expiresInMs }),
    ...(redact.length === 0 ? {} : { redact }),
    ...announceKeys(definition),
    about: aboutTask(registered, config),
  }
}

function aboutTask(registered: RegisteredTask, config: Config): AboutTask {
  const { timeLimit, pool, retention, backoff, limits } = describeTask(registered, config)
  const schema = payloadSchemaOf(registered.definition.schema)
  return { timeLimit, pool, retention, backoff, limits, schema }
}

/** Most tasks have none, and pay nothing for it. */
function hasKeys({ limits, uniqueness }: RegisteredTask['definition']): boolean {
  return limits !== undefined || uniqueness !== undefined
}

function queueOf(name: string, { queue }: RegisteredTask['definition'], config: Config): string {
  return queue ?? config.routes.queueOf(name) ?? config.queue
}

/** Where jobs of each task wait. */
export function queuesByTask(registry: TaskRegistry, config: Config): ReadonlyMap<string, string> {
  return new Map(registry.names.map((name) => [name, queueOf(name, registry.get(name).definition, config)]))
}

/** The queues that jobs of these tasks wait in, the default queue first. */
export function queuesOf(registry: TaskRegistry, config: Config): readonly string[] {
  const named = registry.names.map((name) => queueOf(name, registry.get(name).definition, config))
  return [...new Set([config.queue, ...named])]
}

/** How long finished jobs are kept, by task. `registry` gives none until the tasks are found. */
export function toRetentionBook(registry: () => TaskRegistry | undefined, config: Config): RetentionBook {
  return {
    isKnown: () => registry() !== undefined,
    ofTask(name) {
      const registered = registry()?.find(name)
      return registered && withRetention(config.retention, registered.definition.retain)
    },
    ofOthers: config.retention,
  }
}

/** All tasks by their names, as hooks need them. */
export function toHooked(registry: TaskRegistry, config: Config): ReadonlyMap<string, HookedTask> {
  const all = registry.names.map((name) => registry.get(name))
  return new Map(
    all.flatMap(({ name, task, definition }) => {
      const hooked: HookedTask = {
        hooks: definition.hooks,
        parsePayload: (text) => fromPayloadText(name, task, text, config.values),
      }
      return [name, ...definition.aliases].map((known) => [known, hooked] as const)
    }),
  )
}

/** What follows when a handler throws. */
function toFailurePolicy(
  { retryOn, giveUpOn, ...definition }: RegisteredTask['definition'],
  config: Config,
): Pick<RunnableTask, 'backoff' | 'rules'> {
  const backoff = definition.backoff ?? config.backoff
  if (backoff.type === 'function') return { backoff: defaultBackoff, rules: { retryOn, giveUpOn, backoff } }
  return { backoff, rules: retryOn || giveUpOn ? { retryOn, giveUpOn, backoff: undefined } : noRules }
}

/**
 * All tasks of a registry, each made ready at its first use.
 * @param pool the worker's, where a task names none
 */
export function toRunnable(registry: TaskRegistry, config: Config, pool: PoolKind) {
  const ready = new Map<string, RunnableTask>()

  return {
    names: () => registry.names,
    announcement: () => JSON.stringify(announce(registry, config)),
    get(name: string): RunnableTask | undefined {
      const present = ready.get(name)
      if (present) return present
      const registered = registry.find(name)
      if (!registered) return undefined
      const runnable = toRunnableTask(registered, config, pool)
      ready.set(name, runnable)
      return runnable
    },
  }
}

function toRunnableTask(registered: RegisteredTask, config: Config, pool: PoolKind): RunnableTask {
  const { name, task, definition } = registered
  return {
    name,
    ...toFailurePolicy(definition, config),
    timeLimit: definition.timeLimit ?? config.timeLimit,
    values: config.values,
    redact: redactOf(definition, config),
    drops: dropsOf(withRetention(config.retention, definition.retain)),
    parsePayload: (text) => fromPayloadText(name, task, text, config.values),
    pool: definition.pool ?? pool,
    file: fileOf(registered, config),
    run: definition.run,
  }
}

/** The file that exports it; of a task that was listed by hand, the file that defines it. */
function fileOf({ source, definition }: RegisteredTask, { tasks }: Config): string | undefined {
  return tasks ? definition.file : pathToFileURL(source).href
}

/** The files that export these tasks, for threads and processes that import some of them. */
export function homesOf(registry: TaskRegistry, config: Config): TaskHome[] {
  const homes = new Map<string, string[]>()
  for (const name of registry.names) {
    const file = fileOf(registry.get(name), config)
    if (file !== undefined) homes.set(file, [...(homes.get(file) ?? []), name])
  }
  return [...homes].map(([file, tasks]) => ({ file, tasks }))
}

const nothing: readonly string[] = Object.freeze([])

function redactOf({ redact = nothing }: RegisteredTask['definition'], config: Config): readonly string[] {
  return redact.length + config.redact.length === 0 ? nothing : [...config.redact, ...redact]
}

/** What is kept for no time at all is deleted with its end. */
function dropsOf({ ages }: Retention): ReadonlySet<string> {
  return new Set(Object.entries(ages).flatMap(([state, ageMs]) => (ageMs === 0 ? [state] : [])))
}
