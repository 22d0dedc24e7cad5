import { expect, test } from 'vitest'
import { isOutdated, toText } from '../../../../src/dashboard/web/shell/fault.js'

test.each([
  ['Failed to fetch dynamically imported module: https://app/jobs/dashboard/assets/a.js', true],
  ['error loading dynamically imported module: https://app/jobs/dashboard/assets/a.js', true],
  ['Importing a module script failed.', true],
  ['x is not a function', false],
])('%s', (message, expected) => {
  expect(isOutdated(new TypeError(message))).toBe(expected)
})

test('whatever was thrown is told in words', () => {
  const error = new RangeError('too far')
  expect(toText(error)).toContain('too far')
  error.stack = 'at somewhere'
  expect(toText(error)).toBe('RangeError: too far\nat somewhere')
  expect(toText('just a text')).toBe('just a text')
})
