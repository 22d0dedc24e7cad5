import { expect, test } from 'vitest'
import { keepPlaces } from '../../../../src/dashboard/web/ui/places.js'

test.each([
  ['nothing was there', '', 'cab', 'cab'],
  ['they are sorted otherwise now', 'abc', 'cba', 'abc'],
  ['new ones come at the end, as they are sorted', 'abc', 'ecdba', 'abced'],
  ['one has gone', 'abc', 'ca', 'ac'],
])('%s', (_, before, sorted, expected) => {
  const placed = keepPlaces(
    [...before],
    [...sorted].map((id) => ({ id })),
  )

  expect(placed.map(({ id }) => id).join('')).toBe(expected)
})
