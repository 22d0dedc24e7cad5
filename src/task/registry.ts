import { DiscoveryError, TaskNotRegisteredError, UnknownTaskError } from '../errors.js'
import { suggest } from '../job/suggest.js'
import { toPath } from './caller.js'
import { type AnyTask, definitionOf, type TaskDefinition } from './define.js'
import type { NamedTask } from './exports.js'

/** The tasks of one app, by name and by object. */
export interface TaskRegistry {
  /** Sorted, without aliases. */
  readonly names: readonly string[]
  /** By name or alias. */
  find(name: string): RegisteredTask | undefined
  /** @throws {UnknownTaskError} with the nearest name that exists */
  get(name: string): RegisteredTask
  /** @throws {TaskNotRegisteredError} when the object is none of these, though its file may be loaded as another copy */
  nameOf(task: AnyTask): string
}

export interface RegisteredTask {
  readonly name: string
  readonly task: AnyTask
  readonly definition: TaskDefinition
  /** For messages: where it was found. */
  readonly source: string
}

/**
 * Puts the tasks of one app together.
 * @throws {DiscoveryError} when two tasks have one name, or one task two
 */
export function createRegistry(tasks: readonly NamedTask[]): TaskRegistry {
  const byName = new Map<string, RegisteredTask>()
  const byTask = new Map<AnyTask, RegisteredTask>()
  for (const named of tasks) register(byName, byTask, named)
  const all = new Map(byName)
  for (const registered of byName.values()) addAliases(all, registered)
  for (const registered of byName.values()) adopt(registered)

  return {
    names: [...byName.keys()].sort(),
    find: (name) => all.get(name),
    get(name) {
      const found = all.get(name)
      if (found) return found
      throw new UnknownTaskError(name.slice(0, longestShown), suggest(name, all.keys()))
    },
    nameOf(task) {
      const found = byTask.get(task)
      if (found) return found.name
      throw notRegistered(definitionOf(task), [...byName.values()])
    },
  }
}

const longestShown = 200

function register(
  byName: Map<string, RegisteredTask>,
  byTask: Map<AnyTask, RegisteredTask>,
  { name, task, source }: NamedTask,
): void {
  const other = byName.get(name)
  if (other?.task === task) return
  if (other) throw nameTaken(name, other.source, source)
  const former = byTask.get(task)
  if (former) throw namedTwice(former, name, source)
  const registered = { name, task, definition: definitionOf(task), source }
  byName.set(name, registered)
  byTask.set(task, registered)
}

function addAliases(all: Map<string, RegisteredTask>, registered: RegisteredTask): void {
  for (const alias of registered.definition.aliases) {
    const other = all.get(alias)
    if (other && other !== registered) throw nameTaken(alias, other.source, registered.source)
    all.set(alias, registered)
  }
}

function nameTaken(name: string, source: string, otherSource: string): DiscoveryError {
  const where = source === otherSource ? `both in ${source}` : `in ${source} and in ${otherSource}`
  return new DiscoveryError(
    `Two tasks have the name or alias "${name}": ${where}. Rename one, or give it a "name" of its own.`,
    { file: otherSource },
  )
}

function namedTwice(former: RegisteredTask, name: string, source: string): DiscoveryError {
  return new DiscoveryError(
    `One task has two names: "${former.name}" in ${former.source} and "${name}" in ${source}. Export it once, or give it a "name", and the other one as an alias.`,
    { file: source },
  )
}

/** So that messages of a task's own methods can name it. */
function adopt({ name, definition }: RegisteredTask): void {
  if (!definition.isNamedByHand) definition.name = name
}

function notRegistered(
  definition: TaskDefinition,
  registered: readonly RegisteredTask[],
): TaskNotRegisteredError {
  const what = definition.name ? `Task "${definition.name}"` : 'This task'
  const { file } = definition
  if (!file) return new TaskNotRegisteredError(`${what} is not registered. ${howToRegister}`)
  const twin = twinOf(file, registered)
  if (!twin) {
    return new TaskNotRegisteredError(
      `${what}, defined in ${toPath(file)}, is not registered. ${howToRegister}`,
    )
  }
  if (twin === file)
    return new TaskNotRegisteredError(`${what} is not registered, though its file is: ${notExported(file)}`)
  return new TaskNotRegisteredError(
    `${what} is not registered: its file was loaded twice, as ${file} by the code that enqueues, and as ${twin} by celeriac(). ${howToLoadOnce(file, twin)}`,
  )
}

const howToRegister =
  'Export it from a tasks file in a folder that "modules" matches, or from a module that "tasks" lists.'

/** Other tasks of its file are known, so the file was found. */
function notExported(file: string): string {
  return `${toPath(file)} gave other tasks. Export this one too. If it is exported, the file was loaded twice, by two loaders: load it in one way, or list the module under "tasks".`
}

function howToLoadOnce(file: string, twin: string): string {
  if (withoutQuery(file) === withoutQuery(twin)) {
    return 'Both come from one file, so two loaders are at work (import and require, or a bundler and Node): load it in one way, or list the module under "tasks".'
  }
  return 'Point "modules" at the folder that the app runs from; defineConfig() in a config file that is compiled along does so by itself.'
}

/** The registered copy of the same source: the file itself under another URL, else one whose path ends alike. */
function twinOf(file: string, registered: readonly RegisteredTask[]): string | undefined {
  const files = new Set(registered.flatMap(({ definition }) => definition.file ?? []))
  const twins = [...files].map((other) => ({ other, shared: sharedEnd(file, other) }))
  const nearest = twins.sort((a, b) => b.shared - a.shared)[0]
  return nearest && nearest.shared >= 2 ? nearest.other : undefined
}

/** How many last parts of two paths are alike, extensions aside. */
function sharedEnd(file: string, other: string): number {
  const parts = toParts(file)
  const otherParts = toParts(other)
  const differs = parts.findIndex((part, index) => part !== otherParts[index])
  return differs === -1 ? parts.length : differs
}

function toParts(url: string): string[] {
  return withoutQuery(url)
    .replace(/\.[cm]?[jt]s$/, '')
    .split('/')
    .reverse()
}

function withoutQuery(url: string): string {
  return url.split(/[?#]/, 1)[0] ?? url
}
