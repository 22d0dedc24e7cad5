import { Redis } from 'ioredis'
import { describe, expect, test, vi } from 'vitest'
import type { JobHandle } from '../../src/index.js'
import { brokers } from '../support/lab.js'
import { until } from '../support/until.js'
import { asked, openScene, patient, type Scene } from './control-scene.js'

vi.setConfig({ testTimeout: 240_000 })

const one = { ...asked, workers: 'one', deadline: '20s' } as const

function rest(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}

async function succeed(jobs: readonly JobHandle[]): Promise<void> {
  for (const job of jobs) await until(async () => (await job.status()).state === 'succeeded', patient)
}

const started = ({ effects }: Scene) => effects.all().filter(({ event }) => event === 'start').length

describe.each(brokers)('on %s', (kind) => {
  test('a paused queue starts nothing, whatever becomes of the broker, and goes on when it is resumed', async () => {
    const scene = await openScene(kind)
    const { control } = scene.jobs
    await scene.start('one', '-c', '2', '-Q', 'default,other')
    const running = await scene.enqueue('rest', 2000)
    await until(() => started(scene) === 1, patient)

    expect((await control.pause('default', one)).replies).toMatchObject([{ value: { paused: ['default'] } }])
    const held = await Promise.all(Array.from({ length: 30 }, () => scene.enqueue('quick')))
    await succeed([running, await scene.enqueue('quick', undefined, { queue: 'other' })])
    if (scene.servers.broker) {
      const redis = new Redis(scene.servers.broker)
      await redis.flushdb()
      redis.disconnect()
    }
    await rest(3000)

    expect(started(scene)).toBe(2)
    const rows = await scene.query<{ delivery: number; state: string }>(
      `SELECT max(delivery) AS delivery, state FROM celeriac.job WHERE state <> 'succeeded' GROUP BY state`,
    )
    expect(rows).toMatchObject([{ state: 'queued' }])
    // What comes while it is paused goes back a few times at most, and not again and again.
    expect(rows[0]?.delivery).toBeLessThan(6)

    await control.resume('default', one)
    await succeed(held)
    expect(started(scene)).toBe(32)
  })

  test('a queue is added and removed while the worker runs; what was claimed of it and not begun goes back', async () => {
    const scene = await openScene(kind)
    const { control, inspect } = scene.jobs
    const worker = await scene.start('one', '-c', '1', '-Q', 'default')
    const first = await scene.enqueue('quick', undefined, { queue: 'extra' })
    await rest(500)
    expect((await first.status()).state).toBe('queued')

    expect((await control.queueAdd('extra', one)).replies).toMatchObject([
      { value: { queues: ['default', 'extra'] } },
    ])
    await succeed([first])
    const running = await scene.enqueue('rest', 3000)
    await until(async () => (await running.status()).state === 'running', patient)
    const held = await scene.enqueue('quick', undefined, { queue: 'extra' })
    await control.queueRemove('extra', one)
    await succeed([running])
    await rest(1000)
    expect((await held.status()).state).toBe('queued')
    expect((await inspect.reserved(one)).replies).toMatchObject([{ value: [] }])

    await scene.start('two', '-Q', 'extra')
    await succeed([held])
    expect(scene.effects.pidOf(held.id)).not.toBe(worker.pid)
  })

  test('a pool grows and shrinks under running jobs, and its threads are replaced', async () => {
    const scene = await openScene(kind)
    const { control, inspect } = scene.jobs
    await scene.start('one', '-c', '1')
    const jobs = await Promise.all(Array.from({ length: 4 }, () => scene.enqueue('rest', 15_000)))
    await until(() => started(scene) === 1, patient)
    await control.poolGrow(3, one)
    await until(() => started(scene) === 4, patient)
    expect((await inspect.active(one)).replies[0]?.value).toHaveLength(4)
    await control.poolShrink(3, one)
    await succeed(jobs)

    const [stats] = (await inspect.stats(one)).replies
    expect(stats?.value).toMatchObject({ concurrency: 1, outcomes: { succeeded: 4 } })
    const thread = async () => (await scene.enqueue('apart', 10)).result({ timeout: '60s' })
    const before = await thread()
    expect(await thread()).toBe(before)
    expect((await control.poolRestart(one)).replies).toMatchObject([{ value: { replaced: 1 } }])
    expect(await thread()).not.toBe(before)
  })

  test('a time limit that is set holds for attempts that begin from then on; a job’s own goes before it', async () => {
    const scene = await openScene(kind)
    const { control } = scene.jobs
    await scene.start('one', '-c', '4')
    const before = await scene.enqueue('rest', 4000)
    await until(() => started(scene) === 1, patient)
    await control.timeLimit('work.rest', '1s', one)
    await control.timeLimit('work.apart', { hard: '1s' }, one)

    const jobs = [
      await scene.enqueue('rest', 60_000),
      await scene.enqueue('apart', 60_000),
      await scene.enqueue('rest', 2500, { timeLimit: '50s' }),
    ] as const
    await succeed([before, jobs[2]])
    for (const job of [jobs[0], jobs[1]])
      await until(async () => (await job.status()).error?.name === 'TimeLimitError', patient)

    await control.timeLimit('work.rest', null, one)
    await succeed([await scene.enqueue('rest', 2000)])
  })

  test('a command whose announcement was lost is found by the next look, and one that is none is refused (S29)', async () => {
    const scene = await openScene(kind)
    await scene.start('one', '-c', '2')
    const [worker] = await scene.jobs.inspect.workers()
    const write = (id: string, verb: string, seconds: number) =>
      scene.query(
        `INSERT INTO celeriac.command (id, verb, args, workers, asked_by, asked_from, expires_at)
         VALUES ($1, $2, '{"by":1}', ARRAY[$3::uuid], 'mallory', 'sql', now() + $4 * interval '1 second')`,
        [id, verb, worker?.id, seconds],
      )
    const ids = [1, 2, 3].map((at) => `018f0000-0000-7000-8000-00000000000${at}`) as [string, string, string]
    await write(ids[0], 'pool-grow', 60)
    await write(ids[1], 'eval', 60)
    await write(ids[2], 'shutdown', -1)

    const replies = await until(async () => {
      const rows = await scene.query<{ id: string; ok: boolean; value: string }>(
        'SELECT command_id AS id, ok, value FROM celeriac.reply ORDER BY command_id',
      )
      return rows.length === 2 ? rows : undefined
    }, patient)
    expect(replies).toMatchObject([
      { id: ids[0], ok: true, value: '{"concurrency":3,"autoscale":null}' },
      { id: ids[1], ok: false, value: expect.stringContaining('knows no \\"eval\\"') },
    ])
  })

  test('fifty commands at once are each done once, and in their order, by two workers of one name', async () => {
    const scene = await openScene(kind)
    const { control, inspect } = scene.jobs
    await Promise.all([scene.start('twin', '-c', '1'), scene.start('twin', '-c', '1')])

    const answers = await Promise.all(
      Array.from({ length: 50 }, (_, at) =>
        control.poolGrow(at % 2 === 0 ? 2 : 1, { ...asked, deadline: '60s' }),
      ),
    )

    for (const { replies } of answers) expect(replies).toHaveLength(2)
    const stats = await inspect.stats({ ...asked, deadline: '20s' })
    expect(stats.replies.map(({ value }) => value.concurrency)).toEqual([76, 76])
    const rows = await scene.query<{ id: string }>(
      'SELECT command_id AS id FROM celeriac.reply r WHERE ok ORDER BY worker_id, replied_at',
    )
    const ids = rows.map(({ id }) => id).filter((id) => answers.some(({ command }) => command === id))
    expect(ids).toEqual([...answers, ...answers].map(({ command }) => command))
  })

  test('a worker that scales itself grows under load, shrinks when it is gone, and its row says so', async () => {
    const scene = await openScene(kind)
    const { control } = scene.jobs
    await scene.start('one', '-c', '1')
    await control.autoscale({ min: 1, max: 8 }, one)
    const jobs = await Promise.all(Array.from({ length: 120 }, () => scene.enqueue('rest', 1000)))
    const size = async () => (await scene.jobs.inspect.workers())[0]?.concurrency ?? 0

    await until(async () => (await size()) === 8, { timeoutMs: 90_000 })
    await succeed(jobs)
    await until(async () => (await size()) <= 4, { timeoutMs: 90_000 })
  })
})
