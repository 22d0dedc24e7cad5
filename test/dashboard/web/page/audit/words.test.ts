import { describe, expect, test } from 'vitest'
import type { Operation } from '../../../../../src/dashboard/api/contract.js'
import type { Json } from '../../../../../src/dashboard/web/api/json.js'
import {
  tellAffected,
  tellFrom,
  tellSaid,
  tellWorkers,
} from '../../../../../src/dashboard/web/page/audit/words.js'

const operation: Json<Operation> = {
  ...{ state: 'running', done: 300, matched: 900, isMore: false, counts: {} },
  movedAt: '2030-01-31T08:00:00Z',
  ...{ rate: null, endedAt: null, stoppedBy: null, error: null },
}

describe('to how many', () => {
  test.each([
    [{ verb: 'pause', affected: 2, operation: null }, '2 workers'],
    [{ verb: 'reset', affected: 1, operation: null }, '1 worker'],
    [{ verb: 'reveal', affected: 1, operation: null }, '1 job'],
    [{ verb: 'login', affected: null, operation: null }, ''],
    [
      { verb: 'retry', affected: 900, operation: { ...operation, state: 'done' as const, done: 900 } },
      '900 jobs',
    ],
    [{ verb: 'retry', affected: 900, operation }, 'running: 300 of 900'],
    [
      { verb: 'retry', affected: null, operation: { ...operation, isMore: true } },
      'running: 300 of 900 or more',
    ],
  ])('%j', (line, said) => {
    expect(tellAffected(line)).toBe(said)
  })
})

describe('where from', () => {
  test.each([
    ['http 10.0.0.7', 'over HTTP, 10.0.0.7'],
    ['http', 'over HTTP'],
    ['cli', 'command line'],
    ['a cron of ours', 'a cron of ours'],
    ['constructor', 'constructor'],
  ])('%s', (from, said) => {
    expect(tellFrom(from)).toBe(said)
  })
})

test.each([
  ['set', 'set'],
  [{ concurrency: 5, autoscale: null }, 'concurrency: 5, autoscale: none'],
  [{ paused: ['a', 'b'], queues: [] }, 'paused: a, b, queues: none'],
  [{ autoscale: { min: 1, max: 2 } }, 'autoscale: min: 1, max: 2'],
  [undefined, 'none'],
])('a worker said %j: %s', (value, said) => {
  expect(tellSaid(value)).toBe(said)
})

test('what workers came to is counted, and nobody is left out', () => {
  const all = ['replied', 'silent', 'replied', 'refused', 'asked'] as const
  expect(tellWorkers(all.map((came) => ({ came })))).toBe('2 replied, 1 refused, 1 silent, 1 asked')
  expect(tellWorkers([])).toBe('No worker was there to be asked')
})
