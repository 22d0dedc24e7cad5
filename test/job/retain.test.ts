import { describe, expect, test } from 'vitest'
import { configDifferences, configHash } from '../../src/config/agreement.js'
import { readEnvironment } from '../../src/config/env.js'
import type { CeleriacOptions } from '../../src/config/options.js'
import { resolveConfig } from '../../src/config/resolve.js'
import { ConfigError } from '../../src/errors.js'
import { toAgeRules } from '../../src/job/retain.js'
import { defineTask } from '../../src/task/define.js'
import { createRegistry } from '../../src/task/registry.js'
import { toRetentionBook } from '../../src/tasks.js'

const resolve = (options: object = {}) => resolveConfig(options as CeleriacOptions, readEnvironment({}))
const retained = (retain: unknown) => resolve({ retain }).retention
const day = 86_400_000

describe('retain', () => {
  test('is a week for what succeeded, a month for the rest, and a million of each task', () => {
    expect(resolve().retention).toEqual({
      ages: { succeeded: 7 * day, failed: 30 * day, cancelled: 30 * day, expired: 30 * day },
      count: 1_000_000,
    })
  })

  test.each([
    ['1d', { succeeded: day, failed: day, cancelled: day, expired: day }, 1_000_000],
    [5000, { succeeded: 5000, failed: 5000, cancelled: 5000, expired: 5000 }, 1_000_000],
    [
      { succeeded: '1h', count: 5 },
      { succeeded: 3_600_000, failed: 30 * day, cancelled: 30 * day, expired: 30 * day },
      5,
    ],
    [
      { failed: false, count: false },
      { succeeded: 7 * day, failed: null, cancelled: 30 * day, expired: 30 * day },
      null,
    ],
    [false, { succeeded: null, failed: null, cancelled: null, expired: null }, null],
  ])('%j', (given, ages, count) => {
    expect(retained(given)).toEqual({ ages, count })
  })

  test.each([
    [true, '"retain" must be a duration such as \'7d\', false, or an object'],
    [null, '"retain" must be a duration such as'],
    ['7 days', '"retain" must be 0, or a duration of at least 1000 ms'],
    [10, '"retain" must be 0, or a duration of at least 1000 ms'],
    [{ succeeded: '1ms' }, '"retain".succeeded must be 0, or a duration of at least 1000 ms'],
    [{ failed: true }, '"retain".failed must be 0, or a duration'],
    [{ count: 0 }, '"retain".count must be a whole number of 1 or more'],
    [{ suceeded: '1d' }, 'Did you mean "succeeded"?'],
  ])('%j is refused', (given, message) => {
    expect(() => retained(given)).toThrow(ConfigError)
    expect(() => retained(given)).toThrow(message)
  })

  test('of a task goes before that of the configuration, by name and by former name', () => {
    const task = defineTask({ retain: { succeeded: '1h' }, aliases: ['mail.post'], run() {} })
    const registry = createRegistry([{ name: 'mail.send', task, source: 'here' }])
    const config = resolve({ retain: { failed: '2d', count: 10 } })
    const book = toRetentionBook(() => registry, config)

    for (const name of ['mail.send', 'mail.post']) {
      expect(book.ofTask(name)).toEqual({
        ages: { succeeded: 3_600_000, failed: 2 * day, cancelled: 30 * day, expired: 30 * day },
        count: 10,
      })
    }
    expect(book.ofTask('mail.other')).toBeUndefined()
    expect(book.ofOthers).toBe(config.retention)
  })

  test('is something that processes agree on', () => {
    const differences = configDifferences(configHash(resolve()), configHash(resolve({ retain: '1d' })))

    expect(differences).toEqual(['retain'])
  })

  test('ends that are kept for the same time go together; those that stay are in no rule', () => {
    expect(toAgeRules(retained({ failed: '7d', expired: false }))).toEqual([
      { ageMs: 7 * day, states: ['failed', 'succeeded'] },
      { ageMs: 30 * day, states: ['cancelled'] },
    ])
  })
})
