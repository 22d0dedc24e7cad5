import { beforeEach, describe, expect, test, vi } from 'vitest'
import type { Celeriac } from '../../src/plugin.js'
import { brokers, closeJobsAfterEach, freshServers, openJobs, type Servers } from '../support/lab.js'
import { freshDatabase } from '../support/servers.js'
import { until } from '../support/until.js'
import { newEffects, startWorkerProcess } from '../support/worker-process.js'
import { celeriacFor } from './celeriac.js'

closeJobsAfterEach()
vi.setConfig({ testTimeout: 180_000 })

const modules = 'test/fixtures/crew/modules/*'
const effects = newEffects()

const open = (servers: Servers): Promise<Celeriac> =>
  openJobs({ ...servers, tasks: undefined as never, deadline: '20s', root: process.cwd(), modules })

describe.each(brokers)('with the broker on %s', (kind) => {
  let servers: Servers
  let celeriac: ReturnType<typeof celeriacFor>

  beforeEach(async () => {
    servers = await freshServers(kind)
    celeriac = celeriacFor(servers)
  })

  test('a worker that runs is well; once it has gone nobody is, and the exit code says so', async () => {
    await open(servers)
    const worker = await startWorkerProcess({
      ...servers,
      effects: effects.file,
      args: ['-n', 'mail@one', '-c', '3'],
    })

    const well = await celeriac('status', '--wait', '20')
    expect(well).toMatchObject({ code: 0, err: '' })
    expect(well.out).toMatch(/^ok: store up, broker up, 1 worker\n/)
    expect(well.out).toMatch(/mail@one +ok +\S+\/3 +default/)

    worker.signal('SIGTERM')
    expect(await worker.ended).toBe(0)
    const alone = await celeriac('status')
    expect(alone).toMatchObject({ code: 3, err: '' })
    expect(alone.out).toContain('No worker is running: what is enqueued waits. Run: npx celeriac worker')
  })

  test('jobs that nobody serves are told of, with the command to run', async () => {
    const jobs = await open(servers)
    await jobs.enqueue('work.quick', undefined, { queue: 'mail' })

    const told = async () => {
      const found = await celeriac('status', '--json')
      return found.out.includes('queue-unserved') ? found : undefined
    }
    const found = await until(told, { timeoutMs: 60_000 })

    const { code, out } = found ?? { code: 0, out: '' }
    expect(code).toBe(3)
    expect(JSON.parse(out)).toMatchObject({
      status: 'down',
      problems: [{ queue: 'mail', cure: expect.stringContaining('celeriac worker') }],
      queues: [{ queue: 'mail', waiting: 1, servedBy: [] }],
    })
    expect((await celeriac('status')).out).toMatch(
      /! Jobs wait in queue "mail", and no live worker serves it\./,
    )
  })
})

test('a database that is away, or without tables, is told of with its cure', async () => {
  const away = celeriacFor({ database: 'postgres://127.0.0.1:1/none' })
  const { code, out } = await away('status')
  expect(code).toBe(3)
  expect(out).toMatch(/^down: store down, broker down, workers unknown\n/)
  expect(out).toContain('! PostgreSQL does not answer')

  const empty = celeriacFor({ database: await freshDatabase() })
  const lacking = await empty('status')
  expect(lacking.code).toBe(3)
  expect(lacking.out).toContain('npx celeriac migrate')
  expect((await empty('status')).out).toContain('npx celeriac migrate')
})
