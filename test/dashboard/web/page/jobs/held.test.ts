import { expect, test } from 'vitest'
import { hold } from '../../../../../src/dashboard/web/page/jobs/held.js'

/** The newest first: those of later letters. */
const isBefore = (one: { readonly id: string }, other: { readonly id: string }) => one.id > other.id
const rows = (ids: string, state = 'queued') => [...ids].map((id) => ({ id, state }))

test.each([
  ['nothing happened', 'cba', 'cba', { ids: 'cba', gone: '', fresh: 0 }],
  ['new ones came, and push nothing', 'cba', 'edcba', { ids: 'cba', gone: '', fresh: 2 }],
  [
    'new ones fill the page: what they pushed out is not gone',
    'cba',
    'edc',
    { ids: 'cba', gone: '', fresh: 2 },
  ],
  ['one no longer matches', 'cba', 'ca', { ids: 'cba', gone: 'b', fresh: 0 }],
  ['the last no longer matches, and there is room', 'cba', 'cb', { ids: 'cba', gone: 'a', fresh: 0 }],
  ['one no longer matches, and another came', 'cba', 'dca', { ids: 'cba', gone: 'b', fresh: 1 }],
  ['all are new', 'cba', 'fed', { ids: 'cba', gone: '', fresh: 3 }],
  ['none matches any more', 'cba', '', { ids: 'cba', gone: 'abc', fresh: 0 }],
  [
    'none matches any more, and older ones fill the page',
    'fed',
    'cba',
    { ids: 'fed', gone: 'def', fresh: 3 },
  ],
  [
    'some go on to match no more, and older ones fill the page',
    'fed',
    'dcb',
    { ids: 'fed', gone: 'ef', fresh: 2 },
  ],
])('%s', (_, shown, latest, expected) => {
  const held = hold(rows(shown), rows(latest, 'running'), isBefore)

  expect({
    ids: held.rows.map(({ id }) => id).join(''),
    gone: [...held.gone].sort().join(''),
    fresh: held.fresh,
  }).toEqual(expected)
  for (const { id, state } of held.rows) expect(state).toBe(latest.includes(id) ? 'running' : 'queued')
})

test('where the order is not known, a row without one that is still there behind it counts as pushed out', () => {
  expect([...hold(rows('fed'), rows('cba')).gone]).toEqual([])
  expect([...hold(rows('fed'), rows('dba')).gone]).toEqual(['f', 'e'])
})
