import { readFileSync } from 'node:fs'
import { availableParallelism, cpus, totalmem } from 'node:os'
import { Redis } from 'ioredis'
import pg from 'pg'
import type { Servers } from './servers.js'

/** What the figures were measured on, in two lines. */
export async function nameMachine({ postgresUrl, redisUrl }: Servers): Promise<string> {
  const memory = Math.round(totalmem() / 2 ** 30)
  const packages = ['bullmq', 'ioredis', 'express', '@prisma/client', 'pg'].map(
    (name) => `${name} ${versionOf(name)}`,
  )
  const servers = [
    `PostgreSQL ${await postgresVersion(postgresUrl)}`,
    `Redis ${await redisVersion(redisUrl)}`,
  ]
  return [
    `${availableParallelism()} cores (${cpus()[0]?.model ?? 'unknown'}), ${memory} GB, ${process.platform}`,
    [`Node ${process.versions.node}`, ...servers, ...packages].join(', '),
  ].join('\n')
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
