import { randomUUID } from 'node:crypto'
import { Redis } from 'ioredis'
import pg from 'pg'
import { inject } from 'vitest'
import { type PostgresServerOptions, startPostgresServer } from './postgres.js'
import { type RedisServerOptions, startRedisServer } from './redis.js'
import type { TestServer } from './server.js'
import { type TablesOf, templateOf } from './tables.js'

export type { TestServer } from './server.js'

/** The URL of a new, empty database on the shared PostgreSQL. */
export function freshDatabase(): Promise<string> {
  return createDatabase()
}

/** As {@link freshDatabase}, with the tables that `celeriac migrate` makes: copying them is quicker than making them. */
export async function freshTables(kind: TablesOf): Promise<string> {
  const url = await createDatabase(templateOf[kind])
  await ask(url, 'UPDATE celeriac.installation SET id = gen_random_uuid()')
  return url
}

async function createDatabase(template?: string): Promise<string> {
  const url = new URL(inject('postgresUrl'))
  const name = `test_${randomUUID().replaceAll('-', '')}`
  await ask(url.href, `CREATE DATABASE ${name}${template === undefined ? '' : ` TEMPLATE ${template}`}`)
  url.pathname = `/${name}`
  return url.href
}

async function ask(url: string, sql: string): Promise<void> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  await client.query(sql)
  await client.end()
}

/** The URL of an empty database, by number, on the shared Redis. */
export async function freshRedis(): Promise<string> {
  const url = inject('redisUrl')
  const client = new Redis(url)
  const number = await client.incr('databases')
  client.disconnect()
  return `${url}/${number}`
}

/** A PostgreSQL of the test's own, to stop, kill and start. End it with `stop()`. */
export function startPostgres(options: Omit<PostgresServerOptions, 'template'> = {}): Promise<TestServer> {
  return startPostgresServer({ ...options, template: inject('postgresTemplate') })
}

/** A Redis of the test's own, to stop, kill and start. It keeps its data over a restart. End it with `stop()`. */
export function startRedis(options: RedisServerOptions = {}): Promise<TestServer> {
  return startRedisServer(options)
}
