import { describe, expect, test } from 'vitest'
import { linksOf, partsOf } from '../../../../../src/dashboard/web/page/overview/attention.js'
import { endedIn, failureRates } from '../../../../../src/dashboard/web/page/overview/figures.js'

const rates = { succeeded: 100, failed: 10, cancelled: 6, expired: 4 }

test('what ended has ended, whatever came of it', () => {
  expect(endedIn(rates)).toBe(120)
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
