import { Redis } from 'ioredis'
import { v7 as uuidv7 } from 'uuid'
import { afterEach, describe, expect, test, vi } from 'vitest'
import type { Celeriac, JobHandle } from '../../src/index.js'
import { brokers } from '../support/lab.js'
import { shared } from '../support/shared.js'
import { until } from '../support/until.js'
import type { Effects } from '../support/worker-process.js'
import { asked, openScene, patient } from './control-scene.js'

vi.setConfig({ testTimeout: 240_000 })

const one = { ...asked, workers: 'one', deadline: '20s' } as const

function rest(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}

/** Resolves when the job runs, or has run. */
async function startOf(effects: Effects, { id }: JobHandle): Promise<void> {
  await until(() => effects.of(id).includes('start 1'), patient)
}

async function workerOf({ inspect }: Celeriac) {
  return (await inspect.workers()).find(({ name }) => name === 'one')
}

async function succeed(jobs: readonly JobHandle[]): Promise<void> {
  for (const job of jobs) await until(async () => (await job.status()).state === 'succeeded', patient)
}

describe.each(brokers)('on %s', (kind) => {
  /** With a worker "one" of two slots, on two queues, for the tests that do no more than what `reset` undoes. */
  const scene = shared(async (onEnd) => {
    const scene = await openScene(kind, onEnd)
    const worker = await scene.start('one', '-c', '2', '-Q', 'default,other')
    return { ...scene, worker }
  })

  afterEach(async () => {
    await (await scene()).jobs.control.reset(one)
  })

  test('a paused queue starts nothing, whatever becomes of the broker, and goes on when it is resumed', async () => {
    const { jobs, effects, enqueue, query, servers } = await scene()
    const { control } = jobs
    const running = await enqueue('rest', 2000)
    await startOf(effects, running)

    expect((await control.pause('default', one)).replies).toMatchObject([{ value: { paused: ['default'] } }])
    const held = await Promise.all(Array.from({ length: 30 }, () => enqueue('quick')))
    await succeed([running, await enqueue('quick', undefined, { queue: 'other' })])
    if (servers.broker) {
      const redis = new Redis(servers.broker)
      await redis.flushdb()
      redis.disconnect()
    }
    await rest(3000)

    expect(held.filter(({ id }) => effects.of(id).length > 0)).toEqual([])
    const rows = await query<{ delivery: number; state: string }>(
      'SELECT max(delivery) AS delivery, state FROM celeriac.job WHERE id = ANY($1::uuid[]) GROUP BY state',
      [held.map(({ id }) => id)],
    )
    expect(rows).toMatchObject([{ state: 'queued' }])
    // What comes while it is paused goes back a few times at most, and not again and again.
    expect(rows[0]?.delivery).toBeLessThan(6)

    await control.resume('default', one)
    await succeed(held)
    expect(held.filter(({ id }) => effects.of(id).join() !== 'start 1')).toEqual([])
  })

  test('a queue is added and removed while the worker runs; what was claimed of it and not begun goes back', async () => {
    const { jobs, effects, enqueue, start, worker } = await scene()
    const { control, inspect } = jobs
    await control.poolShrink(1, one)
    const first = await enqueue('quick', undefined, { queue: 'extra' })
    await rest(500)
    expect((await first.status()).state).toBe('queued')

    expect((await control.queueAdd('extra', one)).replies).toMatchObject([
      { value: { queues: ['default', 'other', 'extra'] } },
    ])
    await succeed([first])
    const running = await enqueue('rest', 3000)
    await until(async () => (await running.status()).state === 'running', patient)
    const held = await enqueue('quick', undefined, { queue: 'extra' })
    await control.queueRemove('extra', one)
    await succeed([running])
    await rest(1000)
    expect((await held.status()).state).toBe('queued')
    expect((await inspect.reserved(one)).replies).toMatchObject([{ value: [] }])

    const other = await start('two', '-Q', 'extra')
    await succeed([held])
    expect(effects.pidOf(held.id)).not.toBe(worker.pid)
    other.signal('SIGKILL')
    await other.ended
  })

  test('a pool grows and shrinks under running jobs, and its threads are replaced', async () => {
    const { jobs, effects, enqueue } = await scene()
    const { control, inspect } = jobs
    const stats = async () => (await inspect.stats(one)).replies[0]?.value
    const before = (await stats())?.outcomes.succeeded ?? 0
    const resting = await Promise.all(Array.from({ length: 4 }, () => enqueue('rest', 10_000)))
    const started = () => resting.filter(({ id }) => effects.of(id).length > 0).length
    await until(() => started() === 2, patient)
    await control.poolGrow(2, one)
    await until(() => started() === 4, patient)
    expect((await inspect.active(one)).replies[0]?.value).toHaveLength(4)
    await control.poolShrink(3, one)
    await succeed(resting)

    expect(await stats()).toMatchObject({ concurrency: 1, outcomes: { succeeded: before + 4 } })
    const thread = async () => (await enqueue('apart', 10)).result({ timeout: '60s' })
    const first = await thread()
    expect(await thread()).toBe(first)
    expect((await control.poolRestart(one)).replies).toMatchObject([{ value: { replaced: 1 } }])
    expect(await thread()).not.toBe(first)
  })

  test('a time limit that is set holds for attempts that begin from then on; a job’s own goes before it', async () => {
    const { jobs: app, effects, enqueue } = await scene()
    const { control } = app
    await control.poolGrow(2, one)
    const before = await enqueue('rest', 4000)
    await startOf(effects, before)
    await control.timeLimit('work.rest', '1s', one)
    await control.timeLimit('work.apart', { hard: '1s' }, one)

    const jobs = [
      await enqueue('rest', 60_000),
      await enqueue('apart', 60_000),
      await enqueue('rest', 2500, { timeLimit: '50s' }),
    ] as const
    await succeed([before, jobs[2]])
    for (const job of [jobs[0], jobs[1]])
      await until(async () => (await job.status()).error?.name === 'TimeLimitError', patient)

    await control.timeLimit('work.rest', null, one)
    await control.timeLimit('work.apart', null, one)
    await succeed([await enqueue('rest', 2000)])
  })

  test('a command whose announcement was lost is found by the next look, and one that is none is refused (S29)', async () => {
    const { jobs, query } = await scene()
    const worker = await workerOf(jobs)
    const write = (id: string, verb: string, seconds: number) =>
      query(
        `INSERT INTO celeriac.command (id, verb, args, workers, asked_by, asked_from, expires_at)
         VALUES ($1, $2, '{"by":1}', ARRAY[$3::uuid], 'mallory', 'sql', now() + $4 * interval '1 second')`,
        [id, verb, worker?.id, seconds],
      )
    const ids = [uuidv7(), uuidv7(), uuidv7()] as const
    await write(ids[0], 'pool-grow', 60)
    await write(ids[1], 'eval', 60)
    await write(ids[2], 'shutdown', -1)

    const replies = await until(async () => {
      const rows = await query<{ id: string; ok: boolean; value: string }>(
        'SELECT command_id AS id, ok, value FROM celeriac.reply WHERE command_id = ANY($1::uuid[]) ORDER BY 1',
        [ids],
      )
      return rows.length === 2 ? rows : undefined
    }, patient)
    expect(replies).toMatchObject([
      { id: ids[0], ok: true, value: '{"concurrency":3,"autoscale":null}' },
      { id: ids[1], ok: false, value: expect.stringContaining('knows no \\"eval\\"') },
    ])
  })

  test('a worker that scales itself grows under load, shrinks when it is gone, and its row says so', async () => {
    const { jobs, enqueue } = await scene()
    await jobs.control.autoscale({ min: 1, max: 8 }, one)
    const load = await Promise.all(Array.from({ length: 120 }, () => enqueue('rest', 1000)))
    const size = async () => (await workerOf(jobs))?.concurrency ?? 0

    await until(async () => (await size()) === 8, { timeoutMs: 90_000 })
    await succeed(load)
    await until(async () => (await size()) <= 4, { timeoutMs: 90_000 })
  })
})

describe.each(brokers)('on %s', (kind) => {
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
})
