import { type Cluster, Redis, type RedisOptions } from 'ioredis'
import { ConfigError } from '../errors.js'
import { secretless } from '../job/address.js'
import type { BrokerLog } from './outage.js'

/** Connections to Redis: how they are made, and kept. */

export type RedisTarget = string | RedisOptions | Redis | Cluster
export type Client = Redis | Cluster
/** BullMQ reads replies in their old shape. */
type OurOptions = RedisOptions & { readonly replyMapping: 'legacy' }

/** How long a worker waits for a wake-up before it looks by itself. A dead connection is noticed 1 s later. */
export const drainSeconds = 5
const longestRetryMs = 2000

/** For calls that must fail in time: nothing is queued while the server is away, and nothing is sent twice. */
export function senderOptions(deadlineMs: number): OurOptions {
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

/** For the one connection that waits: a call that a lost connection cut short is made anew, with what is waited for then. */
export function waiterOptions(deadlineMs: number): OurOptions {
  // Something comes at the end of each wait at the latest.
  return { ...senderOptions(deadlineMs), socketTimeout: drainSeconds * 1000 + 1000 }
}

/** For workers: what is asked while the server is away is answered when it is back. */
export function takerOptions(deadlineMs: number): OurOptions {
  return {
    replyMapping: 'legacy',
    lazyConnect: true,
    connectTimeout: deadlineMs,
    socketTimeout: deadlineMs,
    maxRetriesPerRequest: null,
    enableOfflineQueue: true,
    autoResendUnfulfilledCommands: true,
    retryStrategy: (times) => Math.min(50 * 2 ** times, longestRetryMs),
  }
}

export function openClient(connection: RedisTarget, ours: OurOptions): Client {
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

/**
 * Sends what one turn of the event loop brings with one call to the system: when a batch of claims is answered, a worker
 * acknowledges a hundred deliveries at once. Nothing waits for it. (ioredis's own pipelining was measured: it costs more.)
 */
export function gatherWrites(client: Client): void {
  if (isCluster(client)) return
  const { stream } = client
  const write = stream.write.bind(stream) as (...args: unknown[]) => boolean
  let corked = false
  const send = () => {
    corked = false
    stream.uncork()
  }
  const gather = (...args: unknown[]) => {
    if (!corked) {
      corked = true
      stream.cork()
      process.nextTick(send)
    }
    return write(...args)
  }
  Object.assign(stream, { write: gather })
}

/** By shape: the app's ioredis may be another copy than ours. */
function isClient(connection: RedisOptions | Client): connection is Client {
  return 'duplicate' in connection && typeof connection.duplicate === 'function'
}

export function isCluster(client: Client): client is Cluster {
  return client.isCluster
}

export function refuseKeyPrefix(connection: RedisTarget): void {
  const options = typeof connection === 'string' ? {} : isClient(connection) ? connection.options : connection
  if (options.keyPrefix)
    throw new ConfigError(
      'The Redis connection has a keyPrefix, which BullMQ cannot use. Use the option "prefix" instead.',
    )
}

export function addressOf(connection: RedisTarget): string {
  if (typeof connection === 'string') return secretless(connection)
  if (isClient(connection) && isCluster(connection)) return 'a Redis Cluster'
  const options = isClient(connection) ? (connection.options as RedisOptions) : connection
  const scheme = options.tls ? 'rediss' : 'redis'
  if (options.path) return `${scheme}://${options.path}`
  const { host, port } = options.sentinels?.[0] ?? options
  return `${scheme}://${host ?? 'localhost'}:${port ?? 6379}/${options.db ?? 0}`
}

export interface Reconnecting {
  reach(): Promise<void>
  readonly reached: Promise<void>
  stop(): void
}

/** Connects now and again after every loss. Neither its timers nor its sockets keep the process alive. */
export function keepConnected(
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

export function isReady(client: Client): boolean {
  return client.status === 'ready'
}

function releaseSocket(client: Client): void {
  if (isCluster(client)) for (const node of client.nodes()) node.stream?.unref()
  else client.stream.unref()
}

/** Each start of a Redis has an id of its own; a Cluster's is made of all its masters'. */
export async function runOf(client: Client): Promise<string> {
  const servers = isCluster(client) ? client.nodes('master') : [client]
  const texts = await Promise.all(servers.map((server) => server.info('server')))
  return texts
    .map((text) => /^run_id:(\w+)/m.exec(text)?.[1] ?? '')
    .sort()
    .join(' ')
}

/** Redis must not throw deliveries away when its memory is full. */
export async function warnOfSetup(client: Client, log: BrokerLog): Promise<void> {
  const info = await client.info()
  const [, policy = 'noeviction'] = /^maxmemory_policy:(\S+)/m.exec(info) ?? []
  if (policy !== 'noeviction')
    log.warn(
      `Redis may drop deliveries when it is full: its maxmemory-policy is ${policy}. Set it to noeviction.`,
    )
}
