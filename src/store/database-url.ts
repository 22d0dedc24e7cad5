import { ConfigError } from '../errors.js'

/** The one reading of a `postgres:` URL, with the parameters that Prisma knows. */

/**
 * The URL for node-postgres: Prisma's own parameters are translated or left out.
 * @param options settings of the session, as `-c name=value`, added to those that the URL has
 * @throws {ConfigError} when it is no URL
 */
export function toDriverUrl(url: string, options?: string): string {
  const parsed = parse(url)
  translatePrismaParameters(parsed.searchParams)
  if (options) addOptions(parsed.searchParams, options)
  return parsed.href
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

/** What `connection_limit` says; infinite without it. */
export function connectionLimit(url: string): number {
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
