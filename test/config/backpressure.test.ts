import { describe, expect, test } from 'vitest'
import { readEnvironment } from '../../src/config/env.js'
import type { CeleriacOptions } from '../../src/config/options.js'
import { resolveConfig } from '../../src/config/resolve.js'
import { ConfigError } from '../../src/errors.js'

const resolve = (backpressure: unknown) =>
  resolveConfig({ backpressure } as CeleriacOptions, readEnvironment({})).backpressure

describe('the option backpressure', () => {
  test('is off where it is not said', () => {
    expect(resolve(undefined)).toBeUndefined()
  })

  test('has limits by queue', () => {
    const limits = resolve({ mail: { waiting: 10, age: '2m' }, '*': { share: 5 } })

    expect(limits?.get('mail')).toEqual({ waiting: 10, ageMs: 120_000, share: undefined })
    expect(limits?.get('*')).toEqual({ waiting: undefined, ageMs: undefined, share: 5 })
  })

  test.each([
    [true, 'must be limits by queue'],
    [{ 'a,b': {} }, 'must be the name of a queue'],
    [{ mail: 100 }, 'takes an object with options'],
    [{ mail: { wating: 100 } }, 'Did you mean "waiting"?'],
    [
      { mail: { waiting: 0 } },
      'waiting in "backpressure" of queue "mail" must be a whole number of 1 or more',
    ],
    [{ mail: { age: '1ms' } }, 'of at least 1000 ms'],
    [{ mail: { share: 1.5 } }, 'share in "backpressure" of queue "mail"'],
  ])('%j is refused', (given, message) => {
    expect(() => resolve(given)).toThrow(ConfigError)
    expect(() => resolve(given)).toThrow(message)
  })
})
