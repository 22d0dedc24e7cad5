import { describe, expect, test } from 'vitest'
import { ConfigError, JobNotFoundError } from '../../src/errors.js'
import { defineTask } from '../../src/task/define.js'
import { brokers, closeJobsAfterEach, freshServers, gate, openJobs } from '../support/lab.js'
import { until } from '../support/until.js'

closeJobsAfterEach()

const gone = (status: Promise<unknown>) =>
  status.then(
    () => false,
    (error: unknown) => error instanceof JobNotFoundError,
  )

describe.each(brokers)('retain: 0 on %s', (kind) => {
  test('deletes a job with its end', async () => {
    let runs = 0
    const ping = defineTask({
      retain: 0,
      run: () => {
        runs += 1
      },
    })
    await openJobs({ ...(await freshServers(kind)), tasks: { net: { ping } }, worker: true })

    const handles = await ping.enqueueMany(Array.from({ length: 50 }, () => undefined))
    await until(() => runs === 50)

    for (const job of handles) await until(() => gone(job.status()))
    await expect(handles[0]?.result()).rejects.toThrow(JobNotFoundError)
  })

  test('for one end keeps the others', async () => {
    const risky = defineTask({
      retain: { succeeded: 0 },
      run: (fails: boolean) => {
        if (fails) throw new Error('no')
      },
    })
    await openJobs({ ...(await freshServers(kind)), tasks: { net: { risky } }, worker: true })

    const [good, bad] = await risky.enqueueMany([false, true])

    await until(() => gone(good?.status() ?? Promise.resolve()))
    await until(async () => (await bad?.status())?.state === 'failed')
  })

  test('deletes a job that was asked to stop and finished all the same', async () => {
    const started = gate()
    const proceed = gate()
    const slow = defineTask({
      retain: 0,
      run: async () => {
        started.open()
        await proceed.passed
      },
    })
    const jobs = await openJobs({ ...(await freshServers(kind)), tasks: { net: { slow } }, worker: true })

    const job = await slow.enqueue()
    await started.passed
    expect(await job.cancel()).toBe('cancelling')
    proceed.open()

    await until(() => gone(jobs.job(job.id).status()))
  })
})

test('a time too short to be seen is refused, with what may be said', () => {
  expect(() => defineTask({ retain: 10, run: () => {} })).toThrow(ConfigError)
  expect(() => defineTask({ retain: { failed: 999 }, run: () => {} })).toThrow(
    '0, or a duration of at least 1000 ms',
  )
})
