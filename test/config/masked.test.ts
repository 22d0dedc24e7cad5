import { Redis } from 'ioredis'
import { describe, expect, test } from 'vitest'
import { readEnvironment } from '../../src/config/env.js'
import { maskedConfig } from '../../src/config/masked.js'
import type { CeleriacOptions } from '../../src/config/options.js'
import { resolveConfig } from '../../src/config/resolve.js'

const masked = (options: CeleriacOptions) => maskedConfig(resolveConfig(options, readEnvironment({})))

describe('the options, as they are shown', () => {
  test('have addresses without user, password and parameters', () => {
    const shown = masked({
      broker: 'rediss://user:p@ss/w#rd@cache.internal:6380/2?token=hidden',
      database: 'postgres://me:s3cret@db.internal/app?sslmode=require&password=hidden',
      directUrl: 'postgres://me:s3cret@direct.internal/app',
    } as CeleriacOptions)

    expect(shown).toMatchObject({
      broker: 'rediss://cache.internal:6380/2',
      store: 'postgres://db.internal/app',
      directUrl: 'postgres://direct.internal/app',
    })
    expect(JSON.stringify(shown)).not.toMatch(/s3cret|p@ss|hidden|"me"/)
  })

  test('tell of ioredis options and instances where they lead, and nothing else', () => {
    const options = { host: 'cache', port: 6390, db: 3, username: 'me', password: 's3cret' }
    const client = new Redis({ ...options, lazyConnect: true })

    for (const broker of [options, client])
      expect(masked({ broker, database: 'postgres://db/app' })).toMatchObject({
        broker: 'redis://cache:6390/3',
      })
    client.disconnect()
  })

  test('say of functions, codec and logger only that they are there', () => {
    const shown = masked({
      database: 'postgres://db/app',
      owner: () => 'me',
      hooks: { onEnd: () => {} },
      onWorkerStart: () => {},
      queues: { mail: { concurrency: 2 } },
      worker: { autoscale: { min: 1, max: 4 } },
      appVersion: '7.1',
    })

    expect(shown).toMatchObject({
      owner: '[given]',
      onWorkerStart: '[given]',
      codec: 'JSON',
      queues: { mail: { concurrency: 2 } },
      workerProcess: { autoscale: { min: 1, max: 4 } },
      appVersion: '7.1',
    })
    expect(JSON.parse(JSON.stringify(shown))).toEqual(shown)
  })
})

describe('the version of the app', () => {
  test('is the option, else the environment, else that of its package.json', () => {
    const versionOf = (options: CeleriacOptions, variables = {}) =>
      resolveConfig({ database: 'postgres://db/app', ...options }, readEnvironment(variables)).appVersion

    expect(versionOf({ appVersion: '3' }, { CELERIAC_APP_VERSION: '2' })).toBe('3')
    expect(versionOf({}, { CELERIAC_APP_VERSION: '2' })).toBe('2')
    expect(versionOf({})).toMatch(/^\d+\.\d+\.\d+/)
  })

  test('is none where there is no package.json', () => {
    expect(
      resolveConfig({ database: 'postgres://db/app', root: '/' }, readEnvironment({})).appVersion,
    ).toBeNull()
  })
})

test('autoscale is a range of whole numbers', () => {
  const range = (autoscale: unknown) => () => masked({ worker: { autoscale } } as CeleriacOptions)

  expect(range({ min: 3, max: 2 })).toThrow('"min" of "worker.autoscale" is 3, more than "max", 2.')
  expect(range({ min: 0, max: 2 })).toThrow('a whole number from 1')
  expect(range({ max: 2 })).toThrow('"min"')
})
