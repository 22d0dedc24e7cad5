import { type BackendFactory, createRedisBackend, type RedisQueueBackend, withBackend } from 'bullmq'
import type { Broker } from './broker.js'
import { createBullBroker } from './bullmq.js'
import { isDeliveryGone, type Link } from './link.js'
import { type BrokerLog, createOutage } from './outage.js'
import {
  addressOf,
  type Client,
  drainSeconds,
  gatherWrites,
  isReady,
  keepConnected,
  openClient,
  type RedisTarget,
  refuseKeyPrefix,
  runOf,
  senderOptions,
  takerOptions,
  waiterOptions,
  warnOfSetup,
} from './redis-client.js'
import { readServer } from './redis-server.js'
import { createWakeUps, type WakeUps } from './wake-ups.js'

export interface RedisBrokerOptions {
  /**
   * A `redis:` or `rediss:` URL, ioredis options, or an ioredis instance, which is duplicated and never closed.
   * TLS, Sentinel and Cluster are accepted and not tested yet.
   */
  readonly connection: RedisTarget
  /** What every key begins with. */
  readonly prefix: string
  /** How long a call waits for the server. */
  readonly deadlineMs: number
  readonly log: BrokerLog
  /** See `BullSettings`. */
  readonly lockMs?: number
}

/** Moves deliveries through Redis. */
export function createRedisBroker(options: RedisBrokerOptions): Broker {
  return createBullBroker(createRedisLink(options), options)
}

/** What workers need, opened with the first of them: one connection that asks, and one that waits, for all queues. */
interface Taking {
  readonly asker: Client
  readonly waiter: Client
  readonly wakeUps: WakeUps
  close(): void
}

function createRedisLink({ connection, prefix, deadlineMs, log }: RedisBrokerOptions): Link {
  refuseKeyPrefix(connection)
  const address = addressOf(connection)
  const outage = createOutage(`Redis at ${address}`, log)
  const heard = { onTrouble: outage.began, onReady: () => void noticeReady().catch(() => undefined) }
  const sender = openClient(connection, senderOptions(deadlineMs))
  const reconnecting = keepConnected(sender, heard)
  const { Queue } = withBackend(createRedisBackend)
  const { Worker } = withBackend(createWorkerBackend)
  let taking: Taking | undefined

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
      const worker = new Worker(name, process, {
        ...settings,
        connection: takingNow().asker,
        prefix,
        drainDelay: drainSeconds,
      })
      return worker.on('error', (error) => {
        if (!isDeliveryGone(error)) outage.began(error)
      })
    },
    async putBack(job, token) {
      await job.moveToWait(token)
    },
    async ping() {
      await sender.ping()
    },
    facts: () => readServer(sender, address),
    async peek(queue, id) {
      const [data, instance] = await Promise.all([
        sender.hget(`${prefix}:${queue}:${id}`, 'data'),
        runOf(sender),
      ])
      return { data: data ?? undefined, instance }
    },
    async close() {
      reconnecting.stop()
      sender.disconnect()
      taking?.close()
    },
  }

  /** Without a connection of its own to wait on: all queues of the process share one. */
  function createWorkerBackend(...[name, options]: Parameters<BackendFactory<RedisQueueBackend>>) {
    const { wakeUps } = takingNow()
    const backend = createRedisBackend(name, options)
    const place = wakeUps.join(backend.toKey('marker'))
    return Object.assign(backend, {
      waitForJob: place.wait,
      disconnectBlocking: async () => place.leave(),
      reconnectBlocking: async () => undefined,
    })
  }

  /** Where one connection was lost in silence, the others may be dead as well, and not know yet. */
  async function noticeReady(): Promise<void> {
    await Promise.all([sender.ping(), taking?.asker.ping()])
    if (!taking || isReady(taking.waiter)) outage.ended()
  }

  function takingNow(): Taking {
    taking ??= openTaking()
    return taking
  }

  function openTaking(): Taking {
    const asker = openClient(connection, takerOptions(deadlineMs))
    asker.on('error', heard.onTrouble).on('ready', heard.onReady)
    asker.on('connect', () => gatherWrites(asker))
    const waiter = openClient(connection, waiterOptions(deadlineMs))
    const waiting = keepConnected(waiter, heard)
    const wakeUps = createWakeUps({
      waiter,
      asker,
      reach: waiting.reach,
      prefix,
      longestSeconds: drainSeconds,
    })
    return {
      asker,
      waiter,
      wakeUps,
      close() {
        wakeUps.end()
        waiting.stop()
        waiter.disconnect()
        asker.disconnect()
      },
    }
  }
}
