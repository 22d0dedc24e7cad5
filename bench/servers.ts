import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import pg from 'pg'
import { openEmbedded } from '../src/embedded/postgres.js'
import { startPostgresServer } from '../test/support/postgres.js'
import { startRedisServer } from '../test/support/redis.js'
import { scratchFolder, sweepScratch } from '../test/support/scratch.js'
import { until } from '../test/support/until.js'

/** The private servers that all contenders share. PostgreSQL waits for the disk, as it does in production. */
export interface Servers {
  readonly redisUrl: string
  readonly postgresUrl: string
  /** The URL of an empty database of its own, in each. */
  newDatabase(): Promise<string>
  newRedis(): string
  /** The app's folder with the embedded default in it, and the URL of that. Started at first use. */
  embedded(): Promise<{ readonly root: string; readonly url: string }>
  close(): Promise<void>
}

export async function openServers(): Promise<Servers> {
  sweepScratch()
  const postgres = await startPostgresServer({
    settings: [
      ...['fsync=on', 'full_page_writes=on', 'shared_preload_libraries=pg_stat_statements'],
      // As PostgreSQL comes; the tests' servers have less.
      'shared_buffers=128MB',
    ],
  })
  const redis = await startRedisServer()
  let embedded: Promise<OpenedEmbedded> | undefined
  let databases = 0

  return {
    redisUrl: redis.url,
    postgresUrl: postgres.url,
    newDatabase() {
      databases += 1
      return createDatabase(postgres.url, `bench_${databases}`)
    },
    newRedis() {
      databases += 1
      return `${redis.url}/${databases}`
    },
    embedded() {
      embedded ??= startEmbedded()
      return embedded
    },
    async close() {
      await (await embedded)?.close()
      await Promise.all([redis.stop(), postgres.stop()])
    },
  }
}

interface OpenedEmbedded {
  readonly root: string
  readonly url: string
  close(): Promise<void>
}

async function startEmbedded(): Promise<OpenedEmbedded> {
  const root = join(scratchFolder(), 'app')
  mkdirSync(root)
  const log = { info: () => {}, warn: console.warn }
  const { url, close } = await openEmbedded({ root, log })
  return {
    root,
    url,
    async close() {
      // Who came last says how long the server stays.
      const last = await openEmbedded({ root, log, lingerMs: 0 })
      await Promise.all([close(), last.close()])
      await until(() => isGone(url))
    },
  }
}

function isGone(url: string): Promise<boolean> {
  const client = new pg.Client({ connectionString: url })
  client.on('error', () => {})
  return client.connect().then(
    () => client.end().then(() => false),
    () => true,
  )
}

async function createDatabase(serverUrl: string, name: string): Promise<string> {
  const client = new pg.Client({ connectionString: serverUrl })
  await client.connect()
  try {
    await client.query(`CREATE DATABASE ${name}`)
  } finally {
    await client.end()
  }
  const url = new URL(serverUrl)
  url.pathname = `/${name}`
  return url.href
}
