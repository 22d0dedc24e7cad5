import { realpath } from 'node:fs/promises'
import { basename, dirname, extname, isAbsolute, join, relative, resolve, sep } from 'node:path'
import { glob } from 'tinyglobby'
import { DiscoveryError } from '../errors.js'
import { type ModulePattern, moduleNameOf, parsePattern } from './module-name.js'

/** A file that defines the tasks of one module. */
export interface TasksFile {
  readonly module: string
  readonly path: string
}

export interface TasksFileSearch {
  /** Patterns of folders, relative to `root`. */
  readonly modules: readonly string[]
  /** A real path. */
  readonly root: string
  /** Which of `tasks.ts` and `tasks.js` counts where both stand in a folder: what the app itself runs from. */
  readonly preferTypeScript: boolean
}

const scripts = ['js', 'mjs', 'cjs']
const typeScripts = ['ts', 'mts', 'cts']
const extensions = [...scripts, ...typeScripts]

/**
 * Every tasks file that the patterns match, by path. `node_modules`, folders whose name begins with a dot, and links
 * that lead out of `root` are not looked into.
 * @throws {DiscoveryError} when a pattern matches nothing, or one file is reached under two module names
 */
export async function findTasksFiles(search: TasksFileSearch): Promise<TasksFile[]> {
  const found = new Map<string, Found>()
  for (const text of search.modules) {
    const pattern = parsePattern(isAbsolute(text) ? relative(search.root, text) : text)
    const files = await filesOf(pattern, search)
    for (const file of files) add(found, file, search.root)
  }
  return [...found.values()].map(({ module, path }) => ({ module, path }))
}

interface Found extends TasksFile {
  /** Where links lead. */
  readonly real: string
}

/** A folder that two patterns match goes by the first one. */
function add(found: Map<string, Found>, file: Found, root: string): void {
  const former = found.get(file.real)
  if (!former) {
    found.set(file.real, file)
    return
  }
  if (former.path === file.path) return
  throw new DiscoveryError(
    `One tasks file is reached twice, as ${relative(root, former.path)} and as ${relative(root, file.path)}, by a link. Remove the link, or make "modules" match one of them only.`,
    { file: file.path },
  )
}

async function filesOf(pattern: ModulePattern, search: TasksFileSearch): Promise<Found[]> {
  const base = resolve(search.root, ...pattern.parts.slice(0, pattern.fixed))
  const matched = await globFiles(pattern, base)
  const files = await insideOf(
    onePerFolder(matched, search.preferTypeScript),
    await boundsOf(search.root, pattern, base),
  )
  if (files.length === 0) throw matchesNothing(pattern, search.root, matched.length)
  return files.map(({ path, real }) => ({ path, real, module: moduleOf(pattern, search.root, path) }))
}

function globFiles(pattern: ModulePattern, base: string): Promise<string[]> {
  const wildcards = pattern.parts.slice(pattern.fixed)
  return glob([...wildcards, `tasks.{${extensions.join(',')}}`].join('/'), {
    cwd: base,
    absolute: true,
    ignore: ['**/node_modules/**'],
    expandDirectories: false,
  })
}

function onePerFolder(paths: readonly string[], preferTypeScript: boolean): string[] {
  const order = preferTypeScript ? [...typeScripts, ...scripts] : extensions
  const rank = (path: string) => order.indexOf(extname(path).slice(1))
  const best = new Map<string, string>()
  for (const path of paths.map((each) => resolve(each))) {
    const other = best.get(dirname(path))
    if (other === undefined || rank(path) < rank(other)) best.set(dirname(path), path)
  }
  return [...best.values()].sort()
}

/** The root, and a folder above or beside it that the pattern itself names. */
async function boundsOf(root: string, pattern: ModulePattern, base: string): Promise<string[]> {
  const isOutside = !isInside(base, root)
  if (!isOutside) return [root]
  const named = isAbsolute(pattern.text) ? base : resolve(root, pattern.text.split(/[*?[{(!]/, 1)[0] ?? '')
  const real = await realpath(named).catch(() => undefined)
  return real === undefined ? [root] : [root, real]
}

async function insideOf(
  paths: readonly string[],
  bounds: readonly string[],
): Promise<{ path: string; real: string }[]> {
  const files = await Promise.all(
    paths.map(async (path) => ({ path, real: await realpath(path).catch(() => '') })),
  )
  return files.filter(({ real }) => real !== '' && bounds.some((bound) => isInside(real, bound)))
}

function isInside(path: string, folder: string): boolean {
  const way = relative(folder, path)
  return way === '' || !(way === '..' || way.startsWith(`..${sep}`) || isAbsolute(way))
}

function moduleOf(pattern: ModulePattern, root: string, path: string): string {
  const folder = dirname(path)
  const parts = relative(root, folder).split(sep)
  return moduleNameOf(pattern, parts) || basename(folder)
}

function matchesNothing(pattern: ModulePattern, root: string, matched: number): DiscoveryError {
  const folders = join(root, ...pattern.parts)
  const outside =
    matched > 0 ? ` ${matched} file(s) were left out, because links lead out of the root to them.` : ''
  return new DiscoveryError(
    `No tasks file was found: looked for ${join(folders, `tasks.{${extensions.join(',')}}`)} (modules: "${pattern.text}", root: ${root}).${outside} Create one, set "modules", or list the modules under "tasks".`,
    { file: folders },
  )
}
