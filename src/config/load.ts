import { statSync } from 'node:fs'
import { basename, dirname, extname, join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { CeleriacError, ConfigError } from '../errors.js'
import { toStoredError } from '../job/json.js'
import { show } from '../task/check.js'
import { configFileOf, withConfigFile } from './define.js'
import type { CeleriacOptions } from './options.js'
import { canLoadTypeScript, enableTypeScript } from './typescript.js'

/** Where the command line looks for the configuration. */
export interface ConfigSearch {
  /** The option `-A`: a file, or a folder that holds one. */
  readonly path?: string
  /** The working folder. */
  readonly folder: string
  readonly isProduction: boolean
}

/**
 * Finds the config file and loads it. Without `-A` it is looked for in the working folder, its `src/` and `dist/`, then
 * in the same places of each parent.
 *
 * In one folder's places, TypeScript goes first, because that is what is being worked on; compiled files go first with
 * `NODE_ENV=production`, and wherever nothing can load TypeScript.
 *
 * @throws {ConfigError} when there is none, or it cannot be loaded, or does not export options
 */
export async function loadConfig(search: ConfigSearch): Promise<CeleriacOptions> {
  const file = findConfigFile(search)
  if (isTypeScript(file)) await enableTypeScript(dirname(file))
  const options = optionsOf(file, await load(file))
  return configFileOf(options) === undefined ? withConfigFile(options, file) : options
}

/** @throws {ConfigError} when there is none */
export function findConfigFile(search: ConfigSearch): string {
  if (search.path !== undefined) return findAt(resolve(search.folder, search.path), search)
  for (const folder of parentsOf(search.folder)) {
    const file = firstOf(places(folder), search)
    if (file !== undefined) return file
  }
  throw notFound(search.folder)
}

function findAt(path: string, search: ConfigSearch): string {
  if (isFile(path)) return path
  const file = firstOf(places(path), search)
  if (file !== undefined) return file
  throw new ConfigError(`-A ${path}: there is no such file, and no folder with a celeriac.config file in it.`)
}

function* parentsOf(folder: string): Generator<string> {
  yield folder
  const parent = dirname(folder)
  if (parent !== folder) yield* parentsOf(parent)
}

function places(folder: string): string[] {
  return [folder, join(folder, 'src'), join(folder, 'dist')]
}

const scripts = ['.js', '.mjs', '.cjs']
const typeScripts = ['.ts', '.mts', '.cts']

function firstOf(folders: readonly string[], { isProduction }: ConfigSearch): string | undefined {
  const files = (extensions: readonly string[]) =>
    folders
      .flatMap((folder) => extensions.map((extension) => join(folder, `celeriac.config${extension}`)))
      .filter(isFile)
  const [typed, compiled] = [files(typeScripts)[0], files(scripts)[0]]
  if (typed === undefined || compiled === undefined) return typed ?? compiled
  return isProduction || !canLoadTypeScript(dirname(typed)) ? compiled : typed
}

function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() ?? false
}

function isTypeScript(path: string): boolean {
  return typeScripts.includes(extname(path))
}

function notFound(folder: string): ConfigError {
  return new ConfigError(
    `No celeriac.config.ts (.js, .mjs, .cjs, .mts) was found in ${folder}, its src/ and dist/, nor in any folder above. Name one by -A path, or create celeriac.config.ts:

  import { defineConfig } from 'celeriac'
  export default defineConfig({ modules: 'src/modules/*' })
`,
  )
}

async function load(file: string): Promise<object> {
  try {
    return await import(pathToFileURL(file).href)
  } catch (cause) {
    if (cause instanceof CeleriacError) throw cause
    throw new ConfigError(`${file} threw while it was loaded: ${toStoredError(cause).message}`, { cause })
  }
}

/** A file that was compiled to CommonJS has its default export one level deeper. */
function optionsOf(file: string, exports: object): CeleriacOptions {
  const outer = defaultOf(exports)
  const options = isObject(outer) && '__esModule' in outer ? defaultOf(outer) : outer
  if (isObject(options)) return options
  throw new ConfigError(
    `${basename(file)} must "export default defineConfig({ … })", and its default export is ${show(options)} (${file}).`,
  )
}

function defaultOf(exports: object): unknown {
  return 'default' in exports ? exports.default : undefined
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
