import { describe, expect, test } from 'vitest'
import { groupsOf, linksOf, partsOf } from '../../../../../src/dashboard/web/page/overview/attention.js'
import { endedIn, failureRates } from '../../../../../src/dashboard/web/page/overview/figures.js'

const rates = { succeeded: 100, failed: 10, cancelled: 6, expired: 4 }

test('what ended has ended, whatever came of it', () => {
  expect(endedIn(rates)).toBe(120)
})

test('where nothing ended, nothing is known of failures', () => {
  expect(failureRates({ succeeded: [3, 0, 0, 1], failed: [1, 0, 2, 0], retried: [0, 0, 1, 3] })).toEqual([
    0.25,
    null,
    1,
    0.75,
  ])
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

describe('what is wrong', () => {
  const away = { code: 'broker-away' as const, message: 'The broker does not answer.', cure: 'See.' }
  const unserved = (count: number) =>
    Array.from({ length: count }, (_, at) => ({
      ...{ code: 'queue-unserved' as const, queue: `q${at}` },
      ...{ message: `Jobs wait in queue "q${at}".`, cure: 'Run one.' },
    }))

  test('with a few is told of each', () => {
    expect(groupsOf([away, ...unserved(3)]).map(({ title, problems }) => [title, problems.length])).toEqual(
      Array.from({ length: 4 }, () => [undefined, 1]),
    )
  })

  test('with many alike is one thing, and what else there is stays to be seen', () => {
    const groups = groupsOf([...unserved(100), away])

    expect(groups).toEqual([
      {
        title: 'Jobs wait in 100 queues, and no live worker serves them.',
        problems: unserved(100),
      },
      { title: undefined, problems: [away] },
    ])
  })
})
