import { ConfigError } from '../errors.js'
import type { LimitsOptions } from '../job/limit.js'
import type { Setting, Store } from '../store/store.js'
import { checkKeys, checkQueue, checkText } from '../task/check.js'
import type { AnyTask } from '../task/define.js'
import { checkLimits, parseRule, tellLimit } from '../task/limit-rule.js'
import type { TaskRegistry } from '../task/registry.js'
import type { LimitBook } from './limit-book.js'

/** What a limit is for: a task, by itself or by name, or a queue. */
export type LimitScope = { readonly task: AnyTask | string } | { readonly queue: string }

/** Limits of the whole cluster, while the app runs. They are kept in the store and hold everywhere within seconds. */
export interface Limits {
  /**
   * Sets limits that go before what code and configuration say: `set({ task: 'media.resize' }, { rateLimit: '10/s' })`.
   * `null` lifts a limit; one that is unsaid stays as it is. Jobs that wait already are bound by it, too.
   * @throws {UnknownTaskError} when this process knows no such task
   * @throws {ConfigError} when a limit is none
   */
  set(scope: LimitScope, limits: LimitsOptions, options?: { readonly by?: string }): Promise<void>
  /** Goes back to what code and configuration say. `false`: nothing was set. */
  reset(scope: LimitScope): Promise<boolean>
  /** What holds now, for all tasks and queues that have limits, and how many of their jobs wait and run. */
  list(): Promise<LimitStatus[]>
}

export interface LimitStatus {
  readonly scope: { readonly task: string } | { readonly queue: string }
  /** `null`: none. */
  readonly rateLimit: string | null
  readonly concurrency: number | null
  /** Of each of the task's keys. */
  readonly perKey: { readonly rateLimit: string | null; readonly concurrency: number | null }
  /** What was set while the app ran. */
  readonly set: (LimitsOptions & { readonly by: string | null; readonly at: Date }) | null
  readonly waiting: number
  readonly running: number
}

export interface LimitsDeps {
  readonly book: LimitBook
  readonly store: () => Promise<Store>
  readonly registry: () => Promise<TaskRegistry>
}

export interface LimitControl extends Limits {
  /** Reads what was set, by whatever process. */
  learn(): Promise<unknown>
}

export function createLimits({ book, store, registry }: LimitsDeps): LimitControl {
  return { set, reset, list, learn }

  async function set(
    scope: LimitScope,
    limits: LimitsOptions,
    { by }: { readonly by?: string } = {},
  ): Promise<void> {
    const name = await nameOf(scope)
    checkLimits(limits, `The limits of ${name}`, name.startsWith('queue:') ? ['task'] : ['task', 'key'])
    await assertHasKey(name, limits)
    const known = await learn()
    const before = known.find((rule) => rule.name === name)
    const rule = { ...(before ? parseRule(before.value) : {}), ...plain(limits) }
    const setBy = by === undefined ? null : checkText(by, '"by"')
    await (await store()).setSetting(name, JSON.stringify(rule), setBy)
    await learn()
  }

  async function reset(scope: LimitScope): Promise<boolean> {
    const name = await nameOf(scope)
    const known = await learn()
    await (await store()).setSetting(name, null, null)
    await learn()
    return known.some((rule) => rule.name === name)
  }

  async function list(): Promise<LimitStatus[]> {
    const known = await registry()
    const rules = await learn()
    const counts = await (await store()).countLimited()
    const ruleOf = (name: string) => toSet(rules.find((rule) => rule.name === name))
    const tasks = known.names.flatMap((task): LimitStatus[] => {
      const admitted = book.ofTask(task)
      if (!admitted || !book.isLimitedTask(task)) return []
      const { limits, names } = admitted
      const own = counts.filter((count) => names.includes(count.task))
      const perKey = tellLimit(limits.key)
      return [
        { scope: { task }, ...tellLimit(limits.task), perKey, set: ruleOf(`task:${task}`), ...sum(own) },
      ]
    })
    const queues = [...book.queues()].map(([queue, limit]): LimitStatus => {
      const own = counts.filter((count) => count.queue === queue)
      return {
        scope: { queue },
        ...tellLimit(limit),
        perKey: tellLimit({}),
        set: ruleOf(`queue:${queue}`),
        ...sum(own),
      }
    })
    return [...tasks, ...queues]
  }

  async function nameOf(scope: LimitScope): Promise<string> {
    checkKeys(scope, ['task', 'queue'], 'The scope of a limit')
    if ('queue' in scope && !('task' in scope)) return `queue:${checkQueue(scope.queue, '"queue"')}`
    if (!('task' in scope) || 'queue' in scope)
      throw new ConfigError('A limit is for { task } or for { queue }: give one of them.')
    const known = await registry()
    const { task } = scope
    return `task:${known.get(typeof task === 'string' ? task : known.nameOf(task)).name}`
  }

  /** A limit by key would mean nothing. */
  async function assertHasKey(name: string, { rateLimit, concurrency }: LimitsOptions): Promise<void> {
    const isByKey = [rateLimit, concurrency].some(
      (each) => typeof each === 'object' && each !== null && each.key !== undefined,
    )
    if (!isByKey) return
    const task = name.slice('task:'.length)
    if ((await registry()).get(task).definition.key) return
    throw new ConfigError(
      `Task "${task}" has no "key", so it can have no limit by key. Give it one in its code.`,
    )
  }

  async function learn(): Promise<Setting[]> {
    const rules = await (await store()).settings()
    book.learn(rules)
    return rules
  }
}

function plain({ rateLimit, concurrency }: LimitsOptions): LimitsOptions {
  return {
    ...(rateLimit === undefined ? {} : { rateLimit }),
    ...(concurrency === undefined ? {} : { concurrency }),
  }
}

function toSet(rule: Setting | undefined): LimitStatus['set'] {
  return rule ? { ...parseRule(rule.value), by: rule.setBy, at: rule.setAt } : null
}

function sum(counts: readonly { readonly waiting: number; readonly running: number }[]) {
  return {
    waiting: counts.reduce((total, { waiting }) => total + waiting, 0),
    running: counts.reduce((total, { running }) => total + running, 0),
  }
}
