import { expect, test } from 'vitest'
import { tellHeard } from '../../../../src/dashboard/web/ui/answer.js'

const one = { id: '1', name: 'mail@one' }
const two = { id: '2', name: 'mail@two' }
const said = (worker: typeof one) => ({ worker, value: 'set' })

test.each([
  ['nobody was there', [], [], [], 'No worker runs; those that start later begin with it.'],
  ['one knows', [said(one)], [], [], 'The one worker knows.'],
  ['all know', [said(one), said(two)], [], [], 'All 2 workers know.'],
  [
    'one is silent',
    [said(one)],
    [],
    [two],
    '1 of 2 workers know. Not heard of yet: mail@two; it holds for them, too.',
  ],
  [
    'one refused',
    [],
    [{ worker: one, reason: 'no' }],
    [],
    '0 of 1 workers know. Not heard of yet: mail@one; it holds for them, too.',
  ],
])('%s', (_, replies, refused, silent, told) => {
  expect(tellHeard({ command: 'c', replies, refused, silent })).toBe(told)
})
