import { createRedisBackend, withBackend } from 'bullmq'
import { type Cluster, Redis, type RedisOptions } from 'ioredis'
import { ConfigError } from '../errors.js'
import { secretless } from '../job/address.js'
import type { Broker } from './broker.js'
import { createBullBroker } from './bullmq.js'
import { isDeliveryGone, type Link } from './link.js'
import { type BrokerLog, createOutage } from './outage.js'

export interface RedisBrokerOptions {
  /**
   * A `redis:` or `rediss:` URL, ioredis options, or an ioredis instance, which is duplicated and never closed.
   * TLS, Sentinel and Cluster are accepted and not tested yet.
   */
  readonly connection: string | RedisOptions | Redis | Cluster
  /** What every key begins with. */
  readonly prefix: string
  /** How long a call waits for the server. */
  readonly deadlineMs: number
  readonly log: BrokerLog
  /** See `BullSettings`. */
  readonly lockMs?: number
}

type Client = Redis | Cluster
/** BullMQ reads replies in their old shape. */
type OurOptions = RedisOptions & { readonly replyMapping: 'legacy' }

/** How long a worker waits for a wake-up before it looks by itself. A dead connection is noticed 1 s later. */
const drainSeconds = 5
const longestRetryMs = 2000

const { Queue, Worker } = withBackend(createRedisBackend)

/** Moves deliveries through Redis. */
export function createRedisBroker(options: RedisBrokerOptions): Broker {
  return createBullBroker(createRedisLink(options), options)
}

function createRedisLink({ connection, prefix, deadlineMs, log }: RedisBrokerOptions): Link {
  refuseKeyPrefix(connection)
  const address = addressOf(connection)
  const outage = createOutage(`Redis at ${address}`, log)
  const sender = openClient(connection, senderOptions(deadlineMs))
  const reconnecting = keepConnected(sender, { onTrouble: outage.began, onReady: outage.ended })
  const copies: Client[] = []
  let taker: Client | undefined

  reconnecting.reached.then(() => warnOfSetup(sender, log)).catch(() => undefined)

  return {
    kind: 'redis',
    address,
    outage,
    reach: reconnecting.reach,
    reached: reconnecting.reached,
    openQueue(name) {
      const queue = new Queue(name, {
        connection: sender,
        prefix,
        skipWaitingForReady: true,
        // It asks the server while connecting, and would remember a failure for ever.
        skipVersionCheck: true,
        streams: { events: { maxLen: 1 } },
      })
      return queue.on('error', outage.began)
    },
    openWorker(name, process, settings) {
      taker ??= openTaker()
      const worker = new Worker(name, process, {
        ...settings,
        connection: taker,
        prefix,
        drainDelay: drainSeconds,
      })
      worker.on('error', (error) => {
        if (!isDeliveryGone(error)) outage.began(error)
      })
      const blocking = copies.splice(0)
      return Object.assign(worker, {
        cut: () => {
          for (const client of blocking) client.disconnect()
        },
      })
    },
    async putBack(job, token) {
      await job.moveToWait(token)
    },
    async ping() {
      await sender.ping()
    },
    instance: () => runOf(sender),
    async close() {
      reconnecting.stop()
      sender.disconnect()
      taker?.disconnect()
    },
  }

  function openTaker(): Client {
    const client = collectCopies(openClient(connection, takerOptions(deadlineMs)), copies)
    return client.on('error', outage.began).on('ready', outage.ended)
  }
}

/** For calls that must fail in time: nothing is queued while the server is away, and nothing is sent twice. */
function senderOptions(deadlineMs: number): OurOptions {
  return {
    replyMapping: 'legacy',
    lazyConnect: true,
    connectTimeout: deadlineMs,
    socketTimeout: deadlineMs,
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    // `keepConnected` tries again, by timers that keep no process alive.
    retryStrategy: () => null,
  }
}

/** For workers: what is asked while the server is away is answered when it is back. */
function takerOptions(deadlineMs: number): OurOptions {
  return {
    replyMapping: 'legacy',
    lazyConnect: true,
    connectTimeout: deadlineMs,
    // Longer than a blocking call may take.
    socketTimeout: 2 * drainSeconds * 1000,
    maxRetriesPerRequest: null,
    enableOfflineQueue: true,
    autoResendUnfulfilledCommands: true,
    retryStrategy: (times) => Math.min(50 * 2 ** times, longestRetryMs),
  }
}

function openClient(connection: RedisBrokerOptions['connection'], ours: OurOptions): Client {
  if (typeof connection === 'string') return new Redis(connection, ours)
  if (!isClient(connection)) return new Redis({ ...connection, ...ours })
  if (!isCluster(connection)) return connection.duplicate(ours)
  return connection.duplicate([], {
    lazyConnect: true,
    ...(ours.enableOfflineQueue === undefined ? {} : { enableOfflineQueue: ours.enableOfflineQueue }),
    clusterRetryStrategy: (times: number) => ours.retryStrategy?.(times) ?? null,
    redisOptions: { ...connection.options.redisOptions, ...ours },
  })
}

/** By shape: the app's ioredis may be another copy than ours. */
function isClient(connection: RedisOptions | Client): connection is Client {
  return 'duplicate' in connection && typeof connection.duplicate === 'function'
}

function isCluster(client: Client): client is Cluster {
  return client.isCluster
}

function refuseKeyPrefix(connection: RedisBrokerOptions['connection']): void {
  const options = typeof connection === 'string' ? {} : isClient(connection) ? connection.options : connection
  if (options.keyPrefix)
    throw new ConfigError(
      'The Redis connection has a keyPrefix, which BullMQ cannot use. Use the option "prefix" instead.',
    )
}

function addressOf(connection: RedisBrokerOptions['connection']): string {
  if (typeof connection === 'string') return secretless(connection)
  if (isClient(connection) && isCluster(connection)) return 'a Redis Cluster'
  const options = isClient(connection) ? (connection.options as RedisOptions) : connection
  const scheme = options.tls ? 'rediss' : 'redis'
  if (options.path) return `${scheme}://${options.path}`
  const { host, port } = options.sentinels?.[0] ?? options
  return `${scheme}://${host ?? 'localhost'}:${port ?? 6379}/${options.db ?? 0}`
}

interface Reconnecting {
  reach(): Promise<void>
  readonly reached: Promise<void>
  stop(): void
}

/** Connects now and again after every loss. Neither its timers nor its sockets keep the process alive. */
function keepConnected(
  client: Client,
  { onTrouble, onReady }: { onTrouble: (error: Error) => void; onReady: () => void },
): Reconnecting {
  const closed = new Error('the connection was closed')
  let lastError: Error = closed
  let tries = 0
  let stopped = false
  let attempt: Promise<void> | undefined
  let markReached: () => void = () => undefined
  const reached = new Promise<void>((resolve) => {
    markReached = resolve
  })

  client.on('error', (error: Error) => {
    lastError = error
    onTrouble(error)
  })
  client.on('connect', () => releaseSocket(client))
  client.on('ready', () => {
    tries = 0
    lastError = closed
    onReady()
    markReached()
  })
  client.on('end', () => {
    if (stopped) return
    onTrouble(lastError)
    tries += 1
    setTimeout(connect, Math.min(50 * 2 ** tries, longestRetryMs)).unref()
  })
  connect()

  return {
    reached,
    async reach() {
      if (isReady(client)) return
      await attempt
      if (!isReady(client)) throw lastError
    },
    stop() {
      stopped = true
    },
  }

  function connect(): void {
    if (stopped) return
    // Why it failed is told by the `error` event.
    attempt = client.connect().catch(() => undefined)
  }
}

function isReady(client: Client): boolean {
  return client.status === 'ready'
}

function releaseSocket(client: Client): void {
  if (isCluster(client)) for (const node of client.nodes()) node.stream?.unref()
  else client.stream.unref()
}

/** Keeps an eye on the copies that BullMQ makes of it for its blocking calls. */
function collectCopies<T extends Client>(client: T, copies: Client[]): T {
  const duplicate = client.duplicate.bind(client) as (...args: unknown[]) => Client
  const collecting = (...args: unknown[]) => {
    const copy = duplicate(...args)
    copies.push(copy)
    return copy
  }
  return Object.assign(client, { duplicate: collecting })
}

/** Each start of a Redis has an id of its own; a Cluster's is made of all its masters'. */
async function runOf(client: Client): Promise<string> {
  const servers = isCluster(client) ? client.nodes('master') : [client]
  const texts = await Promise.all(servers.map((server) => server.info('server')))
  return texts
    .map((text) => /^run_id:(\w+)/m.exec(text)?.[1] ?? '')
    .sort()
    .join(' ')
}

/** Redis must not throw deliveries away when its memory is full. */
async function warnOfSetup(client: Client, log: BrokerLog): Promise<void> {
  const info = await client.info()
  const [, policy = 'noeviction'] = /^maxmemory_policy:(\S+)/m.exec(info) ?? []
  if (policy !== 'noeviction')
    log.warn(
      `Redis may drop deliveries when it is full: its maxmemory-policy is ${policy}. Set it to noeviction.`,
    )
}
