import { describe, expect, test, vi } from 'vitest'
import { defineTask } from '../../src/index.js'
import { brokers, closeJobsAfterEach, freshServers, openJobs } from '../support/lab.js'
import { until } from '../support/until.js'

vi.setConfig({ testTimeout: 90_000 })
closeJobsAfterEach()

const tasks = { mail: { send: defineTask(async (to: string) => to) } }
const patient = { timeoutMs: 30_000 }

describe.each(brokers)('a worker inside a web process, on %s', (kind) => {
  test('tells of itself, by its row and when it is asked, without secrets', async () => {
    const servers = await freshServers(kind)
    const jobs = await openJobs({
      ...{ ...servers, tasks, appVersion: '7.1' },
      worker: { concurrency: 3, queues: ['default', 'mail'], name: 'inside' },
    })
    await until(async () => (await jobs.inspect.workers()).length === 1, patient)
    await (await jobs.enqueue(tasks.mail.send, 'ann')).result({ timeout: '30s' })

    const [conf] = (await jobs.inspect.conf({ deadline: '20s' })).replies
    expect(conf?.value).toMatchObject({ worker: { concurrency: 3 }, appVersion: '7.1' })
    expect(JSON.stringify(conf?.value)).not.toMatch(/postgres:[^/]*@/)
    const [report] = (await jobs.inspect.report({ deadline: '20s' })).replies
    expect(report?.value).toMatchObject({ node: process.version, packages: { bullmq: expect.any(String) } })

    // Of its first word, which it says as it begins, the job is no part.
    await until(async () => {
      const [row] = await jobs.inspect.workers()
      return JSON.parse(row?.report ?? '{}').processed === 1
    }, patient)
    const [row] = await jobs.inspect.workers()
    expect(row).toMatchObject({ name: 'inside', pool: 'inline', concurrency: 3, appVersion: '7.1' })
    expect(row?.nodeVersion).toBe(process.version)
    expect(JSON.parse(row?.config ?? '')).toMatchObject({ worker: { name: 'inside' } })
    expect(JSON.parse(row?.report ?? '')).toMatchObject({
      ...{ concurrency: 3, running: 0, processed: 1, outcomes: { succeeded: 1 } },
      memory: { rss: expect.any(Number) },
    })
  })

  test('stops when it is asked to shut down, and its process goes on', async () => {
    const jobs = await openJobs({ ...(await freshServers(kind)), tasks, worker: true })
    await until(async () => (await jobs.inspect.workers()).length === 1, patient)

    const { replies } = await jobs.control.shutdown({ deadline: '20s' })

    expect(replies).toMatchObject([{ value: { running: 0, process: 'stays' } }])
    await until(async () => (await jobs.inspect.workers())[0]?.stoppedAt, patient)
    const job = await jobs.enqueue(tasks.mail.send, 'ann')
    expect((await job.status()).state).toBe('queued')
    expect((await jobs.inspect.ping({ deadline: 50 })).replies).toEqual([])
  })

  test('begins with what was set for its name and its queues while nobody was there', async () => {
    const servers = await freshServers(kind)
    const web = await openJobs({ ...servers, tasks })
    await web.control.pause('mail', { by: 'ann' })
    const held = await web.enqueue(tasks.mail.send, 'ann', { queue: 'mail' })
    const worker = { name: 'later', queues: ['default', 'mail'] }
    const jobs = await openJobs({ ...servers, tasks, worker })
    await (await jobs.enqueue(tasks.mail.send, 'bob')).result({ timeout: '30s' })

    expect((await held.status()).state).toBe('queued')
    await web.control.resume('mail')
    expect(await held.result({ timeout: '30s' })).toBe('ann')
  })
})
