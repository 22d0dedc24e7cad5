import { expect, test } from 'vitest'
import { tellDuration } from '../../../../src/dashboard/web/ui/format.js'

test.each([
  [-236, '0 ms'],
  [0, '0 ms'],
  [2.5, '2.5 ms'],
  [240, '240 ms'],
  [999.7, '1.0 s'],
  [1234, '1.2 s'],
  [9960, '10 s'],
  [59_400, '59 s'],
  [59_700, '1 min'],
  [200_000, '3 min 20 s'],
  [239_600, '4 min'],
  [3_599_600, '1 h'],
  [3_600_000, '1 h'],
  [7_190_000, '2 h'],
  [86_390_000, '1 d'],
  [187_200_000, '2 d 4 h'],
  [172_790_000, '2 d'],
])('%d ms is %s', (ms, expected) => {
  expect(tellDuration(ms)).toBe(expected)
})
