import { Redis } from 'ioredis'
import pg from 'pg'
import { pause } from './contender/pause.js'

/** Looks from outside at what processes ask of the servers. It stands in a database of its own. */
export interface Traffic {
  connections(): Promise<Connections>
  /** The most connections there were at once until the work had ended. */
  mostDuring(work: Promise<unknown>): Promise<Connections>
  /** Statements and commands a second over so long, and which statements those were. */
  countFor(ms: number): Promise<Rates>
  close(): Promise<void>
}

export interface Connections {
  readonly postgres: number
  readonly redis: number
}

export interface Rates {
  readonly statements: number
  readonly commands: number
  /** The texts of the statements and how often each was run, most often first. */
  readonly texts: readonly { readonly text: string; readonly calls: number }[]
}

interface Place {
  readonly databaseUrl: string
  readonly redisUrl?: string
}

const lookEveryMs = 25

/** @param postgresUrl another database of the same server, which has loaded `pg_stat_statements` */
export async function watchTraffic(postgresUrl: string, place: Place): Promise<Traffic> {
  const database = new URL(place.databaseUrl).pathname.slice(1)
  const client = new pg.Client({ connectionString: postgresUrl })
  await client.connect()
  await client.query('CREATE EXTENSION IF NOT EXISTS pg_stat_statements')
  const redis = place.redisUrl === undefined ? undefined : await watchRedis(place.redisUrl)

  async function connections(): Promise<Connections> {
    const { rows } = await client.query<{ count: number }>(
      `SELECT count(*)::int AS count FROM pg_stat_activity
       WHERE datname = $1 AND application_name <> $2`,
      [database, benchName],
    )
    return { postgres: rows[0]?.count ?? 0, redis: (await redis?.connections()) ?? 0 }
  }

  async function statements(): Promise<Map<string, number>> {
    const { rows } = await client.query<{ text: string; calls: number }>(
      `SELECT query AS text, sum(calls)::float8 AS calls FROM pg_stat_statements s
       JOIN pg_database d ON d.oid = s.dbid WHERE d.datname = $1 GROUP BY query`,
      [database],
    )
    return new Map(rows.map(({ text, calls }) => [text, calls]))
  }

  return {
    connections,
    async mostDuring(work) {
      let most = await connections()
      let isOver = false
      const over = work.finally(() => {
        isOver = true
      })
      while (!isOver) {
        const found = await connections()
        most = {
          postgres: Math.max(most.postgres, found.postgres),
          redis: Math.max(most.redis, found.redis),
        }
        await pause(lookEveryMs)
      }
      await over
      return most
    },
    async countFor(ms) {
      const before = await statements()
      const commandsBefore = await redis?.commands()
      await pause(ms)
      const commands = ((await redis?.commands()) ?? 0) - (commandsBefore ?? 0)
      const texts = Array.from(await statements(), ([text, calls]) => ({
        text,
        calls: calls - (before.get(text) ?? 0),
      })).filter(({ calls }) => calls > 0)
      const all = texts.reduce((sum, { calls }) => sum + calls, 0)
      return {
        statements: all / (ms / 1000),
        commands: commands / (ms / 1000),
        texts: texts.toSorted((a, b) => b.calls - a.calls),
      }
    },
    async close() {
      await client.end()
      redis?.close()
    },
  }
}

/** What the bench's own connections to a contender's database are called. */
export const benchName = 'bench'

/** Its own connection stands in another of Redis's databases, and its own commands are not counted. */
async function watchRedis(url: string) {
  const database = new URL(url).pathname.slice(1)
  const elsewhere = new URL(url)
  elsewhere.pathname = '/0'
  const redis = new Redis(elsewhere.href)

  return {
    async connections(): Promise<number> {
      const list = String(await redis.client('LIST'))
      return list.split('\n').filter((line) => line.includes(` db=${database} `)).length
    },
    async commands(): Promise<number> {
      const stats = await redis.info('commandstats')
      const calls = stats.matchAll(/^cmdstat_([^:]+):calls=(\d+)/gm)
      return Array.from(calls).reduce(
        (sum, [, name, count]) => (name === 'info' ? sum : sum + Number(count)),
        0,
      )
    },
    close() {
      redis.disconnect()
    },
  }
}
