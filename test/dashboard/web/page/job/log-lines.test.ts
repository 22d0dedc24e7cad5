import { expect, test } from 'vitest'
import { mergeLines, ofLevel, toLogText } from '../../../../../src/dashboard/web/page/job/log-lines.js'

const line = (number: number, level: 'trace' | 'debug' | 'info' | 'warn' | 'error' = 'info') => ({
  ...{ number, level, attempt: 1, message: `line ${number}`, at: '2026-11-29T10:00:00.000Z' },
})
const lines = (...numbers: number[]) => numbers.map((number) => line(number))

test.each([
  [[], [1, 2], [1, 2]],
  [[1, 2], [], [1, 2]],
  [[1, 2], [3], [1, 2, 3]],
  [
    [1, 2, 3],
    [2, 3, 4],
    [1, 2, 3, 4],
  ],
  [
    [5, 6],
    [1, 2],
    [1, 2, 5, 6],
  ],
  [[1_000_001], [2_000_001], [1_000_001, 2_000_001]],
])('lines %j and %j are %j', (earlier, later, all) => {
  expect(mergeLines(lines(...earlier), lines(...later)).map(({ number }) => number)).toEqual(all)
})

test('of a level are those that say as much or more', () => {
  const all = [line(1, 'trace'), line(2, 'info'), line(3, 'warn'), line(4, 'error')]

  expect(ofLevel(all, 'trace')).toHaveLength(4)
  expect(ofLevel(all, 'warn').map(({ number }) => number)).toEqual([3, 4])
})

test('a file has a line each, with what was logged beside it', () => {
  expect(toLogText([{ ...line(1), details: { page: 3 } }, line(2, 'error')])).toBe(
    '2026-11-29T10:00:00.000Z info  #1 line 1 {"page":3}\n2026-11-29T10:00:00.000Z error #1 line 2',
  )
})
