import { expect, test } from 'vitest'
import { readEnvironment } from '../src/config/env.js'
import { resolveConfig } from '../src/config/resolve.js'
import { createLimitBook } from '../src/enqueue/limit-book.js'
import { defineTask } from '../src/task/define.js'
import { registerGiven } from '../src/task/given.js'
import { queuesOf, toRunnable, toTarget } from '../src/tasks.js'

const config = resolveConfig(
  { database: 'postgres://127.0.0.1/nowhere', queue: 'slow', attempts: 4, timeLimit: '1m' },
  readEnvironment({}),
)
const plain = defineTask(() => 1)
const special = defineTask({
  queue: 'mail',
  attempts: 2,
  priority: 7,
  timeLimit: '5s',
  backoff: { type: 'fixed', delay: 10 },
  run: () => 2,
})
const limits = createLimitBook({
  registry: () => undefined,
  queues: {},
  parse: () => undefined,
  log: { warn() {} },
})
const registry = registerGiven({
  work: { plain, special, again: defineTask({ queue: 'mail', run: () => 3 }) },
})

test('what a task does not say comes from the configuration', () => {
  expect(toTarget(registry.get('work.plain'), config, limits)).toMatchObject({
    queue: 'slow',
    attempts: 4,
    priority: 0,
  })
  expect(toRunnable(registry, config, 'inline').get('work.plain')).toMatchObject({
    timeLimit: { softMs: 60_000, hardMs: null },
    backoff: config.backoff,
  })
})

test('what a task says goes before the configuration', () => {
  expect(toTarget(registry.get('work.special'), config, limits)).toMatchObject({
    queue: 'mail',
    attempts: 2,
    priority: 7,
  })
  expect(toRunnable(registry, config, 'inline').get('work.special')).toMatchObject({
    timeLimit: { softMs: 5000, hardMs: null },
    backoff: { type: 'fixed', delayMs: 10 },
  })
})

test('a worker that names no queues serves the default one, then all that its tasks name', () => {
  expect(queuesOf(registry, config)).toEqual(['slow', 'mail'])
})
