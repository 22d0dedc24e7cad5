import { describe, expect, test } from 'vitest'
import { bulkRights as rightsOfServer } from '../../../../src/control/access.js'
import {
  bulkRights,
  isClean,
  tellOutcomes,
  tellState,
  titleOf,
} from '../../../../src/dashboard/web/ui/operation-words.js'

const operation = {
  state: 'running',
  done: 25_000,
  matched: 100_000,
  isMore: false,
  counts: { retried: 24_990, unfit: 10 },
  rate: 2500,
  movedAt: '2026-11-29T10:00:10.000Z',
  endedAt: null,
  stoppedBy: null,
  error: null,
} as const

describe('an action on many jobs', () => {
  test('is titled by what is done to how many', () => {
    expect(titleOf('retry', operation)).toBe('Retry: 100,000 jobs')
    expect(titleOf('retry', { ...operation, isMore: true })).toBe('Retry: 100,000 or more jobs')
    expect(titleOf('promote', { ...operation, state: 'done', done: 1, matched: 7 })).toBe('Run now: 1 job')
  })

  test('tells what came of it, what was asked for first', () => {
    expect(tellOutcomes(operation.counts)).toEqual([
      '24,990 begun anew',
      '10 left alone, in another state by then',
    ])
    expect(tellOutcomes({})).toEqual([])
  })

  test('tells how long it takes from how fast it goes', () => {
    expect(tellState(operation)).toMatch(/^About 30 s left\. /)
  })

  test.each([
    ['it has just begun', { rate: null }],
    ['nobody knows how many there are', { isMore: true }],
    ['it does not run', { state: 'stopped' }],
  ] as const)('tells no time when %s', (_, change) => {
    expect(tellState({ ...operation, ...change })).not.toMatch(/left\. /)
  })

  test('tells who stopped it, and why it could not go on', () => {
    expect(tellState({ ...operation, state: 'stopped', stoppedBy: 'ann' })).toMatch(
      /^It was stopped by ann\. /,
    )
    expect(tellState({ ...operation, state: 'failed', error: 'The store is away' })).toMatch(
      /^It could not go on: The store is away\. /,
    )
  })

  test.each([
    [{ state: 'done', counts: { retried: 3 } }, true],
    [{ state: 'done', counts: { retried: 3, unfit: 1 } }, false],
    [{ state: 'stopped', counts: { retried: 3 } }, false],
  ] as const)('%j is clean: %s', (told, clean) => {
    expect(isClean(told)).toBe(clean)
  })
})

// The pages share no code with the server but pure parts of jobs, so that they have a table of their own.
test('pages offer what the server allows', () => {
  expect(bulkRights).toEqual(rightsOfServer)
})
