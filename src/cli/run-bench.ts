import { type App, openApp } from '../app.js'
import { openBackend } from '../backend.js'
import type { Config } from '../config/resolve.js'
import { ConfigError } from '../errors.js'
import type { Store } from '../store/store.js'
import { defineTask } from '../task/define.js'
import { loadTasks } from '../task/load.js'
import { createCommandLog } from '../telemetry/log.js'
import { sleep, within } from '../waiting.js'
import type { Worker } from '../worker/worker.js'
import type { CommonFlags } from './kit.js'
import { progressLine } from './kit.js'
import { readConfigOrDefaults } from './open.js'

export interface BenchPlan {
  readonly jobs: number
  /** Of each part. */
  readonly seconds: number
  readonly concurrency: number
}

export interface BenchFigures {
  readonly broker: string
  readonly store: string
  readonly enqueued: number
  readonly enqueuePerSecond: number
  readonly drained: number
  readonly drainPerSecond: number
  /** Jobs whose way to the handler was timed. */
  readonly started: number
  readonly startMs: { readonly p50: number; readonly p99: number }
  /** By the user; the figures are of no worth. */
  readonly isStopped: boolean
}

/** Calls at once while jobs are enqueued. */
const callers = 100
/** Of its jobs alone. One name, so that no metric has a label for each run. */
const queue = 'celeriac-bench'
const timedCalls = 300
const deletedAtOnce = 1000

/** Times the whole path, with a worker of its own in this process, and deletes what it wrote. */
export async function runBench(flags: CommonFlags, plan: BenchPlan): Promise<BenchFigures> {
  const starts = createStarts()
  const noop = defineTask({
    name: 'celeriac.bench',
    queue,
    attempts: 1,
    run: (_: undefined, { id }) => starts.notice(id),
  })
  const config = toBenchConfig(await readConfigOrDefaults(flags), { bench: { noop } })
  const app = openBenchApp(config)
  const bench: Bench = { app, plan, starts, stopping: stopSignal(), line: progressLine() }
  const { store, broker } = await app.ready()
  await assertAlone(app, store)
  try {
    return { broker: broker.address, store: store.address, ...(await measure(bench)) }
  } finally {
    bench.line.show('Deleting the jobs …')
    await cleanUp(bench, store)
    bench.line.end()
    await app.close()
  }
}

interface Bench {
  readonly app: App
  readonly plan: BenchPlan
  readonly starts: Starts
  readonly stopping: AbortSignal
  readonly line: ReturnType<typeof progressLine>
  worker?: Worker
}

/** The user's servers and codec, and nothing of what the app does around its jobs. */
function toBenchConfig(config: Config, tasks: NonNullable<Config['tasks']>): Config {
  const none = {
    hooks: undefined,
    onWorkerStart: undefined,
    onWorkerStop: undefined,
    backpressure: undefined,
  }
  return { ...config, ...none, tasks, modules: [], redact: [] }
}

function openBenchApp(config: Config): App {
  const onFatal = (error: unknown) => {
    throw error
  }
  return openApp(config, { log: createCommandLog('error'), tasks: loadTasks(config), onFatal, openBackend })
}

async function measure(bench: Bench) {
  const enqueued = await timeEnqueue(bench)
  const drained = await timeDrain(bench, enqueued.jobs)
  const startMs = await timeStarts(bench)
  return {
    enqueued: enqueued.jobs,
    enqueuePerSecond: perSecond(enqueued),
    drained: drained.jobs,
    drainPerSecond: perSecond(drained),
    started: startMs.length,
    startMs: { p50: percentile(startMs, 0.5), p99: percentile(startMs, 0.99) },
    isStopped: bench.stopping.aborted,
  }
}

interface Timed {
  readonly jobs: number
  readonly ms: number
}

async function timeEnqueue({ app, plan, stopping, line }: Bench): Promise<Timed> {
  const startedAt = performance.now()
  const deadline = startedAt + plan.seconds * 1000
  let [called, jobs] = [0, 0]
  const call = async () => {
    while (called < plan.jobs && performance.now() < deadline && !stopping.aborted) {
      called += 1
      await app.enqueue('celeriac.bench', undefined, { owner: null })
      jobs += 1
      if (jobs % 100 === 0) line.show(`Enqueueing: ${jobs} of ${plan.jobs}`)
    }
  }
  await Promise.all(Array.from({ length: callers }, call))
  return { jobs, ms: performance.now() - startedAt }
}

/** Until the end of each is recorded, or the time is over. */
async function timeDrain(bench: Bench, jobs: number): Promise<Timed> {
  const { app, plan, stopping, line } = bench
  let done = 0
  const ended = app.on('job.succeeded', () => {
    done += 1
  })
  const startedAt = performance.now()
  const { workerProcess } = app.config
  const { concurrency } = plan
  bench.worker = await app.startWorker({
    ...workerProcess,
    name: `bench@%h-%p`,
    queues: [queue],
    concurrency,
  })
  const deadline = startedAt + plan.seconds * 1000
  while (done < jobs && performance.now() < deadline && !stopping.aborted) {
    await sleep(5)
    line.show(`Running: ${done} of ${jobs}`)
  }
  ended()
  return { jobs: done, ms: performance.now() - startedAt }
}

/** One after the other, so that no job waits for another. */
async function timeStarts({ app, plan, starts, stopping, line }: Bench): Promise<number[]> {
  const { store } = await app.backend()
  const deadline = performance.now() + plan.seconds * 1000
  const isLeft = async () => (await store.load([{ queue, waiting: 1, share: null, owners: [] }]))[0]?.waiting
  while ((await isLeft()) && performance.now() < deadline && !stopping.aborted) await sleep(50)
  const times: number[] = []
  while (times.length < timedCalls && performance.now() < deadline && !stopping.aborted) {
    times.push(await timeStart(app, starts, deadline))
    line.show(`Calling: ${times.length} of ${timedCalls}`)
  }
  return times.filter(Number.isFinite).sort((a, b) => a - b)
}

/** From the call to the handler, in milliseconds; not finite where that is not seen in time. */
async function timeStart(app: App, starts: Starts, deadline: number): Promise<number> {
  const calledAt = performance.now()
  const { id } = await app.enqueue('celeriac.bench', undefined, { owner: null })
  let startedAt = Number.POSITIVE_INFINITY
  const start = starts.of(id).then((at) => {
    startedAt = at
  })
  await within(Math.max(0, deadline - performance.now()), start)
  return startedAt - calledAt
}

/** When handlers were called. One may be before its caller knows the id. */
interface Starts {
  notice(id: string): void
  of(id: string): Promise<number>
}

function createStarts(): Starts {
  const begun = new Map<string, number>()
  const waiting = new Map<string, (at: number) => void>()
  return {
    notice(id) {
      const at = performance.now()
      begun.set(id, at)
      waiting.get(id)?.(at)
    },
    of: (id) =>
      new Promise((resolve) => {
        const at = begun.get(id)
        if (at === undefined) waiting.set(id, resolve)
        else resolve(at)
      }),
  }
}

/** @throws {ConfigError} when another one is running, whose jobs would be taken for these */
async function assertAlone(app: App, store: Store): Promise<void> {
  if (!(await store.servedQueues()).includes(queue)) return
  await app.close()
  throw new ConfigError('Another celeriac bench is running on these servers. Wait for its end.')
}

/** Nothing stays of it: no job, also of one that was killed, and no worker that would be listed for days. */
async function cleanUp({ worker }: Bench, store: Store): Promise<void> {
  await worker?.stop()
  for (;;) {
    const { ids } = await store.searchIds({ queues: [queue] }, { limit: deletedAtOnce, sort: 'newest' })
    if (ids.length === 0) break
    await store.act(ids, { action: 'delete' })
  }
  if (worker) await store.forgetWorker(worker.id)
}

function stopSignal(): AbortSignal {
  const stopping = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stopping.abort())
  return stopping.signal
}

function perSecond({ jobs, ms }: Timed): number {
  return Math.round(jobs / (ms / 1000))
}

function percentile(sorted: readonly number[], share: number): number {
  const value = sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0
  return Math.round(value * 10) / 10
}
