import { expect, test } from 'vitest'
import {
  bandsOf,
  isolated,
  timeSteps,
  toData,
  wholeSteps,
} from '../../../../src/dashboard/web/ui/chart-data.js'
import { tellDuration } from '../../../../src/dashboard/web/ui/format.js'

const from = '2026-11-29T14:00:00.000Z'
const start = Date.parse(from) / 1000

test('an area stands on the areas before it, is drawn before them, and keeps its gaps', () => {
  const lines = [
    { kind: 'area', values: [1, 2, 0] },
    { kind: 'area', values: [1, null, 3] },
  ] as const

  expect(toData(from, 60_000, lines)).toEqual([
    [start, start + 60, start + 120],
    [2, null, 3],
    [1, 2, 0],
  ])
  expect(bandsOf(lines)).toEqual([[1, 2]])
})

test('lines keep their gaps and stand on nothing', () => {
  const lines = [
    { values: [1, null] },
    { kind: 'area', values: [5, 6] },
    { kind: 'dashed', values: [3, 4] },
  ] as const

  expect(toData(from, 1000, lines).slice(1)).toEqual([
    [3, 4],
    [5, 6],
    [1, null],
  ])
  expect(bandsOf(lines)).toEqual([])
})

test('without a line there is nothing', () => {
  expect(toData(from, 1000, [])).toEqual([[]])
})

test('a value that no line leads to is found', () => {
  expect(isolated([1, null, 2, 3, null, 4])).toEqual([0, 5])
  expect(isolated([])).toEqual([])
})

test('an axis of whole things has whole steps', () => {
  expect(wholeSteps.slice(0, 5)).toEqual([1, 2, 5, 10, 20])
})

test('an axis of durations has the steps that one counts time by', () => {
  const told = timeSteps.map(tellDuration)

  expect(told.slice(9, 19).join(', ')).toBe(
    '1.0 s, 2.0 s, 5.0 s, 10 s, 30 s, 1 min, 2 min, 5 min, 10 min, 30 min',
  )
  expect([...timeSteps].sort((one, other) => one - other)).toEqual(timeSteps)
})
