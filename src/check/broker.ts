import { type Check, fault, ok } from './check.js'

export const brokerReachableCheck: Check = {
  id: 'broker-reachable',
  title: 'broker is reached',
  judge({ config, broker }) {
    if (!broker || typeof config === 'string') return undefined
    if (broker.kind === 'postgres') {
      if (broker.error === undefined)
        return ok('PostgreSQL moves the jobs, at about a fifth of the pace of Redis')
      return fault(
        `The broker on PostgreSQL does not serve: ${broker.error}`,
        'See what is said of PostgreSQL; where its tables are missing, run: npx celeriac migrate',
      )
    }
    const { redis } = broker
    if (!('trouble' in redis) || redis.trouble === 'login') return ok(redis.address)
    return fault(
      `Redis at ${redis.address} does not answer: ${redis.message}.`,
      'Start it, or correct host and port of REDIS_URL; see whether a firewall is between.',
    )
  },
}

/** The mark stands where the deliveries stand, so that a broker without it is another one. */
export const brokerMarkCheck: Check = {
  id: 'broker-mark',
  title: 'broker of this app',
  judge({ config, broker }) {
    if (!broker?.mark || typeof config === 'string') return undefined
    const { expected, found } = broker.mark
    if (expected === 0) return ok('it has not been used yet')
    if (found !== undefined) return ok('it is the one that the app uses')
    return fault(
      `The app has used another broker before: this one has no mark of it under the prefix "${config.prefix}", or was wiped. Deliveries that wait elsewhere are not seen here.`,
      'See that REDIS_URL (with its database number) and "prefix" are those of the other processes.',
    )
  },
}
