import { type ChildProcess, spawn } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, onTestFinished } from 'vitest'
import type { Servers } from './lab.js'
import type { OnEnd } from './shared.js'
import { until } from './until.js'

const root = fileURLToPath(new URL('../..', import.meta.url))

/** `celeriac worker` as a process of its own, from the built package. */
export interface WorkerProcess {
  readonly pid: number
  /** Everything that it has printed. */
  output(): string
  signal(signal: NodeJS.Signals): void
  /** Its exit code, or the signal that ended it. */
  readonly ended: Promise<number | string>
}

export interface WorkerProcessOptions extends Servers {
  /** Config file or folder. Default: the crew of `test/fixtures`. */
  readonly app?: string
  readonly effects?: string
  readonly args?: readonly string[]
  /** Is told how to end it. Default: it is killed after the test. */
  readonly onEnd?: OnEnd
}

/** Resolves when it takes jobs. It is killed after the test, if it still runs. */
export async function startWorkerProcess(options: WorkerProcessOptions): Promise<WorkerProcess> {
  const { database, broker, effects, app = 'test/fixtures/crew', args = [] } = options
  const child = spawn(process.execPath, ['dist/cli/main.js', 'worker', '-A', app, ...args], {
    cwd: root,
    env: {
      ...process.env,
      NODE_ENV: 'development',
      CELERIAC_DATABASE_URL: database,
      CELERIAC_BROKER_URL: broker ?? database,
      EFFECTS: effects,
    },
  })
  const worker = watch(child)
  const { onEnd = onTestFinished } = options
  onEnd(() => {
    child.kill('SIGCONT')
    child.kill('SIGKILL')
  })
  const hasAnswered = () => child.exitCode !== null || worker.output().includes('is ready')
  await until(hasAnswered, { timeoutMs: 120_000 }).catch(() => {})
  if (!worker.output().includes('is ready')) throw new Error(`The worker is not ready:\n${worker.output()}`)
  return worker
}

/**
 * The workers of a group of tests that leave them as they were, or kill them. Gives as many live ones as are asked for:
 * starts what is missing, and kills what is too many.
 */
export function sharedWorkers(
  open: () => Promise<WorkerProcessOptions>,
): (count: number) => Promise<WorkerProcess[]> {
  const live = new Set<WorkerProcess>()
  const ends: Parameters<OnEnd>[0][] = []
  afterAll(async () => {
    await Promise.all(ends.map((end) => end()))
  })
  const start = async () => {
    const worker = await startWorkerProcess({ ...(await open()), onEnd: (end) => ends.push(end) })
    live.add(worker)
    void worker.ended.then(() => live.delete(worker))
  }
  return async (count) => {
    for (const worker of [...live].slice(count)) {
      worker.signal('SIGKILL')
      await worker.ended
    }
    await Promise.all(Array.from({ length: count - live.size }, start))
    return [...live]
  }
}

function watch(child: ChildProcess): WorkerProcess {
  let output = ''
  const read = (chunk: Buffer) => {
    output += chunk.toString()
  }
  child.stdout?.on('data', read)
  child.stderr?.on('data', read)
  return {
    pid: child.pid ?? 0,
    output: () => output,
    signal: (signal) => void child.kill(signal),
    ended: new Promise((resolve) => child.once('exit', (code, signal) => resolve(code ?? signal ?? ''))),
  }
}

/** What handlers did, told by a file that outlives their processes. */
export interface Effects {
  readonly file: string
  /** Of one job: `start 1`, `end 1`, … with the attempt's number. */
  of(jobId: string): string[]
  /** The process that made the job's last note. */
  pidOf(jobId: string): number
  /** Everything, in the order in which it happened. */
  all(): readonly Effect[]
}

export interface Effect {
  readonly event: string
  readonly jobId: string
  readonly attempt: number
  readonly pid: number
}

export function newEffects(): Effects {
  const file = join(tmpdir(), `celeriac-effects-${process.pid}-${Math.random().toString(36).slice(2)}`)
  writeFileSync(file, '')
  const all = () =>
    readFileSync(file, 'utf8')
      .split('\n')
      .filter((line) => line !== '')
      .map((line): Effect => {
        const [event = '', jobId = '', attempt, pid] = line.split(' ')
        return { event, jobId, attempt: Number(attempt), pid: Number(pid) }
      })
  const lines = (jobId: string) => all().filter((effect) => effect.jobId === jobId)
  return {
    file,
    of: (jobId) => lines(jobId).map(({ event, attempt }) => `${event} ${attempt}`),
    pidOf: (jobId) => lines(jobId).at(-1)?.pid ?? Number.NaN,
    all,
  }
}
