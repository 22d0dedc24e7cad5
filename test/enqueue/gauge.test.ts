import { expect, test } from 'vitest'
import { Gauge } from '../../src/enqueue/gauge.js'

/** A gauge that was told `counted` at second `at`. */
function look(gauge: Gauge, at: number, counted: number, isRecent = true): void {
  gauge.beginLook(at * 1000)
  gauge.endLook(counted, isRecent)
}

test('what is let in between two looks is added to what was counted', () => {
  const gauge = new Gauge()
  look(gauge, 0, 5)

  gauge.enter(2)
  gauge.leave(2)
  gauge.enter(1)

  expect(gauge.expected(500, 1000)).toBe(8)
})

test('a look replaces what was added before it began, and keeps what was added since', () => {
  const gauge = new Gauge()
  gauge.enter(4)
  gauge.leave(4)

  gauge.beginLook(1000)
  gauge.enter(2)
  gauge.leave(2)
  gauge.endLook(4, false)

  expect(gauge.expected(1000, 1000)).toBe(6)
})

test('what was not yet written when a look began may not have been seen by it', () => {
  const gauge = new Gauge()
  gauge.enter(3)

  look(gauge, 1, 0, false)
  gauge.leave(3)
  expect(gauge.expected(1000, 1000)).toBe(3)

  look(gauge, 2, 3)
  expect(gauge.expected(2000, 1000)).toBe(3)
})

test('a look that failed changes nothing', () => {
  const gauge = new Gauge()
  look(gauge, 0, 5)
  gauge.enter(1)

  gauge.beginLook(1000)
  gauge.abandonLook()
  gauge.endLook(0, true)

  expect(gauge.expected(1000, 1000)).toBe(6)
})

test('workers are believed to go on as they did between two looks, for one interval', () => {
  const gauge = new Gauge()
  look(gauge, 0, 10, false)
  gauge.enter(20)
  gauge.leave(20)
  look(gauge, 1, 10)

  expect(gauge.expected(1000, 1000)).toBe(10)
  expect(gauge.expected(1250, 1000)).toBe(5)
  expect(gauge.expected(1500, 1000)).toBe(0)
  gauge.enter(40)
  expect(gauge.expected(9000, 1000)).toBe(30)
})

test('workers that took nothing, or were seen long ago, are believed to take nothing', () => {
  const stalled = new Gauge()
  look(stalled, 0, 10)
  look(stalled, 1, 12)
  const old = new Gauge()
  look(old, 0, 10, false)
  look(old, 60, 4, false)

  expect(stalled.expected(1900, 1000)).toBe(12)
  expect(old.expected(60_900, 1000)).toBe(4)
})
