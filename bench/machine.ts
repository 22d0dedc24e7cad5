import { readFileSync } from 'node:fs'
import { availableParallelism, cpus, totalmem } from 'node:os'
import { Redis } from 'ioredis'
import pg from 'pg'
import type { Servers } from './servers.js'

/** What figures were measured on. */
export interface Machine {
  readonly cores: number
  readonly processor: string
  readonly memoryGb: number
  readonly platform: string
  /** Of Node, the servers and the packages that matter, by name. */
  readonly versions: Readonly<Record<string, string>>
}

const packages = ['bullmq', 'ioredis', 'express', '@prisma/client', 'pg']

export async function readMachine({ postgresUrl, redisUrl }: Servers): Promise<Machine> {
  return {
    cores: availableParallelism(),
    processor: cpus()[0]?.model.trim() || 'unknown',
    memoryGb: Math.round(totalmem() / 2 ** 30),
    platform: process.platform,
    versions: {
      Node: process.versions.node,
      PostgreSQL: await postgresVersion(postgresUrl),
      Redis: await redisVersion(redisUrl),
      ...Object.fromEntries(packages.map((name) => [name, versionOf(name)])),
    },
  }
}

/** In two lines. */
export function describeMachine({ cores, processor, memoryGb, platform, versions }: Machine): string[] {
  return [
    `${cores} cores (${processor}), ${memoryGb} GB, ${platform}`,
    Object.entries(versions)
      .map(([name, version]) => `${name} ${version}`)
      .join(', '),
  ]
}

function versionOf(name: string): string {
  const file = new URL(`../node_modules/${name}/package.json`, import.meta.url)
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version
}

async function postgresVersion(url: string): Promise<string> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  const { rows } = await client.query<{ server_version: string }>('SHOW server_version')
  await client.end()
  return rows[0]?.server_version ?? 'unknown'
}

async function redisVersion(url: string): Promise<string> {
  const client = new Redis(url)
  const info = await client.info('server')
  client.disconnect()
  return /^redis_version:(\S+)/m.exec(info)?.[1] ?? 'unknown'
}
