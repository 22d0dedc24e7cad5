import { expect, test } from 'vitest'
import { toChart } from '../../src/job/chart.js'
import { noTally } from '../../src/job/tally.js'

const steps = { from: new Date('2026-11-29T14:00:00Z'), stepMs: 60_000, count: 3, resolution: 1 } as const
const change = (queued: number, delayed = 0, running = 0) => ({ queued, delayed, running })

test('a chart has a point for each step, also where nothing happened', () => {
  const { points } = toChart(steps, new Map(), change(7))

  expect(points.map(({ at }) => at.toISOString().slice(11, 16))).toEqual(['14:00', '14:01', '14:02'])
  expect(points.map(({ enqueued, depth }) => [enqueued, depth])).toEqual([
    [0, change(7)],
    [0, change(7)],
    [0, change(7)],
  ])
})

test('the depth at the end of each step is that of now, less what has changed since', () => {
  const found = new Map([
    [0, { tally: { ...noTally, enqueued: 9 }, change: change(9) }],
    [2, { tally: { ...noTally, started: 4 }, change: change(-4, 1, 3) }],
    // Later than the chart.
    [3, { tally: noTally, change: change(100) }],
  ])

  const { points } = toChart(steps, found, change(105, 1, 3))

  expect(points.map(({ enqueued, started, depth }) => [enqueued, started, depth])).toEqual([
    [9, 0, change(9)],
    [0, 0, change(9)],
    [0, 4, change(5, 1, 3)],
  ])
})
