import { expect, onTestFinished, test } from 'vitest'
import { defineTask } from '../../src/task/define.js'
import { createTestJobs } from '../../src/testing/index.js'

test('jobs are found and moved by many without a server', async () => {
  let isBroken = true
  const work = defineTask((n: number) => {
    if (isBroken) throw new RangeError(`not ${n}`)
    return n
  })
  const jobs = createTestJobs({ tasks: { test: { work } }, attempts: 1 })
  onTestFinished(() => jobs.close())
  await jobs.enqueueMany(work, [1, 2, 3])
  await jobs.enqueueMany(work, [4, 5], { delay: '1h' })
  await jobs.drain({ allowFailures: true })

  expect((await jobs.search({ errorName: 'RangeError', text: 'not 2' })).jobs).toMatchObject([{ payload: 2 }])
  isBroken = false
  expect(await jobs.bulk.retry({ state: 'failed' })).toMatchObject({ counts: { retried: 3 } })
  expect(await jobs.bulk.promote({ task: 'test.work', state: 'scheduled' })).toMatchObject({
    counts: { promoted: 2 },
  })
  await jobs.drain()
  expect(await jobs.count({ state: 'succeeded' })).toEqual({ count: 5, isMore: false })
  expect(await jobs.bulk.delete({ state: 'succeeded' })).toMatchObject({ done: 5, counts: { deleted: 5 } })
  expect((await jobs.search()).jobs).toEqual([])
})
