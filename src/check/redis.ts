import type { RedisFacts, RedisFailure } from '../broker/redis-facts.js'
import { type Check, fault, ok, warning } from './check.js'
import type { Facts } from './facts.js'

function redisOf({ broker }: Facts): RedisFacts | RedisFailure | undefined {
  return broker?.kind === 'redis' ? broker.redis : undefined
}

/** The server, once it can be asked. */
function knownRedis(facts: Facts): RedisFacts | undefined {
  const redis = redisOf(facts)
  return redis && !('trouble' in redis) ? redis : undefined
}

export const redisLoginCheck: Check = {
  id: 'broker-login',
  title: 'login to Redis',
  judge(facts) {
    const redis = redisOf(facts)
    if (!redis || ('trouble' in redis && redis.trouble !== 'login')) return undefined
    if (!('trouble' in redis)) return ok('it lets us in')
    return fault(
      `Redis at ${redis.address} refuses the login: ${redis.message}.`,
      'Put user and password into REDIS_URL: redis://user:password@host:6379',
    )
  },
}

const leastVersion = [6, 2] as const

export const redisVersionCheck: Check = {
  id: 'broker-version',
  title: 'version of Redis',
  judge(facts) {
    const redis = knownRedis(facts)
    if (!redis) return undefined
    const [major = 0, minor = 0] = redis.version.split('.').map(Number)
    if (Number.isNaN(major)) return ok('the server does not tell')
    if (major > leastVersion[0] || (major === leastVersion[0] && minor >= leastVersion[1]))
      return ok(redis.version)
    return fault(`Redis ${redis.version} is too old.`, 'Upgrade it to 6.2 or later.')
  },
}

export const redisReplicaCheck: Check = {
  id: 'broker-replica',
  title: 'Redis takes writes',
  judge(facts) {
    const redis = knownRedis(facts)
    if (!redis) return undefined
    if (!redis.isReplica) return ok('it is the primary server')
    return fault(
      `Redis at ${redis.address} is a read-only replica.`,
      'Let REDIS_URL lead to the primary server.',
    )
  },
}

export const redisEvictionCheck: Check = {
  id: 'broker-eviction',
  title: 'eviction policy of Redis',
  judge(facts) {
    const redis = knownRedis(facts)
    if (!redis) return undefined
    if (redis.policy === 'noeviction') return ok('noeviction')
    return fault(
      `Redis throws deliveries away when it is full: its maxmemory-policy is ${redis.policy}.`,
      'Set it in redis.conf, or at once by: redis-cli CONFIG SET maxmemory-policy noeviction',
    )
  },
}

export const redisPersistenceCheck: Check = {
  id: 'broker-persistence',
  title: 'persistence of Redis',
  judge(facts) {
    const redis = knownRedis(facts)
    if (!redis) return undefined
    if (redis.appendsToFile) return ok('append-only file')
    return warning(
      `Redis keeps no append-only file${redis.takesSnapshots ? ', snapshots alone' : ''}: after a restart, waiting jobs are sent again from the database, which takes its time.`,
      'Set in redis.conf: appendonly yes',
    )
  },
}
