import type { RedisFacts, RedisFailure } from '../broker/redis-facts.js'
import type { Environment } from '../config/env.js'
import type { Config } from '../config/resolve.js'
import { unservedQueues } from '../control/status.js'
import { openEmbedded } from '../embedded/postgres.js'
import { toStoredError } from '../job/json.js'
import {
  hasFailed,
  readLastMark,
  readServerFacts,
  readTablesFacts,
  type ServerFacts,
  type ServerFailure,
  type TablesFacts,
} from '../store/server-facts.js'
import type { KnownWorker } from '../store/store.js'
import { loadTasks } from '../task/load.js'
import type { TaskRegistry } from '../task/registry.js'
import { answerWithin } from '../waiting.js'

/** All that the checks judge by. What could not be learnt is `undefined`. */
export interface Facts {
  /** As `v20.19.0`. */
  readonly node: string
  readonly environment: Pick<Environment, 'isProduction' | 'folder'>
  /** Or why there is none. */
  readonly config: Config | string
  /** Or why they cannot be loaded. */
  readonly tasks?: TaskRegistry | string
  /** Or why the embedded server does not start. */
  readonly addresses?: Addresses | string
  /** By the direct way. */
  readonly server?: ServerFacts | ServerFailure
  /** By the way that most statements take, where it is another one. */
  readonly pooled?: ServerFacts | ServerFailure
  readonly tables?: TablesFacts
  readonly broker?: BrokerFacts
  readonly cluster?: ClusterFacts
}

export interface Addresses {
  readonly url: string
  readonly directUrl: string
}

export type BrokerFacts =
  | { readonly kind: 'redis'; readonly redis: RedisFacts | RedisFailure; readonly mark?: MarkFacts }
  /** `error`: why it cannot be used. */
  | { readonly kind: 'postgres'; readonly error?: string; readonly mark?: MarkFacts }

/** What is left in the broker to tell it from others. */
export interface MarkFacts {
  /** What the store remembers to have left; 0 before the first. */
  readonly expected: number
  readonly found: string | undefined
}

export interface ClusterFacts {
  readonly workers: readonly KnownWorker[]
  readonly unserved: readonly string[]
}

export interface FactsDeps {
  readonly environment: Facts['environment']
  readonly node: string
  readonly readConfig: () => Promise<Config>
}

const loadMs = 20_000
const lateMessage = `The tasks files were not loaded within ${loadMs / 1000} s. Does one of them await something at its top level?`

const silent = { trace() {}, debug() {}, info() {}, warn() {}, error() {} }

/** Learns what can be learnt, one after the other where one needs the other. Never rejects. */
export async function gatherFacts({ environment, node, readConfig }: FactsDeps): Promise<Facts> {
  const config = await readConfig().catch(messageOf)
  if (typeof config === 'string') return { node, environment, config }
  const opened = await openAddresses(config)
  try {
    // One that awaits something at its top level may never be loaded.
    const tasks = answerWithin(loadMs, loadTasks(config), () => new Error(lateMessage)).catch(messageOf)
    const servers = typeof opened.addresses === 'string' ? {} : await gatherServers(config, opened.addresses)
    return { node, environment, config, tasks: await tasks, addresses: opened.addresses, ...servers }
  } finally {
    await opened.close()
  }
}

async function openAddresses(config: Config) {
  const close = async () => {}
  if (config.store.kind === 'postgres') return { addresses: config.store, close }
  try {
    const embedded = await openEmbedded({ root: config.root, log: silent })
    return { addresses: { url: embedded.url, directUrl: embedded.url }, close: embedded.close }
  } catch (error) {
    return { addresses: messageOf(error), close }
  }
}

async function gatherServers(
  config: Config,
  { url, directUrl }: Addresses,
): Promise<Pick<Facts, 'server' | 'pooled' | 'tables' | 'broker' | 'cluster'>> {
  const { deadlineMs } = config
  const [server, pooled, broker] = await Promise.all([
    readServerFacts(directUrl, deadlineMs),
    url === directUrl ? undefined : readServerFacts(url, deadlineMs),
    gatherBroker(config, directUrl),
  ])
  const facts = { server, ...(pooled ? { pooled } : {}), broker }
  if (hasFailed(server)) return facts
  const tables = await readTablesFacts(directUrl, deadlineMs)
  if (!('pending' in tables) || tables.pending.length > 0) return { ...facts, tables }
  const [cluster, marked] = await Promise.all([
    gatherCluster(config, { url: directUrl, directUrl }),
    withMark(config, broker, directUrl),
  ])
  return { ...facts, tables, broker: marked, ...(cluster ? { cluster } : {}) }
}

async function gatherBroker({ broker, deadlineMs }: Config, directUrl: string): Promise<BrokerFacts> {
  if (broker.kind === 'redis') {
    const { readRedisFacts } = await import('../broker/redis-facts.js')
    const connection = broker.connection
    return { kind: 'redis', redis: await readRedisFacts(connection, deadlineMs) }
  }
  const found = await readServerFacts(broker.url ?? directUrl, deadlineMs)
  return { kind: 'postgres', ...(hasFailed(found) ? { error: found.message } : {}) }
}

async function withMark(config: Config, found: BrokerFacts, directUrl: string): Promise<BrokerFacts> {
  if (found.kind === 'redis' ? 'trouble' in found.redis : found.error !== undefined) return found
  const expected = await readLastMark(directUrl, config.deadlineMs)
  const broker = await openBroker(config, directUrl)
  try {
    return { ...found, mark: { expected, found: (await broker.readMark()).value } }
  } catch (error) {
    return found.kind === 'postgres' ? { ...found, error: messageOf(error) } : found
  } finally {
    await broker.close()
  }
}

async function openBroker({ broker, prefix, deadlineMs }: Config, directUrl: string) {
  if (broker.kind === 'redis') {
    const { createRedisBroker } = await import('../broker/redis.js')
    const connection = broker.connection
    return createRedisBroker({ connection, prefix, deadlineMs, log: silent })
  }
  const { createPostgresBroker } = await import('../broker/postgres.js')
  return createPostgresBroker({ url: broker.url ?? directUrl, migrate: false, deadlineMs, log: silent })
}

async function gatherCluster(config: Config, addresses: Addresses): Promise<ClusterFacts | undefined> {
  const { createPrismaStore } = await import('../store/prisma.js')
  const { deadlineMs, leaseMs, heartbeatMs } = config
  const store = createPrismaStore({ ...addresses, deadlineMs, log: silent })
  try {
    const workers = (await store.workers()).filter(({ stoppedAt, lostAt }) => !stoppedAt && !lostAt)
    const unserved = await unservedQueues({ store: async () => store, leaseMs, heartbeatMs })
    return { workers, unserved }
  } catch {
    return undefined
  } finally {
    await store.close()
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : toStoredError(error).message
}
