import type { Redis, RedisOptions } from 'ioredis'
import { ConfigError } from '../errors.js'
import { toDriverUrl, usesTransactionPooler } from '../store/database-url.js'
import { checkBoolean, checkText, wrong } from '../task/check.js'
import type { Environment } from './env.js'

/** Where jobs are remembered. The embedded server's address is known once it runs. */
export type StoreConfig =
  | { readonly kind: 'postgres'; readonly url: string; readonly directUrl: string }
  | { readonly kind: 'embedded' }

/** What moves jobs. A PostgreSQL broker without a `url` is in the store's database. */
export type BrokerConfig =
  | { readonly kind: 'redis'; readonly connection: string | RedisOptions | Redis }
  | { readonly kind: 'postgres'; readonly url: string | undefined }

/** The options that name servers, not yet checked. */
export interface ServerOptions {
  readonly broker?: unknown
  readonly database?: unknown
  readonly directUrl?: unknown
  readonly embedded?: unknown
}

/** The config goes before the environment, and the environment before the embedded default. */
export function resolveStore(options: ServerOptions, environment: Environment): StoreConfig {
  const database = findDatabase(options, environment)
  if (!database) {
    assertEmbeddedAllowed(options, environment)
    return Object.freeze({ kind: 'embedded' })
  }
  const { url, source } = database
  const directUrl = findDirectUrl(options, environment, url)
  if (usesTransactionPooler(directUrl ?? url)) throw poolerWithoutDirectUrl(source, directUrl !== undefined)
  return Object.freeze({ kind: 'postgres', url, directUrl: directUrl ?? url })
}

interface NamedUrl {
  readonly url: string
  /** What the user called it. */
  readonly source: string
}

function findDatabase(options: ServerOptions, environment: Environment): NamedUrl | undefined {
  const { database, embedded } = options
  const wantsEmbedded = embedded !== undefined && checkBoolean(embedded, '"embedded"')
  if (database !== undefined) {
    if (wantsEmbedded)
      throw new ConfigError('"embedded: true" and "database" exclude each other: leave one out.')
    return named('"database"', checkText(database, '"database"'))
  }
  if (wantsEmbedded) return undefined
  if (environment.ownDatabaseUrl) return named('CELERIAC_DATABASE_URL', environment.ownDatabaseUrl)
  return environment.databaseUrl ? named('DATABASE_URL', environment.databaseUrl) : undefined
}

function named(source: string, url: string): NamedUrl {
  if (!isPostgres(url)) throw notPostgres(source, url)
  return { url: readable(source, url), source }
}

function isPostgres(url: string): boolean {
  return /^postgres(?:ql)?:\/\//i.test(url)
}

/** Never with the URL itself: it may hold a password. */
function notPostgres(source: string, url: string): ConfigError {
  const kind = kindOf(url)
  const advice =
    source === 'DATABASE_URL'
      ? ' If that is right for your app, set CELERIAC_DATABASE_URL to a PostgreSQL database for the jobs.'
      : ''
  const proxy = kind.startsWith('"prisma')
    ? ' A prisma: or prisma+postgres: URL leads to a proxy of Prisma that only its own client can use: take the postgres: URL of the database behind it.'
    : ''
  return new ConfigError(`${source} must be a postgres:// URL, and is ${kind}.${proxy}${advice}`)
}

function kindOf(url: string): string {
  const scheme = /^([a-z][a-z0-9+.-]{0,30}):/i.exec(url)?.[1]
  return scheme === undefined ? 'no URL' : `"${scheme.toLowerCase()}:…"`
}

function readable(source: string, url: string): string {
  try {
    toDriverUrl(url)
    return url
  } catch (cause) {
    if (!(cause instanceof ConfigError)) throw cause
    throw new ConfigError(`${source}: ${cause.message}`, { cause })
  }
}

/** `DIRECT_URL` belongs to `DATABASE_URL`: it is not used for a store that is another database. */
function findDirectUrl(options: ServerOptions, environment: Environment, url: string): string | undefined {
  if (options.directUrl !== undefined)
    return named('"directUrl"', checkText(options.directUrl, '"directUrl"')).url
  const { directUrl } = environment
  if (!directUrl || !isPostgres(directUrl)) return undefined
  return databaseName(directUrl) === databaseName(url) ? readable('DIRECT_URL', directUrl) : undefined
}

function databaseName(url: string): string {
  return new URL(toDriverUrl(url)).pathname
}

function poolerWithoutDirectUrl(source: string, hasDirectUrl: boolean): ConfigError {
  const what = hasDirectUrl ? 'DIRECT_URL or "directUrl" itself' : source
  return new ConfigError(
    `${what} leads through a transaction pooler, where LISTEN and session locks do not work. Set DIRECT_URL (or "directUrl") to the same database without the pooler.`,
  )
}

function assertEmbeddedAllowed({ embedded }: ServerOptions, { isProduction }: Environment): void {
  if (embedded === true) return
  if (embedded === undefined && !isProduction) return
  throw new ConfigError(
    `No database is configured${isProduction ? ', and NODE_ENV is "production"' : ''}. Set DATABASE_URL (and REDIS_URL), or say "embedded: true" for the private PostgreSQL.`,
  )
}

export function resolveBroker({ broker }: ServerOptions, environment: Environment): BrokerConfig {
  if (typeof broker === 'object' && broker !== null) return Object.freeze(fromConnection(broker))
  if (typeof broker === 'string') return fromUrl('"broker"', broker)
  if (broker !== undefined) throw wrong('"broker"', brokerKinds, broker)
  if (environment.brokerUrl) return fromUrl('CELERIAC_BROKER_URL', environment.brokerUrl)
  if (environment.redisUrl) return fromRedisUrl('REDIS_URL', environment.redisUrl)
  return Object.freeze({ kind: 'postgres', url: undefined })
}

/** ioredis options, or an instance, which has its options in a property. */
function fromConnection(broker: object): BrokerConfig {
  const isInstance = 'duplicate' in broker && typeof broker.duplicate === 'function'
  const options: unknown = isInstance && 'options' in broker ? broker.options : broker
  if (Array.isArray(broker)) throw wrong('"broker"', brokerKinds, broker)
  if (typeof options === 'object' && options !== null && 'keyPrefix' in options && options.keyPrefix) {
    throw new ConfigError(
      '"broker" must not have a keyPrefix, which BullMQ cannot work with. Set "prefix" instead.',
    )
  }
  return { kind: 'redis', connection: broker as RedisOptions | Redis }
}

const brokerKinds = 'a redis://, rediss:// or postgres:// URL, ioredis options, or an ioredis instance'

function fromUrl(source: string, url: string): BrokerConfig {
  if (!isPostgres(url)) return fromRedisUrl(source, url, brokerKinds)
  if (usesTransactionPooler(readable(source, url))) {
    throw new ConfigError(
      `${source} leads through a transaction pooler, where LISTEN does not work. Give the direct URL.`,
    )
  }
  return Object.freeze({ kind: 'postgres', url })
}

function fromRedisUrl(source: string, url: string, expected = 'a redis:// or rediss:// URL'): BrokerConfig {
  if (!/^rediss?:\/\//i.test(url))
    throw new ConfigError(`${source} must be ${expected}, and is ${kindOf(url)}.`)
  if (!URL.canParse(url)) {
    throw new ConfigError(
      `${source} cannot be read. Expected redis://user:password@host:6379/0; characters like @, / and # in a password are written as %40, %2F and %23.`,
    )
  }
  return Object.freeze({ kind: 'redis', connection: url })
}
