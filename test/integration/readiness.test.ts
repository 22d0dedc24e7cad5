import express from 'express'
import { describe, expect, onTestFinished, test } from 'vitest'
import { celeriac } from '../../src/plugin.js'
import * as work from '../fixtures/health/modules/work/tasks.js'
import { serve } from '../http/app.js'
import { type BrokerKind, brokers, freshServers, type Servers } from '../support/lab.js'
import { createProxy } from '../support/proxy.js'
import { freePort } from '../support/server.js'
import { startPostgres, startRedis } from '../support/servers.js'
import { until } from '../support/until.js'
import { startWorkerProcess } from '../support/worker-process.js'

/** What is wrong is told within this time (R5). */
const toldWithin = { timeoutMs: 15_000, everyMs: 100 }
/** What is well again is told by itself; a slow machine has time. */
const wellWithin = { timeoutMs: 60_000, everyMs: 100 }

interface Answer {
  readonly code: number
  readonly codes: readonly string[]
}

async function ask(url: string): Promise<Answer> {
  const answer = await fetch(url, { signal: AbortSignal.timeout(5000) })
  const { reasons } = (await answer.json()) as { reasons: { code: string }[] }
  return { code: answer.status, codes: reasons.map(({ code }) => code) }
}

/** A worker process with a health port. */
async function startWorker(servers: Servers, queues = '') {
  const port = await freePort()
  const args = ['--health-port', String(port), '-c', '2', ...(queues ? ['-Q', queues] : [])]
  return {
    process: await startWorkerProcess({ ...servers, app: 'test/fixtures/health', args }),
    ready: () => ask(`http://127.0.0.1:${port}/health/ready`),
    live: () => ask(`http://127.0.0.1:${port}/health/live`),
  }
}

/** A web process, and the cluster as it sees it. */
async function openWeb({ database, broker }: Servers) {
  const jobs = celeriac({
    database,
    ...(broker ? { broker } : {}),
    tasks: { work },
    deadline: '2s',
    logger: 'silent',
    migrate: true,
  })
  onTestFinished(() => jobs.close())
  const app = express()
  app.use(jobs)
  const { url, close } = await serve(app)
  onTestFinished(close)
  await until(async () => (await jobs.health()).status === 'ok', wellWithin)
  return {
    jobs,
    ready: () => ask(`${url}/jobs/health/ready`),
    status: async (): Promise<Answer> => {
      const { status, problems } = await jobs.status()
      return { code: status === 'ok' ? 200 : 503, codes: problems.map(({ code }) => code) }
    },
  }
}

type Watched = Readonly<Record<string, () => Promise<Answer>>>

/** Each turns red for this reason. Gives after how many milliseconds. */
async function allRed(watched: Watched, code: string): Promise<Record<string, number>> {
  const began = performance.now()
  const times = Object.entries(watched).map(async ([name, look]) => {
    await until(async () => {
      const answer = await look()
      return answer.code === 503 && answer.codes.includes(code)
    }, toldWithin).catch(async (cause) => {
      throw new Error(`${name} does not tell ${code}, but ${JSON.stringify(await look())}`, { cause })
    })
    return [name, Math.round(performance.now() - began)] as const
  })
  return Object.fromEntries(await Promise.all(times))
}

async function allGreen(watched: Watched): Promise<Record<string, number>> {
  const began = performance.now()
  const times = Object.entries(watched).map(async ([name, look]) => {
    await until(async () => (await look()).code === 200, wellWithin).catch(async (cause) => {
      throw new Error(`${name} is not well: ${JSON.stringify(await look())}`, { cause })
    })
    return [name, Math.round(performance.now() - began)] as const
  })
  return Object.fromEntries(await Promise.all(times))
}

function note(what: string, times: Record<string, number>): void {
  if (process.env.TELL_TIMES) console.log(what, JSON.stringify(times))
}

/** Servers of the test's own, each behind a proxy. */
async function proxiedServers(kind: BrokerKind) {
  const database = await startPostgres()
  onTestFinished(() => database.stop())
  const toDatabase = await createProxy(database.url)
  onTestFinished(() => toDatabase.close())
  if (kind === 'postgres') return { servers: { database: toDatabase.url }, toDatabase }
  const redis = await startRedis()
  onTestFinished(() => redis.stop())
  const toRedis = await createProxy(redis.url)
  onTestFinished(() => toRedis.close())
  return { servers: { database: toDatabase.url, broker: toRedis.url }, toDatabase, toRedis }
}

describe.each(brokers)('with the broker on %s', { timeout: 240_000 }, (kind) => {
  test('a server that is cut off in silence turns web, worker and cluster red, and they are green again by themselves', async () => {
    const { servers, toDatabase, toRedis } = await proxiedServers(kind)
    const web = await openWeb(servers)
    const worker = await startWorker(servers)
    const watched = { web: web.ready, worker: worker.ready, cluster: web.status }
    await allGreen(watched)

    if (toRedis) {
      toRedis.set('silent')
      note('redis cut', await allRed(watched, 'broker-away'))
      toRedis.set('pass')
      note('redis back', await allGreen(watched))
    }

    toDatabase.set('silent')
    note(`postgres cut (${kind})`, await allRed(watched, 'store-away'))
    if (kind === 'postgres') note('lease lost', await allRed({ worker: worker.ready }, 'lease-lost'))
    // That its servers are away is no reason to restart a worker.
    expect((await worker.live()).code).toBe(200)
    toDatabase.set('pass')
    note(`postgres back (${kind})`, await allGreen(watched))

    const job = await web.jobs.enqueue(work.quick)
    expect(await job.result({ timeout: '30s' })).toBe('done')
  })

  test('an event loop that hangs is told by its worker, live and ready, and by the cluster', async () => {
    const servers = await freshServers(kind)
    const web = await openWeb(servers)
    const worker = await startWorker(servers)
    const watched = { live: worker.live, ready: worker.ready, cluster: web.status }
    await allGreen(watched)
    // It has said something of itself once: who is new is not judged.
    await until(async () => (await web.jobs.status()).workers[0]?.reportedMs != null, wellWithin)

    const job = await web.jobs.enqueue(work.block, { ms: 22_000 })
    await until(async () => (await job.status())?.state === 'running', wellWithin)
    note(`loop hangs (${kind})`, await allRed(watched, 'loop-blocked'))

    note(`loop turns (${kind})`, await allGreen(watched))
    await job.result({ timeout: '30s' })
    expect((await job.status())?.attempt).toBe(1)
  })

  test('work that nobody serves is told with the queue, until somebody does', async () => {
    const servers = await freshServers(kind)
    const web = await openWeb(servers)
    const worker = await startWorker(servers, 'default')
    const watched = { web: web.ready, worker: worker.ready, cluster: web.status }
    await allGreen(watched)

    const job = await web.jobs.enqueue(work.lonely)
    note(`queue unserved (${kind})`, await allRed(watched, 'queue-unserved'))
    const { problems } = await web.jobs.status()
    expect(problems.map(({ queue }) => queue)).toEqual(['lonely'])
    expect(problems[0]?.cure).toContain('worker')

    await startWorker(servers, 'lonely')
    note(`queue served (${kind})`, await allGreen(watched))
    expect(await job.result({ timeout: '30s' })).toBe('done')
  })

  test('when the only worker is killed, or frozen, while work waits, web and cluster turn red', async () => {
    const servers = await freshServers(kind)
    const web = await openWeb(servers)
    const watched = { web: web.ready, cluster: web.status }
    const first = await startWorker(servers)
    await allGreen(watched)

    first.process.signal('SIGKILL')
    const job = await web.jobs.enqueue(work.quick)
    note(`killed (${kind})`, await allRed(watched, 'queue-unserved'))

    const second = await startWorker(servers)
    note(`replaced (${kind})`, await allGreen(watched))
    expect(await job.result({ timeout: '30s' })).toBe('done')

    second.process.signal('SIGSTOP')
    const later = await web.jobs.enqueue(work.quick)
    note(`frozen (${kind})`, await allRed(watched, 'queue-unserved'))

    second.process.signal('SIGCONT')
    note(`thawed (${kind})`, await allGreen(watched))
    expect(await later.result({ timeout: '30s' })).toBe('done')
  })
})
