import { expect, test } from 'vitest'
import { needsSomebody } from '../../../../../src/dashboard/web/page/queues/standing.js'

const queue = { servedBy: ['mail@one'], isPaused: false, waiting: 0, delayed: 0, oldestMs: null }

test.each([
  ['jobs wait, and are served', { waiting: 7 }, false],
  ['jobs wait, and nobody serves them', { waiting: 7, servedBy: [] }, true],
  ['nobody serves it, and nothing waits', { servedBy: [] }, false],
  ['a pause holds jobs', { waiting: 7, isPaused: true }, true],
  ['it is paused, and nothing waits', { isPaused: true }, false],
])('a queue needs somebody where %s: %j', (_, standing, expected) => {
  expect(needsSomebody({ ...queue, ...standing })).toBe(expected)
})
