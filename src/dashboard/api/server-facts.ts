import type { BrokerFacts, PostgresBrokerFacts, RedisBrokerFacts } from '../../broker/broker.js'
import type { BrokerReading } from '../../control/insight.js'
import { tellMs } from '../../job/duration.js'
import type { StoreFacts } from '../../store/store.js'
import type { Fact } from './contract.js'

/** From this part on, there is little left of what a server has. */
const nearlyFull = 0.9
const longTransactionMs = 3_600_000

/** What there is to know of the broker's server, in the order in which it is shown. */
export function toBrokerFacts({ server, queues }: BrokerReading): Fact[] {
  const sum = (which: 'waiting' | 'delayed' | 'taken') =>
    queues?.reduce((total, queue) => total + queue[which], 0) ?? null
  return [
    ...ofKind(server),
    count('deliveries that wait', sum('waiting')),
    count('deliveries for later', sum('delayed')),
    count('deliveries handed out', sum('taken')),
  ]
}

function ofKind(server: BrokerFacts): Fact[] {
  switch (server.kind) {
    case 'redis':
      return ofRedis(server)
    case 'postgres':
      return ofPostgres(server)
    case 'memory':
      return []
  }
}

function ofRedis(facts: RedisBrokerFacts): Fact[] {
  return [
    ms('up for', facts.upMs),
    warned(truth('takes writes', not(facts.isReplica)), facts.isReplica === true && replicaWarning),
    warned(limited(bytes('memory', facts.usedBytes), facts.mostBytes), isFull(facts) && memoryWarning),
    bytes('memory at most so far', facts.peakBytes),
    warned(text('eviction policy', facts.evictionPolicy), isUnsafe(facts.evictionPolicy) && evictionWarning),
    warned(count('evicted keys', facts.evictedKeys), (facts.evictedKeys ?? 0) > 0 && evictedWarning),
    limited(count('clients', facts.clients), facts.mostClients),
    warned(truth('append-only file', facts.appendsToFile), facts.appendsToFile === false && fileWarning),
    warned(
      truth('snapshots', facts.takesSnapshots),
      facts.hasSnapshotFailed === true &&
        'The last snapshot failed. See in the log of Redis why; often its disk or memory is full.',
    ),
    { name: 'last snapshot', value: facts.lastSnapshotAt?.toISOString() ?? null, unit: 'moment' },
    count('commands a second', facts.commandsPerSecond),
    count('keys', facts.keys),
  ]
}

const replicaWarning = 'It is a read-only replica. Let REDIS_URL lead to the primary server.'
const memoryWarning =
  'Its memory is nearly full; then it takes no more deliveries. Give it more (maxmemory), or let more workers run.'
const evictionWarning =
  'Redis throws deliveries away when it is full. Set maxmemory-policy noeviction in redis.conf, or at once by: redis-cli CONFIG SET maxmemory-policy noeviction'
const evictedWarning =
  'Redis has thrown keys away. Deliveries among them are sent again from the store, late. Give it more memory.'
const fileWarning =
  'After a restart, waiting jobs are sent again from the store, which takes its time. Set appendonly yes in redis.conf.'

/** What it does not tell is none. */
function isUnsafe(policy: string | null): boolean {
  return policy !== null && policy !== 'noeviction'
}

function isFull({ usedBytes, mostBytes }: Pick<RedisBrokerFacts, 'usedBytes' | 'mostBytes'>): boolean {
  return usedBytes !== null && mostBytes !== null && mostBytes > 0 && usedBytes / mostBytes >= nearlyFull
}

function ofPostgres(facts: PostgresBrokerFacts): Fact[] {
  const { connections, mostConnections } = facts
  return [
    ms('up for', facts.upMs),
    bytes('tables', facts.bytes),
    bytes('indexes', facts.indexBytes),
    count('rows', facts.rows),
    count('dead rows', facts.deadRows),
    toConnections(connections, mostConnections),
    count('connections of brokers', facts.ownConnections),
  ]
}

/** What there is to know of the store's server, in the order in which it is shown. */
export function toStoreFacts(facts: StoreFacts): Fact[] {
  const { connections, oldestTransaction: oldest, replication } = facts
  const own = connections?.byName.filter(({ name }) => name.startsWith('celeriac'))
  return [
    ms('up for', facts.upMs),
    bytes('database', facts.databaseBytes),
    ...(connections ? [toConnections(connections.open, connections.most)] : []),
    ...(own
      ? [
          count(
            'connections of Celeriac',
            own.reduce((sum, { open }) => sum + open, 0),
          ),
        ]
      : []),
    { name: 'read from memory', value: facts.cacheHitRate, unit: 'part' },
    warned(
      ms('oldest transaction', oldest?.ms ?? null),
      oldest !== null &&
        oldest.ms >= longTransactionMs &&
        `A transaction of "${oldest.name}" has been open for ${tellMs(oldest.ms)}. Until it ends, no vacuum removes what it could still see, and tables grow. Find it in pg_stat_activity.`,
    ),
    ...(replication?.isReplica ? [warned(truth('takes writes', false), storeReplicaWarning)] : []),
    ...(replication?.replicas ?? []).map(({ name, state, behindBytes }) =>
      text(`replica ${name}`, `${state ?? 'of unknown state'}, ${behindBytes ?? 'unknown'} bytes behind`),
    ),
  ]
}

const storeReplicaWarning = 'It is a read-only replica. Let DATABASE_URL lead to the primary server.'

function toConnections(open: number, most: number): Fact {
  return warned(
    limited(count('connections', open), most),
    open / most >= nearlyFull &&
      'Hardly any are left; then processes cannot start. Raise max_connections, run fewer processes, or say a smaller connection_limit in DATABASE_URL.',
  )
}

function ms(name: string, value: number | null): Fact {
  return { name, value, unit: 'ms' }
}

function bytes(name: string, value: number | null): Fact {
  return { name, value, unit: 'bytes' }
}

function count(name: string, value: number | null): Fact {
  return { name, value, unit: 'count' }
}

function text(name: string, value: string | null): Fact {
  return { name, value, unit: 'text' }
}

function truth(name: string, value: boolean | null): Fact {
  return { name, value, unit: 'text' }
}

function not(value: boolean | null): boolean | null {
  return value === null ? null : !value
}

/** 0, as Redis has it, is no limit. */
function limited(fact: Fact, most: number | null): Fact {
  return most ? { ...fact, most } : fact
}

function warned(fact: Fact, warning: string | false): Fact {
  return warning === false ? fact : { ...fact, warning }
}
