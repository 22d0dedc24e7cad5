import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { ClosedError } from '../errors.js'
import { secretless } from '../job/address.js'
import { createClient } from './connection.js'

/**
 * Hears what the database announces, over one connection for all channels. A notification is only a hint: those sent
 * while the connection was away are lost, so a listener that must not miss any looks for itself in `onListening`.
 */
export interface Listener {
  /**
   * Connects at the first call, in the background, and for as long as it takes.
   * @param onListening called whenever the server begins to send, so once at first and again after each reconnect
   * @returns ends it
   */
  on(channel: string, listen: (payload: string) => void, onListening?: () => void): () => void
  /** Idempotent. */
  close(): Promise<void>
}

export interface ListenerSettings {
  /** Not through a transaction pooler: it would hear nothing. */
  readonly url: string
  readonly log: { warn(message: string): void }
  /** How long to wait for any answer of the server. Default 5 s. */
  readonly deadlineMs?: number
  /** How often to ask the server whether it is still there. Default 10 s. */
  readonly probeMs?: number
  /** The longest pause between two tries to connect. Default 5 s. */
  readonly maxPauseMs?: number
}

const defaults = { deadlineMs: 5000, probeMs: 10_000, maxPauseMs: 5000 }

interface Subscription {
  readonly channel: string
  readonly listen: (payload: string) => void
  readonly onListening: (() => void) | undefined
}

/** Reconnects by itself, and keeps no process alive. */
export function createListener(settings: ListenerSettings): Listener {
  const { url, log, deadlineMs, probeMs, maxPauseMs } = { ...defaults, ...settings }
  const subscriptions = new Set<Subscription>()
  const closing = new AbortController()
  let session: Session | undefined
  let serving: Promise<void> | undefined

  return { on, close }

  function on(channel: string, listen: Subscription['listen'], onListening?: () => void): () => void {
    if (closing.signal.aborted) throw new ClosedError('The listener has been closed.')
    const subscription = { channel, listen, onListening }
    subscriptions.add(subscription)
    if (session) void begin(subscription, session)
    serving ??= serve()
    return () => {
      if (subscriptions.delete(subscription) && !isHeard(channel)) session?.ask(`UNLISTEN ${quoted(channel)}`)
    }
  }

  async function close(): Promise<void> {
    closing.abort()
    subscriptions.clear()
    await serving
  }

  async function serve(): Promise<void> {
    let failures = 0
    while (!closing.signal.aborted) {
      const trouble = await serveOnce(() => {
        if (failures > 0) log.warn(`LISTEN is back on ${secretless(url)}.`)
        failures = 0
      })
      if (closing.signal.aborted) return
      if (failures === 0) log.warn(`LISTEN was lost on ${secretless(url)}: ${trouble.message}. Trying again.`)
      await pause(pauseAfter(failures, maxPauseMs), closing.signal)
      failures += 1
    }
  }

  /** Gives what ended it. */
  async function serveOnce(onServing: () => void): Promise<Error> {
    try {
      const opened = await openSession({
        url,
        deadlineMs,
        probeMs,
        onNotification: announce,
        signal: closing.signal,
      })
      session = opened
      const heard = await Promise.all([...subscriptions].map((each) => begin(each, opened)))
      if (heard.every(Boolean)) onServing()
      return await opened.ended
    } catch (error) {
      return error instanceof Error ? error : new Error(String(error))
    } finally {
      session = undefined
    }
  }

  /** Asked for again where another subscription of the channel did: that is harmless, and it knows when it is heard. */
  async function begin({ channel, onListening }: Subscription, on: Session): Promise<boolean> {
    const heard = await on.ask(`LISTEN ${quoted(channel)}`)
    if (heard && onListening) guarded(onListening)
    return heard
  }

  function announce(channel: string, payload: string): void {
    for (const each of subscriptions) if (each.channel === channel) guarded(() => each.listen(payload))
  }

  function guarded(call: () => void): void {
    try {
      call()
    } catch (error) {
      log.warn(`A listener threw: ${error instanceof Error ? error.stack : error}`)
    }
  }

  function isHeard(channel: string): boolean {
    return [...subscriptions].some((each) => each.channel === channel)
  }
}

/** One connection, from its opening to its end. */
interface Session {
  /** One statement after the other. `false`: the connection has failed, and `ended` says why. */
  ask(statement: string): Promise<boolean>
  readonly ended: Promise<Error>
}

interface SessionSettings {
  readonly url: string
  readonly deadlineMs: number
  readonly probeMs: number
  readonly onNotification: (channel: string, payload: string) => void
  /** Ends it, also while it opens. */
  readonly signal: AbortSignal
}

async function openSession(settings: SessionSettings): Promise<Session> {
  const { url, deadlineMs, probeMs, onNotification, signal } = settings
  const client = createClient({
    url,
    applicationName: 'celeriac listen',
    connectTimeoutMs: deadlineMs,
    queryTimeoutMs: deadlineMs,
  })
  let cause: Error | undefined
  const ended = new Promise<Error>((resolve) => {
    client.on('end', () => resolve(cause ?? new Error('Connection terminated')))
  })
  client.on('error', fail)
  client.on('notification', ({ channel, payload }) => onNotification(channel, payload ?? ''))
  signal.addEventListener('abort', client.destroy)
  const probe = setInterval(ask, probeMs, 'SELECT 1').unref()
  void ended.then(() => {
    clearInterval(probe)
    signal.removeEventListener('abort', client.destroy)
  })

  let last: Promise<unknown> = client.connect()
  try {
    await last
  } catch (error) {
    client.destroy()
    throw error
  }
  client.unref()
  return { ask, ended }

  function ask(statement: string): Promise<boolean> {
    const answer = last
      .then(() => client.query(statement))
      .then(
        () => true,
        (error: Error) => fail(error),
      )
    last = answer
    return answer
  }

  function fail(error: Error): false {
    cause ??= error
    client.destroy()
    return false
  }
}

/** Half of it is random, so that many processes do not come back at once. */
function pauseAfter(failures: number, maxMs: number): number {
  const pauseMs = Math.min(100 * 2 ** Math.min(failures, 10), maxMs)
  return (pauseMs * (1 + Math.random())) / 2
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await sleep(ms, undefined, { signal, ref: false }).catch(() => {})
}

function quoted(channel: string): string {
  return pg.escapeIdentifier(channel)
}
