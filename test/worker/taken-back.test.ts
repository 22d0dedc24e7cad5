import pg from 'pg'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { defineTask } from '../../src/task/define.js'
import * as crew from '../fixtures/crew/modules/work/tasks.js'
import { brokers, closeJobsAfterEach, freshServers, gate, openJobs, type Servers } from '../support/lab.js'
import { until } from '../support/until.js'
import { newEffects, startWorkerProcess } from '../support/worker-process.js'

closeJobsAfterEach()
vi.setConfig({ testTimeout: 120_000 })

const lease = { lease: '1s', heartbeat: '200ms' } as const
const patient = { timeoutMs: 60_000 }

/** A claim does not wait for the disk, so a crash of the store may forget it. Its delivery has been answered. */
describe.each(brokers)('a claim that a crash of the store took back, on %s', (kind) => {
  test('is delivered again, refused by the worker that runs the job, and its end is recorded', async () => {
    const { servers, rows } = await open()
    const end = gate()
    let runs = 0
    const long = defineTask(async () => {
      runs += 1
      await end.passed
      return 'kept'
    })
    const next = defineTask(() => 'next')
    // A handler that a failing test leaves behind must not hold its end up.
    const worker = { concurrency: 4, grace: '500ms' } as const
    await openJobs({ ...servers, ...lease, tasks: { work: { long, next } }, worker })
    const job = await long.enqueue()
    await until(() => runs === 1, patient)
    // By then nobody is about to mark its first delivery, and the dispatch pass looks at the row.
    await until(
      async () => (await rows(`id = '${job.id}' AND now() > created_at + interval '2.5 seconds'`))[0],
    )

    await rows(`id = '${job.id}'`, `${takenBack}, dispatched_at = NULL`)
    const isSentAgain = async () => (await rows(`id = '${job.id}'`))[0]?.dispatched_at !== null
    await until(async () => runs > 1 || (await isSentAgain()), patient)
    // It waits behind the second delivery, so that one has been answered when this one ends.
    await (await next.enqueue()).result()
    expect(runs).toBe(1)
    end.open()

    expect(await job.result()).toBe('kept')
    expect(await job.status()).toMatchObject({ state: 'succeeded', attempt: 1 })
    expect(runs).toBe(1)
  })

  test('is made sure of by the worker that runs the job, as soon as it reaches the store again', async () => {
    const { servers, rows } = await open()
    const started = gate()
    const end = gate()
    const long = defineTask(async () => {
      started.open()
      await end.passed
    })
    const worker = { concurrency: 1, grace: '500ms' } as const
    await openJobs({ ...servers, ...lease, tasks: { work: { long } }, worker })
    const job = await long.enqueue()
    await started.passed
    const [before] = await rows(`id = '${job.id}'`)

    await rows(`id = '${job.id}'`, takenBack)
    await rows(`id = '${job.id}' AND pg_terminate_backend((SELECT pid FROM pg_stat_activity
      WHERE application_name = 'celeriac lease' AND datname = current_database()))`)

    const after = await until(async () => (await rows(`id = '${job.id}' AND state = 'running'`))[0], patient)
    expect(after).toMatchObject({ delivery: before?.delivery, worker_id: before?.worker_id, attempt: 1 })
    end.open()
    await job.result()
    expect(await job.status()).toMatchObject({ state: 'succeeded', attempt: 1 })
  })

  test('is delivered anew when the worker that runs the job stops, and the attempt is remembered', async () => {
    const { servers, rows } = await open()
    const started = gate()
    const long = defineTask(async (_: undefined, { attempt, signal }) => {
      if (attempt > 1) return attempt
      started.open()
      return new Promise<number>((_, reject) => {
        signal.addEventListener('abort', () => reject(signal.reason))
      })
    })
    const options = { ...servers, ...lease, tasks: { work: { long } } }
    const first = await openJobs({ ...options, worker: { concurrency: 1, grace: '100ms' } })
    const job = await long.enqueue()
    await started.passed

    await rows(`id = '${job.id}'`, takenBack)
    await first.close()
    const second = await openJobs({ ...options, worker: true })

    expect(await second.job(job.id).result()).toBe(2)
    expect(await second.job(job.id).status()).toMatchObject({
      attempt: 2,
      attempts: [{ number: 1, outcome: 'returned' }],
    })
  })

  test('is delivered anew when the worker gives the job back because no handler is free', async () => {
    const { servers, rows } = await open()
    const end = gate()
    let busy = 0
    const hold = defineTask(async () => {
      busy += 1
      await end.passed
    })
    const behind = defineTask((_: undefined, { attempt }) => attempt)
    const worker = { concurrency: 4, grace: '500ms' } as const
    await openJobs({ ...servers, ...lease, tasks: { work: { hold, behind } }, worker })
    await hold.enqueueMany(Array(4).fill(undefined))
    await until(() => busy === 4, patient)
    const job = await behind.enqueue()

    // It is claimed now and then, in vain, for a quarter of a second.
    const taken = await until(
      async () => (await rows(`id = '${job.id}' AND state = 'running'`, takenBack))[0],
      { everyMs: 5, ...patient },
    )
    await until(async () => (await rows(`id = '${job.id}' AND delivery > ${taken?.delivery}`))[0], patient)
    end.open()

    expect(await job.result()).toBe(1)
  })

  test('is delivered anew by the lease thread of a worker whose event loop is blocked', async () => {
    const { servers, rows } = await open()
    const options = { ...servers, lease: '2s', heartbeat: '400ms', tasks: { work: crew } } as const
    const web = await openJobs(options)
    const effects = newEffects()
    const blocking = await web.enqueue(crew.block, 60_000)
    await web.enqueueMany(crew.quick, Array(5).fill(undefined))
    // It may not say that it is ready before its event loop is blocked.
    startWorkerProcess({ ...servers, effects: effects.file, args: ['-c', '4'] }).catch(() => {})
    await until(() => effects.of(blocking.id).includes('start 1'), patient)

    const taken = await rows(`task = 'work.quick' AND state = 'running'`, takenBack)
    expect(taken.length).toBeGreaterThan(0)
    for (const { id, delivery } of taken)
      await until(async () => (await rows(`id = '${id}' AND delivery = ${delivery} + 1`))[0], patient)
    expect(effects.of(blocking.id)).toEqual(['start 1'])

    const free = await startWorkerProcess({ ...servers, effects: effects.file, args: ['-c', '4'] })
    for (const { id } of taken) {
      expect(await web.job(id).result()).toBe(free.pid)
      expect(await web.job(id).status()).toMatchObject({ attempt: 1 })
    }
  })

  async function open() {
    const servers: Servers = await freshServers(kind)
    const client = new pg.Client({ connectionString: servers.database })
    await client.connect()
    onTestFinished(() => client.end())
    /** The rows of `where`, changed by `set` if it is given. */
    const rows = async (where: string, set?: string) => {
      const sql = set
        ? `UPDATE celeriac.job SET ${set} WHERE ${where} RETURNING *`
        : `SELECT * FROM celeriac.job WHERE ${where}`
      return (await client.query<Row>(sql)).rows
    }
    return { servers, rows }
  }
})

/** As the row was before its claim. */
const takenBack = `state = 'queued', worker_id = NULL, started_at = NULL, attempt = attempt - 1`

interface Row {
  readonly id: string
  readonly delivery: number
  readonly worker_id: string | null
  readonly dispatched_at: Date | null
}
