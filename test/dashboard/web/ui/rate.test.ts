import { expect, test } from 'vitest'
import type { Range } from '../../../../src/dashboard/api/contract.js'
import { tellPerMinute } from '../../../../src/dashboard/web/ui/rate.js'

test.each<[number, Range, string]>([
  [0, '1h', '0/min'],
  [1, '30d', '< 0.01/min'],
  [7, '1h', '0.12/min'],
  [90, '15m', '6.0/min'],
  [900, '15m', '60/min'],
])('%i jobs in %s are %s', (count, range, told) => {
  expect(tellPerMinute(count, range)).toBe(told)
})
