import { describe, expect, test, vi } from 'vitest'
import { verbs } from '../../src/control/verbs.js'
import { brokers } from '../support/lab.js'
import { until } from '../support/until.js'
import { asked, openScene, patient, type Scene } from './control-scene.js'

vi.setConfig({ testTimeout: 300_000, hookTimeout: 120_000 })

const names = ['one', 'two', 'three'] as const
const flags = ['-c', '2', '-Q', 'default,other', '-l', 'info']

/** What an answer says, by the workers' names. */
interface Told {
  readonly replies: readonly { readonly worker: { readonly name: string }; readonly value: unknown }[]
  readonly refused: readonly { readonly worker: { readonly name: string }; readonly reason: string }[]
  readonly silent: readonly { readonly name: string }[]
}

function told({ replies, refused, silent }: Told) {
  return {
    replies: Object.fromEntries(replies.map(({ worker, value }) => [worker.name, value])),
    refused: refused.map(({ worker }) => worker.name).sort(),
    silent: silent.map(({ name }) => name),
  }
}

/** All that can be asked, one after the other where it changes something. */
async function askEverything({ jobs: { control, inspect } }: Scene) {
  const questions = await Promise.all([
    inspect.ping(asked),
    inspect.active(asked),
    inspect.reserved(asked),
    inspect.registered(asked),
    inspect.stats(asked),
    inspect.queues(asked),
    inspect.conf(asked),
    inspect.report(asked),
  ])
  const orders = {
    grown: await control.poolGrow(3, asked),
    shrunk: await control.poolShrink(1, asked),
    scaled: await control.autoscale({ min: 4, max: 6 }, asked),
    // They scale themselves.
    refused: await control.poolGrow(1, asked),
    unscaled: await control.autoscale(null, asked),
    restarted: await control.poolRestart(asked),
    added: await control.queueAdd('extra', asked),
    removed: await control.queueRemove('other', asked),
    unserved: await control.queueRemove('other', asked),
    level: await control.logLevel('debug', asked),
  }
  const settings = await Promise.all([
    control.pause('mail', asked),
    control.pause('extra', asked),
    control.rateLimit({ task: 'work.rest' }, '100/s', asked),
    control.concurrency({ queue: 'mail' }, 7, asked),
    control.timeLimit('work.rest', { hard: '1s' }, asked),
    control.limitReset({ queue: 'extra' }, asked),
  ])
  const resumed = await control.resume('mail', asked)
  return { questions, orders, settings, resumed }
}

describe.each(brokers)('on %s', (kind) => {
  test('every verb is answered in time and names the silent one, and what was set holds after kill -9', async () => {
    const scene = await openScene(kind)
    const { jobs } = scene
    const { control, inspect } = jobs
    const workers = await Promise.all(names.map((name) => scene.start(name, ...flags)))
    await scene.live(...names)
    workers[2]?.signal('SIGSTOP')

    const begun = performance.now()
    const { questions, orders, settings, resumed } = await askEverything(scene)
    const tookMs = performance.now() - begun

    const all: readonly Told[] = [...questions, ...Object.values(orders), ...settings, resumed]
    for (const answer of all) {
      expect(told(answer).silent).toEqual(['three'])
      expect([...Object.keys(told(answer).replies), ...told(answer).refused].sort()).toEqual(['one', 'two'])
    }
    // One round of questions, one of settings, and eleven orders: each has its five seconds, and little more.
    expect(tookMs).toBeLessThan(13 * (5000 + 2000))
    expect(told(orders.grown).replies).toMatchObject({ one: { concurrency: 5 }, two: { concurrency: 5 } })
    expect(told(orders.shrunk).replies).toMatchObject({ one: { concurrency: 4 }, two: { concurrency: 4 } })
    expect(told(orders.scaled).replies).toMatchObject({ one: { autoscale: { min: 4, max: 6 } } })
    expect(told(orders.refused).refused).toEqual(['one', 'two'])
    expect(orders.refused.refused[0]?.reason).toContain('It scales itself, from 4 to 6')
    expect(told(orders.unscaled).replies).toMatchObject({ one: { concurrency: 4, autoscale: null } })
    expect(told(orders.removed).replies).toMatchObject({ one: { queues: ['default', 'extra'] } })
    expect(orders.unserved.refused[0]?.reason).toContain('does not serve queue "other"')
    expect(workers[0]?.output()).toContain('Pool grown to 5, asked by ann@host (test).')

    for (const worker of workers) worker.signal('SIGKILL')
    await Promise.all(workers.map(({ ended }) => ended))
    await Promise.all(names.map((name) => scene.start(name, ...flags)))
    await scene.live(...names)

    const stats = await inspect.stats(asked)
    expect(stats.replies.map(({ value }) => value)).toMatchObject(
      names.map(() => ({ concurrency: expect.any(Number), autoscale: null, paused: expect.any(Array) })),
    )
    // The third heard nothing: what was set for it by name was asked of nobody else.
    expect(told(stats).replies).toMatchObject({
      one: { concurrency: 4, logLevel: 'debug', paused: ['extra'] },
      two: { concurrency: 4, logLevel: 'debug', paused: ['extra'] },
      three: { concurrency: 2, logLevel: 'info' },
    })
    expect(told(await inspect.queues(asked)).replies).toMatchObject({
      one: [{ queue: 'default' }, { queue: 'extra', isPaused: true }],
      three: [{ queue: 'default' }, { queue: 'other', isPaused: false }],
    })
    expect((await jobs.limits.list()).map(({ scope }) => scope)).toEqual([
      { task: 'work.rest' },
      { queue: 'mail' },
    ])
    const late = await scene.enqueue('rest', 60_000)
    await until(async () => (await late.status()).state === 'failed', patient)
    expect((await late.status()).error).toMatchObject({ name: 'TimeLimitError' })
    const rows = await scene.query(
      'SELECT name, queues, concurrency FROM celeriac.worker WHERE lost_at IS NULL',
    )
    expect(rows).toContainEqual({ name: 'one', queues: ['default', 'extra'], concurrency: 4 })

    const reset = await control.reset({ ...asked, workers: ['one', 'two'] })
    expect(told(reset).replies).toMatchObject({
      one: { concurrency: 2, autoscale: null, queues: ['default', 'other'] },
      two: { concurrency: 2, autoscale: null, queues: ['default', 'other'] },
    })

    const asks = await control.commands(200)
    const askedVerbs = new Set(asks.map(({ verb }) => verb))
    expect(Object.keys(verbs).filter((verb) => verb !== 'shutdown' && !askedVerbs.has(verb))).toEqual([])
    expect(new Set(asks.map(({ askedBy, askedFrom }) => `${askedBy} ${askedFrom}`))).toEqual(
      new Set(['ann@host test']),
    )
  })

  test('a shutdown ends processes, and a worker that stood still past its deadline goes on living', async () => {
    const scene = await openScene(kind)
    const { control, inspect } = scene.jobs
    const [one, two, three] = await Promise.all([
      scene.start('one', '-c', '1'),
      scene.start('two', '-c', '1', '--grace', '120s'),
      scene.start('three', '-c', '1'),
    ])
    await scene.live(...names)
    const running = [await scene.enqueue('rest', 1500), await scene.enqueue('rest', 1500)]
    three.signal('SIGSTOP')

    const { replies, silent } = await control.shutdown(asked)

    expect(silent).toMatchObject([{ name: 'three' }])
    expect(replies.map(({ value }) => value.process)).toEqual(['ends', 'ends'])
    expect(await Promise.all([one.ended, two.ended])).toEqual([0, 0])
    three.signal('SIGCONT')
    for (const job of running) await until(async () => (await job.status()).state === 'succeeded', patient)
    expect(told(await inspect.ping(asked)).replies).toEqual({ three: 'pong' })

    const job = await scene.enqueue('rest', 100_000)
    await until(async () => (await job.status()).state === 'running', patient)
    expect(told(await control.shutdown({ ...asked, now: true })).replies).toEqual({
      three: { running: 1, process: 'ends' },
    })
    expect(await three.ended).toBe(0)
    expect((await job.status()).state).toBe('queued')
    expect(three.output()).toContain('Shutdown at once, asked by ann@host (test).')
  })
})
