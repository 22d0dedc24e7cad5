import { existsSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
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

const effects = newEffects()
let servers: Servers
let jobs: Celeriac
let celeriac: ReturnType<typeof celeriacFor>

const openAppBeforeEach = () => beforeEach(openApp)

async function openApp(): Promise<void> {
  servers = { database: await freshDatabase() }
  jobs = await openJobs({
    ...servers,
    tasks: undefined as never,
    deadline: '20s',
    root: process.cwd(),
    modules: 'test/fixtures/crew/modules/*',
  })
  celeriac = celeriacFor(servers)
}

const startWorker = (...args: string[]) => startWorkerProcess({ ...servers, effects: effects.file, args })
const refused = async (...args: string[]) => {
  const { code, err } = await celeriac('worker', ...args)
  expect(code).toBe(1)
  return err
}

describe('what Celery calls it', () => {
  openAppBeforeEach()

  test('-Q, -X, --hostname, --autoscale and --max-tasks-per-child hold', async () => {
    await startWorker(
      '-Q',
      'a,b',
      '-Q',
      'c',
      '-X',
      'b',
      '--hostname',
      'press@one',
      '--autoscale',
      '7,2',
      '--max-tasks-per-child',
      '9',
    )

    const [worker] = await jobs.inspect.workers()
    expect(worker).toMatchObject({ name: 'press@one', queues: ['a', 'c'] })
    const stats = await jobs.inspect.stats({ deadline: '20s' })
    expect(stats.replies).toMatchObject([{ value: { autoscale: { min: 2, max: 7 } } }])
  })

  test('--time-limit and --soft-time-limit bind tasks that say none', async () => {
    await startWorker('--soft-time-limit', '0.5', '--time-limit', '20')

    const job = await jobs.enqueue('work.rest', 60_000)

    await expect(job.result({ timeout: 30_000 })).rejects.toThrow(/time limit/i)
  })

  test('names of pools lead to ours', async () => {
    await startWorker('-P', 'prefork', '-c', '1')
    const job = await jobs.enqueue('work.quick')
    const [worker] = await jobs.inspect.workers()

    expect(await job.result({ timeout: 30_000 })).not.toBe(worker?.pid)
    expect(await refused('-P', 'gevent')).toContain('-P inline')
  })

  test('a -X that leaves no queue is refused', async () => {
    expect(await refused('-Q', 'a,b', '-X', 'a,b')).toContain('-X leaves no queue to serve, of a, b.')
  })

  test('what needs no flag here is taken, with a word', async () => {
    const worker = await startWorker(
      '-E',
      '--without-gossip',
      '--without-mingle',
      '--without-heartbeat',
      '-O',
      'fair',
      '--prefetch-multiplier',
      '1',
    )

    for (const flag of [
      '-E, --task-events',
      '--without-gossip',
      '-O, --optimization',
      '--prefetch-multiplier',
    ])
      expect(worker.output()).toContain(`celeriac: ${flag} is not needed: `)
  })
})

describe('what there is not', () => {
  test.each([
    [['-D'], 'docs/deploy.md'],
    [['--detach'], 'systemd'],
    [['-B'], 'no schedules yet'],
    [['-f', 'worker.log'], '>> file'],
    [['-b', 'redis://secret@here'], 'CELERIAC_BROKER_URL'],
    [['--uid', 'www'], 'systemd'],
    [['-I', 'mail.tasks'], '"modules"'],
    [['--max-memory-per-child', '200000'], 'say 200000KB'],
    [['--autoscale', 'many'], 'whole number'],
    [['--time-limit', 'soon'], '--time-limit must be a time such as 30s'],
  ])('%s is refused with what to do instead', async (args, word) => {
    const { code, err } = await celeriacHere({ database: 'postgres://127.0.0.1:1/none' })('worker', ...args)

    expect(code).toBe(1)
    expect(err).toContain(word)
  })
})

describe('--pidfile', () => {
  openAppBeforeEach()

  const newFile = () => join(mkdtempSync(join(tmpdir(), 'celeriac-pid-')), 'worker.pid')

  test('holds the process id while the worker lives, and keeps a second one out', async () => {
    const file = newFile()
    const worker = await startWorker('--pidfile', file)

    expect(readFileSync(file, 'utf8')).toBe(`${worker.pid}\n`)
    expect(await refused('--pidfile', file)).toContain(`names process ${worker.pid}, which lives`)
    expect(readFileSync(file, 'utf8')).toBe(`${worker.pid}\n`)

    worker.signal('SIGTERM')
    expect(await worker.ended).toBe(0)
    expect(existsSync(file)).toBe(false)
  })

  test('that a killed worker has left is in the way of nobody', async () => {
    const file = newFile()
    const dead = await startWorker('--pidfile', file)
    dead.signal('SIGKILL')
    await dead.ended

    const worker = await startWorker('--pidfile', file)

    expect(readFileSync(file, 'utf8')).toBe(`${worker.pid}\n`)
  })

  test('that cannot be written is told of', async () => {
    expect(await refused('--pidfile', '/nowhere/at/all.pid')).toContain('cannot be written (ENOENT)')
    const file = newFile()
    writeFileSync(file, 'no number')
    await startWorker('--pidfile', file)
  })
})

describe('--purge', () => {
  openAppBeforeEach()

  test('cancels what waits in its queues before it begins, and nothing else', async () => {
    const waiting = await jobs.enqueue('work.quick')
    const later = await jobs.enqueue('work.quick', undefined, { delay: '1h' })
    const elsewhere = await jobs.enqueue('work.quick', undefined, { queue: 'mail' })

    expect(await refused('--purge', '-Q', 'default')).toContain(
      'Cancel 2 jobs that wait in default? Nobody can be asked here: say --yes.',
    )
    await startWorker('--purge', '--yes', '-Q', 'default')

    expect(await waiting.status()).toMatchObject({ state: 'cancelled', attempt: 0 })
    expect(await later.status()).toMatchObject({
      state: 'cancelled',
      cancelReason: 'purged by the start of a worker',
    })
    expect((await elsewhere.status()).state).toBe('queued')
    const after = await jobs.enqueue('work.quick')
    await until(async () => (await after.status()).state === 'succeeded')
  })
})
