import { noLimits } from '../../enqueue/limit-book.js'
import { type Limit, type TaskLimits, withRule } from '../../job/limit.js'
import type { Setting } from '../../store/store.js'
import { readRule, tellLimit } from '../../task/limit-rule.js'
import type { LimitSummary, WhoSet } from './contract.js'

/**
 * The limits of a task or a queue: what holds now, what its code says, and who has set something else.
 * @param scope as `task:mail.send`, `queue:mail`
 */
export function limitsOf(
  scope: string,
  code: TaskLimits | undefined,
  settings: readonly Setting[],
): LimitSummary {
  const rule = settings.find(({ name }) => name === scope)
  const said = code ?? noLimits
  const holds = withRule(said, (rule && readRule(rule.value)) ?? {})
  return {
    ...tellLimit(holds.task),
    perKey: tellLimit(holds.key),
    code: tellLimit(said.task),
    set: whoSet(settings, scope),
  }
}

export function limitsOfQueue(
  queue: string,
  limits: Readonly<Record<string, Limit>>,
  settings: readonly Setting[],
): LimitSummary {
  const limit = Object.hasOwn(limits, queue) ? limits[queue] : undefined
  return limitsOf(`queue:${queue}`, limit && { task: limit, key: {} }, settings)
}

/** @param name of the setting's row */
export function whoSet(settings: readonly Setting[], name: string): WhoSet | null {
  const found = settings.find((setting) => setting.name === name)
  return found ? { by: found.setBy, at: found.setAt } : null
}
