import { appRoutes } from '@bull-board/api/dist/routes.js'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { JobHandle } from '../../src/job/job.js'
import { freshRedis } from '../support/servers.js'
import { until } from '../support/until.js'
import { ask, fromPage, gates, mood, openShop, type Reply, type Shop, tasks } from './shop.js'

let shop: Shop

beforeAll(async () => {
  shop = await openShop()
})

afterAll(() => shop.close())

const api = '/jobs/dashboard/board/api'

interface BoardJob {
  readonly id: string
  readonly name: string
  readonly failedReason: string
  readonly stacktrace: readonly string[]
  readonly data: unknown
  readonly returnValue: unknown
  readonly progress: unknown
  readonly attempts: number
  readonly opts: Readonly<Record<string, unknown>>
  readonly externalUrl?: { readonly href: string }
}

interface BoardQueue {
  readonly name: string
  readonly counts: Readonly<Record<string, number>>
  readonly jobs: readonly BoardJob[]
  readonly isPaused: boolean
  readonly hasWorkers: boolean
  readonly description?: string
}

const put = (path: string, on = shop) => ask(on, `${api}${path}`, { method: 'PUT', headers: fromPage })

async function get<T>(path: string, on = shop): Promise<T> {
  return JSON.parse((await ask(on, `${api}${path}`)).body) as T
}

async function queueOf(name: string, query = '', on = shop): Promise<BoardQueue> {
  const { queues } = await get<{ queues: BoardQueue[] }>(
    `/queues?activeQueue=${encodeURIComponent(name)}&${query}`,
    on,
  )
  const queue = queues.find((each) => each.name === name)
  if (!queue) throw new Error(`The board shows no queue ${name}.`)
  return queue
}

async function jobOf({ id }: JobHandle): Promise<{ job: BoardJob; status: string }> {
  return get(`/queues/default/${id}`)
}

async function ended(job: JobHandle, state = 'failed'): Promise<void> {
  await until(async () => (await job.status()).state === state)
}

function messageOf({ body }: Reply): string {
  return (JSON.parse(body) as { message: string }).message
}

describe("every route of bull-board's API has its place in this table", () => {
  const done = 200
  const refused = 403
  const table: Readonly<Record<string, number>> = {
    'get /api/redis/stats': refused,
    'get /api/queues': done,
    'get /api/job-schedulers': refused,
    'get /api/queues/:queueName/metrics': refused,
    'get /api/queues/:queueName/default-job-options': done,
    'get /api/queues/:queueName/workers': done,
    'get /api/queues/:queueName/rate-limit': done,
    'get /api/queues/:queueName/job-data-schema': refused,
    'put /api/queues/pause': done,
    'put /api/queues/resume': done,
    'get /api/queues/:queueName/:jobId/logs': done,
    'get /api/queues/:queueName/:jobId/flow': done,
    'get /api/queues/:queueName/:jobId': done,
    'post /api/queues/:queueName/add': refused,
    'put /api/queues/:queueName/retry/:queueStatus': done,
    'put /api/queues/:queueName/promote': refused,
    'put /api/queues/:queueName/clean/:queueStatus': refused,
    'put /api/queues/:queueName/pause': done,
    'put /api/queues/:queueName/resume': done,
    'put /api/queues/:queueName/concurrency': refused,
    'put /api/queues/:queueName/rate-limit': refused,
    'put /api/queues/:queueName/rate-limit/release': refused,
    'put /api/queues/:queueName/empty': refused,
    'put /api/queues/:queueName/obliterate': refused,
    'put /api/queues/:queueName/job-schedulers/:schedulerId/remove': refused,
    'patch /api/queues/:queueName/job-schedulers/:schedulerId': refused,
    'put /api/queues/:queueName/job-schedulers/:schedulerId/run': refused,
    'put /api/queues/:queueName/:jobId/retry': 204,
    'put /api/queues/:queueName/:jobId/clean': 409,
    'put /api/queues/:queueName/:jobId/promote': 409,
    'patch /api/queues/:queueName/:jobId/update-data': refused,
    'patch /api/queues/:queueName/:jobId/delay': refused,
    'patch /api/queues/:queueName/:jobId/priority': refused,
    'put /api/queues/:queueName/:jobId/remove-unprocessed-children': refused,
  }
  const keys = appRoutes.api.flatMap(({ method, route }) =>
    [method].flat().flatMap((each) => [route].flat().map((pattern) => `${each} ${pattern}`)),
  )

  test('and the table has no others', () => {
    expect(Object.keys(table)).toEqual(keys)
  })

  test.each(keys)('%s', async (key) => {
    mood.isGood = false
    const job = await tasks.mail.moody.enqueue(undefined)
    await ended(job)
    const [method = '', pattern = ''] = key.split(' ')
    const path = pattern
      .replace(':queueName', 'default')
      .replace(':queueStatus', 'failed')
      .replace(':jobId', job.id)
      .replace(':schedulerId', 'x')

    const answer = await ask(shop, `/jobs/dashboard/board${path}`, {
      method: method.toUpperCase(),
      headers: { ...fromPage, 'Content-Type': 'application/json' },
      ...(method === 'get'
        ? {}
        : { body: '{"name":"mail.send","data":"mallory","jobData":"mallory","force":true}' }),
    })
    await put('/queues/resume')

    expect(answer.status, answer.body).toBe(table[key])
    if (table[key] === refused) expect(messageOf(answer)).toBe('The board does not offer this.')
  })
})

describe('the log of a job', () => {
  test('is shown line by line, with its details', async () => {
    const job = await tasks.mail.send.enqueue('ann@example.com')
    await ended(job, 'succeeded')

    const lines = await get<string[]>(`/queues/default/${job.id}/logs`)

    expect(lines).toEqual([
      expect.stringMatching(
        /^\d{4}-\S+Z attempt 1 INFO handed to the mail server \{"to":"ann@example.com"\}$/,
      ),
    ])
  })
})

describe('a queue', () => {
  let fresh: Shop

  beforeEach(async () => {
    fresh = await openShop({ worker: { concurrency: 2, queues: ['default', 'mail'] } })
  })

  afterEach(() => fresh.close())

  test('shows how many jobs it has in which state, and each in the list of its state', async () => {
    mood.isGood = false
    const { send, moody, gated } = tasks.mail
    const sent = await send.enqueue('ann')
    const failed = await moody.enqueue(undefined)
    const running = await gated.enqueue('shown')
    const later = await send.enqueue('bob', { delay: '1h' })
    const cancelled = await send.enqueue('cleo', { delay: '1h' })
    await cancelled.cancel({ by: 'ann', reason: 'she left' })
    const waiting = await send.enqueue('dan', { queue: 'nobody' })
    await Promise.all([ended(sent, 'succeeded'), ended(failed), until(() => gates.has('shown'))])

    await until(async () => {
      const { counts } = await queueOf('default', '', fresh)
      return counts.completed === 1 && counts.active === 1
    })
    const { counts, hasWorkers } = await queueOf('default', '', fresh)
    const unserved = await queueOf('nobody', 'status=waiting', fresh)
    const idsIn = async (status: string) =>
      (await queueOf('default', `status=${status}`, fresh)).jobs.map(({ id }) => id)

    expect(counts).toEqual({ active: 1, waiting: 0, delayed: 1, failed: 2, completed: 1 })
    expect(hasWorkers).toBe(true)
    expect(await idsIn('active')).toEqual([running.id])
    expect(await idsIn('delayed')).toEqual([later.id])
    expect(await idsIn('completed')).toEqual([sent.id])
    expect((await idsIn('failed')).sort()).toEqual([failed.id, cancelled.id].sort())
    expect((await idsIn('latest')).length).toBe(5)
    expect([unserved.hasWorkers, unserved.jobs.map(({ id }) => id)]).toEqual([false, [waiting.id]])
    gates.get('shown')?.()
  })

  test('pages through its jobs, in whatever sizes it is asked for', async () => {
    const many = Array.from({ length: 120 }, (_, at) => `${at}`)
    const handles = await fresh.jobs.enqueueMany(tasks.mail.send, many, { queue: 'quiet' })
    const page = async (query: string) =>
      (await queueOf('quiet', `status=waiting&${query}`, fresh)).jobs.map(({ id }) => id)
    const ids = handles.map(({ id }) => id).sort()

    expect(await page('page=1&jobsPerPage=10')).toEqual(ids.slice(0, 10))
    expect(await page('page=12&jobsPerPage=10')).toEqual(ids.slice(110))
    expect(await page('page=13&jobsPerPage=10')).toEqual([])
    expect((await page('jobsPerPage=1000000000')).length).toBe(50)
    expect((await ask(fresh, `${api}/queues?jobsPerPage=-1`)).status).toBe(400)
    expect((await ask(fresh, `${api}/queues?page=1e308`)).status).toBeLessThan(500)
  })
})

describe.each([
  ['PostgreSQL', async () => ({})],
  ['Redis', async () => ({ broker: await freshRedis() })],
])('pausing on %s', (_, options) => {
  test('a paused queue is not worked on until it is resumed', async () => {
    const paused = await openShop(await options())
    const { send } = tasks.mail
    expect((await put('/queues/mail/pause', paused)).status).toBe(200)

    const held = await paused.jobs.enqueue(send, 'held', { queue: 'mail' })
    const other = await paused.jobs.enqueue(send, 'other')
    await ended(other, 'succeeded')

    expect(await queueOf('mail', '', paused)).toMatchObject({ isPaused: true, counts: { waiting: 1 } })
    expect((await held.status()).state).toBe('queued')
    await put('/queues/mail/resume', paused)
    expect(await held.result({ timeout: '20s' })).toBe('sent to held')
    expect((await queueOf('mail', '', paused)).isPaused).toBe(false)
    await paused.close()
  })
})

describe('a job', () => {
  test('that failed shows its payload, its error with the stack, and every attempt', async () => {
    const job = await tasks.mail.flaky.enqueue('no stamps left', { tags: ['letters'] })
    await ended(job)

    const { job: shown, status } = await jobOf(job)

    expect(status).toBe('failed')
    expect(shown).toMatchObject({
      name: 'mail.flaky',
      data: 'no stamps left',
      attempts: 2,
      failedReason: 'Error: no stamps left',
      opts: {
        state: 'failed',
        attempts: 2,
        tags: ['letters'],
        pastAttempts: [{ number: 1, outcome: 'failed', error: 'Error: no stamps left' }],
      },
      externalUrl: { href: `../../${job.id}` },
    })
    expect(shown.stacktrace).toEqual([
      expect.stringMatching(/^Attempt 2: failed at 20.*\nError: no stamps left\n\s+at /),
      expect.stringMatching(/^Attempt 1: failed at 20.*\nError: no stamps left\n\s+at /),
    ])
  })

  test('that succeeded shows its result', async () => {
    const job = await tasks.mail.send.enqueue('ann')
    await ended(job, 'succeeded')

    expect(await jobOf(job)).toMatchObject({
      status: 'completed',
      job: { data: 'ann', returnValue: 'sent to ann', failedReason: '' },
    })
  })

  test('links to its status, below the board as the browser sees it', async () => {
    const job = await tasks.mail.send.enqueue('ann')

    const { externalUrl } = (await jobOf(job)).job

    const link = new URL(externalUrl?.href ?? '', `${shop.url}/jobs/dashboard/board/`)
    expect(await (await fetch(link)).json()).toMatchObject({ id: job.id, task: 'mail.send' })
  })

  test('with a large payload is shown in full on its own page, and by its size in lists', async () => {
    const letter = 'x'.repeat(50_000)
    const job = await tasks.mail.send.enqueue(letter, { queue: 'large' })

    expect((await get<{ job: BoardJob }>(`/queues/large/${job.id}`)).job.data).toBe(letter)
    expect((await queueOf('large', 'status=waiting')).jobs[0]?.data).toBe(
      '(50002 bytes: shown on the page of the job)',
    )
  })

  test('is not found in another queue, nor by what is no id', async () => {
    const job = await tasks.mail.send.enqueue('ann')

    for (const path of [
      `/queues/mail/${job.id}`,
      `/queues/nowhere/${job.id}`,
      '/queues/default/1',
      "/queues/default/'",
    ])
      expect((await ask(shop, `${api}${path}`)).status, path).toBe(404)
  })
})

describe('an action', () => {
  test('retries a failed job', async () => {
    mood.isGood = false
    const job = await tasks.mail.moody.enqueue(undefined)
    await ended(job)
    mood.isGood = true

    expect((await put(`/queues/default/${job.id}/retry`)).status).toBe(204)

    expect(await job.result({ timeout: '20s' })).toBe('sent after all')
  })

  test('retries all that failed, and not what somebody cancelled', async () => {
    mood.isGood = false
    await shop.jobs.enqueueMany(tasks.mail.moody, Array(130).fill(undefined), { queue: 'mail' })
    const cancelled = await tasks.mail.send.enqueue('x', { queue: 'mail', delay: '1h' })
    await cancelled.cancel()
    await until(async () => (await queueOf('mail')).counts.failed === 131)
    mood.isGood = true

    const answer = await put('/queues/mail/retry/failed')

    expect(JSON.parse(answer.body)).toEqual({ retried: 130, skipped: 0 })
    await until(async () => (await queueOf('mail')).counts.completed === 130)
    expect((await cancelled.status()).state).toBe('cancelled')
  })

  test('cancels a job that waits, and says who did', async () => {
    const job = await tasks.mail.send.enqueue('x', { delay: '1h' })

    expect((await put(`/queues/default/${job.id}/clean`)).status).toBe(204)

    expect((await job.status()).state).toBe('cancelled')
    expect((await jobOf(job)).job.failedReason).toMatch(/^Cancelled by dashboard at 20[\d-]+T.*Z\.$/)
  })

  test('stops a job that runs', async () => {
    const job = await tasks.mail.gated.enqueue('stopped')
    await until(() => gates.has('stopped'))

    expect((await put(`/queues/default/${job.id}/clean`)).status).toBe(204)

    await ended(job, 'cancelled')
  })

  test('runs a job now that waited for its time', async () => {
    const job = await tasks.mail.send.enqueue('early bird', { delay: '1h' })

    expect((await put(`/queues/default/${job.id}/promote`)).status).toBe(204)

    expect(await job.result({ timeout: '20s' })).toBe('sent to early bird')
  })

  test('that makes no sense is refused with a sentence', async () => {
    const sent = await tasks.mail.send.enqueue('ann')
    await ended(sent, 'succeeded')
    const refusals = await Promise.all([
      put(`/queues/default/${sent.id}/clean`),
      put(`/queues/default/${sent.id}/promote`),
      put('/queues/default/retry/completed'),
    ])

    expect(
      refusals.map(({ status, body }) => [status, (JSON.parse(body) as { message: string }).message]),
    ).toEqual([
      [409, 'This job has ended. It stays in the store until it is pruned.'],
      [409, 'This job does not wait for its time any more.'],
      [409, 'Only failed jobs are retried.'],
    ])
  })
})

describe('the board holds', () => {
  test('under any mount, in several places at once, with its links right in each', async () => {
    const twice = await openShop(
      { worker: false, publicPath: 'https://shop.example/api/jobs' },
      (app, jobs) => {
        app.use('/api', jobs)
        app.use('/admin/jobs', jobs.dashboard())
      },
    )
    const job = await tasks.mail.send.enqueue('ann')

    const linkAt = async (mount: string) => {
      const answer = await ask(twice, `${mount}/board/api/queues/default/${job.id}`)
      return (JSON.parse(answer.body) as { job: BoardJob }).job.externalUrl?.href
    }

    expect(await linkAt('/api/jobs/dashboard')).toBe(`../../${job.id}`)
    expect(await linkAt('/admin/jobs')).toBe(`https://shop.example/api/jobs/${job.id}`)
    expect((await ask(twice, '/admin/jobs')).headers.location).toBe('./jobs/')
    await twice.close()
  })

  test.each([
    ['/', './'],
    ['/queue/default', '../'],
    ['/queue/default/01a20402-5957-76f7-9915-16a397aa8cd7', '../../'],
  ])('page %s has the base %s, which is right behind any proxy', async (path, base) => {
    expect((await ask(shop, `/jobs/dashboard/board${path}`)).body).toContain(`<base href="${base}" />`)
  })
})
