import { expect, test } from 'vitest'
import { inTwo, judgeAll, type Verdict } from '../../src/check/check.js'
import type { Facts } from '../../src/check/facts.js'
import { checks } from '../../src/check/list.js'
import { readEnvironment } from '../../src/config/env.js'
import { resolveConfig } from '../../src/config/resolve.js'
import type { ServerFacts } from '../../src/store/server-facts.js'

const url = 'postgres://app:secret@db:5432/shop'
const config = resolveConfig({ database: url, broker: 'redis://cache:6379', tasks: {} }, readEnvironment({}))

const server: ServerFacts = {
  version: '18.4',
  versionNumber: 180_004,
  isReadOnly: false,
  maxConnections: 100,
  reservedConnections: 3,
  otherConnections: 10,
  skewMs: 0,
  isPooled: false,
}

const redis = {
  address: 'redis://cache:6379',
  version: '7.0.15',
  policy: 'noeviction',
  appendsToFile: true,
  takesSnapshots: true,
  isReplica: false,
  skewMs: 0,
}

const sound: Facts = {
  node: 'v20.19.0',
  environment: { isProduction: false, folder: '/app' },
  config,
  addresses: { url, directUrl: url },
  server,
  tables: { applied: ['first'], pending: [] },
  broker: { kind: 'redis', redis, mark: { expected: 0, found: undefined } },
}

function judge(id: string, change: Partial<Facts>): Verdict | undefined {
  return checks.find((check) => check.id === id)?.judge({ ...sound, ...change })
}

const refused = { trouble: 'refused', code: '28P01', message: 'password authentication failed' } as const
const older = { applied: ['first'], pending: ['second'] }
const deployed = { ...config, migrate: false }
const production = { isProduction: true, folder: '/app' }
const embedded = resolveConfig({ embedded: true, tasks: {} }, readEnvironment({}))

test('each check has a name of its own', () => {
  expect(new Set(checks.map(({ id }) => id)).size).toBe(checks.length)
  expect(new Set(checks.map(({ title }) => title)).size).toBe(checks.length)
})

test('nothing is held against a sound set-up', () => {
  const findings = judgeAll(checks, sound).filter(({ level }) => level === 'fault' || level === 'warning')

  expect(findings).toEqual([])
})

test('what stands on something that is missing is not judged', () => {
  const findings = judgeAll(checks, { ...sound, config: 'No config. Write one.' })

  expect(findings.find(({ id }) => id === 'config')).toMatchObject({
    message: 'No config.',
    cure: 'Write one.',
  })
  expect(findings.find(({ id }) => id === 'broker-reachable')?.level).toBe('skipped')
})

test.each<[string, string, Partial<Facts>, Verdict['level'] | undefined]>([
  ['node', 'a newer major', { node: 'v26.1.0' }, 'ok'],
  ['node', 'an older minor', { node: 'v20.18.3' }, 'fault'],
  ['database-login', 'a wrong password', { server: refused }, 'fault'],
  ['database-reachable', 'a wrong password', { server: refused }, 'ok'],
  ['database-login', 'a missing database', { server: { ...refused, code: '3D000' } }, 'ok'],
  ['database-exists', 'a missing database', { server: { ...refused, code: '3D000' } }, 'fault'],
  ['database-exists', 'a wrong password', { server: refused }, undefined],
  [
    'database-reachable',
    'a full server',
    { server: { ...refused, trouble: 'full', code: '53300' } },
    'fault',
  ],
  ['database-reachable', 'no TLS', { server: { ...refused, trouble: 'insecure', code: '' } }, 'fault'],
  [
    'database-reachable',
    'a pooler that is away',
    { pooled: { ...refused, trouble: 'unreachable' } },
    'fault',
  ],
  ['database-version', 'the oldest', { server: { ...server, versionNumber: 140_000 } }, 'ok'],
  ['database-version', 'one older', { server: { ...server, versionNumber: 139_999 } }, 'fault'],
  ['pooler', 'a pooler around which DIRECT_URL leads', { pooled: { ...server, isPooled: true } }, 'ok'],
  ['pooler', 'a DIRECT_URL through a pooler', { server: { ...server, isPooled: true } }, 'fault'],
  ['connections', 'much room', { server: { ...server, maxConnections: 100 } }, 'ok'],
  ['connections', 'room for one of each', { server: { ...server, maxConnections: 40 } }, 'warning'],
  ['connections', 'no room', { server: { ...server, maxConnections: 30 } }, 'fault'],
  ['migrations', 'older tables', { tables: older, config: deployed }, 'fault'],
  ['migrations', 'older tables that are brought up to date by themselves', { tables: older }, 'warning'],
  ['broker-persistence', 'snapshots alone', withRedis({ appendsToFile: false }), 'warning'],
  ['broker-version', 'a server that hides it', withRedis({ version: 'unknown' }), 'ok'],
  ['broker-version', 'the oldest', withRedis({ version: '6.2.0' }), 'ok'],
  ['broker-version', 'one older', withRedis({ version: '6.0.16' }), 'fault'],
  ['broker-mark', 'a mark', { broker: { kind: 'redis', redis, mark: { expected: 9, found: '9' } } }, 'ok'],
  ['broker-reachable', 'PostgreSQL alone', { broker: { kind: 'postgres' } }, 'ok'],
  ['broker-reachable', 'its tables missing', { broker: { kind: 'postgres', error: 'no tables' } }, 'fault'],
  ['clock', 'a second', withRedis({ skewMs: -1000 }), 'ok'],
  ['clock', 'some seconds', withRedis({ skewMs: -5000 }), 'warning'],
  ['clock', 'a minute', { server: { ...server, skewMs: 60_000 } }, 'fault'],
  ['tasks-served', 'no worker', { cluster: { workers: [], unserved: [] } }, undefined],
  ['queues-served', 'a queue', { cluster: { workers: [], unserved: ['mail'] } }, 'fault'],
  ['embedded', 'in development', { config: embedded }, undefined],
  ['embedded', 'in production', { config: embedded, environment: production }, 'warning'],
  ['embedded', 'a server of its own', { environment: production }, 'ok'],
  ['dashboard', 'nobody may see', { environment: production }, 'warning'],
  [
    'dashboard',
    'somebody may',
    { environment: production, config: { ...config, authorize: () => true } },
    'ok',
  ],
])('%s: %s', (id, _, change, level) => {
  const verdict = judge(id, change)

  expect(verdict?.level).toBe(level)
  if (verdict && verdict.level !== 'ok') expect(verdict.cure).not.toBe('')
  expect(JSON.stringify(verdict ?? {})).not.toContain('secret')
})

test('a message of ours is split into what is wrong and what to do', () => {
  expect(inTwo('It is 3 (of 4). Set it to 2. Then go on.', '')).toEqual([
    'It is 3 (of 4).',
    'Set it to 2. Then go on.',
  ])
  expect(inTwo('It is wrong', 'Mend it.')).toEqual(['It is wrong', 'Mend it.'])
})

function withRedis(change: Partial<typeof redis>): Partial<Facts> {
  return { broker: { kind: 'redis', redis: { ...redis, ...change } } }
}
