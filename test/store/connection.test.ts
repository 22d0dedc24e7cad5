import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { PrismaPg } from '@prisma/adapter-pg'
import pg from 'pg'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import {
  createPool,
  isDataError,
  isRetryable,
  type PoolSettings,
  toStoreError,
  withClient,
} from '../../src/store/connection.js'
import { toDriverUrl, usesTransactionPooler } from '../../src/store/database-url.js'
import { PrismaClient } from '../../src/store/generated/prisma/client.js'
import { createProxy } from '../support/proxy.js'
import { freshDatabase } from '../support/servers.js'
import { until } from '../support/until.js'

let url: string
let pools: pg.Pool[]

beforeEach(async () => {
  url = await freshDatabase()
  pools = []
})

afterEach(async () => {
  await Promise.all(pools.map((pool) => pool.end()))
})

describe('a pool', () => {
  test('names its connections, and sets what they are to begin with', async () => {
    const pool = open({ options: '-c TimeZone=Asia/Tokyo' })

    const { rows } = await pool.query(
      `SELECT current_setting('application_name') AS name, current_setting('TimeZone') AS zone`,
    )
    expect(rows).toEqual([{ name: 'celeriac test', zone: 'Asia/Tokyo' }])
  })

  test('is no larger than the URL allows', () => {
    expect(open({ url: `${url}?connection_limit=2` }).options.max).toBe(2)
    expect(open({ url: `${url}?connection_limit=20` }).options.max).toBe(4)
  })

  test('survives the loss of an idle connection, and says so', async () => {
    const errors: Error[] = []
    const pool = open({ onError: (error) => errors.push(error) })
    const { rows } = await pool.query('SELECT pg_backend_pid() AS pid')
    const broken = new Promise((resolve) => pool.once('error', resolve))

    await asked(`SELECT pg_terminate_backend(${rows[0].pid})`)
    await broken

    expect(errors).toHaveLength(1)
    await expect(pool.query('SELECT 1')).resolves.toBeDefined()
  })

  test('survives the loss of a connection between two statements of one who holds it', async () => {
    const pool = open()
    const lost: boolean[] = []
    const other = open()

    const work = withClient(pool, async (client) => {
      const { rows } = await client.query<{ pid: number }>('SELECT pg_backend_pid() AS pid')
      // Beside the one that is to be there already: with none at all, the process would end.
      expect(client.listenerCount('error')).toBeGreaterThan(0)
      client.once('error', () => lost.push(true))
      await other.query('SELECT pg_terminate_backend($1)', [rows[0]?.pid])
      await until(() => lost.length > 0)
      await client.query('SELECT 1')
    })

    await expect(work).rejects.toThrow()
    expect((await pool.query('SELECT 1 AS one')).rows).toEqual([{ one: 1 }])
  })

  test('gives up on a server that falls silent, and ends all the same', async () => {
    const proxy = await createProxy(url)
    const pool = open({ url: proxy.url, queryTimeoutMs: 200, connectTimeoutMs: 200 })
    await Promise.all([pool.query('SELECT 1'), pool.query('SELECT 1')])

    proxy.set('silent')
    const failure = await pool.query('SELECT 1').catch((error) => toStoreError(error, proxy.url))
    expect(failure).toMatchObject({
      code: 'STORE_UNAVAILABLE',
      message: expect.stringContaining('did not answer in time'),
    })
    await pool.end()
    await pool.end()

    await proxy.close()
  })

  test('keeps no process alive', async () => {
    const file = fileURLToPath(new URL('../../src/store/connection.ts', import.meta.url))
    const script = `
      import { createPool } from ${JSON.stringify(file)}
      const pool = createPool(${JSON.stringify(settings())})
      await pool.query('SELECT 1')
      console.log('asked')`
    const begun = performance.now()
    const { stdout } = await promisify(execFile)(process.execPath, [
      '--import',
      'tsx',
      '--input-type=module',
      '-e',
      script,
    ])

    expect(stdout).toBe('asked\n')
    expect(performance.now() - begun).toBeLessThan(9000)
  })
})

describe('trouble with the server has a reason and a remedy', () => {
  const cases: [name: string, change: (url: URL) => void, statement: string, expected: string][] = [
    [
      'nobody listens',
      (at) => {
        at.port = '1'
      },
      'SELECT 1',
      'cannot be reached. Check that it runs',
    ],
    [
      'no such host',
      (at) => {
        at.hostname = 'nowhere.invalid'
      },
      'SELECT 1',
      'cannot be reached',
    ],
    [
      'no such database',
      (at) => {
        at.pathname = '/nothing'
      },
      'SELECT 1',
      'refused the login',
    ],
    [
      'no such user',
      (at) => {
        at.username = 'nobody'
      },
      'SELECT 1',
      'refused the login',
    ],
    [
      'no TLS',
      (at) => {
        at.search = '?sslmode=no-verify'
      },
      'SELECT 1',
      'do not agree on TLS',
    ],
    ['too slow', () => {}, 'SELECT pg_sleep(2)::text', 'did not answer in time'],
    [
      'stopped by an administrator',
      () => {},
      'SELECT pg_terminate_backend(pg_backend_pid())',
      'closed the connection',
    ],
  ]

  test.each(cases)('%s', async (_, change, statement, expected) => {
    const at = new URL(url)
    at.password = 'hush'
    change(at)
    const pool = open({ url: at.href, queryTimeoutMs: 300 })
    const prisma = new PrismaClient({ adapter: new PrismaPg(pool) })
    const failures = [
      await pool.query(statement).catch((error: unknown) => error),
      await prisma.$queryRawUnsafe(statement).catch((error: unknown) => error),
    ]

    for (const failure of failures) {
      const error = toStoreError(failure, at.href)
      expect(error).toMatchObject({ code: 'STORE_UNAVAILABLE', message: expect.stringContaining(expected) })
      expect(error.message).toMatch(/^PostgreSQL at postgres:\/\/[^@\n]*$/)
      expect(isRetryable(error)).toBe(expected === 'closed the connection')
      expect(toStoreError(error, at.href)).toBe(error)
    }
  })

  test('a statement that is refused for its data is no trouble with the server', async () => {
    const error = await open()
      .query(`SELECT 'x'::uuid`)
      .catch((failure: unknown) => failure)

    expect(toStoreError(error, url)).toBe(error)
    expect(isDataError(error)).toBe(true)
    expect(isRetryable(error)).toBe(false)
  })

  test('a deadlock may be tried again', async () => {
    const error = await open()
      .query(`DO $$ BEGIN RAISE SQLSTATE '40P01'; END $$`)
      .catch((failure: unknown) => failure)

    expect(isRetryable(error)).toBe(true)
    expect(isDataError(error)).toBe(false)
  })

  test('a pool that was ended says that the store is closed', async () => {
    const pool = open()
    await pool.end()

    const error = await pool.query('SELECT 1').catch((failure: unknown) => failure)
    expect(toStoreError(error, url)).toMatchObject({ code: 'CLOSED' })
  })
})

test.each([
  ['postgres://a/b?schema=public&connection_limit=5&pgbouncer=true', 'postgres://a/b'],
  ['postgres://a/b?sslmode=require&sslaccept=accept_invalid_certs', 'postgres://a/b?sslmode=no-verify'],
  [
    'postgres://a/b?sslmode=verify-full&sslcert=ca.pem',
    'postgres://a/b?sslmode=verify-full&sslrootcert=ca.pem',
  ],
  ['postgres://u:p%40@a/b?application_name=mine', 'postgres://u:p%40@a/b?application_name=mine'],
  ['postgresql://u@/b?host=/run/postgresql', 'postgresql://u@localhost/b?host=%2Frun%2Fpostgresql'],
])("Prisma's parameters are understood: %s", (given, expected) => {
  expect(toDriverUrl(given)).toBe(expected)
})

test('options of the URL and of a pool go together', () => {
  const options = new URL(toDriverUrl('postgres://a/b?options=endpoint%3Dx', '-c y=z')).searchParams.get(
    'options',
  )
  expect(options).toBe('endpoint=x -c y=z')
})

test.each([
  ['postgres://a:6432/b?pgbouncer=true', true],
  ['postgres://ep-cool-pooler.eu.aws.neon.tech/b', true],
  ['postgres://x.pooler.supabase.com:6543/b', true],
  ['postgres://x.pooler.supabase.com:5432/b', false],
  ['postgres://localhost/b', false],
])('a transaction pooler is known by its address: %s %s', (given, expected) => {
  expect(usesTransactionPooler(given)).toBe(expected)
})

test('a URL that cannot be read is not repeated, as it may hold a password', () => {
  expect(() => toDriverUrl('postgres://me:hush@:x/y')).toThrow(/^The database URL cannot be read(?!.*hush)/)
})

function open(changes: Partial<PoolSettings> = {}): pg.Pool {
  const pool = createPool({ ...settings(), ...changes })
  pools.push(pool)
  return pool
}

function settings(): PoolSettings {
  return { url, max: 4, applicationName: 'celeriac test', connectTimeoutMs: 2000, queryTimeoutMs: 2000 }
}

async function asked(statement: string): Promise<void> {
  const client = new pg.Client(url)
  await client.connect()
  await client.query(statement)
  await client.end()
}
