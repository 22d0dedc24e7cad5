import { existsSync } from 'node:fs'
import { realpath } from 'node:fs/promises'
import { relative } from 'node:path'
import { DiscoveryError } from '../errors.js'
import { toStoredError } from '../job/json.js'
import { toPath } from './caller.js'
import { type AnyTask, definitionOf } from './define.js'
import { importTasksFile } from './discovering.js'
import { type NamedTask, tasksOf } from './exports.js'
import { createRegistry, type TaskRegistry } from './registry.js'
import { findTasksFiles, type TasksFile, type TasksFileSearch } from './tasks-file.js'

/**
 * Finds the tasks files of the folders that `modules` matches, loads them, and names what they export.
 *
 * In each folder one file counts: the first of `.ts`, `.mts`, `.cts`, `.js`, `.mjs`, `.cjs` when the app itself runs
 * from TypeScript, else the scripts go first. A task that one tasks file exports again from another belongs to the file that defines it.
 *
 * @throws {DiscoveryError} when a pattern matches nothing, a file cannot be loaded, or two tasks have one name
 */
export async function discover(search: TasksFileSearch): Promise<TaskRegistry> {
  const root = await realRoot(search.root)
  const files = await findTasksFiles({ ...search, root })
  const loaded = await Promise.allSettled(files.map((file) => load(file, root)))
  assertAllLoaded(loaded)
  const named = loaded.flatMap((each) => (each.status === 'fulfilled' ? each.value : []))
  return createRegistry(withoutReexports(named))
}

/** Files know themselves by their real path, so all paths must begin alike. */
async function realRoot(root: string): Promise<string> {
  try {
    return await realpath(root)
  } catch (cause) {
    throw new DiscoveryError(`The root folder ${root} cannot be read.`, { cause, file: root })
  }
}

async function load({ module, path }: TasksFile, root: string): Promise<NamedTask[]> {
  try {
    const exports = await importTasksFile(path, root)
    return tasksOf(module, exports, path)
  } catch (error) {
    if (error instanceof DiscoveryError) throw error
    throw loadError(path, root, error)
  }
}

/** Of several errors the first by path, always the same one, with the number of the others. */
function assertAllLoaded(loaded: readonly PromiseSettledResult<unknown>[]): void {
  const errors = loaded.flatMap((each) => (each.status === 'rejected' ? [each.reason as DiscoveryError] : []))
  const [first, ...others] = errors
  if (!first) return
  if (others.length === 0) throw first
  throw new DiscoveryError(
    `${first.message} (${others.length} more tasks file(s) could not be loaded: ${others.map((each) => each.file).join(', ')})`,
    { cause: first.cause, ...(first.file === undefined ? {} : { file: first.file }) },
  )
}

/** A factory in one tasks file may well make the tasks of another, so both must export the very same task. */
function withoutReexports(named: readonly NamedTask[]): NamedTask[] {
  const homes = new Map<AnyTask, string>()
  for (const { task, source } of named) {
    if (isHome(task, source)) homes.set(task, source)
  }
  return named.filter(({ task, source }) => (homes.get(task) ?? source) === source)
}

function isHome(task: AnyTask, source: string): boolean {
  const { file } = definitionOf(task)
  return file !== undefined && toPath(file) === source
}

function loadError(path: string, root: string, cause: unknown): DiscoveryError {
  const file = relative(root, path)
  const message = needsTypeScript(cause)
    ? `${file} cannot be loaded, because this process does not load TypeScript. ${howToLoadTypeScript}`
    : `${file} threw while it was loaded: ${toStoredError(cause).message}`
  return new DiscoveryError(message, { cause, file: path })
}

const typeScriptCodes: ReadonlySet<unknown> = new Set([
  'ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX',
  'ERR_UNSUPPORTED_NODE_MODULES_TYPE_STRIPPING',
])

function needsTypeScript(error: unknown): boolean {
  if (typeof error !== 'object' || error === null || !('code' in error)) return false
  if (error.code === 'ERR_UNKNOWN_FILE_EXTENSION') return /"\.[cm]?tsx?"/.test(toStoredError(error).message)
  return typeScriptCodes.has(error.code) || missesScriptOfTypeScript(error)
}

/** Node's own type stripping does not find `./a.ts` for the `./a.js` that TypeScript has people write. */
function missesScriptOfTypeScript(error: object): boolean {
  if (!('url' in error) || typeof error.url !== 'string' || !error.url.startsWith('file:')) return false
  const path = toPath(error.url)
  return /\.[cm]?js$/.test(path) && existsSync(path.replace(/js$/, 'ts'))
}

/** Said wherever a TypeScript file meets a process that cannot load it. */
export const howToLoadTypeScript =
  'Run "npm i -D tsx" and start with "node --import tsx", or compile and let "modules" name the compiled folders (a config file that is compiled along does so), or list the modules under "tasks".'
