import { answerWithin } from '../waiting.js'
import { addressOf, type Client, openClient, type RedisTarget, senderOptions } from './redis-client.js'

/** What there is to know of a Redis before anybody works on it. */
export interface RedisFacts {
  readonly address: string
  /** As `7.0.15`. */
  readonly version: string
  readonly policy: string
  readonly appendsToFile: boolean
  /** `undefined` where the server does not tell, as hosted ones. */
  readonly takesSnapshots: boolean | undefined
  readonly isReplica: boolean
  /** How much this machine's clock is ahead of the server's, in milliseconds. */
  readonly skewMs: number
}

export interface RedisFailure {
  readonly address: string
  readonly trouble: 'unreachable' | 'login'
  readonly message: string
}

/** Never rejects, and answers within the deadline. */
export async function readRedisFacts(
  connection: RedisTarget,
  deadlineMs: number,
): Promise<RedisFacts | RedisFailure> {
  const address = addressOf(connection)
  const client = openClient(connection, { ...senderOptions(deadlineMs), retryStrategy: () => null })
  let heard: Error | undefined
  client.on('error', (error: Error) => {
    heard = error
  })
  try {
    await answerWithin(deadlineMs, client.connect())
    const askedAt = Date.now()
    const [seconds = 0, micros = 0] = (await client.time()).map(Number)
    const skewMs = Math.round((askedAt + Date.now()) / 2 - seconds * 1000 - micros / 1000)
    return { address, skewMs, ...toFacts(await client.info(), await savesOf(client)) }
  } catch (error) {
    return toFailure(address, heard ?? error)
  } finally {
    client.disconnect()
  }
}

function toFacts(info: string, saves: string | undefined): Omit<RedisFacts, 'address' | 'skewMs'> {
  const read = (name: string) => readInfo(info, name)
  return {
    version: read('redis_version') ?? 'unknown',
    policy: read('maxmemory_policy') ?? 'noeviction',
    appendsToFile: read('aof_enabled') === '1',
    takesSnapshots: saves === undefined ? undefined : saves !== '',
    isReplica: read('role') === 'slave' && read('slave_read_only') !== '0',
  }
}

/** A line of what the server says of itself; `undefined` where it does not. */
export function readInfo(info: string, name: string): string | undefined {
  return new RegExp(`^${name}:(\\S+)`, 'm').exec(info)?.[1]
}

/** When it takes snapshots; empty: never. `undefined`: it does not tell. */
export async function savesOf(client: Pick<Client, 'config'>): Promise<string | undefined> {
  try {
    const answer: unknown = await client.config('GET', 'save')
    return Array.isArray(answer) ? String(answer[1] ?? '') : undefined
  } catch {
    return undefined
  }
}

function toFailure(address: string, error: unknown): RedisFailure {
  const message = error instanceof Error ? error.message || String(error) : String(error)
  const isLogin = /NOAUTH|WRONGPASS|NOPERM|invalid (?:username|password)|without any password/i.test(message)
  return { address, trouble: isLogin ? 'login' : 'unreachable', message }
}
