import { Socket } from 'node:net'
import pg from 'pg'
import { ClosedError, StoreUnavailableError } from '../errors.js'
import { secretless } from '../job/address.js'
import { connectionLimit, toDriverUrl, usesTransactionPooler } from './database-url.js'

/** Connections to PostgreSQL: how clients and pools are made, and what their errors mean. */

export interface ClientSettings {
  readonly url: string
  readonly applicationName: string
  /** How long to wait for the server when a connection opens, and when it closes. */
  readonly connectTimeoutMs: number
  /** How long to wait for the answer to a statement. Default: for ever. */
  readonly queryTimeoutMs?: number
}

export interface PoolSettings extends ClientSettings {
  readonly queryTimeoutMs: number
  /** A smaller `connection_limit` in the URL wins. */
  readonly max: number
  /** Settings of each session, as `-c name=value`. Left out on the way through a transaction pooler, which refuses them. */
  readonly options?: string
  /** Hears of idle connections that broke. The pool makes new ones by itself. */
  readonly onError?: (error: Error) => void
}

/**
 * Keeps no process alive while it is idle. `end` may be called twice, and cuts connections that do not say goodbye in
 * time: a half-open one never would.
 */
export function createPool(settings: PoolSettings): pg.Pool {
  const { url, max, options, onError } = settings
  const sockets = new Set<Socket>()
  const pool = new pg.Pool({
    ...toConfig(settings, usesTransactionPooler(url) ? undefined : options),
    max: Math.min(max, connectionLimit(url)),
    allowExitOnIdle: true,
    stream: () => openSocket(sockets),
  })
  pool.on('error', onError ?? (() => {}))
  const end = pool.end.bind(pool)
  let ended: Promise<void> | undefined
  pool.end = () => {
    ended ??= endWithin(settings.connectTimeoutMs, () => end(), sockets)
    return ended
  }
  return pool
}

/**
 * One connection of a pool, for statements that belong together. It may break between two of them: the next one is rejected
 * then, and the process goes on. What `work` throws leaves the connection in a state that nobody else is to find.
 */
export async function withClient<T>(pool: pg.Pool, work: (client: pg.PoolClient) => Promise<T>): Promise<T> {
  const client = await pool.connect()
  client.on('error', ignore)
  try {
    const done = await work(client)
    client.off('error', ignore)
    client.release()
    return done
  } catch (error) {
    client.release(true)
    throw error
  }
}

function ignore(): void {}

/** What the driver has and its typings lack, and a way to end at once. */
export interface SingleClient extends pg.Client {
  ref(): void
  unref(): void
  destroy(): void
}

/** One connection of its own, not yet open. `end` is as a pool's. One that breaks rejects what waits for an answer. */
export function createClient(settings: ClientSettings): SingleClient {
  const sockets = new Set<Socket>()
  const client = new pg.Client({ ...toConfig(settings), stream: () => openSocket(sockets) }) as SingleClient
  client.on('error', () => {})
  const end = client.end.bind(client)
  client.end = () => endWithin(settings.connectTimeoutMs, () => end(), sockets)
  client.destroy = () => cut(sockets)
  return client
}

function openSocket(sockets: Set<Socket>): Socket {
  const socket = new Socket()
  sockets.add(socket)
  socket.once('close', () => sockets.delete(socket))
  return socket
}

async function endWithin(ms: number, end: () => Promise<void>, sockets: Set<Socket>): Promise<void> {
  const patience = setTimeout(cut, ms, sockets)
  await end()
  clearTimeout(patience)
}

function cut(sockets: Set<Socket>): void {
  for (const socket of sockets) socket.destroy()
}

function toConfig(settings: ClientSettings, options?: string): pg.ClientConfig {
  return {
    connectionString: toDriverUrl(settings.url, options),
    fallback_application_name: settings.applicationName,
    connectionTimeoutMillis: settings.connectTimeoutMs,
    ...(settings.queryTimeoutMs === undefined ? {} : { query_timeout: settings.queryTimeoutMs }),
    keepAlive: true,
    keepAliveInitialDelayMillis: 10_000,
  }
}

/** What a lasting or passing trouble with the server is, and what to do about it. */
export type Trouble =
  | 'unreachable'
  | 'silent'
  | 'lost'
  | 'unready'
  | 'full'
  | 'refused'
  | 'insecure'
  | 'readonly'

const advice: Readonly<Record<Trouble, string>> = {
  unreachable: 'cannot be reached. Check that it runs, and the host and port of the URL',
  silent: 'did not answer in time. Check its load, and the network between',
  lost: 'closed the connection. Trying again is safe',
  unready: 'starts or stops at the moment. Try again when it is up',
  full: 'has no room for more. Check its max_connections, memory and disk',
  refused: 'refused the login. Check the user, the password and the database name of the URL',
  insecure: 'and this process do not agree on TLS. Check sslmode and the certificates',
  readonly: 'is a read-only copy. Check that the URL leads to the primary server',
}

/** By SQLSTATE, by its class, by Node's code, by Prisma's, or by its adapter's kind of error. */
const troubleByCode: Readonly<Record<string, Trouble>> = {
  ECONNREFUSED: 'unreachable',
  ENOTFOUND: 'unreachable',
  EAI_AGAIN: 'unreachable',
  EHOSTUNREACH: 'unreachable',
  EHOSTDOWN: 'unreachable',
  ENETUNREACH: 'unreachable',
  ENETDOWN: 'unreachable',
  EADDRNOTAVAIL: 'unreachable',
  ENOENT: 'unreachable',
  EACCES: 'unreachable',
  P1001: 'unreachable',
  DatabaseNotReachable: 'unreachable',
  ETIMEDOUT: 'silent',
  P1002: 'silent',
  SocketTimeout: 'silent',
  P1008: 'silent',
  P2024: 'silent',
  '57014': 'silent',
  '55P03': 'silent',
  ECONNRESET: 'lost',
  ECONNABORTED: 'lost',
  EPIPE: 'lost',
  P1017: 'lost',
  ConnectionClosed: 'lost',
  '08': 'lost',
  '57P01': 'lost',
  '57P02': 'lost',
  '57P05': 'lost',
  '25P03': 'lost',
  '25P04': 'lost',
  '57P03': 'unready',
  EMFILE: 'full',
  P2037: 'full',
  '53': 'full',
  '58': 'full',
  '28': 'refused',
  '3D000': 'refused',
  '57P04': 'refused',
  P1000: 'refused',
  P1003: 'refused',
  P1010: 'refused',
  P1011: 'insecure',
  TlsConnectionError: 'insecure',
  EPROTO: 'insecure',
  CERT_HAS_EXPIRED: 'insecure',
  SELF_SIGNED_CERT_IN_CHAIN: 'insecure',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'insecure',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'insecure',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'insecure',
  ERR_TLS_CERT_ALTNAME_INVALID: 'insecure',
  '25006': 'readonly',
}

/** What the driver throws without a code. */
const troubleByMessage: readonly (readonly [start: string, trouble: Trouble])[] = [
  ['Query read timeout', 'silent'],
  ['timeout exceeded when trying to connect', 'silent'],
  ['timeout expired', 'silent'],
  ['Connection terminated due to connection timeout', 'silent'],
  ['Connection terminated', 'lost'],
  ['Client has encountered a connection error', 'lost'],
  ['Client was closed', 'lost'],
  ['The server does not support SSL', 'insecure'],
  ['There was an error establishing an SSL', 'insecure'],
]

/**
 * Turns an error that says that the server cannot serve into a {@link StoreUnavailableError}. Any other, such as one
 * about the data of a statement, comes back as it is.
 */
export function toStoreError(error: unknown, url: string): Error {
  if (error instanceof StoreUnavailableError) return error
  const { code, message } = factsOf(error)
  const trouble = troubleOf(code, message)
  if (trouble) {
    const detail = [code, message].filter(Boolean).join(': ')
    return new StoreUnavailableError(`PostgreSQL at ${secretless(url)} ${advice[trouble]} (${detail}).`, {
      cause: error,
    })
  }
  if (message.startsWith('Cannot use a pool after calling end')) {
    return new ClosedError('The store has been closed.', { cause: error })
  }
  return error instanceof Error ? error : new Error(String(error), { cause: error })
}

/** Whether the same statement may well pass when it is sent again: a deadlock, a conflict, a connection that broke. */
export function isRetryable(error: unknown): boolean {
  const { code, message } = factsOf(error)
  return code === '40P01' || code === '40001' || code === 'P2034' || troubleOf(code, message) === 'lost'
}

/** What an error says of the server, or of the way to it; `undefined` where it says nothing of them. */
export function troubleIn(error: unknown): Trouble | undefined {
  const { code, message } = factsOf(error)
  return troubleOf(code, message)
}

/** Whether the server, or the way to it, kept silent. */
export function isSilent(error: unknown): boolean {
  const { code, message } = factsOf(error)
  return troubleOf(code, message) === 'silent'
}

/** For what took longer than it may. */
export function lateError(ms: number, url: string): Error {
  return toStoreError(Object.assign(new Error(`no answer within ${ms} ms`), { code: 'ETIMEDOUT' }), url)
}

/** Whether the statement was refused for the values that it brought, so that it may pass with some of them. */
export function isDataError(error: unknown): boolean {
  const { code } = factsOf(error)
  return code.length === 5 && dataClasses.includes(code.slice(0, 2))
}

/** Whether the statement met a database without our tables. */
export function isMissingTable(error: unknown): boolean {
  const { code, message } = factsOf(error)
  return code === '42P01' || code === '3F000' || /relation "celeriac\.\w+" does not exist/.test(message)
}

/** Cardinality violation, data exception, integrity violation, program limit exceeded. */
const dataClasses = ['21', '22', '23', '54']

function troubleOf(code: string, message: string): Trouble | undefined {
  const byCode = troubleByCode[code] ?? (code.length === 5 ? troubleByCode[code.slice(0, 2)] : undefined)
  return byCode ?? troubleByMessage.find(([start]) => message.startsWith(start))?.[1]
}

interface Facts {
  /** Empty when there is none. */
  readonly code: string
  readonly message: string
}

/** Reads an error of the driver, or what Prisma made of one: its own message is a page of source code. */
function factsOf(error: unknown): Facts {
  if (error instanceof StoreUnavailableError) return factsOf(error.cause)
  const { name, code, message, meta } = fieldsOf(error)
  const adapterError = name === 'DriverAdapterError' ? error : fieldsOf(meta).driverAdapterError
  if (adapterError === undefined) return { code: text(code), message: text(message).trim() }
  const { originalCode, originalMessage, kind, reason } = fieldsOf(fieldsOf(adapterError).cause)
  return { code: text(originalCode ?? kind), message: text(originalMessage ?? reason) }
}

function fieldsOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : ''
}
