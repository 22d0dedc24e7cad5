import type { Redis } from 'ioredis'
import type { RedisBrokerFacts } from './broker.js'
import { type Client, isCluster } from './redis-client.js'
import { readInfo, savesOf } from './redis-facts.js'

/** What the server that is used says of itself. Hosted ones refuse some questions, or leave lines out. */
export async function readServer(client: Client, address: string): Promise<RedisBrokerFacts> {
  const nodes = isCluster(client) ? client.nodes('master') : [client]
  const told = await Promise.all(nodes.map(ask))
  const sum = (name: string) => sumOf(told.map(({ info }) => numberIn(info, name)))
  const first = <Value>(read: (info: string) => Value | null) =>
    told.map(({ info }) => read(info)).find((value) => value !== null) ?? null
  const is = (name: string, value: string) => first((info) => isIn(info, name, value))
  return {
    ...{ kind: 'redis', address },
    version: first((info) => readInfo(info, 'redis_version') ?? null),
    upMs: first((info) => secondsIn(info, 'uptime_in_seconds')),
    isReplica: is('role', 'slave'),
    usedBytes: sum('used_memory'),
    peakBytes: sum('used_memory_peak'),
    mostBytes: sum('maxmemory'),
    evictionPolicy: first((info) => readInfo(info, 'maxmemory_policy') ?? null),
    evictedKeys: sum('evicted_keys'),
    clients: sum('connected_clients'),
    mostClients: sum('maxclients'),
    appendsToFile: is('aof_enabled', '1'),
    takesSnapshots: snapshotsOf(told.map(({ saves }) => saves)),
    lastSnapshotAt: first((info) => dateIn(info, 'rdb_last_save_time')),
    hasSnapshotFailed: is('rdb_last_bgsave_status', 'err'),
    commandsPerSecond: sum('instantaneous_ops_per_sec'),
    keys: sumOf(told.map(({ keys }) => keys)),
  }
}

interface Told {
  readonly info: string
  /** `undefined`: it does not tell. */
  readonly saves: string | undefined
  readonly keys: number | null
}

async function ask(node: Redis): Promise<Told> {
  const [info, saves, keys] = await Promise.all([
    unlessRefused(node.info()),
    savesOf(node),
    unlessRefused(node.dbsize()),
  ])
  return { info: info ?? '', saves, keys }
}

/** An answer that is an error comes from a server that is there: it does not know the question, or must not answer. */
function unlessRefused<Answer>(answer: Promise<Answer>): Promise<Answer | null> {
  return answer.catch((error: unknown) => {
    if (error instanceof Error && error.name === 'ReplyError') return null
    throw error
  })
}

function numberIn(info: string, name: string): number | null {
  const value = Number(readInfo(info, name) ?? Number.NaN)
  return Number.isNaN(value) ? null : value
}

function secondsIn(info: string, name: string): number | null {
  const seconds = numberIn(info, name)
  return seconds === null ? null : seconds * 1000
}

/** 0: there was none. */
function dateIn(info: string, name: string): Date | null {
  const ms = secondsIn(info, name)
  return ms ? new Date(ms) : null
}

function isIn(info: string, name: string, value: string): boolean | null {
  const found = readInfo(info, name)
  return found === undefined ? null : found === value
}

function snapshotsOf(saves: readonly (string | undefined)[]): boolean | null {
  const known = saves.filter((save) => save !== undefined)
  return known.length === 0 ? null : known.some((save) => save !== '')
}

function sumOf(values: readonly (number | null)[]): number | null {
  const known = values.filter((value) => value !== null)
  return known.length === 0 ? null : known.reduce((sum, value) => sum + value, 0)
}
