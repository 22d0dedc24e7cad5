import { type ChildProcess, spawn } from 'node:child_process'
import { onTestFinished } from 'vitest'
import { bareEnvironment, outputOf } from '../package/app.js'
import { until } from '../support/until.js'

const main = '../node_modules/celeriac/dist/cli/main.js'

/** A `celeriac …` that runs in an app's folder, from the installed package. */
export interface Command {
  readonly pid: number
  readonly output: () => string
  /** Waits until it has printed this. */
  prints(text: string): Promise<void>
  signal(signal: NodeJS.Signals): void
  /** Its exit code, or the signal that ended it. */
  readonly ended: Promise<number | NodeJS.Signals | null>
}

export function startCommand(
  folder: string,
  args: readonly string[],
  variables: Readonly<Record<string, string>> = {},
): Command {
  return start(folder, process.execPath, [main, ...args], variables)
}

/** The same on a terminal, which `script` of util-linux pretends to be. */
export function startCommandOnTerminal(
  folder: string,
  args: readonly string[],
  variables: Readonly<Record<string, string>> = {},
): Command {
  const command = [process.execPath, main, ...args].join(' ')
  return start(folder, 'script', ['--quiet', '--return', '--command', command, '/dev/null'], variables)
}

function start(
  folder: string,
  file: string,
  args: readonly string[],
  variables: Readonly<Record<string, string>>,
): Command {
  const child = spawn(file, args, {
    cwd: folder,
    env: bareEnvironment(variables),
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  onTestFinished(() => void child.kill('SIGKILL'))
  const output = outputOf(child)
  return {
    pid: child.pid ?? 0,
    output,
    ended: endOf(child),
    signal: (signal) => void child.kill(signal),
    async prints(text) {
      await until(() => output().includes(text) || child.exitCode !== null, { timeoutMs: 30_000 })
      if (!output().includes(text)) throw new Error(`It ended with ${child.exitCode}:\n${output()}`)
    },
  }
}

function endOf(child: ChildProcess): Promise<number | NodeJS.Signals | null> {
  return new Promise((resolve) => {
    child.once('error', () => resolve(null))
    child.once('close', (code, signal) => resolve(code ?? signal))
  })
}
