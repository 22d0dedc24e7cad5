import { expect, test } from 'vitest'
import { isWholeDuration, namesIn, saysSame } from '../../../../src/dashboard/web/ui/typed.js'

test('several names stand in a text by commas', () => {
  expect(namesIn(' ada, bob,, ')).toEqual(['ada', 'bob'])
})

test.each([
  ['ada', 'ada', true],
  ['ada, ', 'ada', true],
  ['ada,bob', 'ada, bob', true],
  ['', '  ', true],
  ['ad', 'ada', false],
  ['ada', '', false],
])('whether "%s" says the same as "%s": %s', (typed, value, expected) => {
  expect(saysSame(typed, value)).toBe(expected)
})

test.each([
  ['100ms', true],
  ['1.5s', true],
  ['', true],
  ['1', false],
  ['1 x', false],
  ['soon', false],
])('whether "%s" is a whole duration: %s', (text, expected) => {
  expect(isWholeDuration(text)).toBe(expected)
})
