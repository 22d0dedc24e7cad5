import { spawn } from 'node:child_process'
import { onTestFinished } from 'vitest'
import { until } from '../support/until.js'
import { root } from './command-line.js'

/** A `celeriac …` that runs until it is stopped. */
export interface LongCommand {
  readonly pid: number
  readonly output: () => string
  /** Waits until it has printed this, so often. */
  prints(text: string, times?: number): Promise<void>
  signal(signal: NodeJS.Signals): void
  readonly ended: Promise<number | NodeJS.Signals | null>
}

export interface LongOptions {
  readonly folder?: string
  readonly variables?: Readonly<Record<string, string>>
  /** A terminal of this size, which `script` of util-linux pretends to be. */
  readonly terminal?: { readonly columns: number; readonly rows: number }
}

/** Starts it from dist/. It is killed after the test, if it still runs. */
export function startCeleriac(args: readonly string[], options: LongOptions = {}): LongCommand {
  const { folder = root, variables = {}, terminal } = options
  const command = [process.execPath, `${root}/dist/cli/main.js`, ...args]
  const [file = '', ...rest] = terminal ? onTerminal(command, terminal) : command
  const child = spawn(file, rest, {
    cwd: folder,
    env: { ...process.env, NODE_ENV: 'development', ...variables },
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  let output = ''
  const read = (chunk: Buffer) => {
    output += chunk.toString()
  }
  child.stdout.on('data', read)
  child.stderr.on('data', read)
  child.stdin.on('error', () => {})
  onTestFinished(() => void child.kill('SIGKILL'))
  return {
    pid: child.pid ?? 0,
    output: () => output,
    signal: (signal) => void child.kill(signal),
    ended: new Promise((resolve) => child.once('close', (code, signal) => resolve(code ?? signal))),
    async prints(text, times = 1) {
      const has = () => output.split(text).length > times
      await until(() => has() || child.exitCode !== null, { timeoutMs: 60_000 }).catch(() => {})
      if (!has()) throw new Error(`It never printed "${text}" (exit code ${child.exitCode}):\n${output}`)
    },
  }
}

function onTerminal(
  command: readonly string[],
  { columns, rows }: { columns: number; rows: number },
): string[] {
  const line = `stty cols ${columns} rows ${rows}; exec ${command.join(' ')}`
  return ['script', '--quiet', '--return', '--command', line, '/dev/null']
}
