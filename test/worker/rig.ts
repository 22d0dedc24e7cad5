import { onTestFinished } from 'vitest'
import { createPostgresBroker } from '../../src/broker/postgres.js'
import { createRedisBroker } from '../../src/broker/redis.js'
import { createDispatcher } from '../../src/enqueue/dispatch.js'
import { createHold } from '../../src/enqueue/hold.js'
import { createLimitBook } from '../../src/enqueue/limit-book.js'
import { plainValues } from '../../src/job/codec.js'
import { createPrismaStore } from '../../src/store/prisma.js'
import type { RunnableTask } from '../../src/worker/attempt.js'
import { threadLease } from '../../src/worker/lease.js'
import { toServed } from '../../src/worker/served.js'
import { createWorker, type Worker, type WorkerDeps } from '../../src/worker/worker.js'
import type { Servers } from '../support/lab.js'

/** A worker by its own parts, with settings that no option reaches. The tables must be there. */
export async function startRig(
  servers: Servers,
  run: Record<string, RunnableTask['run']>,
  settings: Partial<WorkerDeps> & { readonly deadlineMs?: number } = {},
): Promise<Worker> {
  const { deadlineMs = 2000 } = settings
  const shared = { deadlineMs, log: silent }
  const store = createPrismaStore({ url: servers.database, directUrl: servers.database, ...shared })
  const broker = servers.broker
    ? createRedisBroker({ connection: servers.broker, prefix: 'celeriac', ...shared })
    : createPostgresBroker({ url: servers.database, ...shared })
  const dispatcher = createDispatcher({ broker, store, hold: createHold(), log: silent })
  const worker = createWorker({
    store,
    broker,
    dispatcher,
    lease: threadLease(servers.database),
    tasks: { get: (name) => toRunnable(name, run[name]), names: () => Object.keys(run) },
    limits: createLimitBook({ registry: () => undefined, queues: {}, parse: () => undefined, log: silent }),
    served: toServed(['default'], () => false),
    concurrency: 2,
    name: 'rig',
    version: '0',
    configHash: '',
    graceMs: 1000,
    leaseMs: 5000,
    heartbeatMs: 1000,
    maxLost: 3,
    stuckAfterMs: 3_600_000,
    maxResult: 1_000_000,
    pool: noPool,
    log: silent,
    jobLog: () => silent,
    onEnd: () => {},
    ...settings,
  })
  onTestFinished(async () => {
    await worker.stop()
    await dispatcher.close()
    await broker.close()
    await store.close()
  }, 60_000)
  await worker.start()
  return worker
}

function toRunnable(name: string, run: RunnableTask['run'] | undefined): RunnableTask | undefined {
  if (!run) return undefined
  const backoff = { type: 'fixed', delayMs: 1, maxMs: 1, jitter: 0 } as const
  return {
    name,
    backoff,
    timeLimit: { softMs: null, hardMs: null },
    values: plainValues,
    redact: [],
    drops: new Set<string>(),
    pool: 'inline',
    file: undefined,
    parsePayload: JSON.parse,
    run,
  }
}

/** Handlers of a rig are functions of the test, which no other thread or process has. */
const noPool: WorkerDeps['pool'] = {
  attempt() {
    throw new Error('A rig has no pool.')
  },
  resize: () => {},
  restart: () => 0,
  children: 0,
  close: async () => {},
}

const silent = { trace() {}, debug() {}, info() {}, warn() {}, error() {} }
