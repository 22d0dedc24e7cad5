import { randomUUID } from 'node:crypto'
import { describe, expect, test, vi } from 'vitest'
import { brokers, closeJobsAfterEach, freshServers, openJobs } from '../support/lab.js'
import { startWorkerProcess } from '../support/worker-process.js'
import { commandLine } from './command-line.js'

closeJobsAfterEach()
vi.setConfig({ testTimeout: 600_000 })

const app = 'test/fixtures/desk'

describe.each(brokers)('celeriac result, with the broker on %s', (kind) => {
  test('tells every end apart', async () => {
    const servers = await freshServers(kind)
    const celeriac = commandLine(servers, app)
    const call = async (...args: string[]) => (await celeriac(['call', ...args])).out.trim()
    await startWorkerProcess({ ...servers, app })

    const added = await call('work.add', '--payload', '{"a":1,"b":1}')
    const failed = await call('work.fail', '--payload', '"no paper"')
    const cancelled = await call('work.add', '--delay', '1h')
    await celeriac(['cancel', cancelled, '--by', 'ada', '--reason', 'a mistake'])

    expect(await celeriac(['result', added, '--wait', '1m'])).toEqual({ code: 0, out: '2\n', err: '' })
    expect(await celeriac(['result', failed, '--wait', '1m'])).toEqual({
      ...{ code: 3, out: '' },
      err: `Job ${failed} (work.fail) has failed: TypeError: no paper\n`,
    })
    const stack = await celeriac(['result', failed, '--stack'])
    expect(stack).toMatchObject({
      code: 3,
      out: '',
      err: expect.stringMatching(/no paper\n +at .*tasks\.ts/),
    })
    expect(await celeriac(['result', cancelled])).toEqual({
      ...{ code: 3, out: '' },
      err: `Job ${cancelled} (work.add) was cancelled by ada: a mistake\n`,
    })
    const document = JSON.parse((await celeriac(['result', failed, '--json'])).out)
    expect(document).toEqual({
      ...{ id: failed, task: 'work.fail', state: 'failed', finishedAt: expect.any(String) },
      error: { name: 'TypeError', message: 'no paper' },
    })
  })
})

describe('celeriac result', () => {
  test('never waits for an id that nobody knows', async () => {
    const { celeriac } = await desk()
    const id = randomUUID()

    const ended = await celeriac(['result', id, '--wait'])
    const noId = await celeriac(['result', 'today', '--json'])

    expect(ended).toMatchObject({
      code: 4,
      out: '',
      err: expect.stringContaining(`No job has the id ${id}.`),
    })
    expect(noId).toMatchObject({ code: 4, out: '{"id":"today","state":null}\n' })
  })

  test('says that a job has not ended, at once or when the time is over', async () => {
    const { celeriac } = await desk()
    const { out } = await celeriac(['call', 'work.nothing', '--delay', '1h'])

    const now = await celeriac(['result', out.trim()])
    const later = await celeriac(['result', out.trim(), '--wait', '300ms'])
    const wrong = await celeriac(['result', out.trim(), '--wait', 'soon'])

    expect(now).toMatchObject({ code: 6, out: '', err: expect.stringContaining('is scheduled') })
    expect(later.code).toBe(6)
    expect(wrong).toMatchObject({ code: 1, err: expect.stringContaining('--wait takes a duration') })
  })

  test('needs neither the broker nor the tasks', async () => {
    const { celeriac } = await desk()
    const { out } = await celeriac(['call', 'work.nothing', '--delay', '1h'])

    const ended = await celeriac(['result', out.trim()], {
      variables: { CELERIAC_BROKER_URL: 'redis://127.0.0.1:1' },
    })

    expect(ended).toMatchObject({ code: 6, out: '' })
  })
})

async function desk() {
  const servers = await freshServers('postgres')
  await openJobs({ ...servers, deadline: '60s' })
  return { celeriac: commandLine(servers, app) }
}
