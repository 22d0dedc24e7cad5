import { describe, expect, test } from 'vitest'
import { afterFailure } from '../../src/job/failure.js'
import { retryDelayMs } from '../../src/job/retry.js'

const plain = { name: 'Error', message: 'no luck' }
const fixed = { type: 'fixed', delayMs: 100, maxMs: 1000, jitter: 0 } as const
const doubling = { ...fixed, type: 'exponential' } as const

describe('after a failed attempt', () => {
  test.each([
    ['the first of three is tried again', 0, plain, { retryInMs: 100 }],
    ['the second of three is tried again', 1, plain, { retryInMs: 100 }],
    ['the third of three is the last', 2, plain, { giveUp: true }],
    ['GiveUp is final', 0, { ...plain, name: 'GiveUp', code: 'GIVE_UP' }, { giveUp: true }],
    [
      'a payload that no longer fits is final',
      0,
      { ...plain, name: 'PayloadInvalidError', code: 'PAYLOAD_INVALID' },
      { giveUp: true },
    ],
    ['a code alone is not', 0, { ...plain, code: 'GIVE_UP' }, { retryInMs: 100 }],
  ])('%s', (_, failures, error, expected) => {
    expect(afterFailure(failures, error, { attempts: 3, backoff: fixed }, 0)).toEqual(expected)
  })
})

describe('the wait before the next attempt', () => {
  test.each([
    ['stays the same', fixed, 5, 0, 100],
    ['doubles from failure to failure', doubling, 3, 0, 400],
    ['stops at its cap', doubling, 10, 0, 1000],
    ['does not overflow after a thousand failures', doubling, 1000, 0, 1000],
    ['is anything down to nothing with full jitter', { ...fixed, jitter: 1 }, 1, 1, 0],
    ['keeps its fixed part with half a jitter', { ...fixed, jitter: 0.5 }, 1, 1, 50],
  ])('%s', (_, backoff, failures, random, expected) => {
    expect(retryDelayMs(backoff, failures, random)).toBe(expected)
  })
})
