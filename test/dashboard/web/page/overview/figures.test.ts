import { describe, expect, test } from 'vitest'
import { linksOf, partsOf } from '../../../../../src/dashboard/web/page/overview/attention.js'
import {
  endedIn,
  failureRates,
  tellThroughput,
  throughput,
} from '../../../../../src/dashboard/web/page/overview/figures.js'

const rates = { succeeded: 100, failed: 10, cancelled: 6, expired: 4 }

test('what ended has ended, whatever came of it', () => {
  expect(endedIn(rates)).toBe(120)
  expect(throughput('1h', rates)).toBe(2)
  expect(throughput('15m', rates)).toBe(8)
})

test.each([
  [0, '0'],
  [0.0231, '0.023'],
  [8.345, '8.3'],
  [99.4, '99'],
  [1204.4, '1,204'],
])('%d a minute are told as %s', (value, told) => {
  expect(tellThroughput(value)).toBe(told)
})

test('where nothing ended, nothing is known of failures', () => {
  expect(failureRates({ succeeded: [3, 0, 0], failed: [1, 0, 2] })).toEqual([0.25, null, 1])
})

describe('a cure', () => {
  test.each([
    ['Run: npx celeriac check', ['Run: ', '`npx celeriac check`']],
    [
      'Look: npx celeriac jobs list --task mail.send --state failed. Was something deployed?',
      ['Look: ', '`npx celeriac jobs list --task mail.send --state failed`', '. Was something deployed?'],
    ],
    ['Restart it.', ['Restart it.']],
    ['Run: npx celeriac worker -Q mail.', ['Run: ', '`npx celeriac worker -Q mail`', '.']],
  ])('%s', (cure, parts) => {
    expect(partsOf(cure).map(({ text, isCommand }) => (isCommand ? `\`${text}\`` : text))).toEqual(parts)
  })

  test('leads to what it is about', () => {
    expect(linksOf({ code: 'queue-unserved', queue: 'a/b' }).map(({ to }) => to)).toEqual(['/queues/a%2Fb'])
    expect(linksOf({ code: 'task-failing', task: 'mail.send' }).map(({ to }) => to)).toEqual([
      '/jobs?task=mail.send&state=failed&state=retrying&range=1h',
      '/tasks/mail.send',
    ])
    expect(linksOf({ code: 'store-away' })).toEqual([])
  })
})
