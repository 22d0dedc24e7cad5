import { randomUUID } from 'node:crypto'
import { beforeEach, describe, expect, test, vi } from 'vitest'
import type { Celeriac } from '../../src/plugin.js'
import { closeJobsAfterEach, openJobs, type Servers } from '../support/lab.js'
import { freshDatabase } from '../support/servers.js'
import { until } from '../support/until.js'
import { newEffects, startWorkerProcess } from '../support/worker-process.js'
import { celeriacFor } from './celeriac.js'
import { celeriacHere } from './here.js'

closeJobsAfterEach()
vi.setConfig({ testTimeout: 180_000 })

const modules = 'test/fixtures/crew/modules/*'
const app = 'test/fixtures/crew/patient.config.ts'
const effects = newEffects()
let servers: Servers
let jobs: Celeriac
let celeriac: ReturnType<typeof celeriacFor>
/** In this process. */
let here: typeof celeriac

beforeEach(async () => {
  servers = { database: await freshDatabase() }
  jobs = await openJobs({
    ...servers,
    tasks: undefined as never,
    deadline: '20s',
    root: process.cwd(),
    modules,
  })
  celeriac = celeriacFor(servers, app)
  here = celeriacHere(servers)
})

const startWorker = (...args: string[]) =>
  startWorkerProcess({ ...servers, app, effects: effects.file, args })

describe('without a worker', () => {
  test('a question says so, and fails', async () => {
    expect(await celeriac('inspect', 'ping', '-t', '20')).toEqual({
      code: 3,
      out: '',
      err: 'No worker is running.\n',
    })
    const { code, out } = await here('inspect', 'ping', '--json')
    expect({ code, answer: JSON.parse(out) }).toMatchObject({
      code: 3,
      answer: { replies: [], refused: [], silent: [] },
    })
  })

  test('one that names a worker says that there is none', async () => {
    const { code, err } = await here('inspect', 'ping', '-d', 'mail@one')

    expect(code).toBe(4)
    expect(err).toBe('celeriac: No live worker is called "mail@one". No worker is running.\n')
  })
})

describe('with workers', () => {
  test('each that replies is shown, and one that stands still is named', async () => {
    await startWorker('-n', 'mail@one')
    const frozen = await startWorker('-n', 'media@two')

    expect(await celeriac('inspect', 'ping')).toEqual({
      code: 0,
      out: expect.stringMatching(/^mail@one: pong\nmedia@two: pong\n$/),
      err: '',
    })
    frozen.signal('SIGSTOP')
    const silent = await celeriac('inspect', 'ping', '-t', '8')
    expect(silent).toMatchObject({ code: 5, out: 'mail@one: pong\n' })
    expect(silent.err).toMatch(/^media@two \([-0-9a-f]{36}\) did not reply within 8 s\.\n$/)
    expect(await celeriac('inspect', 'ping', '-t', '20', '-d', 'mail@*')).toMatchObject({
      code: 0,
      out: 'mail@one: pong\n',
    })
  })

  test('what runs is listed by worker', async () => {
    await startWorker('-n', 'mail@one', '-c', '2')
    const job = await jobs.enqueue('work.rest', 60_000)
    await until(async () => (await job.status()).state === 'running')

    const active = await celeriac('inspect', 'active')
    expect(active.err).toBe('')
    expect(active.out).toMatch(new RegExp(`mail@one +${job.id} +work\\.rest +default +1 +inline`))
    const { out } = await here('inspect', 'stats', '-t', '20')
    expect(out).toMatch(/mail@one .* 1\/2 /)
    expect((await here('inspect', 'registered', '-t', '20')).out).toMatch(/mail@one +work\.rest/)
    expect((await here('inspect', 'active_queues', '-t', '20')).out).toMatch(/mail@one +default/)
    const conf = await here('inspect', 'conf', '-t', '20')
    expect(conf.out).toContain('mail@one\n')
    expect((await here('inspect', 'report', '-t', '20')).out).toContain('node: v')
  })
})

describe('the store knows', () => {
  test('what waits for its time', async () => {
    expect(await here('inspect', 'scheduled')).toMatchObject({
      code: 0,
      out: 'No job waits for its time.\n',
    })
    const later = await jobs.enqueue('work.quick', undefined, { delay: '2h' })
    const sooner = await jobs.enqueue('work.quick', undefined, { delay: '1h' })

    const { out } = await celeriac('inspect', 'scheduled')

    expect(out.indexOf(sooner.id)).toBeGreaterThan(0)
    expect(out.indexOf(later.id)).toBeGreaterThan(out.indexOf(sooner.id))
    expect(JSON.parse((await here('inspect', 'scheduled', '--json')).out)).toMatchObject([
      { id: sooner.id, state: 'scheduled' },
      { id: later.id },
    ])
  })

  test('where a job is', async () => {
    const unknown = randomUUID()
    const waiting = await jobs.enqueue('work.quick', undefined, { delay: '2h' })
    const job = await jobs.enqueue('work.rest', 60_000)

    expect((await here('inspect', 'query', job.id)).out).toMatch(/work\.rest queued in default for /)
    const worker = await startWorker('-n', 'mail@one')
    await until(async () => (await job.status()).state === 'running')
    const { code, out } = await celeriac('inspect', 'query_task', job.id, waiting.id, unknown)

    expect(code).toBe(4)
    expect(out).toContain(`running on mail@one (pid ${worker.pid} on `)
    expect(out).toMatch(/work\.quick scheduled in default, due in [\d.]+ min/)
    expect(out).toContain(`${unknown} unknown: there is no such job`)
    await job.cancel()
    await until(async () => (await job.status()).state === 'cancelled')
    expect((await here('inspect', 'query', job.id)).out).toMatch(/work\.rest cancelled .* ago, took /)
  })
})

test('a question of Celery that has no place here says what to do instead', async () => {
  const { code, err } = await here('inspect', 'revoked')

  expect(code).toBe(1)
  expect(err).toContain('celeriac jobs list --state cancelled')
})
