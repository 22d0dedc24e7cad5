import { expect, test } from 'vitest'
import { toRates } from '../../../src/dashboard/api/rates.js'
import { noTally } from '../../../src/job/tally.js'

test.each([
  ['nothing was tried', {}, null],
  ['each attempt of a job failed, and another follows', { retried: 30 }, 1],
  ['a job failed after three retries', { retried: 3, failed: 1 }, 1],
  ['attempts succeeded as well', { succeeded: 6, retried: 3, failed: 1 }, 0.4],
])('the failure rate counts attempts: %s', (_, tally, rate) => {
  expect(toRates({ ...noTally, ...tally }).failureRate).toBe(rate)
})
