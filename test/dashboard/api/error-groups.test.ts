import { describe, expect, test } from 'vitest'
import { groupErrors, toPattern } from '../../../src/dashboard/api/error-groups.js'

describe('what differs from one failure to the next is taken out of a message', () => {
  test.each([
    ['Timed out after 3000 ms', 'Timed out after # ms'],
    ['1,204.50 of 2,000 rows were read', '# of # rows were read'],
    ['User 018f3a2b-7c1d-7e00-9a3b-5f6e7d8c9b0a is gone', 'User <id> is gone'],
    ['No such key: 5d41402abc4b2a76b9719d911017c592', 'No such key: <id>'],
    ['charge ch_3OqZ9k2eZvKYlo2C0abc was declined', 'charge <id> was declined'],
    ['Unknown column "total" in "orders"', 'Unknown column "…" in "…"'],
    [
      "Cannot read properties of undefined (reading 'id')",
      "Cannot read properties of undefined (reading '…')",
    ],
    ["The server can't be reached, and won't be", "The server can't be reached, and won't be"],
    ['`price` must be positive', '`…` must be positive'],
    ['ann.smith+1@example.org has no mailbox', '<address> has no mailbox'],
    ['connect ECONNREFUSED 10.0.12.7:5432', 'connect ECONNREFUSED <address>'],
    ['connect ECONNREFUSED ::1:6379', 'connect ECONNREFUSED <address>'],
    ['connect ECONNREFUSED fe80::1ff:fe23:4567:890a', 'connect ECONNREFUSED <address>'],
    ['GET https://api.example.org/v2/users/42?x=1 answered 503', 'GET <url> answered #'],
    ['Status: active', 'Status: active'],
    ['two\n  lines', 'two lines'],
    ['', ''],
  ])('%s', (message, pattern) => {
    expect(toPattern(message)).toBe(pattern)
  })

  test('and the rest is cut, where it is long', () => {
    expect(toPattern('word '.repeat(1000))).toHaveLength(301)
  })

  test.each([
    ['letters', 'a'.repeat(1_000_000)],
    ['quotes', '"\''.repeat(500_000)],
    ['digits and dots', '1.'.repeat(500_000)],
    ['colons', 'a:'.repeat(500_000)],
    ['at signs', 'a@'.repeat(500_000)],
    ['dashes', 'a1-_'.repeat(250_000)],
  ])('a hostile message of %s takes no time', (_what, message) => {
    const from = performance.now()
    toPattern(message)
    expect(performance.now() - from).toBeLessThan(200)
  })

  test('a hostile message of dashes takes not much longer than one of words', () => {
    const [dashes, words] = ['a-', 'a '].map((part) => quickest(part.repeat(5000)))

    expect(dashes).toBeLessThan((words ?? 0) * 12)
  })

  function quickest(message: string): number {
    const times = Array.from({ length: 50 }, () => {
      const from = performance.now()
      toPattern(message)
      return performance.now() - from
    })
    return Math.min(...times)
  }

  test('a long token without a digit is a word', () => {
    expect(toPattern('failed-precondition-of-a-call for abcdefgh-ijklmnop-1')).toBe(
      'failed-precondition-of-a-call for <id>',
    )
  })
})

test('failures are grouped by the name of the error and its pattern, the most frequent first', () => {
  const failed = (id: string, name: string, message: string, minute: number) => ({
    ...{
      id,
      error: { name, message },
      startedAt: null,
      finishedAt: new Date(Date.UTC(2030, 0, 1, 0, minute)),
    },
  })

  expect(
    groupErrors([
      failed('5', 'TypeError', 'no row 7', 5),
      failed('4', 'TimeoutError', 'after 31 ms', 4),
      failed('3', 'TimeoutError', 'after 30 ms', 3),
      failed('2', 'Error', 'no row 7', 2),
      { id: '1', error: null, startedAt: null, finishedAt: new Date() },
    ]),
  ).toEqual([
    {
      ...{ name: 'TimeoutError', message: 'after # ms', count: 2, retrying: 0, jobId: '4' },
      lastAt: new Date(Date.UTC(2030, 0, 1, 0, 4)),
    },
    expect.objectContaining({ name: 'TypeError', count: 1 }),
    expect.objectContaining({ name: 'Error', count: 1 }),
  ])
})

test('jobs that are retried are among the failures of their kind, and counted apart', () => {
  const at = (minute: number) => new Date(Date.UTC(2030, 0, 1, 0, minute))
  const error = { name: 'Error', message: 'no row 7' }

  expect(
    groupErrors([
      { id: 'failed', error, startedAt: at(1), finishedAt: at(3) },
      { id: 'retried', error, startedAt: at(5), finishedAt: null },
      { id: 'early', error, startedAt: at(2), finishedAt: null },
      { id: 'fresh', error: null, startedAt: null, finishedAt: null },
    ]),
  ).toEqual([{ name: 'Error', message: 'no row #', count: 3, retrying: 2, lastAt: at(5), jobId: 'retried' }])
})
