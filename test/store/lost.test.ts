import { randomUUID } from 'node:crypto'
import type pg from 'pg'
import { beforeAll, beforeEach, expect, test } from 'vitest'
import type { Job } from '../../src/job/job.js'
import { toStatus } from '../../src/job/status.js'
import type { Store } from '../../src/store/store.js'
import { openStore } from '../support/store.js'

let store: Store
let client: pg.Client

beforeAll(async () => {
  const opened = await openStore()
  store = opened.store
  client = opened.client
  return opened.close
})

beforeEach(async () => {
  await client.query('TRUNCATE celeriac.job, celeriac.worker')
})

test('a job that is given up names the workers that it took down, whatever stands in its history', async () => {
  const id = await newJob()
  await runAndFail(id, await newWorker('w0', 10), 'a NUL: \0')
  for (const [name, pid] of [
    ['w1', 11],
    ['w2', 12],
    ['w3', 13],
  ] as const)
    await runAndLose(id, await newWorker(name, pid))

  const job = await find(id)
  expect(job).toMatchObject({ state: 'failed', attempt: 4, lost: 3, failures: 1 })
  expect(job.error?.workers).toMatchObject([
    { name: 'w1', host: 'box', pid: 11 },
    { name: 'w2', host: 'box', pid: 12 },
    { name: 'w3', host: 'box', pid: 13 },
  ])
  expect(job.error?.message).toBe(
    'The job took down 3 workers, and was given up. They were w1 (process 11 on box), w2 (process 12 on box), w3 (process 13 on box).',
  )
  expect(toStatus(job).error).toEqual({
    name: 'WorkerLostError',
    code: 'WORKER_LOST',
    message: 'The job took down 3 workers, and was given up.',
  })
  expect(JSON.stringify(toStatus(job))).not.toMatch(/box|w[123]/)
})

test('its last attempt is in the list once, after a retry by hand too, and the count begins anew', async () => {
  const id = await newJob()
  for (const pid of [1, 2, 3]) await runAndLose(id, await newWorker(`w${pid}`, pid))
  expect(numbers(await find(id))).toEqual([
    [1, 'lost'],
    [2, 'lost'],
  ])

  await store.retry(id)
  expect(numbers(await find(id))).toEqual([
    [1, 'lost'],
    [2, 'lost'],
    [3, 'lost'],
  ])

  for (const pid of [4, 5, 6]) await runAndLose(id, await newWorker(`w${pid}`, pid))
  const again = await find(id)
  expect(numbers(again).map(([number]) => number)).toEqual([1, 2, 3, 4, 5])
  expect(again.error?.workers?.map(({ name }) => name)).toEqual(['w4', 'w5', 'w6'])
})

test('what runs under a worker that went long ago is freed with the next that goes', async () => {
  const id = await newJob()
  const old = await newWorker('old', 1)
  await client.query(`UPDATE celeriac.worker SET lost_at = now() - interval '1 hour' WHERE id = $1`, [old])
  await store.claim({ jobId: id, number: 1 }, old)
  await store.stopWorker(await newWorker('other', 2))

  await store.reapLostWorkers(3)

  expect(await find(id)).toMatchObject({ state: 'queued', delivery: 2 })
})

test('a free session lock tells nothing of a worker that has not renewed since the server started', async () => {
  const [before, since] = [await newWorker('before', 1), await newWorker('since', 2)]
  await client.query(`UPDATE celeriac.worker SET missed = 1`)
  await client.query(
    `UPDATE celeriac.worker SET seen_at = pg_postmaster_start_time() - interval '1 second' WHERE id = $1`,
    [before],
  )

  const { workers } = await store.reapLostWorkers(3)

  expect(workers).toMatchObject([{ id: since }])
})

test('of two jobs on their last chance under one lost worker, only the first that it claimed is given up', async () => {
  const [guilty, company] = [await newJob(), await newJob()]
  for (const pid of [1, 2]) {
    await runAndLose(guilty, await newWorker(`w${pid}`, pid))
    await runAndLose(company, await newWorker(`v${pid}`, pid))
  }
  const last = await newWorker('last', 3)
  await claim(guilty, last)
  await client.query('SELECT pg_sleep(0.01)')
  await claim(company, last)

  await client.query('UPDATE celeriac.worker SET missed = missed_limit WHERE id = $1', [last])
  await store.reapLostWorkers(3)

  expect(await find(guilty)).toMatchObject({ state: 'failed', lost: 3 })
  expect(await find(company)).toMatchObject({ state: 'queued', lost: 2, attempt: 2 })
})

async function newJob(): Promise<string> {
  const id = randomUUID()
  await client.query(
    `INSERT INTO celeriac.job (id, task, queue, state, payload, max_attempts, run_at) VALUES ($1, 't', 'q', 'queued', '1', 9, now())`,
    [id],
  )
  return id
}

let locks = 0

/** A worker whose session lock is free. */
async function newWorker(name: string, pid: number): Promise<string> {
  const id = randomUUID()
  locks += 1
  const lists = { queues: ['q'], tasks: ['t'] }
  const rest = { concurrency: 1, version: '1', configHash: '', missedLimit: 5, lockKey: BigInt(locks) }
  await store.registerWorker({ id, name, host: 'box', pid, ...lists, ...rest })
  return id
}

async function runAndFail(id: string, workerId: string, message: string): Promise<void> {
  const claimed = await claim(id, workerId)
  const key = { jobId: id, number: claimed.number, attempt: claimed.attempt, workerId }
  await store.settle({ ...key, state: 'retrying', error: { name: 'Error', message }, retryInMs: 0 })
}

async function runAndLose(id: string, workerId: string): Promise<void> {
  await claim(id, workerId)
  await client.query('UPDATE celeriac.worker SET missed = missed_limit WHERE id = $1', [workerId])
  await store.reapLostWorkers(3)
}

async function claim(id: string, workerId: string) {
  const { delivery } = await find(id)
  const claimed = await store.claim({ jobId: id, number: delivery }, workerId)
  if (!claimed) throw new Error('The job could not be claimed.')
  return claimed
}

async function find(id: string): Promise<Job> {
  const job = await store.find(id)
  if (!job) throw new Error('The job is gone.')
  return job
}

function numbers(job: Job): (readonly [number, string])[] {
  return job.attempts.map(({ number, outcome }) => [number, outcome] as const)
}
