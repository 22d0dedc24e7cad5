import { expect, test } from 'vitest'
import { toShort } from '../../../src/dashboard/api/short.js'
import type { PastAttempt } from '../../../src/job/job.js'
import { createMemoryStore } from '../../../src/store/memory.js'
import { jobRow } from '../../support/job-row.js'

test('a job in a list has the beginnings of its values, and errors without their stacks', async () => {
  const store = createMemoryStore()
  const row = jobRow({ payload: JSON.stringify('x'.repeat(1000)) })
  await store.insert([row])
  const job = await store.find(row.id)
  if (!job) throw new Error('It is not there.')
  const error = { name: 'MailError', message: 'm'.repeat(5000), code: 'AWAY', stack: 's'.repeat(20_000) }
  const at = new Date().toISOString()
  const attempt: PastAttempt = {
    ...{ number: 1, outcome: 'failed', worker: null, startedAt: at, finishedAt: at, error },
  }

  const short = toShort({ ...job, error, attempts: [attempt] })

  const told = { name: 'MailError', message: `${'m'.repeat(1000)}…`, code: 'AWAY' }
  expect(short.payload).toHaveLength(201)
  expect(short.error).toEqual(told)
  expect(short.attempts).toEqual([{ ...attempt, error: told }])
  await store.close()
})
