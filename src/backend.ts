import type { Redis, RedisOptions } from 'ioredis'
import type { Broker } from './broker/broker.js'
import type { Config } from './config/resolve.js'
import { openEmbedded } from './embedded/postgres.js'
import { createDispatcher, type Dispatcher } from './enqueue/dispatch.js'
import type { Hold } from './enqueue/hold.js'
import { ClosedError, EmbeddedError, StoreUnavailableError } from './errors.js'
import { secretless } from './job/address.js'
import type { Store } from './store/store.js'
import type { Logger } from './telemetry/log.js'
import { rest } from './waiting.js'
import { type LeaseFactory, threadLease } from './worker/lease.js'

/** The servers behind one app, and what speaks to them. */
export interface Backend {
  readonly store: Store
  readonly broker: Broker
  readonly dispatcher: Dispatcher
  /** How a worker on these servers says that it lives. */
  readonly lease: LeaseFactory
}

/** Finds what is behind an app. */
export type OpenBackend = (config: Config, hold: Hold, log: Logger) => BackendOpening

export interface BackendOpening {
  /** Within the deadline. @throws what stands in the way, as {@link StoreUnavailableError} or `MigrationError` */
  ready(): Promise<Backend>
  /** The same without a promise, once it is there. */
  readonly present: Backend | undefined
  /** The same as soon as it is known where the servers are; they may be away, and the tables may be missing. */
  readonly known: Backend | undefined
  /** However long it takes. Rejects for what is not worth waiting for, such as a missing package. */
  readonly opened: Promise<Backend>
  close(): Promise<void>
}

const longestPauseMs = 5000
/** A server that this process itself prepares and starts is waited for longer than one that may be down. */
const embeddedStartMs = 30_000
const closedMessage = 'This celeriac() has been closed.'

/**
 * Finds the servers: the embedded one or those that the configuration names, then tables that are up to date. A server
 * that is away is waited for, as long as it takes; who needs it meanwhile gets an error within the deadline.
 */
export function openBackend(config: Config, hold: Hold, log: Logger): BackendOpening {
  let present: Backend | undefined
  let trouble: Error | undefined
  let troubleSince = 0
  let closed = false
  let leave: () => Promise<void> = async () => {}
  let wake: () => void = () => {}
  let made: Backend | undefined

  const opening = open()
  opening.catch(() => {})

  return {
    opened: opening,
    get present() {
      return present
    },
    get known() {
      return closed ? undefined : made
    },
    async ready() {
      if (present) return present
      const deadlineMs = Math.max(config.deadlineMs, config.store.kind === 'embedded' ? embeddedStartMs : 0)
      // Who comes when it has been away for so long need not wait to hear it.
      if (trouble && performance.now() - troubleSince > deadlineMs) throw trouble
      await Promise.race([opening, rest(deadlineMs)])
      if (present) return present
      throw trouble ?? lateStore(config, deadlineMs)
    },
    async close() {
      closed = true
      wake()
      trouble = new ClosedError(closedMessage)
      await opening.catch(() => {})
      present = undefined
      await made?.dispatcher.close()
      await made?.broker.close()
      await made?.store.close()
      await leave()
    },
  }

  async function open(): Promise<Backend> {
    const urls = await addresses()
    // Vendors are loaded by who needs their servers: a test without any starts in a fraction of the time.
    const { createPrismaStore } = await import('./store/prisma.js')
    const store = createPrismaStore({ ...urls, deadlineMs: config.deadlineMs, values: config.values, log })
    const broker = await createBroker(config, urls, log)
    const dispatcher = createDispatcher({ broker, store, hold, log })
    store.onCommitted(dispatcher.sendCommitted)
    const backend = { store, broker, dispatcher, lease: threadLease(urls.directUrl) }
    made = backend
    await untilDone(() => prepareStore(urls.directUrl, store))
    if (closed) throw new ClosedError(closedMessage)
    present = backend
    return backend
  }

  async function addresses(): Promise<Addresses> {
    if (config.store.kind === 'postgres') return config.store
    const embedded = await openEmbedded({ root: config.root, log })
    leave = embedded.close
    return { url: embedded.url, directUrl: embedded.url }
  }

  async function prepareStore(url: string, store: Store): Promise<void> {
    if (config.migrate) {
      const { migrate } = await import('./store/migrate.js')
      const { applied } = await migrate({ url, log })
      if (applied.length > 0) log.info(`Created the tables of Celeriac (${applied.join(', ')}).`)
    } else {
      await store.assertMigrated()
    }
  }

  async function untilDone(work: () => Promise<void>): Promise<void> {
    for (let pauseMs = 250; !closed; pauseMs = Math.min(pauseMs * 2, longestPauseMs)) {
      try {
        await work()
        if (trouble && !closed) log.info('The store is there.')
        trouble = undefined
        return
      } catch (error) {
        if (error instanceof EmbeddedError) throw error
        if (!closed) note(error)
        await pause(pauseMs)
      }
    }
  }

  function note(error: unknown): void {
    const next = error instanceof Error ? error : new Error(String(error))
    if (next.message !== trouble?.message) log.error(`${next.message} (It is tried again until it works.)`)
    if (!trouble) troubleSince = performance.now()
    trouble = next
  }

  function pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      wake = resolve
      setTimeout(resolve, ms).unref()
    })
  }
}

interface Addresses {
  readonly url: string
  readonly directUrl: string
}

async function createBroker(config: Config, urls: Addresses, log: Logger): Promise<Broker> {
  const { deadlineMs, prefix } = config
  if (config.broker.kind === 'redis') {
    const { createRedisBroker } = await import('./broker/redis.js')
    const connection = config.broker.connection as string | RedisOptions | Redis
    return createRedisBroker({ connection, prefix, deadlineMs, log })
  }
  const { createPostgresBroker } = await import('./broker/postgres.js')
  return createPostgresBroker({ url: brokerUrl(config, urls), migrate: config.migrate, deadlineMs, log })
}

/** Where the broker has no address of its own, it is in the store's database. */
function brokerUrl(config: Config, urls: Addresses): string {
  return (config.broker.kind === 'postgres' ? config.broker.url : undefined) ?? urls.directUrl
}

/** The machine is slower than the deadline, so that nothing is known yet but where it was looked for. */
function lateStore({ store }: Config, deadlineMs: number): StoreUnavailableError {
  const place =
    store.kind === 'postgres' ? `PostgreSQL at ${secretless(store.url)}` : 'The embedded PostgreSQL'
  return new StoreUnavailableError(`${place} was not ready within ${deadlineMs} ms.`)
}
