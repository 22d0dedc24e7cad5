import { describe, expect, test } from 'vitest'
import type { PostgresBrokerFacts, RedisBrokerFacts } from '../../../src/broker/broker.js'
import type { Fact } from '../../../src/dashboard/api/contract.js'
import { toBrokerFacts, toStoreFacts } from '../../../src/dashboard/api/server-facts.js'
import type { StoreFacts } from '../../../src/store/store.js'

const redis: RedisBrokerFacts = {
  ...{ kind: 'redis', address: 'redis://here', version: '7.4.0', upMs: 1000, isReplica: false },
  ...{ usedBytes: 1000, peakBytes: 2000, mostBytes: 10_000, evictionPolicy: 'noeviction', evictedKeys: 0 },
  ...{ clients: 3, mostClients: 10_000, appendsToFile: true, takesSnapshots: true, keys: 7 },
  ...{ lastSnapshotAt: new Date('2030-01-31T08:00:00Z'), hasSnapshotFailed: false, commandsPerSecond: 9 },
}

const untold: RedisBrokerFacts = {
  ...{ kind: 'redis', address: 'redis://here', version: null, upMs: null, isReplica: null, keys: null },
  ...{ usedBytes: null, peakBytes: null, mostBytes: null, evictionPolicy: null, evictedKeys: null },
  ...{ clients: null, mostClients: null, appendsToFile: null, takesSnapshots: null },
  ...{ lastSnapshotAt: null, hasSnapshotFailed: null, commandsPerSecond: null },
}

const postgres: PostgresBrokerFacts = {
  ...{ kind: 'postgres', address: 'postgres://here', version: '18.4', upMs: 1000, bytes: 1, indexBytes: 2 },
  ...{ rows: 3, deadRows: 4, connections: 20, mostConnections: 100, ownConnections: 8 },
}

const store: StoreFacts = {
  ...{ kind: 'postgres', address: 'postgres://here', version: '18.4', upMs: 1000, databaseBytes: 5000 },
  ...{
    cacheHitRate: 0.99,
    oldestTransaction: null,
    replication: { isReplica: false, replicas: [] },
    tables: [],
  },
  connections: {
    ...{ open: 20, most: 100 },
    byName: [
      { name: 'celeriac store', open: 4 },
      { name: 'celeriac insert', open: 1 },
      { name: 'psql', open: 2 },
    ],
  },
}

function warned(facts: readonly Fact[]): string[] {
  return facts.flatMap(({ name, warning }) => (warning === undefined ? [] : [name]))
}

describe('what is wrong with a server is said beside the fact', () => {
  test.each<[string, Partial<RedisBrokerFacts>, string[]]>([
    ['a Redis that is well', {}, []],
    ['one that evicts', { evictionPolicy: 'allkeys-lru' }, ['eviction policy']],
    ['one that has evicted', { evictedKeys: 5 }, ['evicted keys']],
    ['one that is nearly full', { usedBytes: 9100 }, ['memory']],
    ['one without a bound', { usedBytes: 9100, mostBytes: 0 }, []],
    ['one that keeps no file', { appendsToFile: false }, ['append-only file']],
    ['one whose snapshot failed', { hasSnapshotFailed: true }, ['snapshots']],
    ['a replica', { isReplica: true }, ['takes writes']],
  ])('%s', (_what, facts, names) => {
    expect(warned(toBrokerFacts({ server: { ...redis, ...facts }, queues: [] }))).toEqual(names)
  })

  test.each<[string, Partial<StoreFacts>, string[]]>([
    ['a PostgreSQL that is well', {}, []],
    ['one without connections', { connections: { open: 95, most: 100, byName: [] } }, ['connections']],
    ['one with an old transaction', { oldestTransaction: { ms: 4e6, name: 'psql' } }, ['oldest transaction']],
    ['one with a young one', { oldestTransaction: { ms: 4000, name: 'psql' } }, []],
    ['a replica', { replication: { isReplica: true, replicas: [] } }, ['takes writes']],
  ])('%s', (_what, facts, names) => {
    expect(warned(toStoreFacts({ ...store, ...facts }))).toEqual(names)
  })
})

test('what a server does not tell is told as such, and is nothing to warn of', () => {
  const facts = toBrokerFacts({ server: untold, queues: null })

  expect(warned(facts)).toEqual([])
  expect(facts.every(({ value }) => value === null)).toBe(true)
})

test('deliveries of all queues are added up, on either broker', () => {
  const queues = [
    { queue: 'a', waiting: 1, delayed: 2, taken: 3 },
    { queue: 'b', waiting: 10, delayed: 20, taken: 30 },
  ]

  for (const server of [redis, postgres])
    expect(
      toBrokerFacts({ server, queues })
        .slice(-3)
        .map(({ value }) => value),
    ).toEqual([11, 22, 33])
})

test('connections of Celeriac are told from those of others', () => {
  expect(toStoreFacts(store)).toContainEqual({ name: 'connections of Celeriac', value: 5, unit: 'count' })
  expect(toStoreFacts(store)).toContainEqual({ name: 'connections', value: 20, unit: 'count', most: 100 })
})
