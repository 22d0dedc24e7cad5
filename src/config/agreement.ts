import { createHash } from 'node:crypto'
import { plainValues } from '../job/codec.js'
import type { Config } from './resolve.js'

/**
 * A short mark of what all processes of an app must agree on, part by part, so that a difference can be named. It holds
 * no secret, and nothing that one process may rightly set for itself.
 */
export function configHash(config: Config): string {
  return Object.entries(agreementOf(config))
    .map(([name, value]) => `${name}:${shortHash(value)}`)
    .join(' ')
}

/** The options in which two such marks differ. */
export function configDifferences(hash: string, other: string): string[] {
  const [parts, otherParts] = [toParts(hash), toParts(other)]
  const names = new Set([...parts.keys(), ...otherParts.keys()])
  return [...names].filter((name) => parts.get(name) !== otherParts.get(name))
}

function toParts(hash: string): Map<string, string> {
  return new Map(hash.split(' ').map((part) => [part.split(':')[0] ?? '', part]))
}

function agreementOf(config: Config): Record<string, unknown> {
  const {
    prefix,
    queue,
    routes,
    queueLimits,
    attempts,
    backoff,
    timeLimit,
    retention,
    values,
    leaseMs,
    heartbeatMs,
    maxLost,
  } = config
  return {
    broker: brokerKind(config),
    prefix,
    queue,
    routes: routes.table,
    queues: queueLimits,
    attempts,
    backoff,
    timeLimit,
    retain: retention,
    codec: values !== plainValues,
    lease: leaseMs,
    heartbeat: heartbeatMs,
    maxLost,
  }
}

/**
 * Not where it is: each process may reach one server by an address of its own. That they share the database is shown by
 * their reading this there, and another broker by the mark that it lacks.
 */
function brokerKind({ broker }: Config): string {
  if (broker.kind === 'redis') return 'redis'
  return broker.url === undefined ? 'database' : 'postgres'
}

function shortHash(value: unknown): string {
  return createHash('sha256').update(JSON.stringify(value)).digest('hex').slice(0, 6)
}
