import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { PoolError } from '../../errors.js'

/** The program that a child runs, and how it is started. */
export interface Program {
  readonly url: URL
  readonly processArguments: readonly string[]
  /** What a thread runs instead, where `url` itself is not JavaScript. */
  readonly threadSource: string | undefined
}

/**
 * The program at `url`, which stands beside this package's other files.
 * @throws {PoolError} when it does not: a bundler has put the package into another file
 */
export function programAt(url: URL): Program {
  if (!url.protocol.startsWith('file') || !existsSync(fileURLToPath(url))) throw bundled()
  return url.pathname.endsWith('.ts') ? uncompiled(url) : compiled(url)
}

function compiled(url: URL): Program {
  return { url, processArguments: inherited(process.execArgv), threadSource: undefined }
}

/** A debugger's port is the worker's own, and so is a program given by `-e`. */
function inherited(execArgv: readonly string[]): string[] {
  const withProgram = new Set(['-e', '--eval', '-p', '--print', '-pe'])
  return execArgv.filter(
    (argument, index) =>
      !argument.startsWith('--inspect') &&
      !withProgram.has(argument) &&
      !withProgram.has(execArgv[index - 1] ?? ''),
  )
}

/** This package run from its sources. */
function uncompiled(url: URL): Program {
  const require = createRequire(url)
  const api = (name: string) => pathToFileURL(require.resolve(name).replace(/cjs$/, 'mjs')).href
  return {
    url,
    processArguments: ['--import', pathToFileURL(require.resolve('tsx')).href],
    threadSource: `import('${api('tsx/esm/api')}').then(({ register }) => { register(); return import(${JSON.stringify(url.href)}) })`,
  }
}

function bundled(): PoolError {
  return new PoolError(
    'Pools need this package as files of its own, and a bundler has put it into another file. Leave "celeriac" out of the bundle ("external"), or run these tasks with pool: \'inline\'.',
  )
}
