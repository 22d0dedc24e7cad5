import { expect, test } from 'vitest'
import { expiryPass } from '../../src/maintain/expiry.js'
import * as work from '../fixtures/crew/modules/work/tasks.js'
import { closeJobsAfterEach, freshServers, openJobs } from '../support/lab.js'
import { until } from '../support/until.js'
import { addRows, openGround, statesOf } from './ground.js'

closeJobsAfterEach()

test('what waited too long ends, and what runs or may still start does not', async () => {
  const ground = await openGround('postgres')
  for (const state of ['queued', 'scheduled', 'retrying', 'running'])
    await addRows(ground, 2, { state, expires: '-1 second' })
  await addRows(ground, 2, { expires: '1 minute' })
  await addRows(ground, 2)

  expect(await ground.round(expiryPass)).toBe(6)

  expect(await statesOf(ground)).toEqual({ queued: 4, running: 2, expired: 6 })
  expect(ground.told).toEqual(['info: 6 jobs could not start in time, and expired.'])
  expect(await ground.round(expiryPass)).toBeUndefined()
})

test('more than one statement takes are ended in one round', async () => {
  const ground = await openGround('postgres')
  await addRows(ground, 2300, { expires: '-1 second' })

  expect(await ground.round(expiryPass)).toBe(2300)
})

test('a job expires without any worker, and who waits for it is told', async () => {
  const servers = await freshServers('redis')
  const jobs = await openJobs({ ...servers, tasks: { work }, lease: '1s' })
  const job = await jobs.enqueue(work.quick, undefined, { expiresIn: '300ms' })

  await expect(job.result({ timeout: '10s' })).rejects.toThrow(/expired/i)

  await until(async () => (await job.status()).state === 'expired')
  expect((await job.status()).attempt).toBe(0)
})
