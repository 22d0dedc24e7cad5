import { Redis } from 'ioredis'
import pg from 'pg'
import { expect, test } from 'vitest'
import { freshDatabase, freshRedis, startPostgres, startRedis } from './servers.js'

test('each test has an empty database of its own', async () => {
  const [one, other] = await Promise.all([freshDatabase(), freshDatabase()])

  expect(one).not.toBe(other)
  expect(
    await query(one, 'SELECT count(*)::int AS n FROM pg_tables WHERE schemaname = $1', ['public']),
  ).toEqual([{ n: 0 }])
})

test('each test has an empty Redis of its own', async () => {
  const [one, other] = await Promise.all([freshRedis(), freshRedis()])
  const [a, b] = [new Redis(one), new Redis(other)]

  await a.set('key', 'value')

  expect(await b.get('key')).toBeNull()
  a.disconnect()
  b.disconnect()
})

test('a PostgreSQL of its own can be killed, and comes back with its data', async () => {
  const server = await startPostgres()
  await query(server.url, 'CREATE TABLE kept AS SELECT 1 AS n')

  await server.kill()
  await expect(query(server.url, 'SELECT 1')).rejects.toThrow()
  await server.start()

  expect(await query(server.url, 'SELECT n FROM kept')).toEqual([{ n: 1 }])
  await server.stop()
})

test('a Redis of its own can be killed, and comes back with its data', async () => {
  const server = await startRedis()
  const client = new Redis(server.url)
  client.on('error', () => undefined)
  await client.set('key', 'value')

  await server.kill()
  await server.start()

  expect(await client.get('key')).toBe('value')
  client.disconnect()
  await server.stop()
})

async function query(url: string, text: string, values: unknown[] = []): Promise<unknown[]> {
  const client = new pg.Client({ connectionString: url })
  client.on('error', () => undefined)
  try {
    await client.connect()
    return (await client.query(text, values)).rows
  } finally {
    await client.end()
  }
}
