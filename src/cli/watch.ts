import { type ChildProcess, spawn } from 'node:child_process'
import { realpath } from 'node:fs/promises'
import { relative, resolve } from 'node:path'
import { readEnvironment, withDependencyReports } from '../config/env.js'
import type { Config } from '../config/resolve.js'
import { findTasksFiles, type TasksFileSearch } from '../task/tasks-file.js'
import { sleep } from '../waiting.js'
import { note } from './kit.js'
import { keepPidfile } from './pidfile.js'
import { createWatchedFiles, type WatchedFiles } from './watched-files.js'
import type { WorkerFlags } from './worker.js'

/** What a worker that is watched says once it has read its configuration. */
export interface WatchedWorker {
  readonly files: readonly string[]
  readonly search: TasksFileSearch
}

const lookEveryMs = 500
/** An editor, or a change of branch, writes several files. */
const quietMs = 250

/**
 * Runs a worker in a process of its own, and a new one whenever a file has changed that the worker was made of. The old
 * one ends as on SIGTERM: what it runs ends under the old code first, within its grace.
 *
 * A process that ends by itself, as with a syntax error, is started again at the next change.
 */
export async function watchWorker({ pidfile }: WorkerFlags): Promise<never> {
  if (pidfile !== undefined) keepPidfile(pidfile)
  const files = createWatchedFiles()
  const stopping = heedSignals()
  for (;;) {
    files.remember()
    const worker = start(files)
    stopping.passOnTo(worker.process)
    const ended = worker.ended.then(({ code }) => {
      worker.isOver = true
      return code
    })
    const changed = await changeOf(files, () => worker.isOver || stopping.isAsked)
    if (changed) {
      tell(changed)
      worker.process.kill('SIGTERM')
    }
    const code = await ended
    if (stopping.isAsked) process.exit(code)
    if (changed) continue
    if (files.size === 0) process.exit(code)
    note('celeriac: The worker has ended. It starts again when a file changes.')
    tell(await changeOf(files, () => stopping.isAsked))
    if (stopping.isAsked) process.exit(code)
  }
}

/** Signals go on to the worker, which knows what the second one means. */
function heedSignals() {
  let worker: ChildProcess | undefined
  const stopping = {
    isAsked: false,
    passOnTo(next: ChildProcess) {
      worker = next
    },
  }
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) {
    process.on(signal, () => {
      stopping.isAsked = true
      worker?.kill(signal)
    })
  }
  return stopping
}

/** In the worker: which files it is made of, and where more may come. Without its watcher it ends. */
export async function tellWatcher({ envFile }: WorkerFlags, config: Config): Promise<void> {
  const { root, folder, modules, preferTypeScript, file } = config
  const search = { root: await realpath(root), modules, preferTypeScript }
  const tasksFiles = await findTasksFiles(search).catch(() => [])
  const files = [
    ...(file === undefined ? [] : [file]),
    ...(envFile === undefined ? [] : [resolve(folder, envFile)]),
    ...tasksFiles.map(({ path }) => path),
  ]
  process.once('disconnect', () => process.kill(process.pid, 'SIGTERM'))
  process.send?.({ watched: { files, search } satisfies WatchedWorker })
}

interface Ended {
  readonly code: number
}

interface Running {
  readonly process: ChildProcess
  readonly ended: Promise<Ended>
  isOver: boolean
}

function start(files: WatchedFiles): Running {
  const { entry = '', folder } = readEnvironment()
  const args = process.argv.slice(2).filter(isForWorker)
  const child = spawn(process.execPath, [...process.execArgv, entry, ...args, '--watched'], {
    cwd: folder,
    env: withDependencyReports(),
    stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
  })
  child.on('message', (message) => learn(files, message))
  return {
    process: child,
    isOver: false,
    ended: new Promise((resolve) => {
      child.once('error', () => resolve({ code: 1 }))
      child.once('exit', (code) => resolve({ code: code ?? 1 }))
    }),
  }
}

/** The file with the process id is the watcher's. */
function isForWorker(arg: string, at: number, all: readonly string[]): boolean {
  return arg !== '--watch' && !arg.startsWith('--pidfile') && all[at - 1] !== '--pidfile'
}

/** Node itself tells of each module that it loads, as it does for `node --watch`. */
function learn(files: WatchedFiles, message: unknown): void {
  if (typeof message !== 'object' || message === null) return
  for (const kind of ['watch:import', 'watch:require']) {
    const loaded: unknown = Reflect.get(message, kind)
    if (Array.isArray(loaded)) files.add(loaded)
  }
  if (!('watched' in message)) return
  const { files: named, search } = message.watched as WatchedWorker
  files.add(named)
  files.search(search)
}

/** Waits until files have changed, and no more do. `undefined`: it was over before. */
async function changeOf(files: WatchedFiles, isOver: () => boolean): Promise<string[] | undefined> {
  let seen: string[] = []
  while (seen.length === 0) {
    await sleep(lookEveryMs)
    if (isOver()) return undefined
    seen = await files.changed()
  }
  for (let before = -1; before !== seen.length; ) {
    before = seen.length
    files.remember()
    await sleep(quietMs)
    seen = [...new Set([...seen, ...(await files.changed())])]
  }
  files.add(seen)
  return seen
}

function tell(changed: readonly string[] | undefined): void {
  const [first, ...others] = changed ?? []
  if (first === undefined) return
  const more = others.length === 0 ? '' : ` and ${others.length} more`
  note(`celeriac: ${relative(readEnvironment().folder, first)}${more} changed, so the worker starts anew.`)
}
