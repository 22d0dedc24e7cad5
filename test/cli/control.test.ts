import { beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import type { Celeriac } from '../../src/plugin.js'
import { migrate } from '../../src/store/migrate.js'
import { brokers, closeJobsAfterEach, freshServers, openJobs, type Servers } from '../support/lab.js'
import { freshDatabase } from '../support/servers.js'
import { until } from '../support/until.js'
import { newEffects, startWorkerProcess } from '../support/worker-process.js'
import { celeriacFor } from './celeriac.js'
import { celeriacHere } from './here.js'

closeJobsAfterEach()
vi.setConfig({ testTimeout: 180_000 })

const modules = 'test/fixtures/crew/modules/*'
const effects = newEffects()
let servers: Servers
let jobs: Celeriac
let celeriac: ReturnType<typeof celeriacFor>
/** In this process. */
let here: typeof celeriac

const startWorker = (...args: string[]) => startWorkerProcess({ ...servers, effects: effects.file, args })

describe.each(brokers)('with the broker on %s', (kind) => {
  beforeEach(async () => {
    servers = await freshServers(kind)
    jobs = await openJobs({
      ...servers,
      tasks: undefined as never,
      deadline: '20s',
      root: process.cwd(),
      modules,
    })
    celeriac = celeriacFor(servers)
    here = celeriacHere(servers)
  })

  test('orders reach the workers that they name, and are remembered with who gave them', async () => {
    await Promise.all([
      startWorker('-n', 'mail@one', '-c', '2', '-Q', 'default'),
      startWorker('-n', 'media@two', '-c', '2', '-Q', 'media'),
    ])

    expect(await celeriac('control', 'pool-grow', '3', '-d', 'mail@*', '--by', 'ada')).toMatchObject({
      code: 0,
      out: expect.stringMatching(/^mail@one: concurrency 5/),
    })
    expect((await here('control', 'pool_shrink', '-d', 'mail@one')).out).toMatch(/^mail@one: concurrency 4/)
    expect((await here('control', 'add_consumer', 'extra', '-d', 'media@two')).out).toContain(
      'media@two: queues media extra',
    )
    expect((await here('control', 'autoscale', '9,3', '-d', 'media@two')).out).toMatch(/media@two: .*"max":9/)
    expect((await here('control', 'log-level', 'DEBUG', '--json')).out).toContain('"level":"debug"')

    const history = await celeriac('control', 'history')
    expect(history.out).toMatch(/pool-grow +\{"by":3\} +1 +ada \(cli\)/)
    const unknown = await celeriac('control', 'reset', '-d', 'mail@on')
    expect(unknown).toMatchObject({ code: 4, err: expect.stringContaining('Did you mean "mail@one"?') })
  })

  test('a paused queue waits, also for workers that start later, and goes on when it is resumed', async () => {
    const paused = await celeriac('control', 'pause', 'default')
    expect(paused).toMatchObject({ code: 0, err: '' })
    expect(paused.out).toBe('Set. No worker is running; it holds for those that will start.\n')
    const job = await jobs.enqueue('work.quick')
    await startWorker()
    await new Promise((resolve) => setTimeout(resolve, 1500))
    expect((await job.status()).state).toBe('queued')

    expect((await celeriac('control', 'resume', 'default')).code).toBe(0)

    await until(async () => (await job.status()).state === 'succeeded')
  })
})

describe('what is set by task', () => {
  beforeEach(async () => {
    servers = await freshServers('postgres')
    jobs = await openJobs({
      ...servers,
      tasks: undefined as never,
      deadline: '20s',
      root: process.cwd(),
      modules,
    })
    celeriac = celeriacFor(servers)
  })

  test('binds attempts from now on', async () => {
    await startWorker()
    expect(await celeriac('control', 'time_limit', 'work.rest', '0.3', '20')).toMatchObject({
      code: 0,
      err: '',
    })
    expect((await celeriac('control', 'rate_limit', 'work.quick', '50')).code).toBe(0)
    expect((await celeriac('control', 'concurrency', 'queue:default', '4')).code).toBe(0)

    const job = await jobs.enqueue('work.rest', 60_000)
    await expect(job.result({ timeout: 30_000 })).rejects.toThrow(/time limit/i)
    expect(await jobs.limits.list()).toMatchObject([
      { scope: { task: 'work.quick' }, rateLimit: '50/s' },
      { scope: { queue: 'default' }, concurrency: 4 },
    ])
    expect((await celeriac('control', 'rate-limit', 'work.quikc', '1/s')).code).toBe(4)
  })

  test('cancels a job, and ends workers', async () => {
    const worker = await startWorker('-n', 'mail@one')
    const job = await jobs.enqueue('work.rest', 60_000)
    await until(async () => (await job.status()).state === 'running')

    expect((await celeriac('control', 'revoke', job.id)).out).toContain('cancelling: it runs')
    await until(async () => (await job.status()).state === 'cancelled')
    expect((await celeriac('control', 'shutdown')).code).toBe(0)
    expect(await worker.ended).toBe(0)
    expect(await celeriac('control', 'pool-grow')).toMatchObject({ code: 3, err: 'No worker is running.\n' })
  })
})

describe('what makes no sense', () => {
  let database: string

  beforeAll(async () => {
    database = await freshDatabase()
    await migrate({ url: database, log: { info() {} } })
  })

  test.each([
    [['pool-grow', 'many'], 'whole number from 1'],
    [['log-level', 'loud'], 'A log level is one of'],
    [['autoscale', '2', '5'], '"min" of autoscale is 5'],
    [['terminate', 'SIGKILL', 'x'], 'celeriac control cancel <id>'],
    [['ping'], 'unknown command'],
  ])('%s is refused with what to do', async (args, word) => {
    const { code, err } = await celeriacHere({ database })('control', ...args)

    expect(code).toBeGreaterThan(0)
    expect(err).toContain(word)
  })
})
