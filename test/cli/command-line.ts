import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { onTestFinished } from 'vitest'
import type { Servers } from '../support/lab.js'

export const root = fileURLToPath(new URL('../..', import.meta.url))

/** How a command ended, and what it printed. */
export interface Ran {
  readonly code: number
  readonly out: string
  readonly err: string
}

export interface RunOptions {
  /** Standard input. */
  readonly input?: string
  readonly variables?: Readonly<Record<string, string>>
  readonly folder?: string
}

/** A command line on these servers; `app` is a config file or its folder. */
export function commandLine({ database, broker }: Servers, app?: string) {
  const servers = { CELERIAC_DATABASE_URL: database, CELERIAC_BROKER_URL: broker ?? database }
  const place = app === undefined ? [] : ['-A', app]

  return (args: readonly string[], options: RunOptions = {}): Promise<Ran> =>
    runCeleriac([...args, ...place], { ...options, variables: { ...servers, ...options.variables } })
}

/** Runs `celeriac …` from dist/, to its end. */
export function runCeleriac(args: readonly string[], options: RunOptions = {}): Promise<Ran> {
  const { input = '', variables = {}, folder = root } = options
  const child = spawn(process.execPath, [`${root}/dist/cli/main.js`, ...args], {
    cwd: folder,
    env: { ...process.env, NODE_ENV: 'development', ...variables },
  })
  const end = () => void child.kill('SIGKILL')
  onTestFinished(end)
  child.stdin.on('error', () => {})
  child.stdin.end(input)
  let [out, err] = ['', '']
  child.stdout.on('data', (chunk) => {
    out += chunk
  })
  child.stderr.on('data', (chunk) => {
    err += chunk
  })
  return new Promise((resolve) => child.once('close', (code) => resolve({ code: code ?? -1, out, err })))
}
