import { type ChildProcess, spawn } from 'node:child_process'
import { appendFileSync } from 'node:fs'
import { join } from 'node:path'
import { forgetServer, rememberServer } from '../support/scratch.js'
import { until } from '../support/until.js'

/** A process of the app under test. */
export interface AppProcess {
  readonly pid: number
  readonly role: 'web' | 'worker'
  /** All that it has printed. */
  output(): string
  signal(signal: NodeJS.Signals): void
  readonly hasEnded: boolean
  /** Its exit code, or the signal that ended it. */
  readonly ended: Promise<number | string>
}

export interface AppPlace {
  /** As `freezeCode` made it. */
  readonly code: string
  /** Where the processes write what they print. */
  readonly logs: string
  readonly databaseUrl: string
  /** Left out: the broker is in the database. */
  readonly brokerUrl?: string | undefined
  readonly witnessUrl: string
  /** Options of Celeriac, over the defaults. */
  readonly options?: object
}

export interface StartOptions {
  readonly name: string
  readonly env?: Readonly<Record<string, string>>
  /** Words for Node itself, such as `--import`. */
  readonly nodeArgs?: readonly string[]
}

/** As a user starts it. Resolves at once; see {@link isReady}. */
export function startWorker(
  place: AppPlace,
  options: StartOptions & { readonly args?: readonly string[] },
): AppProcess {
  return start(place, 'worker', options, [
    join(place.code, 'dist/cli/main.js'),
    'worker',
    ...['-A', join(place.code, 'app'), '-n', options.name],
    ...(options.args ?? []),
  ])
}

export function startWeb(place: AppPlace, options: StartOptions & { readonly port: number }): AppProcess {
  const env = { ...options.env, FAULTS_PORT: String(options.port) }
  return start(place, 'web', { ...options, env }, [join(place.code, 'app/web.js')])
}

/** Makes the tables, as a deploy does. */
export async function migrate(place: AppPlace): Promise<void> {
  const words = [join(place.code, 'dist/cli/main.js'), 'migrate', '-A', join(place.code, 'app')]
  const child = start(place, 'worker', { name: 'migrate' }, words)
  const code = await child.ended
  if (code !== 0) throw new Error(`celeriac migrate ended with ${code}:\n${child.output()}`)
}

/** Resolves when it serves, and rejects when it ended or takes too long. */
export async function isReady(process: AppProcess, timeoutMs = 30_000): Promise<void> {
  const words = process.role === 'web' ? 'web is ready' : 'is ready'
  await until(() => process.hasEnded || process.output().includes(words), { timeoutMs }).catch(() => {})
  if (!process.output().includes(words))
    throw new Error(`A ${process.role} is not ready:\n${process.output().slice(-3000)}`)
}

function start(
  place: AppPlace,
  role: AppProcess['role'],
  { name, env, nodeArgs = [] }: StartOptions,
  words: readonly string[],
): AppProcess {
  const child = spawn(process.execPath, [...nodeArgs, ...words], {
    cwd: place.code,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      ...inherited(),
      NODE_ENV: 'production',
      CELERIAC_DATABASE_URL: place.databaseUrl,
      CELERIAC_BROKER_URL: place.brokerUrl ?? place.databaseUrl,
      FAULTS_EFFECTS: place.witnessUrl,
      FAULTS_OPTIONS: JSON.stringify(place.options ?? {}),
      ...env,
    },
  })
  const pid = child.pid
  if (pid === undefined) throw new Error(`A ${role} could not be started.`)
  rememberServer(pid, place.code)
  return watch(child, pid, role, join(place.logs, `${name}.log`))
}

/** What is set for the one who runs the suite must not reach what is tested. */
function inherited(): NodeJS.ProcessEnv {
  return { PATH: process.env.PATH, HOME: process.env.HOME, TMPDIR: process.env.TMPDIR }
}

const keptOutput = 200_000

function watch(child: ChildProcess, pid: number, role: AppProcess['role'], log: string): AppProcess {
  let output = ''
  let hasEnded = false
  const read = (chunk: Buffer) => {
    output = (output + chunk.toString()).slice(-keptOutput)
    appendFileSync(log, chunk)
  }
  child.stdout?.on('data', read)
  child.stderr?.on('data', read)
  const ended = new Promise<number | string>((resolve) => {
    child.once('exit', (code, signal) => {
      hasEnded = true
      forgetServer(pid)
      resolve(code ?? signal ?? '')
    })
  })
  return {
    pid,
    role,
    output: () => output,
    signal: (signal) => void (hasEnded || child.kill(signal)),
    get hasEnded() {
      return hasEnded
    },
    ended,
  }
}
