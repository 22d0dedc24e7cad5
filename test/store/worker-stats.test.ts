import { v7 as uuidv7 } from 'uuid'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { OpenStore } from '../support/store.js'
import { openStore } from '../support/store.js'
import { workerLoad } from '../support/worker-load.js'
import { workerRow } from '../support/worker-row.js'

let opened: OpenStore

beforeEach(async () => {
  opened = await openStore()
})

afterEach(() => opened.close())

test('what workers said is kept by the minute for two days, and by the hour for a month', async () => {
  const { store, client } = opened
  const id = uuidv7()
  await store.registerWorker(workerRow({ id, name: 'w' }))
  await store.reportWorker(id, '{}', workerLoad())
  await client.query(
    `INSERT INTO celeriac.worker_stat
     SELECT $1, minutes, at - ago::interval, running, concurrency, memory, loop_delay_ms, cpu, processed
     FROM celeriac.worker_stat, unnest('{47 hours,50 hours,31 days,33 days}'::text[]) AS ago`,
    [id],
  )

  while (!(await store.pruneStats()));

  const { rows } = await client.query(
    'SELECT minutes, count(*)::int FROM celeriac.worker_stat GROUP BY 1 ORDER BY 1',
  )
  expect(rows).toEqual([
    { minutes: 1, count: 2 },
    { minutes: 60, count: 4 },
  ])
})

test('it goes with the worker', async () => {
  const { store, client } = opened
  const id = uuidv7()
  await store.registerWorker(workerRow({ id, name: 'w' }))
  await store.reportWorker(id, '{}', workerLoad())
  await client.query(`UPDATE celeriac.worker SET stopped_at = now() - interval '8 days'`)

  expect(await store.pruneWorkers()).toBe(1)
  expect((await client.query('SELECT 1 FROM celeriac.worker_stat')).rows).toEqual([])
})
