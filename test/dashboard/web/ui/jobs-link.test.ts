import { describe, expect, test } from 'vitest'
import { jobsLink, linkToArgs } from '../../../../src/dashboard/web/ui/jobs-link.js'

const said = (link: string | undefined) => link && decodeURIComponent(link.replaceAll('+', ' '))

describe('a link to the jobs that an action meant', () => {
  test.each([
    [{ ids: ['a', 'b'] }, '/jobs?id=a&id=b'],
    [
      { filter: { state: 'failed', task: ['mail.send', 'a.b'] } },
      '/jobs?state=failed&task=mail.send&task=a.b&range=all',
    ],
    [
      { filter: { minDuration: 1500, maxDuration: '1h' } },
      '/jobs?minDuration=1500ms&maxDuration=1h&range=all',
    ],
    [{ filter: { query: 'a or b' } }, '/jobs?query=a or b&range=all'],
    [
      { filter: { query: 'a or b', createdAfter: '24h', finishedBefore: '2026-11-01T10:00:00.000Z' } },
      '/jobs?query=(a or b) created>=24h ended<2026-11-01T10:00:00.000Z&range=all',
    ],
    [
      { filter: { errorName: 'TypeError', error: 'socket "hang" up', text: 'state:x', minAttempts: 3 } },
      '/jobs?query=error.name:TypeError error:"socket \\"hang\\" up" "state:x" attempts>=3&range=all',
    ],
    [{ filter: {} }, undefined],
    [{}, undefined],
    [null, undefined],
    ['all', undefined],
  ])('%j', (args, link) => {
    expect(said(linkToArgs(args))).toBe(link)
  })
})

test('what is not said stands in no link', () => {
  expect(jobsLink({})).toBe('/jobs')
  expect(jobsLink({ state: ['failed'], range: '1h' })).toBe('/jobs?state=failed&range=1h')
})
