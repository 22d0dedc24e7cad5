import { describe, expect, test } from 'vitest'
import type { Backoff } from '../../../../../src/dashboard/api/contract.js'
import { tellBackoff, tellRetention } from '../../../../../src/dashboard/web/page/tasks/option-words.js'

const backoff = (change: Partial<Backoff>): Backoff => ({
  ...{ type: 'fixed', delaysMs: [1000], maxMs: 600_000, jitter: 0 },
  ...change,
})

test.each<[Backoff | null, string]>([
  [null, 'not known here'],
  [backoff({}), '1.0 s each time'],
  [
    backoff({ type: 'exponential', jitter: 1 }),
    'from 1.0 s, doubled each time, at most 10 min, shorter by up to 100 % at random',
  ],
  [backoff({ type: 'list', delaysMs: [1000, 60_000] }), '1.0 s, 1 min'],
  [backoff({ type: 'function', delaysMs: [] }), 'a function of the app decides'],
])('backoff %j', (given, told) => {
  expect(tellBackoff(given)).toBe(told)
})

describe('finished jobs are kept', () => {
  test.each([
    [{}, 'as the configuration says'],
    [{ succeeded: 86_400_000, failed: 86_400_000 }, '1 d'],
    [{ succeeded: 0, failed: null }, 'succeeded not at all, failed for ever'],
  ])('%j', (retention, told) => {
    expect(tellRetention(retention)).toBe(told)
  })
})
