import pg from 'pg'
import { expect, onTestFinished, test } from 'vitest'
import { defineTask } from '../../src/task/define.js'
import { closeJobsAfterEach, freshServers, openJobs } from '../support/lab.js'
import { until } from '../support/until.js'

closeJobsAfterEach()

test('a job that was kept long enough looks like one that never was, and its key is free again', async () => {
  const servers = await freshServers('redis')
  const [brief, lasting] = [
    defineTask({ retain: { succeeded: '1s' }, run: () => 'done' }),
    defineTask({ retain: false, run: () => 'done' }),
  ]
  const jobs = await openJobs({
    ...servers,
    tasks: { t: { brief, lasting } },
    lease: '500ms',
    retain: '1d',
    worker: true,
  })
  const options = { idempotencyKey: 'once' }
  const first = await jobs.enqueue(brief, undefined, options)
  const kept = await jobs.enqueue(lasting)
  await Promise.all([first.result(), kept.result()])
  const client = new pg.Client({ connectionString: servers.database })
  onTestFinished(() => client.end())
  await client.connect()
  await client.query(`UPDATE celeriac.job SET finished_at = now() - interval '900 days' WHERE id = $1`, [
    kept.id,
  ])

  await until(() =>
    first.status().then(
      () => false,
      (error: unknown) => (error as { code?: unknown }).code === 'JOB_NOT_FOUND',
    ),
  )
  const second = await jobs.enqueue(brief, undefined, options)

  expect(second).toMatchObject({ created: true })
  expect(second.id).not.toBe(first.id)
  expect((await kept.status()).state).toBe('succeeded')
})
