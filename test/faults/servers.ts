import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import pg from 'pg'
import { startPostgresServer } from '../support/postgres.js'
import { startRedisServer } from '../support/redis.js'
import type { TestServer } from '../support/server.js'

export const brokers = ['redis', 'postgres'] as const
export type BrokerKind = (typeof brokers)[number]

/** The servers of a run. Faults may do anything to the first two; nobody touches the witness. */
export interface FaultServers {
  readonly postgres: TestServer
  readonly redis: TestServer | undefined
  /** Keeps what the tasks really did. */
  readonly witness: TestServer
  /** A part of them for one app, under a name that it finds again. */
  ground(name: string): Promise<Ground>
  stop(): Promise<void>
}

/** Where one app keeps its things. */
export interface Ground {
  readonly databaseUrl: string
  /** Left out: the broker is in the database. */
  readonly brokerUrl: string | undefined
  readonly witnessUrl: string
  /** Whether its tables are there already. */
  readonly isMigrated: boolean
}

export interface FaultServersOptions {
  readonly broker: BrokerKind
  /** Where their data is, and stays. */
  readonly folder: string
  /** The data folder that the databases begin with. */
  readonly template: string
  /** Whether Redis keeps its data over a restart. Default `true`. */
  readonly durable?: boolean
  /** Makes the tables once. Each ground begins with a copy of them then, which is quicker. */
  readonly migrate?: (ground: Ground) => Promise<void>
}

const migratedOnce = 'migrated'

export async function startFaultServers(options: FaultServersOptions): Promise<FaultServers> {
  const { broker, folder, template } = options
  mkdirSync(folder, { recursive: true, mode: 0o755 })
  const started: TestServer[] = []
  const stop = async () => {
    await Promise.all(started.map((server) => server.stop()))
  }
  const keep = async (starting: Promise<TestServer>) => {
    const server = await starting
    started.push(server)
    return server
  }
  try {
    // A crash of the server alone must lose nothing that was answered, as on a disk that keeps its word.
    const settings = { template, settings: ['full_page_writes=on', 'log_min_messages=log'] }
    const [postgres, witness, redis] = await Promise.all([
      keep(startPostgresServer({ ...settings, data: join(folder, 'postgres') })),
      keep(startPostgresServer({ ...settings, data: join(folder, 'witness') })),
      broker === 'redis' ? keep(startRedis(join(folder, 'redis'), options.durable ?? true)) : undefined,
    ])
    let grounds = 0
    const ground = async (name: string): Promise<Ground> => {
      const brokerUrl = redis && `${redis.url}/${grounds}`
      grounds += 1
      const isMigrated = options.migrate !== undefined && name !== migratedOnce
      const databaseUrl = await createDatabase(postgres.url, name, isMigrated ? migratedOnce : undefined)
      const witnessUrl = await createDatabase(witness.url, name)
      await query(witnessUrl, effectTable)
      return { databaseUrl, brokerUrl, witnessUrl, isMigrated }
    }
    if (options.migrate) await options.migrate(await ground(migratedOnce))
    return { postgres, witness, redis, stop, ground }
  } catch (error) {
    await stop()
    throw error
  }
}

/** If it is durable, every answer of it is on disk first. */
function startRedis(data: string, durable: boolean): Promise<TestServer> {
  return startRedisServer({ data, durable, args: durable ? ['--appendfsync', 'always'] : [] })
}

async function createDatabase(server: string, name: string, template = 'template1'): Promise<string> {
  const present = await query(server, 'SELECT 1 FROM pg_database WHERE datname = $1', [name])
  if (present.length === 0) await query(server, `CREATE DATABASE ${name} TEMPLATE ${template}`)
  return Object.assign(new URL(server), { pathname: `/${name}` }).href
}

const effectTable = `
CREATE TABLE IF NOT EXISTS effect (
  seq bigserial PRIMARY KEY, at timestamptz NOT NULL DEFAULT clock_timestamp(), kind text NOT NULL, id uuid NOT NULL,
  attempt int NOT NULL, pid int NOT NULL, key text, ok boolean)`

/** One statement over a connection of its own. */
export async function query<Row extends object>(
  url: string,
  text: string,
  values: unknown[] = [],
): Promise<Row[]> {
  const client = new pg.Client({ connectionString: url })
  client.on('error', () => {})
  try {
    await client.connect()
    return (await client.query<Row>(text, values)).rows
  } finally {
    await client.end().catch(() => {})
  }
}

/** Empties the broker as an administrator's mistake would. */
export async function wipeBroker({ redis }: FaultServers, { databaseUrl }: Ground): Promise<void> {
  if (redis) await wipeRedis(redis.url)
  else await wipeTables(databaseUrl)
}

async function wipeRedis(url: string): Promise<void> {
  const client = new Redis(url, { retryStrategy: () => null })
  client.on('error', () => {})
  try {
    await client.flushall()
  } finally {
    client.disconnect()
  }
}

async function wipeTables(url: string): Promise<void> {
  const tables = await query<{ name: string }>(
    url,
    `SELECT format('%I.%I', schemaname, tablename) AS name FROM pg_tables
     WHERE schemaname = 'celeriac_broker' AND tablename NOT LIKE '%migration%'`,
  )
  await query(url, `TRUNCATE ${tables.map(({ name }) => name).join(', ')}`)
}
