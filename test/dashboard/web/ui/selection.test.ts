import { expect, test } from 'vitest'
import { toggledRange } from '../../../../src/dashboard/web/ui/selection.js'

const ids = ['a', 'b', 'c', 'd', 'e']

test.each([
  ['from one to another', 'b', 'd', true, [], 'bcd'],
  ['backwards', 'd', 'b', true, ['d'], 'bcd'],
  ['beside what is ticked already', 'a', 'b', true, ['e'], 'abe'],
  ['off again', 'b', 'd', false, ['a', 'b', 'c', 'd'], 'a'],
  ['the first of all', undefined, 'c', true, [], 'c'],
  ['after one that is gone', 'z', 'c', true, ['a'], 'ac'],
])('ticks %s', (_, from, to, isChecked, selected, ticked) => {
  const next = toggledRange(ids, new Set(selected), { from, to, isChecked })

  expect([...next].sort().join('')).toBe(ticked)
})
