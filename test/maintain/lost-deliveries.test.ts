import { describe, expect, test } from 'vitest'
import { netPass } from '../../src/maintain/net.js'
import { repairPass } from '../../src/maintain/repair.js'
import { stuckPass } from '../../src/maintain/stuck.js'
import { defineTask } from '../../src/task/define.js'
import { type BrokerKind, brokers, closeJobsAfterEach, openJobs } from '../support/lab.js'
import { freshDatabase, freshRedis } from '../support/servers.js'
import { until } from '../support/until.js'
import { addRows, askRedis, type Ground, hand, openGround, takeAll } from './ground.js'

closeJobsAfterEach()

/** Where a test's deliveries are, so that it can take some away. */
interface Place {
  readonly ground: Ground
  readonly servers: { readonly database: string; readonly broker?: string }
  /** All that the broker has of one queue. */
  removeQueue(queue: string): Promise<void>
  /** What the broker has of one delivery; on Redis its place in the list stays. */
  removeDelivery(jobId: string, queue: string): Promise<void>
}

async function openPlace(kind: BrokerKind): Promise<Place> {
  const database = await freshDatabase()
  if (kind === 'postgres') {
    const ground = await openGround('postgres', { database })
    await ground.broker.ping()
    return {
      ground,
      servers: { database },
      async removeQueue(queue) {
        await ground.client.query('DELETE FROM celeriac_broker.job WHERE queue = $1', [queue])
      },
      async removeDelivery(jobId) {
        const id = `${jobId}.1`
        const { rowCount } = await ground.client.query('DELETE FROM celeriac_broker.job WHERE id = $1', [id])
        expect(rowCount).toBe(1)
      },
    }
  }
  const broker = await freshRedis()
  const ground = await openGround('redis', { database, redis: broker })
  return {
    ground,
    servers: { database, broker },
    async removeQueue(queue) {
      const keys = (await askRedis(broker, 'keys', `celeriac:${queue}:*`)) as string[]
      await askRedis(broker, 'del', ...keys)
    },
    async removeDelivery(jobId, queue) {
      expect(await askRedis(broker, 'del', `celeriac:${queue}:${jobId}.1`)).toBe(1)
    },
  }
}

describe.each(brokers)('deliveries that vanish from %s', (kind) => {
  test('all of one queue: its jobs are sent again, those of others are left alone', async () => {
    const { ground, removeQueue } = await openPlace(kind)
    const ids = await addRows(ground, 20, { queue: 'mail' })
    await hand(ground, ids, 'mail')
    const others = await addRows(ground, 20, { queue: 'other' })
    await hand(ground, others, 'other')

    await removeQueue('mail')
    expect(await ground.round(stuckPass)).toBe(20)

    expect(await takeAll(ground, 20, 'mail')).toEqual(ids)
    expect(await takeAll(ground, 20, 'other')).toEqual(others)
    expect(ground.told).toEqual([
      'warn: The broker had lost the jobs of queue "mail"; 20 jobs went there again.',
    ])
  })

  test('a queue of thousands: what one step does not send is a walk, which another process may go on with', async () => {
    const { ground } = await openPlace(kind)
    await addRows(ground, 2300)

    expect(await ground.round(stuckPass)).toBe(1000)
    expect(await ground.round(stuckPass)).toBeUndefined()
    expect(await ground.round(repairPass)).toBe(1300)

    expect(await ground.broker.counts('default')).toMatchObject({ waiting: 2300 })
  })

  test('one of many is found by the slow walk, which begins again at its end', async () => {
    const { ground, removeDelivery } = await openPlace(kind)
    const ids = await addRows(ground, 1100)
    await hand(ground, ids)
    const [first = '', last = ''] = [ids[0], ids.at(-1)]
    await removeDelivery(first, 'default')
    await removeDelivery(last, 'default')

    expect(await ground.round(stuckPass)).toBe(0)
    for (let round = 0; round < 2; round += 1) await ground.round(netPass)
    await removeDelivery(ids[1] ?? '', 'default')
    for (let round = 0; round < 2; round += 1) await ground.round(netPass)

    const { taken } = ground.take('default')
    await until(() => new Set(taken.map(({ jobId }) => jobId)).size === 1100)
    expect(ground.told).toEqual([])
  })

  test('with workers at work, each job runs once all the same', async () => {
    const { ground, servers, removeQueue, removeDelivery } = await openPlace(kind)
    const runs = new Map<string, number>()
    const run = (_: undefined, { id }: { id: string }) => {
      runs.set(id, (runs.get(id) ?? 0) + 1)
    }
    const [task, other] = [defineTask(run), defineTask({ queue: 'other', run })]
    const options = { ...servers, lease: '1s', tasks: { work: { task, other } } } as const
    const web = await openJobs(options)
    const jobs = await web.enqueueMany(task, Array(50).fill(undefined))
    const others = await web.enqueueMany(other, Array(50).fill(undefined))
    await until(async () => (await ground.broker.counts('other')).waiting === 50)
    await until(async () => (await ground.broker.counts('default')).waiting === 50)

    await removeQueue('other')
    await removeDelivery(jobs[7]?.id ?? '', 'default')
    // As if they had waited for longer.
    await ground.client.query(`UPDATE celeriac.job SET dispatched_at = now() - interval '11 seconds'`)
    await openJobs({ ...options, worker: true })
    await until(() => runs.size === 100, { timeoutMs: 30_000 })
    await Promise.all([...jobs, ...others].map((job) => job.result()))

    expect(new Set(runs.values())).toEqual(new Set([1]))
  }, 50_000)
})

describe('a queue is not taken for stuck', () => {
  test.each([
    ['while its jobs were handed over a moment ago', { dispatched: '5 seconds' }],
    ['when they have begun', { state: 'running' }],
    ['when they wait for their time', { state: 'scheduled', due: '30 seconds' }],
    ['before they were handed over', { dispatched: null }],
    ['when they have ended', { state: 'succeeded', ended: '1 second' }],
  ])('%s', async (_, rows) => {
    const ground = await openGround('redis')
    await addRows(ground, 3, rows)

    expect(await ground.store.stuckQueues()).toEqual([])
  })

  test('while a repair is under way', async () => {
    const ground = await openGround('redis')
    await addRows(ground, 3)
    await ground.store.beginWalk({ name: 'repair', since: null, cursor: { queue: '', jobId: zero } })

    expect(await ground.round(stuckPass)).toBeUndefined()
    expect(await ground.round(netPass)).toBeUndefined()
    await ground.round(repairPass)
    expect(await ground.round(netPass)).toBe(0)
  })
})

const zero = '00000000-0000-0000-0000-000000000000'
