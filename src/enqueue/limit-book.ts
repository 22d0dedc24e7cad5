import { type Limit, type TaskLimits, withRule } from '../job/limit.js'
import type { AdmittedTask, Setting } from '../store/store.js'
import { readLimitKey } from '../task/key.js'
import { readRule } from '../task/limit-rule.js'
import type { RegisteredTask, TaskRegistry } from '../task/registry.js'

/** What limits hold now: what was set while the app ran goes before what code and configuration say. */
export interface LimitBook {
  /** Of a task that this process knows, by name or alias. */
  ofTask(name: string): AdmittedTask | undefined
  ofQueue(queue: string): Limit | undefined
  /** Whether a job has limits, by its task or by its queue. */
  isLimited(task: string, queue: string): boolean
  isLimitedTask(task: string): boolean
  /** Those with limits. */
  queues(): ReadonlyMap<string, Limit>
  /** Calls `listener` when limits have changed. */
  onChange(listener: () => void): () => void
  /** Whether anything has limits. */
  hasAny(): boolean
  /** The key of a stored payload; empty where the task has none, or can make none of it. */
  keyOf(task: string, payload: string): Promise<string>
  /** What was set while the app ran. */
  readonly rules: readonly Setting[]
  learn(rules: readonly Setting[]): void
}

export interface LimitBookDeps {
  /** `undefined` until the tasks are found. */
  readonly registry: () => TaskRegistry | undefined
  /** By the configuration. */
  readonly queues: Readonly<Record<string, Limit>>
  /** What `run` would get. */
  readonly parse: (task: RegisteredTask, payload: string) => unknown
  readonly log: { warn(message: string): void }
}

export const noLimits: TaskLimits = Object.freeze({ task: Object.freeze({}), key: Object.freeze({}) })

export function createLimitBook({ registry, queues, parse, log }: LimitBookDeps): LimitBook {
  let rules: readonly Setting[] = []
  let tasks = new Map<string, AdmittedTask>()
  let limitedQueues = toQueueLimits()
  let text = '[]'
  const warned = new Set<string>()
  const listeners = new Set<() => void>()

  return {
    ofTask,
    ofQueue: (queue) => limitedQueues.get(queue),
    isLimited: (task, queue) => limitedQueues.has(queue) || isLimitedTask(task),
    isLimitedTask,
    queues: () => limitedQueues,
    onChange(listener) {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
    hasAny: () =>
      limitedQueues.size > 0 || rules.length > 0 || (registry()?.names.some(isLimitedTask) ?? false),
    keyOf,
    get rules() {
      return rules
    },
    learn(all) {
      const next = all.filter(({ name }) => name.startsWith('task:') || name.startsWith('queue:'))
      const nextText = JSON.stringify(next)
      if (nextText === text) return
      text = nextText
      rules = next
      tasks = new Map()
      limitedQueues = toQueueLimits()
      for (const listener of listeners) listener()
    },
  }

  function ofTask(name: string): AdmittedTask | undefined {
    const present = tasks.get(name)
    if (present) return present
    const registered = registry()?.find(name)
    if (!registered) return undefined
    const admitted = toAdmitted(registered)
    tasks.set(name, admitted)
    return admitted
  }

  function toAdmitted({ name, definition }: RegisteredTask): AdmittedTask {
    const names = [name, ...definition.aliases] as const
    const rule = rules.find((each) => names.some((one) => each.name === `task:${one}`))
    const given = rule && readRule(rule.value)
    const limits = definition.limits ?? noLimits
    return { names, limits: given ? withRule(limits, given) : limits }
  }

  function isLimitedTask(name: string): boolean {
    const known = ofTask(name)
    return known !== undefined && known.limits !== noLimits
  }

  function toQueueLimits(): Map<string, Limit> {
    const limits = new Map(Object.entries(queues))
    for (const { name, value } of rules) {
      if (!name.startsWith('queue:')) continue
      const queue = name.slice('queue:'.length)
      const given = readRule(value)
      if (given) limits.set(queue, withRule({ task: limits.get(queue) ?? {}, key: {} }, given).task)
    }
    return limits
  }

  async function keyOf(task: string, payload: string): Promise<string> {
    const registered = registry()?.find(task)
    const key = registered?.definition.key
    if (!registered || !key) return ''
    try {
      return readLimitKey(registered.name, key, await parse(registered, payload))
    } catch (error) {
      if (!warned.has(task))
        log.warn(
          `A waiting job of "${task}" has no key that can be made of its payload, and takes its turn without one: ${String(error)}`,
        )
      warned.add(task)
      return ''
    }
  }
}
