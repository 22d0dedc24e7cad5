import { describe, expect, test } from 'vitest'
import { readEnvironment } from '../../src/config/env.js'
import { resolveConfig } from '../../src/config/resolve.js'
import { defineTask } from '../../src/task/define.js'
import { registerGiven } from '../../src/task/given.js'
import { queuesOf } from '../../src/tasks.js'
import { brokers, closeJobsAfterEach, freshServers, openJobs } from '../support/lab.js'

closeJobsAfterEach()

function routed(routes: Record<string, string>) {
  return resolveConfig({ database: 'postgres://127.0.0.1/nowhere', routes }, readEnvironment({}))
}

describe('a route', () => {
  test.each([
    ['a name', { 'mail.send': 'mail' }, 'mail.send', 'mail'],
    ['a name that is no pattern', { 'mail.send': 'mail' }, 'mailxsend', undefined],
    ['a pattern', { 'media.*': 'heavy' }, 'media.resize', 'heavy'],
    ['a pattern over several dots', { 'media.*': 'heavy' }, 'media.video.cut', 'heavy'],
    ['a pattern of what comes last', { '*.report': 'slow' }, 'sales.report', 'slow'],
    ['all', { '*': 'any' }, 'mail.send', 'any'],
    ['another name', { 'media.*': 'heavy' }, 'mail.send', undefined],
    ['a name before patterns', { '*': 'any', 'mail.*': 'mails', 'mail.send': 'mail' }, 'mail.send', 'mail'],
    ['the most specific pattern', { '*': 'any', 'm*': 'some', 'media.*': 'heavy' }, 'media.cut', 'heavy'],
    ['of equals the first', { 'media.*': 'one', '*.media': 'two' }, 'media.media', 'one'],
  ])('fits %s', (_what, routes, task, queue) => {
    expect(routed(routes as Record<string, string>).routes.queueOf(task)).toBe(queue)
  })

  test.each([
    [['mail'], 'an object of queues by task names'],
    [{ 'mail.*': 7 }, '"routes"["mail.*"]'],
    [{ 'mail.*': 'with space' }, '"routes"["mail.*"]'],
  ])('%j is refused', (routes, message) => {
    expect(() => routed(routes as never)).toThrow(message)
  })
})

test('a worker serves the queues that its tasks are routed to, and no others', () => {
  const registry = registerGiven({
    media: { cut: defineTask(() => 1) },
    mail: { send: defineTask({ queue: 'own', run: () => 1 }) },
  })

  expect(queuesOf(registry, routed({ 'media.*': 'heavy', 'mail.*': 'mail', 'pdf.*': 'pdf' }))).toEqual([
    'default',
    'own',
    'heavy',
  ])
})

describe.each(brokers)('on %s', (kind) => {
  test('a call goes before the task, the task before routes, routes before the default', async () => {
    const cut = defineTask(() => 1)
    const own = defineTask({ queue: 'own', run: () => 1 })
    const plain = defineTask(() => 1)
    const jobs = await openJobs({
      ...(await freshServers(kind)),
      tasks: { media: { cut, own }, other: { plain } },
      routes: { 'media.*': 'heavy' },
      worker: { queues: ['default', 'heavy', 'own', 'said'] },
    })

    const handles = [
      await cut.enqueue(undefined, { queue: 'said' }),
      await own.enqueue(),
      await cut.enqueue(),
      await plain.enqueue(),
    ]
    await Promise.all(handles.map((handle) => handle.result()))

    const queues = await Promise.all(handles.map(async ({ id }) => (await jobs.job(id).status()).queue))
    expect(queues).toEqual(['said', 'own', 'heavy', 'default'])
  })

  test('a routed job runs where nobody names queues', async () => {
    const cut = defineTask(() => 'cut')
    await openJobs({
      ...(await freshServers(kind)),
      tasks: { media: { cut } },
      routes: { 'media.*': 'heavy' },
      worker: true,
    })

    expect(await (await cut.enqueue()).result()).toBe('cut')
  })
})
