import { expect, test } from 'vitest'
import { withRange } from '../../../../src/dashboard/web/shell/keep-range.js'

test.each([
  ['/queues', '/', '24h', '/queues?range=24h'],
  ['/', '/tasks/mail.send', '7d', '/?range=7d'],
  ['/tasks', '/workers/01a2', '6h', '/tasks?range=6h'],
  ['/tasks', '/', '', '/tasks'],
  ['/jobs', '/', '24h', '/jobs'],
  ['/queues', '/jobs', 'all', '/queues'],
  ['/workers', '/queues', '24h', '/workers'],
])('the way to %s from %s within %j is %s', (to, from, range, href) => {
  expect(withRange(to, from, range)).toBe(href)
})
