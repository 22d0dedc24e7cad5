import { Redis } from 'ioredis'
import { pino } from 'pino'
import { describe, expect, test } from 'vitest'
import { configDifferences, configHash } from '../../src/config/agreement.js'
import { configFileOf, defineConfig } from '../../src/config/define.js'
import { readEnvironment } from '../../src/config/env.js'
import type { CeleriacOptions } from '../../src/config/options.js'
import { resolveConfig } from '../../src/config/resolve.js'
import { ConfigError } from '../../src/errors.js'

const resolve = (options: CeleriacOptions = {}, variables: NodeJS.ProcessEnv = {}) =>
  resolveConfig(options, readEnvironment(variables))

/** What a JavaScript user may write. */
const resolveLoosely = (options: object, variables?: NodeJS.ProcessEnv) =>
  resolve(options as CeleriacOptions, variables)

const database = 'postgres://app:s3cret@db.example.com:5432/shop'

describe('defaults', () => {
  test('need nothing at all', () => {
    const config = resolve()

    expect(config).toMatchObject({
      modules: ['src/modules/*'],
      tasks: undefined,
      store: { kind: 'embedded' },
      broker: { kind: 'postgres', url: undefined },
      migrate: true,
      prefix: 'celeriac',
      path: '/jobs',
      queue: 'default',
      attempts: 1,
      backoff: { type: 'exponential', delayMs: 1000, maxMs: 600_000, jitter: 1 },
      timeLimit: { softMs: null, hardMs: null },
      maxPayload: 1_048_576,
      worker: undefined,
      workerProcess: { graceMs: 30_000, name: 'celeriac@%h' },
      leaseMs: 15_000,
      heartbeatMs: 3000,
      deadlineMs: 5000,
      logger: 'info',
    })
    expect(config.root).toBe(process.cwd())
    expect(Object.isFrozen(config)).toBe(true)
  })

  test('undefined is as good as unsaid', () => {
    expect(resolveLoosely({ database: undefined, attempts: undefined })).toEqual(resolve())
  })

  test('options are made plain', () => {
    const logger = pino({ level: 'silent' })
    const config = resolve({
      attempts: 3,
      timeLimit: '5m',
      backoff: { type: 'fixed', delay: '2s' },
      path: '/work/jobs/',
      publicPath: 'https://example.com/jobs/',
      worker: { concurrency: 4, queues: ['mail', 'default', 'mail'], grace: '10s' },
      queue: 'slow',
      deadline: 2000,
      logger,
    })

    expect(config).toMatchObject({
      attempts: 3,
      timeLimit: { softMs: 300_000, hardMs: null },
      backoff: { type: 'fixed', delayMs: 2000 },
      path: '/work/jobs',
      publicPath: 'https://example.com/jobs',
      worker: { concurrency: 4, queues: ['mail', 'default'], graceMs: 10_000 },
      deadlineMs: 2000,
    })
    expect(config.logger).toBe(logger)
    expect(resolve({ path: '/' }).path).toBe('')
    expect(resolve({ worker: false }).worker).toBe(undefined)
  })

  test('a short lease brings a short heartbeat along', () => {
    expect(resolve({ lease: '2s' })).toMatchObject({ leaseMs: 2000, heartbeatMs: 400 })
    expect(resolve({ heartbeat: '10s' })).toMatchObject({ leaseMs: 50_000, heartbeatMs: 10_000 })
    expect(() => resolve({ lease: '2s', heartbeat: '1s' })).toThrow(
      '"lease" (2000 ms) must be at least three times',
    )
  })
})

describe('servers', () => {
  test.each([
    [
      'options go before the environment',
      { database, broker: 'redis://r' },
      { DATABASE_URL: 'postgres://other/x', REDIS_URL: 'redis://other' },
      database,
      'redis://r',
    ],
    [
      'DATABASE_URL and REDIS_URL are taken',
      {},
      { DATABASE_URL: database, REDIS_URL: 'rediss://r:6380' },
      database,
      'rediss://r:6380',
    ],
    [
      'our own variables go before those',
      {},
      {
        CELERIAC_DATABASE_URL: database,
        CELERIAC_BROKER_URL: 'redis://ours',
        DATABASE_URL: 'mysql://x/y',
        REDIS_URL: 'redis://theirs',
      },
      database,
      'redis://ours',
    ],
    [
      'only a database is broker and store',
      {},
      { DATABASE_URL: 'postgresql://h/d' },
      'postgresql://h/d',
      undefined,
    ],
    ['an empty variable is none', { database }, { REDIS_URL: ' ' }, database, undefined],
    [
      'a broker may be another PostgreSQL',
      { database, broker: 'postgres://b/q' },
      {},
      database,
      'postgres://b/q',
    ],
  ])('%s', (_, options, variables, url, broker) => {
    const config = resolve(options, variables)

    expect(config.store).toMatchObject({ kind: 'postgres', url })
    expect(config.broker).toEqual(
      broker?.startsWith('redis') ? { kind: 'redis', connection: broker } : { kind: 'postgres', url: broker },
    )
  })

  test('ioredis options and instances are taken as they are', () => {
    const instance = new Redis({ lazyConnect: true })
    const options = { host: 'r', sentinels: [{ host: 's', port: 26379 }], name: 'main' }

    expect(resolve({ broker: instance }).broker).toEqual({ kind: 'redis', connection: instance })
    expect(resolve({ broker: options }).broker).toEqual({ kind: 'redis', connection: options })
    expect(() => resolve({ broker: { keyPrefix: 'x' } })).toThrow('Set "prefix" instead')
    instance.disconnect()
  })

  test.each([
    [
      { DATABASE_URL: 'mysql://root:s3cret@h/d' },
      /DATABASE_URL must be a postgres:\/\/ URL, and is "mysql:…".*CELERIAC_DATABASE_URL/,
    ],
    [{ DATABASE_URL: 'file:./dev.db' }, /"file:…".*CELERIAC_DATABASE_URL/],
    [
      { DATABASE_URL: 'prisma+postgres://accelerate.prisma-data.net/?api_key=s3cret' },
      /proxy of Prisma.*CELERIAC_DATABASE_URL/,
    ],
    [{ DATABASE_URL: 'postgres://app:s3cret#x@h/d' }, /DATABASE_URL: The database URL cannot be read/],
    [{ CELERIAC_DATABASE_URL: 's3cret' }, /CELERIAC_DATABASE_URL must be a postgres:\/\/ URL, and is no URL/],
    [{ REDIS_URL: 'http://:s3cret@h' }, /REDIS_URL must be a redis:\/\/ or rediss:\/\/ URL, and is "http:…"/],
    [
      { CELERIAC_BROKER_URL: 'amqp://s3cret@h' },
      /CELERIAC_BROKER_URL must be a redis:\/\/, rediss:\/\/ or postgres/,
    ],
    [{ REDIS_URL: 'redis://:s3cret#@h:6379' }, /REDIS_URL cannot be read.*%23/],
    [{ CELERIAC_LOG_LEVEL: 'loud' }, /CELERIAC_LOG_LEVEL must be one of fatal/],
    [{ NODE_ENV: 'production' }, /No database is configured, and NODE_ENV is "production"/],
    [{ NODE_ENV: 'production', REDIS_URL: 'redis://h' }, /No database is configured/],
  ])('%j is refused, without its secret', (variables, message) => {
    const error = thrownBy(() => resolve({}, variables))

    expect(error).toBeInstanceOf(ConfigError)
    expect(error.message).toMatch(message)
    expect(error.message).not.toContain('s3cret')
  })

  test('a DATABASE_URL of another kind is no matter when it is not needed', () => {
    const variables = { DATABASE_URL: 'mysql://h/d' }

    expect(resolve({ database }, variables).store.kind).toBe('postgres')
    expect(resolve({ embedded: true }, variables).store.kind).toBe('embedded')
  })

  test('production with the embedded server must be said, and then migrates by itself', () => {
    expect(resolve({ embedded: true }, { NODE_ENV: 'production' })).toMatchObject({
      store: { kind: 'embedded' },
      migrate: true,
    })
    expect(resolve({}, { NODE_ENV: 'production', DATABASE_URL: database }).migrate).toBe(false)
    expect(() => resolve({ embedded: false })).toThrow('No database is configured.')
    expect(() => resolve({ embedded: true, database })).toThrow('exclude each other')
  })

  describe('a transaction pooler', () => {
    const pooled = 'postgres://u:p@pool.example.com:6543/shop?pgbouncer=true&connection_limit=1'

    test('needs a direct URL', () => {
      expect(() => resolve({ database: pooled })).toThrow('"database" leads through a transaction pooler')
      expect(() => resolve({}, { DATABASE_URL: pooled })).toThrow('Set DIRECT_URL (or "directUrl")')
      expect(() => resolve({ database: pooled, directUrl: pooled })).toThrow('itself leads through')
      expect(() => resolve({ database, broker: pooled })).toThrow('Give the direct URL')
    })

    test('is used beside the direct URL, with the parameters that it came with', () => {
      const direct = 'postgres://u:p@db.example.com:5432/shop'

      expect(resolve({}, { DATABASE_URL: pooled, DIRECT_URL: direct }).store).toEqual({
        kind: 'postgres',
        url: pooled,
        directUrl: direct,
      })
      expect(resolve({ database: pooled, directUrl: direct }).store).toMatchObject({ directUrl: direct })
    })

    test('DIRECT_URL of another database is not ours', () => {
      const variables = {
        CELERIAC_DATABASE_URL: 'postgres://h/jobs',
        DATABASE_URL: database,
        DIRECT_URL: database,
      }

      expect(resolve({}, variables).store).toEqual({
        kind: 'postgres',
        url: 'postgres://h/jobs',
        directUrl: 'postgres://h/jobs',
      })
    })
  })
})

describe('mistakes', () => {
  test.each([
    [{ atempts: 3 }, 'celeriac() has no option "atempts". Did you mean "attempts"?'],
    [{ redis: 'redis://h' }, 'celeriac() has no option "redis".'],
    [{ ['x'.repeat(50_000)]: 1 }, 'celeriac() has no option "xxx'],
    [{ worker: { concurency: 2 } }, '"worker" has no option "concurency". Did you mean "concurrency"?'],
    [{ worker: 'yes' }, '"worker" takes an object with options, and got "yes"'],
    [{ worker: { concurrency: 0 } }, '"worker.concurrency" must be a whole number of 1 or more, and is 0.'],
    [{ worker: { queues: [] } }, '"worker.queues" must be a list of queues'],
    [{ worker: { queues: ['a,b'] } }, 'no spaces, commas or colons'],
    [{ modules: [] }, '"modules" must be one pattern or more'],
    [{ modules: [3] }, '"modules" must be text'],
    [{ tasks: [], modules: 'x' }, '"tasks" must be an object of modules'],
    [{ tasks: {}, modules: 'x' }, '"tasks" and "modules" exclude each other'],
    [{ broker: 42 }, '"broker" must be a redis://, rediss:// or postgres:// URL, ioredis options'],
    [{ broker: [] }, '"broker" must be a redis://'],
    [{ database: '' }, '"database" must be text that is not empty'],
    [{ database: { url: 's3cret' } }, '"database" must be text that is not empty, and is an object.'],
    [{ embedded: 'yes' }, '"embedded" must be true or false'],
    [{ path: 'jobs' }, '"path" must be a path such as \'/jobs\''],
    [{ path: '/jobs/:id' }, '"path" must be a path'],
    [{ path: `/${'a'.repeat(50_000)}` }, '"path" must be a path'],
    [{ publicPath: 'example.com/jobs' }, '"publicPath" must be a path'],
    [{ owner: 'req.user' }, '"owner" must be a function'],
    [{ attempts: '3' }, '"attempts" must be a whole number of 1 or more, and is "3".'],
    [{ deadline: '1ms' }, '"deadline" must be a duration of at least 50 ms'],
    [{ maxPayload: '1mb' }, '"maxPayload" must be a whole number'],
    [{ prefix: 'a:b' }, '"prefix" must be 1 to 100 characters'],
    [{ logger: 'verbose' }, '"logger" must be a pino logger, or one of fatal'],
    [{ logger: console }, '"logger" must be a pino logger'],
    [{ backoff: 'exponential' }, '"backoff" takes an object with options'],
    [{ lease: 'long' }, '"lease" must be a duration'],
  ])('%.80j is refused', (options, message) => {
    const error = thrownBy(() => resolveLoosely(options))

    expect(error).toBeInstanceOf(ConfigError)
    expect(error.message).toContain(message)
    expect(error.message).not.toContain('s3cret')
    expect(error.message.length).toBeLessThan(1000)
  })

  test.each([[null], ['redis://h'], [[]]])('%j are no options', (options) => {
    expect(() => resolveLoosely(options as unknown as object)).toThrow(ConfigError)
  })

  test('options from a JSON text with __proto__ add nothing', () => {
    expect(() => resolveLoosely(JSON.parse('{"__proto__":{"embedded":true}}'))).toThrow(
      'has no option "__proto__"',
    )
  })
})

describe('defineConfig', () => {
  test('remembers its file, which decides the root, also under Vitest', () => {
    const options = defineConfig({ root: '../..', modules: 'modules/*' })

    expect(configFileOf(options)).toBe(import.meta.filename)
    expect(resolve({ ...options, worker: true }).root).toBe(process.cwd())
    expect(resolve(defineConfig({})).root).toBe(import.meta.dirname)
    expect(resolve(options).preferTypeScript).toBe(true)
  })
})

describe('what processes must agree on', () => {
  const base = resolve({ database })

  test('is the same for other addresses of one server, other worker options and task names', () => {
    const other = resolve({
      database: 'postgresql://web:other@10.0.0.7:6432/shop?schema=public&connection_limit=3',
      directUrl: 'postgresql://web:other@10.0.0.7:5432/shop',
      worker: { concurrency: 9 },
      path: '/api/jobs',
      logger: 'debug',
    })

    expect(configHash(other)).toBe(configHash(base))
    expect(configHash(base)).not.toContain('s3cret')
  })

  test('differs by name', () => {
    const other = resolve({ database, broker: 'redis://h', prefix: 'x', lease: '30s' })

    expect(configDifferences(configHash(base), configHash(other))).toEqual(['broker', 'prefix', 'lease'])
    expect(configDifferences(configHash(base), configHash(base))).toEqual([])
  })
})

function thrownBy(work: () => unknown): Error {
  try {
    work()
  } catch (error) {
    if (error instanceof Error) return error
  }
  throw new Error('nothing was thrown')
}
