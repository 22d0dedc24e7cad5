import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { createGzip } from 'node:zlib'
import type { Express, RequestHandler } from 'express'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import type { CeleriacOptions } from '../../src/config/options.js'
import { createHttp, type HttpDeps } from '../../src/http/middleware.js'
import type { JobEvent } from '../../src/job/event.js'
import type { Celeriac } from '../../src/plugin.js'
import { defineTask } from '../../src/task/define.js'
import { closeJobsAfterEach, freshServers, gate, openJobs } from '../support/lab.js'
import { createProxy } from '../support/proxy.js'
import { until } from '../support/until.js'
import { lines, serve } from './app.js'
import { type EventClient, listen, type ServerSent } from './event-client.js'
import { createLedger } from './ledger.js'

closeJobsAfterEach()

describe.each(lines)('the events of a job, on %s', (_line, express) => {
  test('tell its states, its reports and its log, and end with it', async () => {
    const { first, second, tasks } = stepwise()
    const { jobs, url } = await open({ tasks })
    const job = await jobs.enqueue('work.stepwise')

    const client = await listen(`${url}/jobs/${job.id}/events`)
    await client.sees('state', ({ state }: { state: string }) => state === 'running')
    await client.sees('progress')
    first.open()
    await client.sees('log', ({ message }: { message: string }) => message === 'halfway')
    second.open()
    const events = await client.ended()

    expect(client.status).toBe(200)
    expect(client.headers).toMatchObject({
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-cache, no-transform',
      'x-accel-buffering': 'no',
    })
    expect(client.text).toMatch(/^retry: \d+\n\n/)
    expect(messages(events)).toEqual(['begun', 'halfway', 'done'])
    expect(events.find(({ event }) => event === 'progress')?.data).toEqual({
      attempt: 1,
      progress: { percent: 10 },
    })
    expect(events.at(-1)).toMatchObject({
      event: 'state',
      data: { id: job.id, state: 'succeeded', result: 'built', links: { self: `/jobs/${job.id}` } },
    })
  })

  test('begin with the status that the status endpoint gives, which says where they are', async () => {
    const { jobs, url } = await open({ tasks: stepwise().tasks, worker: false })
    const job = await jobs.enqueue('work.stepwise')
    const status = (await (await fetch(`${url}/jobs/${job.id}`)).json()) as { links: { events: string } }

    const client = await listen(url + status.links.events)

    expect((await client.sees('state')).data).toEqual(status)
  })

  test('carry no line twice, and lose none, however often a client comes back', async () => {
    const task = defineTask(async (_: undefined, { log }) => {
      for (let n = 1; n <= 400; n += 1) {
        log.info(`line ${n}`)
        if (n % 10 === 0) await sleep(25)
      }
    })
    const { jobs, url } = await open({ tasks: { work: { task } } })
    const job = await jobs.enqueue('work.task')

    const seen: ServerSent[] = []
    for (let last: ServerSent | undefined; ; last = seen.at(-1)) {
      const headers: Record<string, string> = last ? { 'Last-Event-ID': last.id } : {}
      const client = await listen(`${url}/jobs/${job.id}/events`, headers)
      if (client.status === 204) break
      await Promise.race([client.ended(), sleep(120)])
      client.leave()
      seen.push(...client.events)
    }

    expect(messages(seen)).toEqual(Array.from({ length: 400 }, (_, n) => `line ${n + 1}`))
    expect(seen.at(-1)).toMatchObject({ event: 'state', data: { state: 'succeeded' } })
  })

  test('are told anew to a client that comes after the end, and end at once', async () => {
    const task = defineTask((_: undefined, { log }) => log.info('one'))
    const { jobs, url } = await open({ tasks: { work: { task } } })
    const job = await jobs.enqueue('work.task')
    await job.result()

    const client = await listen(`${url}/jobs/${job.id}/events`)

    expect((await client.ended()).map(({ event }) => event)).toEqual(['log', 'state'])
  })

  test('are over for a client that has seen the end: 204, at which an EventSource stops', async () => {
    const { url, id } = await ended()
    const last = (await (await listen(`${url}/jobs/${id}/events`)).ended()).at(-1)

    const client = await listen(`${url}/jobs/${id}/events`, { 'Last-Event-ID': last?.id ?? '' })

    expect(client.status).toBe(204)
    await client.ended()
    expect(client.text).toBe('')
  })

  test('begin anew for a Last-Event-ID that is none of ours', async () => {
    const { url, id } = await ended()

    for (const odd of ['abc', '-5', '1e9', '9'.repeat(40), '0-end', "1'; --"]) {
      const client = await listen(`${url}/jobs/${id}/events`, { 'Last-Event-ID': odd })
      expect((await client.ended()).at(-1), odd).toMatchObject({ data: { state: 'cancelled' } })
    }
  })

  test("are a 404 for a job that is unknown or another's, byte for byte as the status", async () => {
    const owner = (req: { get(name: string): string | undefined }) => req.get('X-User')
    const { jobs, url } = await open({ tasks: stepwise().tasks, worker: false, owner })
    const job = await jobs.enqueue('work.stepwise', undefined, { owner: 'ann' })
    const ask = async (path: string, user: string) => {
      const answer = await fetch(url + path, { headers: { 'X-User': user } })
      const { date: _, ...headers } = Object.fromEntries(answer.headers)
      return { status: answer.status, headers, body: await answer.text() }
    }

    const unknown = await ask(`/jobs/${randomUUID()}`, 'bob')

    expect(unknown.status).toBe(404)
    expect(await ask(`/jobs/${job.id}/events`, 'bob')).toEqual(unknown)
    expect(await ask(`/jobs/${job.id}/events`, '')).toEqual(unknown)
    expect(await ask(`/jobs/${randomUUID()}/events`, 'ann')).toEqual(unknown)
    const own = await listen(`${url}/jobs/${job.id}/events`, { 'X-User': 'ann' })
    expect(own.status).toBe(200)
  })

  test('answer HEAD with their head, and end', async () => {
    const { jobs, url } = await open({ tasks: stepwise().tasks, worker: false })
    const job = await jobs.enqueue('work.stepwise')

    const head = await fetch(`${url}/jobs/${job.id}/events`, { method: 'HEAD' })

    expect(head.status).toBe(200)
    expect(head.headers.get('content-type')).toBe('text/event-stream; charset=utf-8')
    expect(await head.text()).toBe('')
  })

  test('never carry a stack, details, a worker or an owner', async () => {
    const task = defineTask({
      attempts: 2,
      backoff: { type: 'fixed', delay: 1, jitter: 0 },
      run(_: undefined, { log }) {
        log.error(new Error('told'))
        log.info({ password: 'hunter2' }, 'logged in')
        throw new Error('thrown')
      },
    })
    const { jobs, url } = await open({ tasks: { work: { task } } })
    const job = await jobs.enqueue('work.task', undefined, { owner: 'ann-the-owner' })

    const client = await listen(`${url}/jobs/${job.id}/events`)
    const events = await client.ended()

    expect(messages(events)).toEqual(['told', 'logged in', 'told', 'logged in'])
    expect(events.at(-1)).toMatchObject({ data: { state: 'failed', error: { message: 'thrown' } } })
    for (const secret of ['hunter2', 'ann-the-owner', 'stack', '    at ', process.cwd(), `${process.pid}`])
      expect(client.text).not.toContain(secret)
  })

  test('leave the log out where the app says so', async () => {
    const task = defineTask((_: undefined, { log }) => log.info('for us alone'))
    const { jobs, url } = await open({ tasks: { work: { task } }, logs: { public: false } })
    const job = await jobs.enqueue('work.task')
    await job.result()

    const client = await listen(`${url}/jobs/${job.id}/events`)
    await client.ended()

    expect(client.text).not.toContain('for us alone')
    expect(await job.logs()).toMatchObject([{ message: 'for us alone' }])
  })

  test('pass a middleware that compresses, one by one', async () => {
    const { first, second, tasks } = stepwise()
    const { jobs, url } = await open({ tasks }, (app) => void app.use(compressAll))
    const job = await jobs.enqueue('work.stepwise')

    const answer = await fetch(`${url}/jobs/${job.id}/events`)
    const client = readDecoded(answer)

    expect(answer.headers.get('content-encoding')).toBe('gzip')
    await until(() => client.text().includes('"begun"'))
    first.open()
    await until(() => client.text().includes('"halfway"'))
    second.open()
    await until(() => client.text().includes('"succeeded"'))
  })

  test('go on when the store was away for a while', { timeout: 60_000 }, async () => {
    const { first, second, tasks } = stepwise()
    const servers = await freshServers('postgres')
    const worker = await openJobs({ ...servers, tasks, worker: true })
    const proxy = await createProxy(servers.database)
    onTestFinished(() => proxy.close())
    const { url } = await serveJobs(await openJobs({ database: proxy.url, tasks, deadline: 1000 }))
    const job = await worker.enqueue('work.stepwise')
    const client = await listen(`${url}/jobs/${job.id}/events`)
    await client.sees('log')

    proxy.set('refuse')
    first.open()
    await until(async () => (await job.logs()).length === 2)
    await sleep(1000)
    expect(client.hasEnded).toBe(false)
    expect(messages(client.events)).toEqual(['begun'])
    proxy.set('pass')

    await client.sees('log', ({ message }: { message: string }) => message === 'halfway')
    second.open()
    expect(messages(await client.ended())).toEqual(['begun', 'halfway', 'done'])
  })

  test('are a 503 while the store is away', async () => {
    const servers = await freshServers('postgres')
    const proxy = await createProxy(servers.database)
    onTestFinished(() => proxy.close())
    const { url } = await serveJobs(await openJobs({ database: proxy.url, deadline: 500 }))
    proxy.set('refuse')

    const answer = await fetch(`${url}/jobs/${randomUUID()}/events`)

    expect(answer.status).toBe(503)
  })

  test('end when the app is closed, and are told further by the next one', async () => {
    const { jobs, url } = await open({ tasks: stepwise().tasks, worker: false })
    const job = await jobs.enqueue('work.stepwise')
    const client = await listen(`${url}/jobs/${job.id}/events`)
    await client.sees('state')

    await jobs.close()

    await client.ended()
    expect(client.text).not.toContain('"succeeded"')
  })

  test('come with a comment every 15 s, so that no proxy takes the stream for dead', async () => {
    vi.useFakeTimers({ toFake: ['setInterval'] })
    onTestFinished(() => void vi.useRealTimers())
    const { client } = await openLedger(waiting)
    await until(() => client.text.includes('retry'))
    expect(client.text).not.toContain('\n:\n')

    vi.advanceTimersByTime(15_000)
    await until(() => client.text.endsWith('\n\n:\n\n'))
    vi.advanceTimersByTime(15_000)
    await until(() => client.text.endsWith('\n\n:\n\n:\n\n'))
  })

  test('are watched by nobody once the client is gone', async () => {
    let left = false
    const { client } = await openLedger(async function* (_id, { signal }) {
      try {
        yield* waiting(_id, { signal })
      } finally {
        left = true
      }
    })
    await until(() => client.text.includes('retry'))

    client.leave()

    await until(() => left)
  })

  test('are read no faster than a slow client takes them', async () => {
    let told = 0
    const { client } = await openLedger(async function* (): AsyncGenerator<JobEvent> {
      for (; told < 20_000; told += 1)
        yield { type: 'progress', id: '0', attempt: 1, progress: 'x'.repeat(10_000) }
    })
    client.pause()
    let before = -1
    await until(
      () => {
        const isStill = told === before
        before = told
        return isStill && told > 0
      },
      { everyMs: 500 },
    )

    // What the sockets of both sides hold: some megabytes of 200.
    expect(told).toBeLessThan(2000)
    client.resume()
    await client.ended()
    expect(told).toBe(20_000)
  })

  async function open(options: CeleriacOptions, prepare: (app: Express) => void = () => {}) {
    const servers = await freshServers('postgres')
    const jobs = await openJobs({ ...servers, worker: { concurrency: 4 }, ...options })
    return { jobs, ...(await serveJobs(jobs, prepare)) }
  }

  async function ended() {
    const { jobs, url } = await open({ tasks: stepwise().tasks, worker: false })
    const job = await jobs.enqueue('work.stepwise')
    await job.cancel()
    return { url, id: job.id }
  }

  async function serveJobs(jobs: Celeriac, prepare: (app: Express) => void = () => {}) {
    const app = express()
    prepare(app)
    app.use(jobs)
    const server = await serve(app)
    onTestFinished(() => server.close())
    return server
  }

  /** A stream whose events the test makes. */
  async function openLedger(events: HttpDeps['events']): Promise<{ client: EventClient }> {
    const ledger = createLedger({ events })
    const app = express()
    app.use(createHttp(ledger).middleware)
    const server = await serve(app)
    onTestFinished(() => server.close())
    return { client: await listen(`${server.url}/jobs/${ledger.put({ state: 'running' }).id}/events`) }
  }
})

async function* waiting(
  _id: string,
  { signal }: { signal?: AbortSignal | undefined },
): AsyncGenerator<JobEvent> {
  await new Promise((resolve) => signal?.addEventListener('abort', resolve))
}

/** Compresses whatever goes by, and hands it on when it is told to. */
const compressAll: RequestHandler = (_req, res, next) => {
  const gzip = createGzip()
  const write = res.write.bind(res)
  const end = res.end.bind(res)
  gzip.on('data', (chunk: Buffer) => void write(chunk))
  gzip.on('end', () => void end())
  res.setHeader('Content-Encoding', 'gzip')
  Object.assign(res, {
    write: (chunk: string) => gzip.write(chunk),
    end: () => void gzip.end(),
    flush: () => gzip.flush(),
  })
  next()
}

function readDecoded(answer: Response): { text(): string } {
  let text = ''
  const decoder = new TextDecoder()
  void (async () => {
    for await (const chunk of answer.body ?? []) text += decoder.decode(chunk as Uint8Array, { stream: true })
  })()
  return { text: () => text }
}

function stepwise() {
  const first = gate()
  const second = gate()
  const task = defineTask(async (_: undefined, { log, progress }) => {
    log.info('begun')
    await progress({ percent: 10 })
    await first.passed
    log.info({ rows: 5 }, 'halfway')
    await second.passed
    log.warn('done')
    return 'built'
  })
  return { first, second, tasks: { work: { stepwise: task } } }
}

function messages(events: readonly ServerSent[]): string[] {
  return events
    .filter(({ event }) => event === 'log')
    .map(({ data }) => (data as { message: string }).message)
}
