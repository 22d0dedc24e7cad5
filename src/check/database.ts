import { secretless } from '../job/address.js'
import { hasFailed, type ServerFacts, type ServerFailure } from '../store/server-facts.js'
import { type Check, fault, ok, type Verdict } from './check.js'
import type { Facts } from './facts.js'

/** The server that the store is on, once it can be asked. */
export function serverOf({ server }: Facts): ServerFacts | undefined {
  return server && !hasFailed(server) ? server : undefined
}

function failureOf({ server, pooled }: Facts): ServerFailure | undefined {
  return [server, pooled].find((found) => found !== undefined && hasFailed(found)) as
    | ServerFailure
    | undefined
}

function addressOf({ addresses }: Facts): string {
  return typeof addresses === 'object' ? secretless(addresses.directUrl) : 'an address that is not known'
}

const noDatabase = '3D000'

export const databaseReachableCheck: Check = {
  id: 'database-reachable',
  title: 'PostgreSQL is reached',
  judge(facts) {
    if (typeof facts.addresses === 'string')
      return fault(facts.addresses, 'Set DATABASE_URL to a PostgreSQL of your own, or mend what it says.')
    if (!facts.server) return undefined
    const failure = failureOf(facts)
    if (!failure || failure.trouble === 'refused') return ok(addressOf(facts))
    return toVerdict(failure, addressOf(facts))
  },
}

function toVerdict({ trouble, message }: ServerFailure, address: string): Verdict {
  const what = `PostgreSQL at ${address} does not serve: ${message}.`
  switch (trouble) {
    case 'full':
      return fault(what, 'Raise its max_connections, close what is not needed, or put a pooler before it.')
    case 'insecure':
      return fault(what, 'Set sslmode in the URL, and the certificates, as the server wants them.')
    case 'unready':
      return fault(what, 'It starts or stops at the moment: check again when it is up.')
    default:
      return fault(
        what,
        'Start it, or correct host and port of DATABASE_URL; see whether a firewall is between.',
      )
  }
}

export const databaseLoginCheck: Check = {
  id: 'database-login',
  title: 'login to PostgreSQL',
  judge(facts) {
    const failure = failureOf(facts)
    if (serverOf(facts) && !failure) return ok('user and password are right')
    if (failure?.code === noDatabase) return ok('user and password are right')
    if (failure?.trouble !== 'refused') return undefined
    return fault(
      `PostgreSQL at ${addressOf(facts)} refuses the login: ${failure.message}.`,
      'Correct user and password in DATABASE_URL (and DIRECT_URL), or let an administrator make the role.',
    )
  },
}

export const databaseExistsCheck: Check = {
  id: 'database-exists',
  title: 'database',
  judge(facts) {
    const failure = failureOf(facts)
    if (serverOf(facts) && !failure) return ok('is there')
    if (failure?.code !== noDatabase) return undefined
    return fault(
      `PostgreSQL at ${addressOf(facts)} has no such database: ${failure.message}.`,
      'Create it (createdb), or correct the name in DATABASE_URL.',
    )
  },
}

export const databaseWritableCheck: Check = {
  id: 'database-writable',
  title: 'PostgreSQL takes writes',
  judge(facts) {
    const server = serverOf(facts)
    if (!server) return undefined
    if (!server.isReadOnly) return ok('it is the primary server')
    return fault(
      `PostgreSQL at ${addressOf(facts)} is read-only: a replica, or default_transaction_read_only is on.`,
      'Let DATABASE_URL (and DIRECT_URL) lead to the primary server.',
    )
  },
}

const leastVersion = 140_000

export const databaseVersionCheck: Check = {
  id: 'database-version',
  title: 'version of PostgreSQL',
  judge(facts) {
    const server = serverOf(facts)
    if (!server) return undefined
    if (server.versionNumber >= leastVersion) return ok(server.version)
    return fault(`PostgreSQL ${server.version} is too old.`, 'Upgrade it to 14 or later.')
  },
}
