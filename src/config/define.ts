import { callerUrl, toPath } from '../task/caller.js'
import type { CeleriacOptions } from './options.js'

// Enumerable, so that `{ ...config, worker: true }` keeps it, and a symbol, so that it is no option.
const file: unique symbol = Symbol.for('celeriac.config.file')

/**
 * Says the options in one place, for web, worker and command line. The file that calls it is remembered: `modules` and
 * a relative `root` are relative to its folder. Compiled along with the app, it finds the compiled tasks.
 */
export function defineConfig<Options extends CeleriacOptions>(options: Options): Options {
  const url = callerUrl(defineConfig)
  return url === undefined ? options : withConfigFile(options, toPath(url))
}

/** Remembers the file for options that were not made by {@link defineConfig}. */
export function withConfigFile<Options extends object>(options: Options, path: string): Options {
  return { ...options, [file]: path }
}

/** The path of the file that defined these options. */
export function configFileOf(options: object): string | undefined {
  const path: unknown = Reflect.get(options, file)
  return typeof path === 'string' ? path : undefined
}
