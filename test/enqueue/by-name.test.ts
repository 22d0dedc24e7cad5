import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import type { CeleriacOptions } from '../../src/config/options.js'
import { createAnnounced } from '../../src/enqueue/announced.js'
import { KeyError, UnknownTaskError } from '../../src/errors.js'
import type { Celeriac } from '../../src/plugin.js'
import { defineTask } from '../../src/task/define.js'
import { brokers, closeJobsAfterEach, freshServers, openJobs, type Servers } from '../support/lab.js'
import { until } from '../support/until.js'
import { rowsOf } from './rows.js'

closeJobsAfterEach()

/** With a worker that has announced its tasks. */
async function openWorker(servers: Servers, tasks: CeleriacOptions['tasks']): Promise<Celeriac> {
  const jobs = await openJobs({ ...servers, tasks: tasks ?? {}, worker: true })
  await until(async () => (await rowsOf(servers, 'SELECT 1 FROM celeriac.worker')).length > 0)
  return jobs
}

describe.each(brokers)('on %s', (kind) => {
  test('a process without any task enqueues what a worker has announced, as its task says', async () => {
    const servers = await freshServers(kind)
    const resize = defineTask({
      queue: 'heavy',
      priority: 7,
      attempts: 3,
      expiresIn: '1h',
      aliases: ['media.scale'],
      payload: z.object({ width: z.number() }),
      run: ({ width }) => width * 2,
    })
    await openWorker(servers, { media: { resize } })
    const caller = await openJobs({ ...servers, tasks: {} })

    const job = await caller.enqueue('media.resize', { width: 21 })
    const byAlias = await caller.enqueue('media.scale', { width: 1 })

    expect(job).toMatchObject({ task: 'media.resize', created: true })
    expect(await job.result()).toBe(42)
    expect(await job.status()).toMatchObject({ queue: 'heavy', maxAttempts: 3, task: 'media.resize' })
    expect(await byAlias.result()).toBe(2)
  })

  test('its payload is checked by the worker', async () => {
    const servers = await freshServers(kind)
    const resize = defineTask({ payload: z.object({ width: z.number() }), run: () => 1 })
    await openWorker(servers, { media: { resize } })
    const caller = await openJobs({ ...servers, tasks: {} })

    const job = await caller.enqueue('media.resize', { width: 'wide' })

    await expect(job.result()).rejects.toThrow('width: ')
  })
})

async function openPair(tasks: Record<string, unknown>) {
  const servers = await freshServers('postgres')
  const owner = await openWorker(servers, { media: tasks })
  return { owner, caller: await openJobs({ ...servers, tasks: { own: { plain: defineTask(() => 1) } } }) }
}

describe('a name that nobody knows', () => {
  test('is told with the nearest of all names, own and announced', async () => {
    const { caller } = await openPair({ resize: defineTask(() => 1) })

    await expect(caller.enqueue('media.resise')).rejects.toThrow('Did you mean "media.resize"?')
    await expect(caller.enqueue('own.plane')).rejects.toThrow('Did you mean "own.plain"?')
    await expect(caller.enqueue('media.resise')).rejects.toBeInstanceOf(UnknownTaskError)
  })

  test('is told as such where no worker has ever been', async () => {
    const caller = await openJobs({ ...(await freshServers('postgres')), tasks: {} })

    await expect(caller.enqueue('media.resize')).rejects.toThrow('no worker has announced any tasks yet')
  })

  test('becomes known when a worker has come', async () => {
    const servers = await freshServers('postgres')
    const caller = await openJobs({ ...servers, tasks: {} })
    await expect(caller.enqueue('media.resize')).rejects.toThrow('Unknown task')
    await openWorker(servers, { media: { resize: defineTask(() => 'done') } })

    const job = await expect
      .poll(() => caller.enqueue('media.resize').catch(() => undefined), { timeout: 5000 })
      .toBeDefined()
      .then(() => caller.enqueue('media.resize'))

    expect(await job.result()).toBe('done')
  })

  test('is still known when its worker has stopped', async () => {
    const { owner, caller } = await openPair({ resize: defineTask({ queue: 'heavy', run: () => 1 }) })
    await owner.close()

    expect(await (await caller.enqueue('media.resize')).status()).toMatchObject({ queue: 'heavy' })
  })
})

describe('a task with keys', () => {
  test('is unique by its payload from afar, too', async () => {
    const { owner, caller } = await openPair({
      build: defineTask({ unique: { while: 'window', window: '1m' }, run: () => 1 }),
      sync: defineTask({ debounce: { delay: '1m' }, run: () => 1 }),
    })

    const one = await caller.enqueue('media.build', { a: 1, b: 2 })
    const two = await owner.enqueue('media.build', { b: 2, a: 1 })
    const three = await caller.enqueue('media.build', { a: 2 })

    expect([one.created, two.created, three.created]).toEqual([true, false, true])
    expect(two.id).toBe(one.id)
    const sync = await owner.enqueue('media.sync', 1)
    expect(await caller.enqueue('media.sync', 2)).toMatchObject({ id: sync.id, created: false })
  })

  test('whose key only its code knows is refused from afar, by an error that says so', async () => {
    const build = defineTask({
      unique: { key: ({ id }: { id: string }) => id },
      run: (_: { id: string }) => 1,
    })
    const { caller } = await openPair({ build })

    const refused = caller.enqueue('media.build', { id: 'a' })

    await expect(refused).rejects.toBeInstanceOf(KeyError)
    await expect(refused).rejects.toThrow('unique by a function of its code')
  })

  test('with limits gets them all the same', async () => {
    const { caller } = await openPair({
      whole: defineTask({ concurrency: 1, run: () => 'whole' }),
      keyed: defineTask({ concurrency: { key: 1 }, key: ({ id }: { id: string }) => id, run: () => 'keyed' }),
    })

    expect(await (await caller.enqueue('media.whole')).result()).toBe('whole')
    expect(await (await caller.enqueue('media.keyed', { id: 'a' })).result()).toBe('keyed')
  })
})

describe('what workers announce', () => {
  const text = (queue: string) => JSON.stringify({ 'a.b': { queue, priority: 0, attempts: 1 } })

  test('is asked for at most every five seconds, and sooner for a name that is missing', async () => {
    const state = { now: 0, asked: 0 }
    const announced = createAnnounced({
      ask: async () => [text(`q${++state.asked}`)],
      ownNames: () => [],
      now: () => state.now,
    })
    const queueOf = async () => (await announced.get('a.b')).queue

    expect(await Promise.all([queueOf(), queueOf()])).toEqual(['q1', 'q1'])
    state.now = 4999
    expect(await queueOf()).toBe('q1')
    await expect(announced.get('a.c')).rejects.toThrow('Did you mean "a.b"?')
    await expect(announced.get('a.c')).rejects.toThrow('Did you mean "a.b"?')
    expect(state.asked).toBe(2)
    state.now = 10_000
    expect(await queueOf()).toBe('q3')
  })

  test('of the newest worker counts', async () => {
    const announced = createAnnounced({ ask: async () => [text('new'), text('old')], ownNames: () => [] })

    expect((await announced.get('a.b')).queue).toBe('new')
  })
})
