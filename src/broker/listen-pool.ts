import { EventEmitter } from 'node:events'
import type { PgNotification, PgPool, PgPoolClient, PgQueryResult } from 'bullmq'
import pg from 'pg'
import { sleep } from '../waiting.js'

/**
 * The pools that BullMQ is given. It holds one connection for each of its workers for ever, only to LISTEN; here all
 * share one. This leans on the small shape that BullMQ asks of a pool, so no other part of the broker knows of it.
 */
export interface SharedPools {
  readonly forQueues: PgPool
  readonly forWorkers: PgPool
  /** Ends the connection that listens; the pools are left to whoever made it. */
  end(): Promise<void>
}

export interface SharedPoolsDeps {
  readonly queuePool: pg.Pool
  readonly workerPool: pg.Pool
  /** Makes the one connection that listens. Its queries must end in time, for a dead connection to be noticed. */
  openClient(): ListenClient
  /** Those that workers of this process wait for. */
  queues(): Iterable<string>
  onTrouble(error: Error): void
  onAnswer(): void
  /** The listening connection has been opened. */
  onListening(): void
}

export type ListenClient = pg.Client & {
  /** Cuts the connection. */
  destroy(): void
}

/** A worker asks again at once when a query fails, so a failure is held back a little. */
const slowFailureMs = 200
const heartbeatMs = 10_000
const retryMs = 250
/** BullMQ looks for work once when it begins to wait, and forgets it when that fails. */
const rouseAfterMs = 5000

export function createSharedPools(deps: SharedPoolsDeps): SharedPools {
  const { queuePool, workerPool, onTrouble, onAnswer } = deps
  const listener = createListener(deps)
  const askForQueue: Ask = (text, params) => query(queuePool, text, params)
  const askForWorker: Ask = async (text, params) => {
    try {
      const result = await query(workerPool, text, params)
      onAnswer()
      return result
    } catch (error) {
      if (isOfTheConnection(error)) {
        onTrouble(error as Error)
        listener.suspect()
        await sleep(slowFailureMs)
      }
      throw error
    }
  }

  return {
    forQueues: poolOf(askForQueue),
    forWorkers: poolOf(askForWorker),
    end: () => listener.end(),
  }

  function poolOf(ask: Ask): PgPool {
    const pool = {
      // Tells BullMQ that dead connections are noticed, so that it waits for wake-ups as long as it is told to.
      options: { keepAlive: true },
      query: ask,
      connect: async () => createSharedClient(listener, ask),
      end: async () => undefined,
      on: () => pool,
      removeAllListeners: () => pool,
    }
    return pool as PgPool
  }
}

type Ask = PgPool['query']

async function query(pool: pg.Pool, text: string, params?: readonly unknown[]): Promise<PgQueryResult> {
  return (await pool.query(text, params as unknown[])) as PgQueryResult
}

/** What BullMQ gets for a connection of its own: LISTEN goes to the shared connection, all else to the pool. */
function createSharedClient(listener: Listener, ask: Ask): PgPoolClient {
  const client = new EventEmitter().setMaxListeners(0)
  const leave = listener.join(client)
  return Object.assign(client, {
    async query(text: string, params?: readonly unknown[]) {
      const channel = /^\s*LISTEN\s+"?(\w+)"?/i.exec(withoutComments(text))?.[1]
      if (channel !== undefined) {
        await listener.listen(channel)
        return { rows: [] }
      }
      // A name for one session makes no sense on a connection that all share.
      if (text.includes("set_config('application_name'")) return { rows: [] }
      return ask(text, params)
    },
    release: leave,
  }) as unknown as PgPoolClient
}

interface Listener {
  join(client: EventEmitter): () => void
  listen(channel: string): Promise<void>
  /** The server is in trouble: this connection may be dead too, and a wake-up may have been missed. */
  suspect(): void
  end(): Promise<void>
}

/** One connection, and what is said on it. */
interface Session {
  readonly client: ListenClient
  readonly opened: Promise<unknown>
  readonly channels: Map<string, Promise<unknown>>
  heartbeat?: NodeJS.Timeout
  probing?: Promise<unknown>
}

/** One connection, opened at the first LISTEN and again after each loss; those who joined hear of both. */
function createListener({ openClient, queues, onTrouble, onListening }: SharedPoolsDeps): Listener {
  const joined = new Set<EventEmitter>()
  const known = new Set<string>()
  let session: Session | undefined
  let rousing: NodeJS.Timeout | undefined
  let ended = false

  return {
    join(client) {
      joined.add(client)
      return () => joined.delete(client)
    },
    async listen(channel) {
      known.add(channel)
      const { client, channels } = await openSession()
      let listening = channels.get(channel)
      if (!listening) {
        listening = client.query(`LISTEN ${pg.escapeIdentifier(channel)}`)
        channels.set(channel, listening)
      }
      await listening
    },
    suspect() {
      if (session?.heartbeat) probe(session)
      rouseSoon()
    },
    async end() {
      ended = true
      clearTimeout(rousing)
      clearInterval(session?.heartbeat)
      await session?.opened.catch(() => undefined)
      await session?.client.end().catch(() => undefined)
    },
  }

  async function openSession(): Promise<Session> {
    if (ended) throw new Error('the broker has been closed')
    session ??= begin(openClient())
    const mine = session
    try {
      await mine.opened
      return mine
    } catch (error) {
      await sleep(retryMs)
      throw error
    }
  }

  function begin(client: ListenClient): Session {
    const next: Session = { client, opened: client.connect(), channels: new Map() }
    client.on('error', (error) => lose(next, error))
    client.on('end', () => lose(next, new Error('the connection was closed')))
    client.on('notification', (message) => tell(message as PgNotification))
    next.opened.then(
      () => serve(next),
      (error: Error) => lose(next, error),
    )
    return next
  }

  function serve(opened: Session): void {
    if (session !== opened) return
    onListening()
    rouseSoon()
    // Statements queue up in the driver, so the beat never meets a LISTEN that is under way.
    opened.heartbeat = setInterval(() => probe(opened), heartbeatMs).unref()
  }

  function probe(opened: Session): void {
    opened.probing ??= opened.client
      .query('SELECT 1')
      .catch((error: Error) => lose(opened, error))
      .finally(() => {
        delete opened.probing
      })
  }

  function tell(message: PgNotification): void {
    for (const client of joined) client.emit('notification', message)
  }

  /** Makes all who wait look for work. */
  function rouseSoon(): void {
    if (ended) return
    rousing ??= setTimeout(() => {
      rousing = undefined
      for (const channel of known) for (const payload of queues()) tell({ channel, payload })
    }, rouseAfterMs).unref()
  }

  /** BullMQ answers an error by asking for a new connection, and listens and looks for work again. */
  function lose(lost: Session, error: Error): void {
    clearInterval(lost.heartbeat)
    // The end of an old connection may be told when there is a new one.
    if (ended || session !== lost) return
    session = undefined
    lost.client.destroy()
    onTrouble(error)
    for (const each of [...joined]) if (each.listenerCount('error') > 0) each.emit('error', error)
  }
}

function withoutComments(sql: string): string {
  return sql.replace(/^\s*--.*$/gm, '')
}

/** Of the connection or the server's state: all but an error in the statement or its data. */
function isOfTheConnection(error: unknown): boolean {
  const code = (error as { code?: unknown } | null)?.code
  return typeof code !== 'string' || !/^(BM|[0-4][0-9A-Z]|P0)/.test(code) || /^(08|25|28|3D)/.test(code)
}
