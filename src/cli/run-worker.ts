import type { App } from '../app.js'
import type { Bytes } from '../config/bytes.js'
import { readEnvironment } from '../config/env.js'
import type { CeleriacOptions, LogLevel, WorkerOptions } from '../config/options.js'
import { ClosedError } from '../errors.js'
import { type Duration, tellMs } from '../job/duration.js'
import type { PoolKind } from '../task/policy.js'
import { sleep, within } from '../waiting.js'
import { type Worker, workerName } from '../worker/worker.js'
import { banner } from './banner.js'
import { wholeNumber } from './kit.js'
import { openForCommand, readConfig } from './open.js'
import type { WorkerFlags } from './worker.js'

/** Runs until it is told to stop, then ends the process. */
export async function runWorker(flags: WorkerFlags): Promise<void> {
  const config = await readConfig(flags, said(flags))
  const stopping = stopSignal()
  // Nothing of ours keeps a process alive by itself, and a worker waits for servers and for jobs.
  setInterval(() => {}, 2 ** 31 - 1)
  const app = openForCommand(config, failed)
  const facts = await describeApp(app)
  if (readEnvironment().isTerminal) process.stdout.write(banner(facts))
  const starting = app.startWorker(config.workerProcess)
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

function said(flags: WorkerFlags): CeleriacOptions {
  const worker: WorkerOptions = {
    ...(flags.concurrency === undefined
      ? {}
      : { concurrency: wholeNumber(flags.concurrency, '--concurrency') }),
    ...(flags.queues === undefined ? {} : { queues: flags.queues.split(',').map((name) => name.trim()) }),
    ...(flags.pool === undefined ? {} : { pool: flags.pool as PoolKind }),
    ...(flags.maxJobsPerChild === undefined
      ? {}
      : { maxJobsPerChild: wholeNumber(flags.maxJobsPerChild, '--max-jobs-per-child') }),
    ...(flags.maxMemoryPerChild === undefined ? {} : { maxMemoryPerChild: toBytes(flags.maxMemoryPerChild) }),
    ...(flags.name === undefined ? {} : { name: flags.name }),
    ...(flags.grace === undefined ? {} : { grace: flags.grace as Duration }),
  }
  return {
    ...(Object.keys(worker).length === 0 ? {} : { worker }),
    ...(flags.loglevel === undefined ? {} : { logger: flags.loglevel.toLowerCase() as LogLevel }),
  }
}

/** A number alone is bytes. */
function toBytes(text: string): Bytes {
  return /^\d+$/.test(text) ? Number(text) : (text as Bytes)
}

/** Two signals within this time are one: a Ctrl-C under npm comes from the terminal and from npm. */
const oneSignalMs = 500
/** For what is left when the worker has stopped: `onWorkerStop`, and connections to servers that may be away. */
const closeMs = 10_000

interface StopSignal {
  readonly first: Promise<void>
  readonly second: Promise<void>
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
  return { first, second }
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

async function describeApp(app: App) {
  const { config } = app
  const { names } = await app.tasks()
  const { store, broker } = await addressesOf(app)
  const { concurrency, name } = config.workerProcess
  const queues = await app.queuesFor(config.workerProcess)
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
