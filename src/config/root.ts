import { existsSync } from 'node:fs'
import { dirname, extname, join, relative, resolve, sep } from 'node:path'
import type { Environment } from './env.js'

export const defaultModules = 'src/modules/*'

/**
 * What `modules` is relative to: a `root` that is given (itself relative to the config file), else the config file's
 * folder, else that of the nearest package.json above the script that Node runs, else above the working folder.
 */
export function resolveRoot(
  root: string | undefined,
  configFile: string | undefined,
  environment: Environment,
): string {
  const home = configFile === undefined ? undefined : dirname(configFile)
  if (root !== undefined) return resolve(home ?? environment.folder, root)
  return home ?? nearestPackage(startOf(environment)) ?? environment.folder
}

/** Test runners and other tools live in `node_modules`: the app is where they were called. */
function startOf({ entry, folder }: Environment): string {
  return entry === undefined || entry.split(/[\\/]/).includes('node_modules') ? folder : dirname(entry)
}

function nearestPackage(folder: string): string | undefined {
  if (existsSync(join(folder, 'package.json'))) return folder
  const parent = dirname(folder)
  return parent === folder ? undefined : nearestPackage(parent)
}

/**
 * Where modules are when nobody says so: `src/modules/*`. An app that runs compiled, as `dist/app.js` without a config
 * file, has them below `dist`, though `src` may still be there.
 */
export function guessModules(root: string, configFile: string | undefined, environment: Environment): string {
  const output = configFile === undefined ? outputFolder(root, environment.entry) : undefined
  const places = output === undefined ? [] : [`${output}/modules`, `${output}/src/modules`]
  const compiled = places.find((place) => existsSync(join(root, place)))
  return compiled === undefined ? defaultModules : `${compiled}/*`
}

function outputFolder(root: string, entry: string | undefined): string | undefined {
  if (entry === undefined) return undefined
  const [first, ...rest] = relative(root, entry).split(sep)
  const isBelow = first !== undefined && first !== '..' && first !== 'node_modules' && rest.length > 0
  return isBelow && first !== 'src' ? first : undefined
}

/** Whether the app runs from TypeScript, by the file that says its options, else by the script that Node runs. */
export function runsTypeScript(configFile: string | undefined, environment: Environment): boolean {
  return /^\.[cm]?ts$/.test(extname(configFile ?? environment.entry ?? ''))
}
