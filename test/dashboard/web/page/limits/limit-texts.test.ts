import { describe, expect, test } from 'vitest'
import {
  concurrencyFault,
  rateFault,
  timeFault,
  toTime,
} from '../../../../../src/dashboard/web/page/limits/limit-texts.js'

describe('limits as they are typed', () => {
  test.each(['', ' ', '10/s', '0.5/m', '10/30s'])('the rate %j is one', (text) => {
    expect(rateFault(text)).toBeUndefined()
  })
  test.each(['10', 'fast', '0/s', '10/y', '10 / s', '1000000/s'])('the rate %j is none', (text) => {
    expect(rateFault(text)).toMatch(/as 100\/s/)
  })
  test.each(['', '1', ' 50 '])('%j at once are a number', (text) => {
    expect(concurrencyFault(text)).toBeUndefined()
  })
  test.each(['0', '-1', '1.5', 'many', '1e3'])('%j at once are none', (text) => {
    expect(concurrencyFault(text)).toBe('A whole number, 1 or more.')
  })
  test.each(['', '500ms', '30s', ' 5m '])('the time %j is one', (text) => {
    expect(timeFault(text)).toBeUndefined()
  })
  // Seconds, or milliseconds? It must be said.
  test.each(['30', '0s', 'soon', '-5m'])('the time %j is none', (text) => {
    expect(timeFault(text)).toMatch(/as 500ms/)
  })

  test('a time is told in milliseconds', () => {
    expect([toTime('30s'), toTime(' 2h'), toTime('30')]).toEqual([30_000, 7_200_000, undefined])
  })
})
