import { describe, expect, test } from 'vitest'
import {
  CeleriacError,
  GiveUp,
  PayloadInvalidError,
  Retry,
  Snooze,
  TimeLimitError,
} from '../../src/errors.js'
import type { ErrorMatch } from '../../src/job/error-match.js'
import { afterFailure, type FailureRules, isAsking, noRules, toThrown } from '../../src/job/failure.js'
import { type ComputedBackoff, computedDelayMs, retryDelayMs } from '../../src/job/retry.js'

const bounds = { maxMs: 1000, jitter: 0 } as const
const fixed = { ...bounds, type: 'fixed', delayMs: 100 } as const
const doubling = { ...fixed, type: 'exponential' } as const
const listed = { ...bounds, type: 'list', delaysMs: [10, 200, 5000] } as const

class NetworkError extends Error {}
class GoneError extends NetworkError {}
const refused = Object.assign(new Error('refused'), { code: 'ECONNREFUSED' })

describe('what was thrown', () => {
  test.each<[string, unknown, string, number | undefined]>([
    ['an error has failed the attempt', new Error('no luck'), 'failed', undefined],
    ['so has anything else', 'no luck', 'failed', undefined],
    ['GiveUp is final', new GiveUp('enough'), 'final', undefined],
    ['a payload that no longer fits is final', new PayloadInvalidError('t', []), 'final', undefined],
    ['Retry asks for another attempt', new Retry({ after: '5m' }), 'again', 300_000],
    ['Retry without a time leaves it to the backoff', new Retry(), 'failed', undefined],
    [
      'Retry with no time at all leaves it to the backoff',
      new Retry({ after: Number.NaN }),
      'failed',
      undefined,
    ],
    ['Snooze has not failed', new Snooze('5m'), 'snoozed', 300_000],
    ['Snooze without a duration has failed', new Snooze('soon' as never), 'failed', undefined],
    [
      'a code of ours alone says nothing',
      Object.assign(new Error(), { code: 'GIVE_UP' }),
      'failed',
      undefined,
    ],
  ])('%s', (_, thrown, kind, afterMs) => {
    expect(toThrown(thrown, noRules, 0, 0)).toMatchObject({
      kind,
      ...(afterMs === undefined ? {} : { afterMs }),
    })
  })

  test('errors of ours are known by name and code, so that two installed copies understand each other', () => {
    const ofAnotherCopy = Object.assign(new Error('later'), { name: 'Snooze', code: 'SNOOZE', after: '2s' })

    expect(toThrown(ofAnotherCopy, noRules, 0, 0)).toMatchObject({ kind: 'snoozed', afterMs: 2000 })
  })

  test('the mistake of a Snooze or a Retry is told', () => {
    const snooze = toThrown(new Snooze(Number.NaN), noRules, 0, 0)
    const retry = toThrown(new Retry({ after: 'soon' as never }), noRules, 0, 0)

    expect(snooze.error.message).toBe("Snooze takes a duration such as '5m', and got NaN.")
    expect(retry.warnings).toEqual(['"after" of Retry must be a duration such as \'5m\', and is "soon".'])
  })

  test('a Retry tells what led to it', () => {
    const { error } = toThrown(new Retry({ after: '1s', cause: refused }), noRules, 0, 0)

    expect(error.message).toBe('refused')
    expect(error.stack).toContain('Caused by: Error: refused')
  })

  test('it is plain data, so that it can cross from another thread', () => {
    const rules = { ...noRules, backoff: computed(() => '2s') }
    const judged = toThrown(new Retry({ after: '1s', cause: refused }), rules, 0, 0)

    expect(structuredClone(judged)).toEqual(judged)
  })

  test.each([
    ['Snooze', new Snooze('1s'), true],
    ['GiveUp', new GiveUp('no'), true],
    ['Retry', new Retry(), true],
    ['an error', new Error('no'), false],
    ['nothing', undefined, false],
  ])('whether %s says what is to follow', (_, thrown, expected) => {
    expect(isAsking(thrown)).toBe(expected)
  })
})

describe('retryOn and giveUpOn', () => {
  test.each<[string, Partial<FailureRules>, unknown, 'failed' | 'final']>([
    ['an error of the class is tried again', { retryOn: [NetworkError] }, new NetworkError(), 'failed'],
    ['so is one of a class that extends it', { retryOn: [NetworkError] }, new GoneError(), 'failed'],
    ['what is not named is given up', { retryOn: [NetworkError] }, new Error(), 'final'],
    ['by code', { retryOn: ['ECONNREFUSED'] }, refused, 'failed'],
    ['by the code of a cause', { retryOn: ['ECONNREFUSED'] }, new Error('x', { cause: refused }), 'failed'],
    ['another code', { retryOn: ['ETIMEDOUT'] }, refused, 'final'],
    ['by predicate', { retryOn: [(error) => error === 'busy'] }, 'busy', 'failed'],
    ['by a predicate that says no', { retryOn: [() => false] }, 'busy', 'final'],
    ['a predicate must say true', { retryOn: [(() => 'yes') as never] }, 'busy', 'final'],
    ['one of a list is enough', { retryOn: ['E', NetworkError, () => false] }, new GoneError(), 'failed'],
    ['giveUpOn alone leaves all else', { giveUpOn: [NetworkError] }, new Error(), 'failed'],
    ['giveUpOn ends the job', { giveUpOn: [NetworkError] }, new GoneError(), 'final'],
    [
      'giveUpOn goes before retryOn',
      { giveUpOn: [GoneError], retryOn: [NetworkError] },
      new GoneError(),
      'final',
    ],
    ['errors of ours can be named', { retryOn: [TimeLimitError] }, new TimeLimitError(5), 'failed'],
    ['also by the class of all of ours', { giveUpOn: [CeleriacError] }, new TimeLimitError(5), 'final'],
    ['what is no error is none of a class', { retryOn: [Error] }, null, 'final'],
  ])('%s', (_, rules, thrown, kind) => {
    expect(toThrown(thrown, { ...noRules, ...rules }, 0, 0).kind).toBe(kind)
  })

  test('what a task asks for by GiveUp, Retry and Snooze goes before both', () => {
    const rules = { ...noRules, giveUpOn: [Error], retryOn: [Error] }

    expect(toThrown(new Snooze('1s'), rules, 0, 0).kind).toBe('snoozed')
    expect(toThrown(new Retry({ after: '1s' }), rules, 0, 0).kind).toBe('again')
    expect(toThrown(new GiveUp('no'), { ...rules, giveUpOn: [] }, 0, 0).kind).toBe('final')
  })

  test('a class of another copy is known by its name, whether it sets it or not', () => {
    const other = {
      NetworkError: class NetworkError extends Error {},
      GoneError: class GoneError extends Error {
        override name = 'NetworkError'
      },
    }

    expect(matches([NetworkError], new other.NetworkError())).toBe(true)
    expect(matches([NetworkError], new other.GoneError())).toBe(true)
    expect(matches([NetworkError], new Error('NetworkError'))).toBe(false)
  })

  test('names as short as a minifier makes them tell nothing', () => {
    const one = { t: class t extends Error {} }
    const other = { t: class t extends Error {} }

    expect(matches([one.t], new one.t())).toBe(true)
    expect(matches([one.t], new other.t())).toBe(false)
  })

  test('a predicate that throws is reported, and counts as no match', () => {
    const judged = toThrown(new Error('no'), { ...noRules, retryOn: [broken] }, 0, 0)

    expect(judged.kind).toBe('final')
    expect(judged.warnings).toEqual([
      'A function in "retryOn" threw, and counts as no match: the predicate is broken',
    ])
  })

  test.each<[string, unknown]>([
    [
      'getters that throw',
      Object.defineProperties(new Error('x'), thrower('name', 'code', 'cause', 'message')),
    ],
    ['a revoked proxy', revoked()],
    ['a proxy that throws', new Proxy({}, { getPrototypeOf: fail, get: fail, has: fail })],
    ['a cause that is itself', circular()],
    ['a symbol', Symbol('x')],
    ['a function', () => {}],
    ['nothing', undefined],
  ])('%s can be thrown, and is no match', (_, thrown) => {
    expect(matches([NetworkError, 'CODE'], thrown)).toBe(false)
  })

  test('a class that throws when it is asked for its instances is no match', () => {
    class Odd extends Error {
      static override [Symbol.hasInstance](): boolean {
        throw new Error('do not ask')
      }
    }

    expect(matches([Odd], new Error('x'))).toBe(false)
  })

  function matches(retryOn: readonly ErrorMatch[], thrown: unknown): boolean {
    return toThrown(thrown, { ...noRules, retryOn }, 0, 0).kind === 'failed'
  }
})

describe('after a failed attempt', () => {
  test.each([
    ['the first of three is tried again', 0, new Error(), { retryInMs: 100 }],
    ['the second of three is tried again', 1, new Error(), { retryInMs: 100 }],
    ['the third of three is the last', 2, new Error(), { giveUp: true }],
    ['GiveUp is final', 0, new GiveUp('no'), { giveUp: true }],
    ['Retry says when', 1, new Retry({ after: '5m' }), { retryInMs: 300_000 }],
    ['Retry costs an attempt', 2, new Retry({ after: '5m' }), { giveUp: true }],
    ['Snooze costs none', 2, new Snooze('5m'), { snoozeMs: 300_000 }],
    ['Snooze may say why', 0, new Snooze('1s', 'closed'), { snoozeMs: 1000, reason: 'closed' }],
  ])('%s', (_, failures, thrown, expected) => {
    const judged = toThrown(thrown, noRules, failures, 0)

    expect(afterFailure(failures, judged, { attempts: 3, backoff: fixed }, 0)).toEqual(expected)
  })

  test('the wait is what a backoff function gives, by failures so far and what was thrown', () => {
    const asked: unknown[] = []
    const backoff = computed((failures, error) => {
      asked.push(failures, error)
      return '2s'
    })
    const judged = toThrown(refused, { ...noRules, backoff }, 1, 0)

    expect(afterFailure(1, judged, { attempts: 3, backoff: fixed }, 0)).toEqual({ retryInMs: 2000 })
    expect(asked).toEqual([2, refused])
  })

  test.each<[string, unknown, string]>([
    ['NaN', Number.NaN, 'it gave NaN, and no duration'],
    ['less than nothing', -1, 'it gave -1, and no duration'],
    ['text that is none', 'soon', 'it gave "soon", and no duration'],
    ['nothing', undefined, 'it gave undefined, and no duration'],
    ['a promise', Promise.resolve('1s'), 'it gave a promise, and no duration'],
    ['what lasts for ever', Number.POSITIVE_INFINITY, 'it gave Infinity, and no duration'],
  ])(
    'of a backoff function that gives %s the default takes the place, with a warning',
    (_, given, reason) => {
      const rules = { ...noRules, backoff: computed(() => given) }

      expect(toThrown(new Error('no'), rules, 1, 0.5)).toMatchObject({
        afterMs: 1000,
        warnings: [`The backoff function failed, and the default backoff is used: ${reason}`],
      })
    },
  )

  test('so it does of one that throws', () => {
    const { afterMs, warnings } = toThrown(new Error('no'), { ...noRules, backoff: computed(broken) }, 0, 0)

    expect(afterMs).toBe(1000)
    expect(warnings?.[0]).toContain('the predicate is broken')
  })

  test('a backoff function is not asked where no attempt follows', () => {
    const rules = { ...noRules, giveUpOn: [Error], backoff: computed(broken) }

    expect(toThrown(new Error('no'), rules, 0, 0)).not.toHaveProperty('warnings')
    expect(toThrown(new Snooze('1s'), rules, 0, 0)).not.toHaveProperty('warnings')
  })
})

describe('the wait before the next attempt', () => {
  test.each([
    ['stays the same', fixed, 5, 0, 100],
    ['doubles from failure to failure', doubling, 3, 0, 400],
    ['stops at its cap', doubling, 10, 0, 1000],
    ['does not overflow after a thousand failures', doubling, 1000, 0, 1000],
    ['goes through a list', listed, 2, 0, 200],
    ['is capped in a list, too', listed, 3, 0, 1000],
    ['repeats the last of a list', listed, 50, 0, 1000],
    ['is anything down to nothing with full jitter', { ...fixed, jitter: 1 }, 1, 1, 0],
    ['keeps its fixed part with half a jitter', { ...fixed, jitter: 0.5 }, 1, 1, 50],
    ['takes jitter from a list, too', { ...listed, jitter: 0.5 }, 1, 1, 5],
  ])('%s', (_, backoff, failures, random, expected) => {
    expect(retryDelayMs(backoff, failures, random)).toBe(expected)
  })

  test('of a function is capped, and takes jitter', () => {
    expect(
      computedDelayMs(
        computed(() => '1h'),
        1,
        null,
        1,
      ),
    ).toBe(10_000)
    expect(computedDelayMs({ ...computed(() => 100), jitter: 0.5 }, 1, null, 1)).toBe(50)
  })
})

function computed(delayOf: ComputedBackoff['delayOf']): ComputedBackoff {
  return { type: 'function', delayOf, maxMs: 10_000, jitter: 0 }
}

function broken(): never {
  throw new Error('the predicate is broken')
}

function fail(): never {
  throw new Error('do not look')
}

function thrower(...names: string[]): PropertyDescriptorMap {
  return Object.fromEntries(names.map((name) => [name, { get: fail }]))
}

function revoked(): unknown {
  const { proxy, revoke } = Proxy.revocable({}, {})
  revoke()
  return proxy
}

function circular(): unknown {
  const error = new Error('round')
  error.cause = error
  return error
}
