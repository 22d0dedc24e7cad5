import { afterEach, describe, expect, test } from 'vitest'
import { z } from 'zod'
import { defineTask } from '../../src/task/define.js'
import { createTestJobs, type TestJobs } from '../../src/testing/index.js'

const built: string[] = []
const buildReport = defineTask({
  payload: z.object({ month: z.string() }),
  run: ({ month }) => {
    built.push(month)
    return { url: `/files/${month}.pdf` }
  },
})
let failures = 0
const flaky = defineTask({
  attempts: 3,
  backoff: { type: 'fixed', delay: '1m', jitter: 0 },
  run: ({ times }: { times: number }) => {
    failures += 1
    if (failures <= times) throw new TypeError(`not today ${failures}`)
    return failures
  },
})
const parent = defineTask(async ({ months }: { months: string[] }) => {
  for (const month of months) await buildReport.enqueue({ month })
  return built.length
})
const reports = { buildReport, flaky, parent }

let jobs: TestJobs
afterEach(async () => {
  built.length = 0
  failures = 0
  await jobs.close()
})

describe('fake', () => {
  test('collects what is enqueued, and runs it at drain()', async () => {
    jobs = createTestJobs({ tasks: { reports } })

    const handle = await buildReport.enqueue({ month: '2026-10' })

    expect(jobs.expectEnqueued(buildReport, { month: '2026-10' })).toMatchObject({ id: handle.id })
    expect(built).toEqual([])
    expect(await jobs.drain()).toMatchObject({ succeeded: 1, failed: 0, waiting: 0 })
    expect(built).toEqual(['2026-10'])
    expect(await handle.result()).toEqual({ url: '/files/2026-10.pdf' })
  })

  test('runs what jobs enqueue in the same drain', async () => {
    jobs = createTestJobs({ tasks: { reports } })
    await parent.enqueue({ months: ['1', '2', '3'] })

    expect(await jobs.drain()).toMatchObject({ succeeded: 4 })
    expect(built).toEqual(['1', '2', '3'])
  })

  test('a retry waits for its backoff by the clock', async () => {
    jobs = createTestJobs({ tasks: { reports } })
    await flaky.enqueue({ times: 2 })

    expect(await jobs.drain()).toMatchObject({ succeeded: 0, waiting: 1 })
    await jobs.clock.advance('1m')
    expect(await jobs.drain()).toMatchObject({ succeeded: 0, waiting: 1 })
    await jobs.clock.advance('1m')
    expect(await jobs.drain()).toMatchObject({ succeeded: 1, waiting: 0 })
  })

  test('a failed job makes drain() throw, with what the task threw', async () => {
    jobs = createTestJobs({ tasks: { reports } })
    await flaky.enqueue({ times: 1 }, { attempts: 1 })

    await expect(jobs.drain()).rejects.toThrow('1 job failed:\n  reports.flaky')
  })
})

describe('eager', () => {
  test('runs in the call', async () => {
    jobs = createTestJobs({ tasks: { reports }, mode: 'eager' })

    const handle = await parent.enqueue({ months: ['1', '2'] })

    expect(built).toEqual(['1', '2'])
    expect((await handle.status()).result).toBe(2)
  })

  test('runs all attempts at once', async () => {
    jobs = createTestJobs({ tasks: { reports }, mode: 'eager' })

    const handle = await flaky.enqueue({ times: 2 })

    expect(await handle.status()).toMatchObject({ state: 'succeeded', attempt: 3 })
  })

  test('a delayed job runs when its time comes', async () => {
    jobs = createTestJobs({ tasks: { reports }, mode: 'eager' })
    await buildReport.enqueue({ month: '1' }, { delay: '10m' })
    expect(built).toEqual([])
    await jobs.clock.advance('9m')
    expect(built).toEqual([])
    await jobs.clock.advance('1m')
    expect(built).toEqual(['1'])
  })
})
