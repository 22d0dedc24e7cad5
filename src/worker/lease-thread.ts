import { writeSync } from 'node:fs'
import { parentPort, workerData } from 'node:worker_threads'
import pg from 'pg'
import { giveBackUnstartedSql } from '../store/repairs.js'
import { readBoard } from './board.js'

/**
 * Renews a worker's lease from a thread and a connection of its own, so that a handler which blocks the event loop for
 * minutes loses nothing. scripts/generate.mjs bundles this file into one string; of what it imports nothing may need more than pg.
 */
export interface LeaseThreadData {
  readonly url: string
  readonly identity: LeaseIdentity
  readonly heartbeatMs: number
  /** Without a renewal for so long, the worker must expect that its jobs run elsewhere. */
  readonly silentAfterMs: number
  /** An event loop that stands still for so long is blocked. */
  readonly blockedAfterMs: number
  readonly board: SharedArrayBuffer
}

export interface LeaseIdentity {
  readonly workerId: string
  readonly lockKey: bigint
}

export type ToLeaseThread = { readonly identity: LeaseIdentity } | { readonly stop: true }

export type FromLeaseThread =
  /** The first renewal of an identity, or the first after silence. */
  | { readonly event: 'renewed'; readonly workerId: string }
  /** The worker was declared lost: what it runs is no longer its own. */
  | { readonly event: 'lost'; readonly workerId: string }
  | { readonly event: 'silent'; readonly reason: string }
  /** A new connection, after one that was lost: the store may have crashed. */
  | { readonly event: 'reconnected' }
  | { readonly event: 'gaveBack'; readonly jobs: number }

const data = workerData as LeaseThreadData
const board = readBoard(data.board)
const port = parentPort

/** A server that is busy needs time for a new session, however short the lease. */
const answerMs = Math.max(5000, data.heartbeatMs + 1000)
/** How often it looks whether the event loop turns. It beats more often. */
const lookMs = 400
let identity = data.identity
let client: pg.Client | undefined
let renewedAt = Date.now()
/** The connection over which the lease was renewed last. */
let renewedBy: pg.Client | undefined
/** Whether this session holds the lock by which others see that the process lives. */
let locked = false
let told: FromLeaseThread['event'] | undefined
let beats = board.beats()
/** Looks in a row that found no new beat. */
let still = 0
let stopped = false

port?.on('message', (message: ToLeaseThread) => {
  if ('stop' in message) void stop()
  else adopt(message.identity)
})

void live()
void watch()

async function live(): Promise<void> {
  while (!stopped) {
    const round = Date.now()
    await renew()
    await new Promise((resolve) => setTimeout(resolve, Math.max(50, round + data.heartbeatMs - Date.now())))
  }
}

/** Apart from the renewals: those take their time, and a hard time limit is kept to the second. */
async function watch(): Promise<void> {
  while (!stopped) {
    await new Promise((resolve) => setTimeout(resolve, lookMs))
    await watchEventLoop()
  }
}

async function renew(): Promise<void> {
  const { workerId } = identity
  try {
    client ??= await connect()
    if (!locked) locked = await takeLock(client)
    const renewed = await client.query(
      'UPDATE celeriac.worker SET missed = 0, seen_at = now() WHERE id = $1 AND lost_at IS NULL AND stopped_at IS NULL',
      [workerId],
    )
    renewedAt = Date.now()
    tellReconnected()
    if (workerId === identity.workerId) tell({ event: renewed.rowCount === 1 ? 'renewed' : 'lost', workerId })
  } catch (error) {
    drop()
    if (Date.now() - renewedAt > data.silentAfterMs) {
      tell({ event: 'silent', reason: error instanceof Error ? error.message : String(error) })
    }
  }
}

function tellReconnected(): void {
  if (client === renewedBy) return
  if (renewedBy) port?.postMessage({ event: 'reconnected' } satisfies FromLeaseThread)
  renewedBy = client
}

async function connect(): Promise<pg.Client> {
  const next = new pg.Client({
    connectionString: data.url,
    application_name: 'celeriac lease',
    connectionTimeoutMillis: answerMs,
    query_timeout: answerMs,
    keepAlive: true,
  })
  next.on('error', drop)
  try {
    await next.connect()
    return next
  } catch (error) {
    next.end().catch(() => {})
    throw error
  }
}

/** Not at once where an older session of ours has not ended yet; then again with the next renewal. */
async function takeLock(session: pg.Client): Promise<boolean> {
  const { rows } = await session.query<{ taken: boolean }>(
    'SELECT pg_try_advisory_lock($1::bigint) AS taken',
    [identity.lockKey.toString()],
  )
  return rows[0]?.taken === true
}

function drop(): void {
  const old = client
  client = undefined
  locked = false
  old?.end().catch(() => {})
}

/** A new identity needs its own session lock, so it begins with a new session. */
function adopt(next: LeaseIdentity): void {
  identity = next
  told = undefined
  drop()
}

/** Each piece of news once, until other news comes. */
function tell(news: FromLeaseThread): void {
  if (told === news.event) return
  told = news.event
  port?.postMessage(news)
}

async function watchEventLoop(): Promise<void> {
  if (board.beats() !== beats) {
    beats = board.beats()
    still = 0
    return
  }
  still += 1
  // Looks are counted, and not time: a process that was suspended has not blocked anything.
  if (still < 2) return
  const stuck = board.overdue(Date.now())
  if (stuck !== undefined) killProcess(stuck)
  if (still * lookMs >= data.blockedAfterMs) await giveBackUnstarted()
}

/** They would wait behind the job that blocks the loop. A pass sends them to another worker. */
async function giveBackUnstarted(): Promise<void> {
  const keys = client ? board.takeUnstarted() : []
  if (keys.length === 0) return
  try {
    await client?.query(giveBackUnstartedSql, [
      keys.map((key) => key.jobId),
      keys.map((key) => key.number),
      identity.workerId,
    ])
    port?.postMessage({ event: 'gaveBack', jobs: keys.length } satisfies FromLeaseThread)
  } catch {
    // The main thread gives back what it finds returned, when it can.
    drop()
  }
}

/** Nothing else stops a handler that never returns to the event loop. The lease frees its jobs. */
function killProcess(jobId: string): void {
  writeSync(
    2,
    `celeriac: job ${jobId} has blocked the event loop past its time limit; worker process ${process.pid} ends itself.\n`,
  )
  process.kill(process.pid, 'SIGKILL')
}

async function stop(): Promise<void> {
  stopped = true
  await client?.end().catch(() => {})
  process.exit(0)
}
