import { expect, test, vi } from 'vitest'
import { rowsOf } from '../enqueue/rows.js'
import { brokers, closeJobsAfterEach, freshServers, openJobs } from '../support/lab.js'
import { commandLine } from './command-line.js'

closeJobsAfterEach()
vi.setConfig({ testTimeout: 600_000 })

const app = 'test/fixtures/desk'

test.each(brokers)('celeriac bench measures the servers, and leaves no job behind, on %s', async (kind) => {
  const servers = await freshServers(kind)
  await openJobs({ ...servers, deadline: '60s' })
  const celeriac = commandLine(servers, app)
  const kept = await celeriac(['call', 'work.nothing', '--delay', '1h'])

  const run = await celeriac(['bench', '--jobs', '500', '--seconds', '60', '--json'])

  expect(run).toMatchObject({ code: 0, err: '' })
  const { startMs, ...figures } = JSON.parse(run.out)
  expect(figures).toEqual({
    ...{ broker: expect.any(String), store: expect.stringContaining('postgres') },
    ...{ enqueued: 500, enqueuePerSecond: expect.any(Number) },
    ...{ drained: 500, drainPerSecond: expect.any(Number), started: 300 },
  })
  expect(figures.enqueuePerSecond).toBeGreaterThan(0)
  expect(startMs.p99).toBeGreaterThanOrEqual(startMs.p50)
  const left = await rowsOf<{ id: string }>(servers, 'SELECT id FROM celeriac.job')
  expect(left.map(({ id }) => id)).toEqual([kept.out.trim()])
  expect(await rowsOf(servers, 'SELECT name FROM celeriac.worker')).toEqual([])
})

test('asks before it takes what production has, and cannot ask a script', async () => {
  const servers = await freshServers('postgres')
  await openJobs({ ...servers, deadline: '60s' })
  const celeriac = commandLine(servers, app)
  const variables = { NODE_ENV: 'production' }

  const refused = await celeriac(['bench', '--jobs', '10'], { variables })
  const said = await celeriac(['bench', '--jobs', '10', '--yes'], { variables })

  expect(refused).toMatchObject({ code: 1, out: '', err: expect.stringContaining('say --yes') })
  expect(said).toMatchObject({
    code: 0,
    out: expect.stringMatching(/^call to start {2}p50 .* ms, p99 .* ms/m),
  })
})
