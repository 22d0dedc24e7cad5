import pg from 'pg'
import { v7 as uuidv7 } from 'uuid'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { watchCluster } from '../../src/control/cluster-events.js'
import { type ClusterEvent, createSightings } from '../../src/control/sightings.js'
import type { ChangedJob, NewJob, Store } from '../../src/store/store.js'
import { openStore } from '../support/store.js'
import { until } from '../support/until.js'

vi.setConfig({ testTimeout: 60_000 })

const at = (seconds: number) => new Date(Date.UTC(2030, 0, 1) + seconds * 1000)
const patient = { timeoutMs: 60_000 }
const ann = '01890a5d-ac96-774b-bcce-b302099a8057'

describe('what is seen of a job', () => {
  test('is told once, in its order, however often it is seen', () => {
    const sightings = createSightings(at(0))
    const waiting = job({})
    const running = job({ state: 'running', attempt: 1, startedAt: at(2), workerId: ann })
    const ended = { ...running, state: 'succeeded' as const, finishedAt: at(5) }

    const told = [waiting, waiting, running, running, ended, ended].map(sightings.ofJob)

    expect(told.map(names)).toEqual([...[['job.enqueued'], [], ['job.started'], [], ['job.succeeded'], []]])
    expect(told[4]).toEqual([
      {
        ...{ type: 'job.succeeded', at: at(5), job: { id: 'a', task: 'mail.send', queue: 'mail' } },
        ...{ attempt: 1, worker: { id: ann, name: ann }, ms: 3000 },
      },
    ])
  })

  test('is told as a whole where only its end was seen', () => {
    const past = { number: 1, worker: ann, startedAt: at(1), finishedAt: at(2), outcome: 'failed' as const }
    const error = { name: 'TypeError', message: 'boom' }
    const ended = job({
      ...{ state: 'failed', attempt: 2, startedAt: at(3), finishedAt: at(4), workerId: ann, error },
      attempts: [{ ...past, error }],
    })

    expect(names(createSightings(at(0)).ofJob(ended))).toEqual([
      ...['job.enqueued', 'job.started', 'job.retrying', 'job.started', 'job.failed'],
    ])
    expect(names(createSightings(at(2.5)).ofJob(ended))).toEqual(['job.started', 'job.failed'])
  })

  test('ends once more when it was put back by hand', () => {
    const sightings = createSightings(at(0))
    const failed = job({ state: 'failed', attempt: 1, startedAt: at(1), finishedAt: at(2), workerId: ann })
    const past = { number: 1, worker: ann, startedAt: at(1), finishedAt: at(2), outcome: 'failed' as const }
    const back = job({ attempt: 1, startedAt: at(1), runAt: at(10), attempts: [{ ...past, error: null }] })
    const done = { ...back, state: 'succeeded' as const, attempt: 2, startedAt: at(11), finishedAt: at(12) }

    expect([failed, back, done].map(sightings.ofJob).map(names)).toEqual([
      ['job.enqueued', 'job.started', 'job.failed'],
      ['job.enqueued'],
      ['job.started', 'job.succeeded'],
    ])
  })

  test('that was forgotten is not told again as new', () => {
    const sightings = createSightings(at(0))
    const ended = job({ state: 'succeeded', attempt: 1, startedAt: at(1), finishedAt: at(2) })
    sightings.ofJob(ended)
    sightings.forget(at(100))
    const back = job({ state: 'running', attempt: 2, startedAt: at(101) })

    expect(names(sightings.ofJob(back))).toEqual(['job.started'])
  })
})

describe('a watch', () => {
  test('tells an end whose transaction was open while it looked', async () => {
    const { store, client, close } = await openStore()
    onTestFinished(close)
    const [job] = await store.insert([newRow()])
    const shown = watch(store)
    const other = new pg.Client({
      host: client.host,
      port: client.port,
      user: client.user,
      database: client.database,
    })
    await other.connect()
    onTestFinished(() => other.end())

    await other.query('BEGIN')
    await other.query('SELECT 1')
    // Some looks go by, each later than the time that will be written.
    await new Promise((resolve) => setTimeout(resolve, 4000))
    await other.query(`UPDATE celeriac.job SET state = 'cancelled', finished_at = now() WHERE id = $1`, [
      job?.id,
    ])
    await new Promise((resolve) => setTimeout(resolve, 1500))
    await other.query('COMMIT')

    await until(() => names(shown.events).includes('job.cancelled'), patient)
    expect(names(shown.events)).toEqual(['job.enqueued', 'job.cancelled'])
  })

  test('goes on after an outage where it was', async () => {
    const { store, close } = await openStore()
    onTestFinished(close)
    let isAway = false
    const flaky = new Proxy(store, {
      get: (target, name: keyof Store) => (isAway ? () => Promise.reject(new Error('away')) : target[name]),
    })
    const shown = watch(flaky)
    const [first, second] = [newRow(), newRow()]
    await store.insert([first])
    await until(() => shown.events.length === 1, patient)
    isAway = true
    await until(() => shown.troubles.length === 1, patient)
    await store.insert([second])
    await new Promise((resolve) => setTimeout(resolve, 500))
    isAway = false
    await until(() => shown.events.length === 2, patient)

    expect(shown.troubles.map((error) => error !== undefined)).toEqual([true, false])
    expect(shown.events.map(({ job }) => job?.id)).toEqual([first.id, second.id])
  })
})

function names(events: readonly ClusterEvent[]): string[] {
  return events.map(({ type }) => type)
}

function job(about: Partial<ChangedJob>): ChangedJob {
  return {
    ...{ id: 'a', task: 'mail.send', queue: 'mail', state: 'queued', attempt: 0, workerId: null },
    ...{ createdAt: at(0), runAt: at(0), startedAt: null, finishedAt: null, cancelRequestedAt: null },
    ...{ cancelledBy: null, cancelReason: null, error: null, attempts: [] },
    ...about,
  }
}

/** Everything that is told from now on, until the test ends. */
function watch(store: Store) {
  const stopping = new AbortController()
  onTestFinished(() => stopping.abort())
  const events: ClusterEvent[] = []
  const troubles: unknown[] = []
  const onTrouble = (error: unknown) => void troubles.push(error)
  // Ids are of this process, times of the server.
  const since = (now: Date) => new Date(now.getTime() - 5000)
  const listen = async () => {
    for await (const found of watchCluster(store, {
      since,
      everyMs: 100,
      signal: stopping.signal,
      onTrouble,
    }))
      events.push(...found)
  }
  void listen()
  return { events, troubles }
}

function newRow(): NewJob {
  return {
    ...{ id: uuidv7(), task: 'test.task', queue: 'default', payload: 'null', options: null, priority: 0 },
    ...{ maxAttempts: 1, owner: null, tags: [], idempotencyKey: null, parentId: null, requestId: null },
    ...{ traceparent: null, context: null, limitKey: null, unique: null, delayMs: null, runAt: null },
    expiresInMs: null,
  }
}
