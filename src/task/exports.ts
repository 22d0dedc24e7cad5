import { type AnyTask, checkTaskName, definitionOf, isTask } from './define.js'

/** A task with the name it goes by, before all of them are put together. */
export interface NamedTask {
  readonly name: string
  readonly task: AnyTask
  /** For messages: where it was found. */
  readonly source: string
}

/**
 * The tasks that a module exports, named `module.export` unless they bring a name of their own. Whatever is not a task
 * is ignored.
 *
 * A default export is `module.default`, unless the same task is exported by name too. What a CommonJS file exports may
 * stand below `default` or `module.exports`, depending on how it was compiled; it is found there under its own key.
 */
export function tasksOf(module: string, exports: object, source: string): NamedTask[] {
  const named: NamedTask[] = []
  for (const [key, task] of taskExports(exports)) {
    if (key === 'default' && named.some((other) => other.task === task)) continue
    named.push({ name: nameOf(task, module, key, source), task, source })
  }
  return named
}

const interopKeys: ReadonlySet<string> = new Set(['default', 'module.exports'])
const deepestInterop = 2

function* taskExports(exports: object, depth = 0): Generator<[string, AnyTask]> {
  const entries: [string, unknown][] = Object.entries(exports)
  for (const [key, value] of entries) {
    if (!interopKeys.has(key) && isTask(value)) yield [key, value]
  }
  for (const [key, value] of entries) {
    if (!interopKeys.has(key)) continue
    if (isTask(value)) yield ['default', value]
    else if (isPlain(value) && depth < deepestInterop) yield* taskExports(value, depth + 1)
  }
}

function isPlain(value: unknown): value is object {
  if (typeof value !== 'object' || value === null) return false
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === null || prototype === Object.prototype
}

function nameOf(task: AnyTask, module: string, key: string, source: string): string {
  const { isNamedByHand, name } = definitionOf(task)
  if (isNamedByHand && name !== undefined) return name
  return checkTaskName(`${module}.${key}`, `The name of export "${key.slice(0, 200)}" of ${source}`)
}
