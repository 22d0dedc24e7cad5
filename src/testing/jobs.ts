import { openApp } from '../app.js'
import { createMemoryServer } from '../broker/memory.js'
import { readEnvironment } from '../config/env.js'
import type { CeleriacOptions } from '../config/options.js'
import { type Config, resolveConfig } from '../config/resolve.js'
import { ConfigError } from '../errors.js'
import type { SqlClient } from '../job/transaction.js'
import { type Celeriac, toCeleriac } from '../plugin.js'
import type { Added } from '../store/memory/table.js'
import { createMemoryStore } from '../store/memory.js'
import { toJob } from '../store/rows.js'
import { bind } from '../task/binding.js'
import type { AnyTask } from '../task/define.js'
import { registerGiven } from '../task/given.js'
import { loadTasks } from '../task/load.js'
import { fromText } from '../task/payload.js'
import type { RegisteredTask, TaskRegistry } from '../task/registry.js'
import { createLog } from '../telemetry/log.js'
import { openMemory } from './backend.js'
import { createTime, durationMs, type TestClock } from './clock.js'
import { createDrainer, type Drained, type DrainOptions } from './drain.js'
import { createEagerStore } from './eager.js'
import { createExpectations, type EnqueuedJob, type Expectations } from './enqueued.js'

/**
 * What `createTestJobs` takes: the options of the app, and how jobs run in a test. What concerns servers, workers and
 * leases (`broker`, `database`, `worker`, `heartbeat` and the like) means nothing here, so an app's whole config fits.
 */
export interface TestJobsOptions extends CeleriacOptions {
  /**
   * `fake`: what is enqueued is collected, and runs at `drain()`. `eager`: each `enqueue` resolves when its job has run
   * to its end, with all its attempts. Default `fake`.
   */
  readonly mode?: 'fake' | 'eager'
  /** Eager mode: an `enqueue` whose job does not succeed rejects with a `JobEndedError`. Default `false`. */
  readonly propagate?: boolean
  /** Fake mode: how many jobs a drain runs at once. Default 1: one after the other, in their order. */
  readonly concurrency?: number
}

/** A `celeriac()` without a server, for tests: middleware, routes, workers and all, on a store and a broker in memory. */
export interface TestJobs extends Celeriac, Expectations {
  readonly mode: 'fake' | 'eager'
  readonly clock: TestClock
  /**
   * Runs all that is due, until nothing is, with what these jobs enqueue.
   * @throws {AssertionError} when a job failed, unless `allowFailures` is said
   */
  drain(options?: DrainOptions): Promise<Drained>
  /**
   * A transaction for `enqueue(payload, { tx })` and `complete({ tx })`: jobs are there when `work` has resolved, and
   * never were when it throws.
   */
  transaction<T>(work: (tx: SqlClient) => T | Promise<T>): Promise<T>
  /** Forgets all jobs. The clock stays where it is. */
  clear(): void
}

const kitOptions = ['mode', 'propagate', 'concurrency'] as const
/** They are about servers and processes, of which there are none. */
const unused = [
  'broker',
  'database',
  'directUrl',
  'embedded',
  'migrate',
  'prefix',
  'worker',
  'lease',
  'heartbeat',
] as const satisfies (keyof CeleriacOptions)[]
/** More than any test enqueues within jobs that are enqueued within jobs. */
const unbounded = 10_000

/**
 * Opens background jobs for a test. It becomes the one that `task.enqueue()` uses, until it is closed or another is
 * opened. It holds no handle: a test run ends by itself, closed or not.
 *
 * @throws {ConfigError} when an option is unknown or wrong
 * @throws {DiscoveryError} when two of the `tasks` have one name
 */
export function createTestJobs(options: TestJobsOptions = {}): TestJobs {
  const { mode, propagate, concurrency } = checked(options)
  const config = toConfig(options)
  const log = typeof config.logger === 'string' ? createLog(config.logger, false) : config.logger
  const isEager = mode === 'eager'
  const time = createTime()
  const server = createMemoryServer({
    now: time.now,
    servesAll: true,
    isPaused: (queue) => plain.isPaused(queue),
  })
  const plain = createMemoryStore({ now: time.now, values: config.values, isOpen: server.isFlowing })
  const { table } = plain
  plain.onSettings(server.pump)
  if (!isEager) server.halt()
  const eager = createEagerStore(plain, {
    working: () => working,
    isPaused: plain.isPaused,
    propagate,
  })
  let registry = config.tasks && runInline(registerGiven(config.tasks))
  const tasks = registry ? Promise.resolve(registry) : loadTasks(config).then(runInline)
  const app = openApp(config, {
    log,
    tasks: tasks.then((found) => {
      registry = found
      return found
    }),
    // Whoever enqueues is told.
    onFatal: () => {},
    openBackend: openMemory(isEager ? eager : plain, server),
  })
  const working = startWorker()
  working.catch(() => {})
  const drainer = createDrainer({
    ...{ server, time, jobs, store: plain },
    backend: app.backend,
    working: () => working,
    maintain: app.maintain,
    hooksEnded: app.hooksEnded,
    alwaysFlows: isEager,
  })

  return Object.assign(toCeleriac(app, config, bind(app)), {
    mode,
    clock: {
      now: () => new Date(time.now()),
      advance: async (by) => drainer.advanceTo(time.now() + durationMs(by, 'clock.advance()')),
      advanceTo: async (moment) => drainer.advanceTo(moment.getTime()),
    } satisfies TestClock,
    drain: drainer.drain,
    transaction,
    clear() {
      table.clear()
      server.clear()
    },
    ...createExpectations({ jobs, nameOf }),
  })

  async function startWorker(): Promise<void> {
    const workers = isEager ? unbounded : concurrency
    await app.startWorker({ ...config.workerProcess, concurrency: workers, graceMs: 0 })
    // It has looked for jobs with limits once, and is known to want them.
    await new Promise((resolve) => setImmediate(resolve))
  }

  function jobs(): EnqueuedJob[] {
    return table.added.map((added) => toEnqueued(added, config))
  }

  function nameOf(task: AnyTask | string): string {
    if (!registry)
      throw new ConfigError('The tasks are not loaded yet: await jobs.ready() before this question.')
    return registry.get(typeof task === 'string' ? task : registry.nameOf(task)).name
  }

  async function transaction<T>(work: (tx: SqlClient) => T | Promise<T>): Promise<T> {
    const tx = plain.begin()
    let done: T
    try {
      done = await work(tx)
      tx.commit()
    } catch (error) {
      tx.rollback()
      throw error
    }
    if (isEager) await eager.settled(tx.written())
    return done
  }
}

/** A pool's threads and processes would load the tasks files anew, which only a built app can do. */
function runInline(registry: TaskRegistry): TaskRegistry {
  const inline = new Map<string, RegisteredTask>()
  const toInline = (registered: RegisteredTask) => {
    const present = inline.get(registered.name)
    const own: RegisteredTask = present ?? {
      ...registered,
      definition: { ...registered.definition, pool: 'inline' },
    }
    inline.set(registered.name, own)
    return own
  }
  return {
    names: registry.names,
    find(name) {
      const found = registry.find(name)
      return found && toInline(found)
    },
    get: (name) => toInline(registry.get(name)),
    nameOf: registry.nameOf,
  }
}

function checked({ mode = 'fake', propagate = false, concurrency = 1 }: TestJobsOptions) {
  if (mode !== 'fake' && mode !== 'eager')
    throw new ConfigError(`"mode" must be "fake" or "eager". It is ${String(mode)}.`)
  if (!Number.isInteger(concurrency) || concurrency < 1)
    throw new ConfigError(`"concurrency" must be a whole number from 1. It is ${String(concurrency)}.`)
  return { mode, propagate, concurrency }
}

/** Of the environment nothing is read: a test is the same everywhere. */
function toConfig(options: TestJobsOptions): Config {
  const own: Record<string, unknown> = { logger: 'silent', ...options }
  for (const name of [...kitOptions, ...unused]) delete own[name]
  // Time is the test's: no round of maintenance comes by itself.
  return resolveConfig({ ...own, heartbeat: '20d', lease: '60d' } as CeleriacOptions, readEnvironment({}))
}

function toEnqueued({ row, payload }: Added, { values }: Config): EnqueuedJob {
  const { id, task, state, queue, priority, owner, tags, idempotencyKey, parentId } = row
  const { createdAt, runAt, expiresAt, attempt, maxAttempts, result } = row
  return {
    ...{ id, task, state, queue, priority, owner, tags, idempotencyKey, parentId },
    ...{ createdAt, runAt, expiresAt, attempt, maxAttempts },
    payload: fromText(payload, values),
    result: result === null ? undefined : values.fromText(result),
    error: toJob({ ...row, payload: 'null', result: null }).error,
  }
}
