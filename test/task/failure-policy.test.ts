import { describe, expect, test } from 'vitest'
import { readEnvironment } from '../../src/config/env.js'
import { resolveConfig } from '../../src/config/resolve.js'
import { type JobDefaults, toNewJob } from '../../src/enqueue/job-row.js'
import { ConfigError, EnqueueOptionError, TimeLimitError } from '../../src/errors.js'
import { longestMs } from '../../src/job/duration.js'
import { defineTask, definitionOf } from '../../src/task/define.js'

const environment = readEnvironment({})
const define = (options: object) => defineTask({ run() {}, ...options } as unknown as () => void)
const fail = () => {
  throw new Error('no')
}

describe('backoff', () => {
  const half = { jitter: 0.5, maxMs: 60_000 }

  test.each([
    [
      'a list',
      ['1s', 10_000, '5m'],
      { type: 'list', delaysMs: [1000, 10_000, 300_000], maxMs: longestMs, jitter: 0 },
    ],
    [
      'a list with bounds',
      { delay: ['1s'], jitter: 0.5, max: '1m' },
      { type: 'list', delaysMs: [1000], ...half },
    ],
    ['a function', fail, { type: 'function', delayOf: fail, maxMs: longestMs, jitter: 0 }],
    [
      'a function with bounds',
      { delay: fail, jitter: 0.5, max: '1m' },
      { type: 'function', delayOf: fail, ...half },
    ],
    ['doubling', { type: 'exponential' }, { type: 'exponential', delayMs: 1000, maxMs: 600_000, jitter: 1 }],
  ])('may be %s, for a task and for all tasks', (_, backoff, resolved) => {
    expect(definitionOf(define({ backoff })).backoff).toEqual(resolved)
    expect(resolveConfig({ backoff } as never, environment).backoff).toEqual(resolved)
  })

  test.each<[unknown, string]>([
    [[], '"backoff" of defineTask takes 1 to 1000 delays, and got 0.'],
    [Array(1001).fill(1), 'takes 1 to 1000 delays, and got 1001.'],
    [['1s', 'soon'], '"backoff" of defineTask[1] must be a duration'],
    [['1s', Number.NaN], '"backoff" of defineTask[1] must be a duration'],
    [{ delay: ['1s', -1] }, '"backoff" of defineTask.delay[1] must be a duration'],
    [{ type: 'fixed', delay: ['1s'] }, 'takes no "type" beside a list of delays or a function'],
    [{ type: 'fixed', delay: fail }, 'takes no "type" beside a list of delays or a function'],
    [{ delay: ['1s'], jitter: 2 }, 'a number from 0 to 1'],
    [{ delay: fail, max: 'soon' }, '"backoff" of defineTask.max must be a duration'],
    [{ delay: fail, dely: 1 }, 'Did you mean "delay"?'],
    [{ delay: '5s' }, "must be 'fixed' or 'exponential'"],
    [null, 'takes an object with options'],
    ['1s', 'takes an object with options'],
  ])('%j is refused', (backoff, message) => {
    expect(() => define({ backoff })).toThrow(ConfigError)
    expect(() => define({ backoff })).toThrow(message)
  })

  test("a call's own is kept in the row, complete", () => {
    expect(JSON.parse(rowWith({ backoff: ['1s', '5m'] }).options ?? '')).toEqual({
      backoff: { type: 'list', delaysMs: [1000, 300_000], maxMs: longestMs, jitter: 0 },
    })
  })

  test.each([[fail], [{ delay: fail }]])(
    "a call's own is no function, for a row cannot keep it",
    (backoff) => {
      expect(() => rowWith({ backoff })).toThrow(EnqueueOptionError)
      expect(() => rowWith({ backoff })).toThrow(
        '"backoff" must be an object or a list of delays: a function is for a task or the configuration, and is a function.',
      )
    },
  )
})

describe('retryOn and giveUpOn', () => {
  test('one is a list of one', () => {
    const { retryOn, giveUpOn } = definitionOf(define({ retryOn: TimeLimitError, giveUpOn: ['E', fail] }))

    expect(retryOn).toEqual([TimeLimitError])
    expect(giveUpOn).toEqual(['E', fail])
  })

  test.each([[404], [''], [[]], [[undefined]], [{}], [null], [[Error, 5]], [/x/]])(
    '%j is refused',
    (match) => {
      expect(() => define({ retryOn: match })).toThrow(ConfigError)
      expect(() => define({ giveUpOn: match })).toThrow(
        /an error class, a code, a function, or a list of them/,
      )
    },
  )
})

describe('hooks', () => {
  test.each([
    [{ onFailure: 'log it' }, '"onFailure" of defineTask must be a function, and is "log it".'],
    [{ onSucces: fail }, 'Did you mean "onSuccess"?'],
  ])('of a task: %j is refused', (options, message) => {
    expect(() => define(options)).toThrow(ConfigError)
    expect(() => define(options)).toThrow(message)
  })

  test.each([
    [{ onFailure: 'log it' }, '"hooks.onFailure" must be a function, and is "log it".'],
    [{ onSucces: fail }, 'Did you mean "onSuccess"?'],
    [fail, '"hooks" takes an object with options, and got a function.'],
  ])('of the app: %j is refused', (hooks, message) => {
    const resolve = () => resolveConfig({ hooks } as never, environment)

    expect(resolve).toThrow(ConfigError)
    expect(resolve).toThrow(message)
  })
})

function rowWith(options: object) {
  const defaults = { task: 't', queue: 'q', priority: 0, attempts: 1, redact: [] } as unknown as JobDefaults
  const origin = { owner: null, requestId: null, traceparent: null }
  return toNewJob('{}', options, defaults, origin as never)
}
