import type { App } from '../app.js'
import { readEnvironment } from '../config/env.js'
import type { WorkerConfig } from '../config/resolve.js'
import { ClosedError, ConfigError } from '../errors.js'
import { tellMs } from '../job/duration.js'
import { sleep, within } from '../waiting.js'
import { type Worker, workerName } from '../worker/worker.js'
import { banner } from './banner.js'
import { heedCeleryFlags } from './celery-flags.js'
import { confirm, currentUser, note, progressLine } from './kit.js'
import { openForCommand, readConfig } from './open.js'
import { keepPidfile } from './pidfile.js'
import { tellWatcher, watchWorker } from './watch.js'
import type { WorkerFlags } from './worker.js'
import { optionsOf } from './worker-options.js'

/** Runs until it is told to stop, then ends the process. */
export async function runWorker(flags: WorkerFlags): Promise<void> {
  heedCeleryFlags(flags)
  if (flags.watch) return watchWorker(flags)
  const config = await readConfig(flags, optionsOf(flags))
  if (flags.watched) await tellWatcher(flags, config)
  if (flags.pidfile !== undefined) keepPidfile(flags.pidfile)
  const stopping = stopSignal()
  // Nothing of ours keeps a process alive by itself, and a worker waits for servers and for jobs.
  setInterval(() => {}, 2 ** 31 - 1)
  const app = openForCommand(config, failed)
  app.onShutdownAsked(stopping.ask)
  const { settings, facts } = await prepare(app, flags).catch(failed)
  if (readEnvironment().isTerminal) process.stdout.write(banner(facts))
  const starting = app.startWorker(settings)
  starting.then(
    (worker) => app.log.info(facts, `Worker ${worker.name} is ready.`),
    // One that still waited for its servers when it was told to stop has not failed.
    (error) => void (error instanceof ClosedError || failed(error)),
  )

  await stopping.first
  try {
    const worker = await Promise.race([starting, sleep(1000)])
    if (worker) await stop(worker, stopping, app)
    await within(closeMs, app.close())
  } catch (error) {
    failed(error)
  }
  app.log.info('Stopped.')
  // A handler may have left sockets open.
  process.exit(0)

  function failed(error: unknown): never {
    const message = error instanceof Error ? error.message : String(error)
    process.stderr.write(`celeriac: ${message}\n`)
    process.exit(1)
  }
}

/** Two signals within this time are one: a Ctrl-C under npm comes from the terminal and from npm. */
const oneSignalMs = 500
/** For what is left when the worker has stopped: `onWorkerStop`, and connections to servers that may be away. */
const closeMs = 10_000

interface StopSignal {
  readonly first: Promise<void>
  readonly second: Promise<void>
  /** As the first signal, or as both. */
  ask(now: boolean): void
}

function stopSignal(): StopSignal {
  let tellFirst: () => void = () => {}
  let tellSecond: () => void = () => {}
  const first = new Promise<void>((resolve) => {
    tellFirst = resolve
  })
  const second = new Promise<void>((resolve) => {
    tellSecond = resolve
  })
  let heardAt: number | undefined
  const hear = () => {
    if (heardAt === undefined) tellFirst()
    else if (performance.now() - heardAt > oneSignalMs) tellSecond()
    heardAt ??= performance.now()
  }
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, hear)
  // A terminal that was closed takes no more lines, and the jobs have a right to their grace all the same.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {})
  const ask = (now: boolean) => {
    heardAt ??= performance.now()
    tellFirst()
    if (now) tellSecond()
  }
  return { first, second, ask }
}

async function stop(worker: Worker, { second }: StopSignal, app: App): Promise<void> {
  app.log.info(stoppingMessage(worker.running, app.config.workerProcess.graceMs))
  const stopped = worker.stop()
  second.then(() => {
    app.log.warn('Stopping at once: running jobs are aborted and given back.')
    return worker.stop(0)
  })
  await stopped
}

function stoppingMessage(jobs: number, graceMs: number): string {
  if (jobs === 0) return 'Stopping: no job is running.'
  const again = readEnvironment().isTerminal ? 'Press Ctrl-C again' : 'Send a second signal'
  return `Stopping: waiting up to ${tellMs(graceMs)} for ${jobs} ${jobs === 1 ? 'job' : 'jobs'}. ${again} to stop at once.`
}

async function prepare(app: App, flags: WorkerFlags) {
  const settings = await settingsOf(app, flags)
  const facts = await describeApp(app, settings)
  if (flags.purge) await purge(app, facts.queues, flags)
  return { settings, facts }
}

/** @throws {ConfigError} when no queue is left to serve */
async function settingsOf(app: App, { excludeQueues = [] }: WorkerFlags): Promise<WorkerConfig> {
  const settings = app.config.workerProcess
  if (excludeQueues.length === 0) return settings
  const queues = await app.queuesFor(settings)
  const left = queues.filter((queue) => !excludeQueues.includes(queue))
  const idle = excludeQueues.filter((queue) => !queues.includes(queue))
  if (idle.length > 0)
    note(`celeriac: -X ${idle.join(',')}: not served anyway. Served are ${queues.join(', ')}.`)
  if (left.length > 0) return { ...settings, queues: left }
  throw new ConfigError(`-X leaves no queue to serve, of ${queues.join(', ')}.`)
}

/** @throws {ConfigError} when nobody can be asked, or the answer is no */
async function purge(app: App, queues: readonly string[], { yes = false }: WorkerFlags): Promise<void> {
  const waiting = { queue: queues, state: ['scheduled', 'queued', 'retrying'] } as const
  const { count, isMore } = await app.count(waiting)
  if (count === 0) return
  const many = `${isMore ? 'more than ' : ''}${count} ${count === 1 ? 'job' : 'jobs'}`
  if (!(await confirm(`Cancel ${many} that wait in ${queues.join(', ')}?`, { yes })))
    throw new ConfigError('Nothing was cancelled, and the worker does not start.')
  const line = progressLine()
  const { counts } = await app.bulk.cancel(waiting, {
    ...{ by: currentUser(), from: 'cli', reason: 'purged by the start of a worker' },
    onProgress: ({ done, matched }) => line.show(`cancelled ${done} of ${matched}`),
  })
  line.end()
  app.log.info(`Cancelled ${counts.cancelled ?? 0} jobs that waited in ${queues.join(', ')}.`)
}

async function describeApp(app: App, settings: WorkerConfig) {
  const { config } = app
  const { names } = await app.tasks()
  const { store, broker } = await addressesOf(app)
  const { concurrency, name } = settings
  const queues = await app.queuesFor(settings)
  return { worker: workerName(name), config: config.file, broker, store, concurrency, queues, tasks: names }
}

/** A server that is away has no say in whether the worker starts. */
async function addressesOf(app: App): Promise<{ broker: string; store: string }> {
  try {
    const { store, broker } = await app.backend()
    return { broker: broker.address, store: store.address }
  } catch {
    return { broker: 'waiting', store: 'waiting' }
  }
}
