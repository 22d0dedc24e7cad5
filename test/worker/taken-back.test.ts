import pg from 'pg'
import { describe, expect, onTestFinished, test } from 'vitest'
import { defineTask } from '../../src/task/define.js'
import { brokers, closeJobsAfterEach, freshServers, gate, openJobs } from '../support/lab.js'
import { until } from '../support/until.js'

closeJobsAfterEach()

describe.each(brokers)('a claim that a crash of the store took back, on %s', (kind) => {
  test('is delivered again, refused by the worker that runs the job, and its end is recorded', async () => {
    const servers = await freshServers(kind)
    const database = new pg.Client({ connectionString: servers.database })
    await database.connect()
    onTestFinished(() => database.end())
    const end = gate()
    let runs = 0
    const long = defineTask(async () => {
      runs += 1
      await end.passed
      return 'kept'
    })
    const next = defineTask(() => 'next')
    const tasks = { work: { long, next } }
    await openJobs({ ...servers, tasks, worker: { concurrency: 4 }, lease: '1s', heartbeat: '200ms' })
    const job = await long.enqueue()
    await until(() => runs === 1)
    // By then its first delivery is past being marked, and only the dispatch pass looks at the row.
    await until(async () => {
      const { rows } = await database.query(
        `SELECT now() > created_at + interval '2.5 seconds' AS old FROM celeriac.job WHERE id = $1`,
        [job.id],
      )
      return rows[0].old
    })

    await database.query(
      `UPDATE celeriac.job SET state = 'queued', worker_id = NULL, started_at = NULL, attempt = 0 WHERE id = $1`,
      [job.id],
    )
    await until(async () => {
      const { rows } = await database.query('SELECT dispatched_at FROM celeriac.job WHERE id = $1', [job.id])
      return rows[0].dispatched_at !== null
    })
    // It waits behind the second delivery, so that one has been answered when this one ends.
    await (await next.enqueue()).result()
    end.open()

    expect(await job.result()).toBe('kept')
    expect(await job.status()).toMatchObject({ state: 'succeeded', attempt: 1 })
    expect(runs).toBe(1)
  })
})
