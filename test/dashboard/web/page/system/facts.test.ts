import { expect, test } from 'vitest'
import type { Fact } from '../../../../../src/dashboard/api/contract.js'
import { partOf, tellFact, toneOf } from '../../../../../src/dashboard/web/page/system/facts.js'
import { meaningOf } from '../../../../../src/dashboard/web/page/system/pass-words.js'
import { createPasses } from '../../../../../src/maintain/maintain.js'

test.each<[Fact['value'], Fact['unit'], string | undefined]>([
  [1_500_000, 'bytes', '1.5 MB'],
  [90_000, 'ms', '1 min 30 s'],
  [12, 'count', '12'],
  [0.995, 'part', '100 %'],
  [0, 'count', '0'],
  ['noeviction', 'text', 'noeviction'],
  ['', 'text', undefined],
  [true, 'text', 'yes'],
  [false, 'text', 'no'],
  [null, 'bytes', undefined],
])('%s %s is told as %s', (value, unit, told) => {
  expect(tellFact({ value, unit })).toBe(told)
})

test('a bar shows what has a limit, and warns before it is reached', () => {
  expect(partOf({ value: 30, most: 40 })).toBe(0.75)
  expect(partOf({ value: 30 })).toBeUndefined()
  expect(partOf({ value: null, most: 40 })).toBeUndefined()
  expect([0.75, 0.85, 0.99].map(toneOf)).toEqual(['neutral', 'warning', 'danger'])
})

test('every pass of maintenance is explained', () => {
  for (const { name } of createPasses()) expect(meaningOf(name)).toMatch(/\.$/)
  expect(meaningOf('constructor')).toBe('')
})
