import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type pg from 'pg'
import { beforeAll, describe, expect, expectTypeOf, test } from 'vitest'
import { openEvents } from '../../src/enqueue/events.js'
import { createFollower, type Follower } from '../../src/enqueue/follow.js'
import { ClosedError, JobNotFoundError, StoreUnavailableError } from '../../src/errors.js'
import type { JobEvent } from '../../src/job/event.js'
import type { JobStatus } from '../../src/job/job.js'
import { toStatus } from '../../src/job/status.js'
import type { Look, Store } from '../../src/store/store.js'
import { defineTask } from '../../src/task/define.js'
import { closeJobsAfterEach, freshServers, gate, openJobs } from '../support/lab.js'
import { openStore } from '../support/store.js'
import { until } from '../support/until.js'

closeJobsAfterEach()

describe('handle.events()', () => {
  test('tells what happens to the job, until its end', async () => {
    const { jobs, work } = await openWork()
    const job = await work.enqueue('a')

    const events: JobEvent<string>[] = []
    for await (const event of job.events()) events.push(event)

    expect(linesOf(events)).toEqual(['a begins', 'a ends'])
    expect(events.at(-1)).toMatchObject({ type: 'state', status: { state: 'succeeded', result: 'a' } })
    expect(await statesOf(jobs.job(job.id).events())).toEqual(['succeeded'])
  })

  test('goes on after the event that was seen last', async () => {
    const { jobs, work } = await openWork()
    const job = await work.enqueue('a')
    const all = await collect(job.events())
    const first = all.find(({ type }) => type === 'log')

    const rest = await collect(jobs.job(job.id).events({ after: first?.id ?? '' }))

    expect(linesOf(rest)).toEqual(['a ends'])
    expect(rest.at(-1)).toMatchObject({ type: 'state', status: { state: 'succeeded' } })
    expect(await collect(job.events({ after: rest.at(-1)?.id ?? '' }))).toEqual([])
  })

  test('tells the end of a job that is begun anew, to those who have seen its first end', async () => {
    const { jobs, work } = await openWork()
    const job = await work.enqueue('a', { delay: '1h' })
    await job.cancel()
    const seen = await collect(job.events())
    await jobs.retry(job.id)

    const events = await collect(job.events({ after: seen.at(-1)?.id ?? '' }))

    expect(events.at(-1)).toMatchObject({ type: 'state', status: { state: 'succeeded' } })
  })

  test('ends with the reason of its signal', async () => {
    const { work } = await openWork()
    const job = await work.enqueue('a', { delay: '1h' })
    const stop = new AbortController()
    const reading = collect(job.events({ signal: stop.signal }))
    await sleep(50)

    stop.abort(new Error('enough'))

    await expect(reading).rejects.toThrow('enough')
  })

  test('of a job that is not there is an error', async () => {
    const { jobs } = await openWork()

    await expect(collect(jobs.job(randomUUID()).events())).rejects.toThrow(JobNotFoundError)
    await expect(collect(jobs.job('today').events())).rejects.toThrow(JobNotFoundError)
  })

  test('ends with an error when the app is closed', async () => {
    const { jobs, work } = await openWork()
    const job = await work.enqueue('a', { delay: '1h' })
    const reading = collect(job.events())
    reading.catch(() => {})
    await sleep(50)

    await jobs.close()

    await expect(reading).rejects.toThrow(ClosedError)
  })

  test('tells that a job waits for a worker that is not there', async () => {
    const task = defineTask(() => 1)
    await openJobs({ ...(await freshServers('postgres')), tasks: { work: { task } } })
    const job = await task.enqueue(undefined)

    for await (const event of job.events())
      if (event.type === 'state' && event.status.waitingFor === 'worker') break
  })

  test('tells an end in this process sooner than the next look', async () => {
    const passed = gate()
    const { jobs, hold } = await openWork(passed.passed)
    const job = await hold.enqueue('a')
    const events = job.events()
    await until(async () => (await job.status()).state === 'running')
    const took: number[] = []
    const reading = (async () => {
      for await (const event of events) if (event.type === 'state') took.push(performance.now())
    })()
    await sleep(600)
    const began = performance.now()
    passed.open()
    await reading

    expect((took.at(-1) ?? 0) - began).toBeLessThan(150)
    await jobs.close()
  })

  test('knows its types', () => {
    const task = defineTask((text: string) => ({ length: text.length }))
    type Handle = Awaited<ReturnType<typeof task.enqueue>>
    type Event = ReturnType<Handle['events']> extends AsyncIterable<infer Each> ? Each : never
    type Of<Type extends string> = Extract<Event, { type: Type }>

    expectTypeOf<Of<'state'>['status']>().toEqualTypeOf<JobStatus<{ length: number }>>()
    expectTypeOf<Of<'progress'>['progress']>().toEqualTypeOf<unknown>()
    expectTypeOf<Of<'log'>['level']>().toEqualTypeOf<'trace' | 'debug' | 'info' | 'warn' | 'error'>()
    expectTypeOf<Of<'log'>['message']>().toEqualTypeOf<string>()
    expectTypeOf<JobEvent['type']>().toEqualTypeOf<'state' | 'progress' | 'log' | 'gone'>()
  })

  async function openWork(passed: Promise<void> = Promise.resolve()) {
    const work = defineTask(async (name: string, { log }) => {
      log.info(`${name} begins`)
      log.info(`${name} ends`)
      return name
    })
    const hold = defineTask(async (name: string) => {
      await passed
      return name
    })
    const jobs = await openJobs({
      ...(await freshServers('postgres')),
      tasks: { work: { work, hold } },
      worker: { concurrency: 2 },
    })
    return { jobs, work, hold }
  }
})

describe('handle.logs()', () => {
  test('gives the kept lines of all attempts, with their details', async () => {
    const task = defineTask({
      attempts: 2,
      backoff: { type: 'fixed', delay: 1, jitter: 0 },
      run(_: undefined, { log, attempt }) {
        log.debug('not kept')
        log.info({ attempt }, 'tried')
        if (attempt === 1) throw new Error('once more')
      },
    })
    await openJobs({ ...(await freshServers('postgres')), tasks: { work: { task } }, worker: true })
    const job = await task.enqueue(undefined)
    await job.result()

    expect(await job.logs()).toMatchObject([
      { attempt: 1, level: 'info', message: 'tried', details: { attempt: 1 } },
      { attempt: 2, level: 'info', message: 'tried', details: { attempt: 2 } },
    ])
    expect(await job.logs({ limit: 1 })).toHaveLength(1)
  })

  test('shows all lines to whoever has seen the end', async () => {
    const task = defineTask((n: number, { log }) => {
      for (let line = 0; line < 50; line += 1) log.info(`${n}.${line}`)
    })
    await openJobs({ ...(await freshServers('postgres')), tasks: { work: { task } }, worker: true })
    const handles = await task.enqueueMany(Array.from({ length: 40 }, (_, n) => n))

    for (const handle of handles) {
      await handle.result()
      expect(await handle.logs()).toHaveLength(50)
    }
  })

  test('gives nothing where nothing is kept', async () => {
    const task = defineTask((_: undefined, { log }) => log.info('not kept'))
    const servers = await freshServers('postgres')
    await openJobs({ ...servers, tasks: { work: { task } }, worker: true, logs: false })
    const job = await task.enqueue(undefined)
    await job.result()

    expect(await job.logs()).toEqual([])
  })
})

describe('those who follow jobs', () => {
  let store: Store
  let client: pg.Client

  beforeAll(async () => {
    const opened = await openStore()
    store = opened.store
    client = opened.client
    return opened.close
  })

  test('share one query a tick, however many they are', async () => {
    const { looks, read } = openFollower()
    const ids: string[] = []
    for (let n = 0; n < 30; n += 1) ids.push(await putJob())
    const readers = ids.flatMap((id) => [read(id), read(id)])
    await Promise.all(readers.map((reader) => reader.next()))
    const waiting = readers.map((reader) => reader.next())
    await sleep(100)
    looks.length = 0

    await sleep(1000)

    expect(looks.length).toBeGreaterThanOrEqual(3)
    expect(looks.length).toBeLessThanOrEqual(6)
    // Those who have seen the same of a job are one.
    expect(looks.every((look) => look.length === 30)).toBe(true)
    await leave(readers, waiting)
  })

  test('ask nothing once all have left, in the middle of a wait or between two events', async () => {
    const { looks, read, follower } = openFollower()
    const [one, other] = [read(await putJob()), read(await putJob())]
    await one.next()
    await other.next()
    const pending = one.next()
    await until(() => follower.size === 1)

    await one.return?.()
    await other.return?.()

    expect(await pending).toEqual({ done: true, value: undefined })
    expect(follower.size).toBe(0)
    await sleep(300)
    looks.length = 0
    await sleep(500)
    expect(looks).toEqual([])
  })

  test('leave nothing behind by a break', async () => {
    const { follower, read } = openFollower()

    for await (const event of read(await putJob())) if (event.type === 'state') break

    expect(follower.size).toBe(0)
  })

  test('see each line once and in order, however many come at once, and the end after the last', async () => {
    const { read } = openFollower()
    const id = await putJob()
    const seen: JobEvent[] = []
    const reading = (async () => {
      for await (const event of read(id)) seen.push(event)
    })()
    for (const batch of [0, 1, 2]) await putLines(id, 1 + batch * 400, 400)
    await client.query(`UPDATE celeriac.job SET state = 'succeeded', finished_at = now() WHERE id = $1`, [id])
    await reading

    expect(linesOf(seen)).toEqual(Array.from({ length: 1200 }, (_, n) => `line ${n + 1}`))
    expect(seen.at(-1)).toMatchObject({ type: 'state', status: { state: 'succeeded' } })
  })

  test('wait for a store that goes away, and go on when it is back', async () => {
    let away = false
    const { read } = openFollower(() => {
      if (away) throw new StoreUnavailableError('away')
    })
    const id = await putJob()
    const reader = read(id)
    await reader.next()
    away = true
    const next = reader.next()
    await sleep(500)
    await putLines(id, 1, 1)

    away = false

    expect(await next).toMatchObject({ value: { type: 'log', message: 'line 1' } })
    await reader.return?.()
  })

  test('are told at once when it is away from the beginning', async () => {
    const { read } = openFollower(() => {
      throw new StoreUnavailableError('away')
    })

    await expect(read(await putJob()).next()).rejects.toThrow(StoreUnavailableError)
  })

  test('hear of a row that goes', async () => {
    const { read } = openFollower()
    const id = await putJob()
    const reader = read(id)
    await reader.next()

    await client.query('DELETE FROM celeriac.job WHERE id = $1', [id])

    expect(await reader.next()).toEqual({ done: false, value: { type: 'gone', id: '0' } })
    expect(await reader.next()).toEqual({ done: true, value: undefined })
  })

  test('hear of a report, and of no row that was written for other reasons', async () => {
    const { read } = openFollower()
    const id = await putJob()
    const reader = read(id)
    await reader.next()
    await client.query('UPDATE celeriac.job SET dispatched_at = now() WHERE id = $1', [id])
    const next = reader.next()
    await sleep(400)

    await client.query(`UPDATE celeriac.job SET progress = '{"percent":5}' WHERE id = $1`, [id])

    expect(await next).toMatchObject({ value: { type: 'progress', attempt: 1, progress: { percent: 5 } } })
    await reader.return?.()
  })

  function openFollower(onLook: () => void = () => {}) {
    const looks: (readonly Look[])[] = []
    const follower = createFollower({
      async look(asked) {
        looks.push(asked)
        onLook()
        return store.look(asked)
      },
    })
    return { looks, follower, read: (id: string) => readFrom(follower, id) }
  }

  function readFrom(follower: Follower, id: string) {
    const hold = { during: <T>(work: Promise<T>) => work }
    return openEvents({ follower, hold, toStatus: async (job) => toStatus(job) }, id)
  }

  async function leave(readers: AsyncIterator<JobEvent>[], waiting: Promise<unknown>[]): Promise<void> {
    await Promise.all(readers.map((reader) => reader.return?.()))
    await Promise.all(waiting)
  }

  async function putJob(): Promise<string> {
    const id = randomUUID()
    await client.query(
      `INSERT INTO celeriac.job (id, task, queue, state, payload, run_at, attempt, started_at)
       VALUES ($1, 'work.follow', 'default', 'running', '"secret"', now(), 1, now())`,
      [id],
    )
    return id
  }

  async function putLines(id: string, from: number, count: number): Promise<void> {
    await client.query(
      `INSERT INTO celeriac.job_log (job_id, number, attempt, level, message, at)
       SELECT $1, n, 1, 'info', 'line ' || n, now() FROM generate_series($2::int, $3::int) n`,
      [id, from, from + count - 1],
    )
  }
})

function linesOf(events: readonly JobEvent[]): string[] {
  return events.flatMap((event) => (event.type === 'log' ? [event.message] : []))
}

async function collect<Event>(events: AsyncIterable<Event>): Promise<Event[]> {
  const all: Event[] = []
  for await (const event of events) all.push(event)
  return all
}

async function statesOf(events: AsyncIterable<JobEvent>): Promise<string[]> {
  return (await collect(events)).flatMap((event) => (event.type === 'state' ? [event.status.state] : []))
}
