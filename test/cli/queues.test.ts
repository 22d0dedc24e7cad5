import { describe, expect, test, vi } from 'vitest'
import { brokers, closeJobsAfterEach, freshServers, openJobs } from '../support/lab.js'
import { until } from '../support/until.js'
import { startWorkerProcess } from '../support/worker-process.js'
import { commandLine, type Ran } from './command-line.js'

closeJobsAfterEach()
vi.setConfig({ testTimeout: 600_000 })

const app = 'test/fixtures/desk'

describe.each(brokers)('celeriac queues, with the broker on %s', (kind) => {
  test('shows what each holds, who serves it, and what to do where nobody does', async () => {
    const servers = await freshServers(kind)
    const celeriac = commandLine(servers, app)
    const jobs = await openJobs({ ...servers, deadline: '60s' })
    const read = async () => JSON.parse((await celeriac(['queues', '--json'])).out)
    await startWorkerProcess({ ...servers, app, args: ['-n', 'desk', '-Q', 'default,mail', '-c', '1'] })
    const running = await jobs.enqueue('work.rest', 3_600_000)
    await until(async () => (await running.status()).state === 'running', { timeoutMs: 60_000 })
    await celeriac(['call', 'work.nothing', '--queue', 'lonely'])
    await celeriac(['call', 'work.nothing', '--queue', 'lonely', '--delay', '1h'])
    await jobs.limits.set({ queue: 'lonely' }, { rateLimit: '10/s', concurrency: 3 })
    await jobs.control.pause('mail')

    const found = await read()
    const shown = await celeriac(['queues'], { variables: { FORCE_COLOR: '1' } })

    expect(found).toEqual([
      {
        ...{ queue: 'default', waiting: 0, delayed: 0, running: 1, failed: 0, oldestMs: null },
        ...{ paused: false, workers: ['desk'], rateLimit: null, concurrency: null },
      },
      {
        ...{ queue: 'lonely', waiting: 1, delayed: 1, running: 0, failed: 0, oldestMs: expect.any(Number) },
        ...{ paused: false, workers: [], rateLimit: '10/s', concurrency: 3 },
      },
      {
        ...{ queue: 'mail', waiting: 0, delayed: 0, running: 0, failed: 0, oldestMs: null },
        ...{ paused: true, workers: ['desk'], rateLimit: null, concurrency: null },
      },
    ])
    const esc = String.fromCharCode(27)
    const line = 'lonely +1 +1 +0 +0 .*10/s, 3 at once +none'
    const red = new RegExp(`${esc}\\[31m${line}${esc}\\[39m`)
    expect(shown.out).toMatch(red)
    expect(shown.out).toContain('paused (desk)')
    expect(shown.err).toBe(
      '1 job waits in "lonely", and no worker serves it. Run: npx celeriac worker -A test/fixtures/desk/celeriac.config.ts -Q lonely. ' +
        'Or let a worker that runs serve it too, on its page or by: npx celeriac control queue-add -A test/fixtures/desk/celeriac.config.ts lonely -d desk\n',
    )
  })
})

test('celeriac queues names those that nobody knows', async () => {
  const servers = await freshServers('postgres')
  await openJobs({ ...servers, deadline: '60s' })
  const celeriac = commandLine(servers, app)

  const empty: Ran = await celeriac(['queues'])
  const unknown = await celeriac(['queues', '-Q', 'mial', '--json'])

  expect(empty).toEqual({ code: 0, out: 'No job and no worker is known yet, and so no queue.\n', err: '' })
  expect(unknown).toMatchObject({ code: 4, err: expect.stringContaining('queue "mial"') })
  expect(JSON.parse(unknown.out)).toMatchObject([{ queue: 'mial', waiting: 0 }])
})
