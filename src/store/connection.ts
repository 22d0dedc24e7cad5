import { Socket } from 'node:net'
import pg from 'pg'
import { ClosedError, ConfigError, StoreUnavailableError } from '../errors.js'

/** Connections to PostgreSQL: how its URL is read, how a pool is made, and what its errors mean. */

export interface PoolSettings {
  readonly url: string
  /** A smaller `connection_limit` in the URL wins. */
  readonly max: number
  readonly applicationName: string
  readonly connectTimeoutMs: number
  readonly queryTimeoutMs: number
  /** Settings of each session, as `-c name=value`. A transaction pooler refuses them. */
  readonly options?: string
  /** Hears of idle connections that broke. The pool makes new ones by itself. */
  readonly onError: (error: Error) => void
}

export interface ClosablePool extends pg.Pool {
  /** Ends the pool. A connection that does not say goodbye within the connect timeout is cut. Idempotent. */
  close(): Promise<void>
}

/** Keeps no process alive while it is idle, and notices a dead peer at the latest by its timeouts. */
export function createPool(settings: PoolSettings): ClosablePool {
  const sockets = new Set<Socket>()
  const pool = new pg.Pool({
    ...toClientConfig(settings.url, settings.applicationName, settings.options),
    max: Math.min(settings.max, connectionLimit(settings.url)),
    connectionTimeoutMillis: settings.connectTimeoutMs,
    query_timeout: settings.queryTimeoutMs,
    allowExitOnIdle: true,
    stream: () => openSocket(sockets),
  })
  pool.on('error', settings.onError)
  let closing: Promise<void> | undefined
  return Object.assign(pool, {
    close: () => {
      closing ??= endPool(pool, sockets, settings.connectTimeoutMs)
      return closing
    },
  })
}

function openSocket(sockets: Set<Socket>): Socket {
  const socket = new Socket()
  sockets.add(socket)
  socket.once('close', () => sockets.delete(socket))
  return socket
}

async function endPool(pool: pg.Pool, sockets: Set<Socket>, withinMs: number): Promise<void> {
  const cut = setTimeout(() => {
    for (const socket of sockets) socket.destroy()
  }, withinMs)
  await pool.end()
  clearTimeout(cut)
}

/** What every connection of ours has in common, whether in a pool or alone. */
export function toClientConfig(url: string, applicationName: string, options?: string): pg.ClientConfig {
  const parsed = parse(url)
  translatePrismaParameters(parsed.searchParams)
  if (options) addOptions(parsed.searchParams, options)
  return {
    connectionString: parsed.href,
    fallback_application_name: applicationName,
    keepAlive: true,
    keepAliveInitialDelayMillis: 10_000,
  }
}

/** The address without secrets. */
export function toAddress(url: string): string {
  const { protocol, host, hostname, pathname, searchParams } = parse(url)
  const socketFolder = searchParams.get('host')
  return `${protocol}//${socketFolder ?? (hostname === '' ? 'localhost' : host)}${decodeURI(pathname)}`
}

/**
 * Whether the URL leads through a pooler that hands its connections from transaction to transaction, where LISTEN and
 * session locks do not work: `pgbouncer=true`, or a host or port by which the known ones are told.
 */
export function usesTransactionPooler(url: string): boolean {
  const { hostname, port, searchParams } = parse(url)
  if (searchParams.get('pgbouncer') === 'true') return true
  const firstLabel = hostname.split('.')[0] ?? ''
  return firstLabel.endsWith('-pooler') || (hostname.endsWith('.pooler.supabase.com') && port === '6543')
}

function parse(url: string): URL {
  try {
    // A URL for a Unix socket may have a user and no host, which the standard does not allow.
    return new URL(url.replace('@/', '@localhost/'))
  } catch {
    throw new ConfigError(
      'The database URL cannot be read. Expected postgres://user:password@host:5432/database; characters like @, / and # in a password are written as %40, %2F and %23.',
    )
  }
}

function connectionLimit(url: string): number {
  const limit = Number(parse(url).searchParams.get('connection_limit'))
  return Number.isInteger(limit) && limit > 0 ? limit : Number.POSITIVE_INFINITY
}

/** Parameters that Prisma reads itself. The driver would ignore most, and take `sslcert` for a client's certificate. */
const prismaParameters = [
  'schema',
  'connection_limit',
  'pool_timeout',
  'connect_timeout',
  'socket_timeout',
  'max_connection_lifetime',
  'max_idle_connection_lifetime',
  'single_use_connections',
  'pgbouncer',
  'statement_cache_size',
  'sslidentity',
  'sslpassword',
  'sslaccept',
]

function translatePrismaParameters(parameters: URLSearchParams): void {
  const authority = parameters.get('sslcert')
  if (authority !== null && !parameters.has('sslkey')) {
    parameters.delete('sslcert')
    parameters.set('sslrootcert', authority)
  }
  const secure = parameters.has('sslmode') && parameters.get('sslmode') !== 'disable'
  if (secure && parameters.get('sslaccept') === 'accept_invalid_certs') parameters.set('sslmode', 'no-verify')
  for (const name of prismaParameters) parameters.delete(name)
}

function addOptions(parameters: URLSearchParams, options: string): void {
  const given = parameters.get('options')
  parameters.set('options', given ? `${given} ${options}` : options)
}

/** What a lasting or passing trouble with the server is, and what to do about it. */
type Trouble = 'unreachable' | 'silent' | 'lost' | 'unready' | 'full' | 'refused' | 'insecure' | 'readonly'

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

/** By SQLSTATE, by its class, by Node's code, or by Prisma's. */
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
  ETIMEDOUT: 'silent',
  P1002: 'silent',
  P1008: 'silent',
  P2024: 'silent',
  '57014': 'silent',
  '55P03': 'silent',
  ECONNRESET: 'lost',
  ECONNABORTED: 'lost',
  EPIPE: 'lost',
  P1017: 'lost',
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
export function toStoreError(error: unknown, address: string): Error {
  const { code, message } = factsOf(error)
  if (message.startsWith('Cannot use a pool after calling end'))
    return new ClosedError('The store has been closed.', { cause: error })
  const trouble = troubleOf(code, message)
  if (trouble) {
    const detail = [code, message].filter(Boolean).join(': ')
    return new StoreUnavailableError(`PostgreSQL at ${address} ${advice[trouble]} (${detail}).`, {
      cause: error,
    })
  }
  return error instanceof Error ? error : new Error(String(error), { cause: error })
}

/** Whether the same statement may well pass when it is sent again: a deadlock, a conflict, a connection that broke. */
export function isRetryable(error: unknown): boolean {
  const { code, message } = factsOf(error)
  return code === '40P01' || code === '40001' || code === 'P2034' || troubleOf(code, message) === 'lost'
}

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
  const { code, message, meta } = fieldsOf(error)
  const origin = fieldsOf(fieldsOf(fieldsOf(meta).driverAdapterError).cause)
  if (typeof origin.originalCode === 'string')
    return { code: origin.originalCode, message: text(origin.originalMessage) }
  const brief = meta === undefined ? text(message) : text(origin.reason ?? origin.kind)
  return { code: text(code), message: brief.trim() }
}

function fieldsOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : ''
}
