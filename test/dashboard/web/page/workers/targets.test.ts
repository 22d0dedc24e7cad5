import { expect, test } from 'vitest'
import { targetsOf } from '../../../../../src/dashboard/web/page/workers/targets.js'

test.each([
  ['none is selected: all', 'abc', '', 'abc'],
  ['some are selected: those', 'abc', 'ca', 'ac'],
  ['one of them has gone: the others', 'ab', 'ac', 'a'],
  ['the only one has gone: nobody', 'ab', 'c', ''],
])('%s', (_, live, selected, expected) => {
  const targets = targetsOf(
    [...live].map((id) => ({ id })),
    new Set(selected),
  )

  expect(targets.map(({ id }) => id).join('')).toBe(expected)
})
