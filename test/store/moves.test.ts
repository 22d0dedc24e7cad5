import { randomUUID } from 'node:crypto'
import type pg from 'pg'
import { beforeAll, expect, test } from 'vitest'
import { isEnd, type JobState, moves } from '../../src/job/state.js'
import type { Settlement, Store } from '../../src/store/store.js'
import { openStore } from '../support/store.js'

const states = Object.keys(moves) as JobState[]
const worker = randomUUID()
const number = 3
let store: Store
let client: pg.Client

beforeAll(async () => {
  const opened = await openStore()
  store = opened.store
  client = opened.client
  return opened.close
})

/** A row as a job may have it, in a state. */
interface Row {
  readonly id: string
  readonly state: JobState
}

const key = { number, workerId: worker, attempt: 2 }
const error = { name: 'Error', message: 'no' }

/** Every statement that may move a state, and the states that it must move a row from: no check is idle. */
const statements: Record<string, { readonly from: readonly JobState[]; run(row: Row): Promise<unknown> }> = {
  claim: {
    from: ['scheduled', 'queued', 'retrying'],
    run: ({ id }) => store.claim({ jobId: id, number }, worker),
  },
  'claim again after a crash of the store': {
    from: ['scheduled', 'queued', 'retrying'],
    run: ({ id }) => store.holdOn([{ jobId: id, number, attempt: 2 }], worker),
  },
  'settle a success': {
    from: ['scheduled', 'queued', 'running', 'retrying'],
    run: ({ id }) => settle({ ...key, jobId: id, state: 'succeeded', result: '1', resultError: null }),
  },
  'settle a failure': {
    from: ['scheduled', 'queued', 'running', 'retrying'],
    run: ({ id }) => settle({ ...key, jobId: id, state: 'failed', error }),
  },
  'settle a cancel': {
    from: ['scheduled', 'queued', 'running', 'retrying'],
    run: ({ id }) => settle({ ...key, jobId: id, state: 'cancelled', error }),
  },
  'settle a failure that is tried again': {
    from: ['scheduled', 'queued', 'running', 'retrying'],
    run: ({ id }) => settle({ ...key, jobId: id, state: 'retrying', error, retryInMs: 10 }),
  },
  'settle a snooze': {
    from: ['scheduled', 'queued', 'running', 'retrying'],
    run: ({ id }) => settle({ ...key, jobId: id, state: 'snoozed', reason: 'closed', retryInMs: 10 }),
  },
  'give back unstarted': {
    from: ['scheduled', 'queued', 'running', 'retrying'],
    run: ({ id }) => store.giveBack([{ jobId: id, number }], worker, 'unstarted'),
  },
  'give back returned': {
    from: ['scheduled', 'queued', 'running', 'retrying'],
    run: ({ id }) => store.giveBack([{ jobId: id, number }], worker, 'returned'),
  },
  defer: { from: [], run: ({ id }) => store.defer({ jobId: id, number }) },
  explain: { from: [], run: ({ id }) => store.explain({ jobId: id, number }) },
  'mark dispatched': { from: [], run: ({ id }) => store.markDispatched([{ jobId: id, number }]) },
  expire: { from: ['scheduled', 'queued', 'retrying'], run: ({ id }) => store.expire(id) },
  'expire what is overdue': {
    from: ['scheduled', 'queued', 'retrying'],
    run: () => store.expireOverdue(1000),
  },
  'admit a job with limits': {
    from: ['queued'],
    async run() {
      await client.query(`UPDATE celeriac.job SET limit_key = ''`)
      await store.admit({
        workerId: worker,
        queues: ['q'],
        places: 10,
        limitsOf: (task) => ({ names: [task], limits: { task: {}, key: {} } }),
        limitOf: () => undefined,
      })
    },
  },
  'let a job with limits wait for its turn': {
    from: ['scheduled', 'retrying'],
    async run({ id }) {
      await client.query(`UPDATE celeriac.job SET limit_key = ''`)
      await store.explain({ jobId: id, number })
    },
  },
  'give back what has limits by now': {
    from: ['running'],
    run: ({ id }) => store.limit([{ jobId: id, number, limitKey: '' }], worker),
  },
  overdue: { from: ['scheduled', 'retrying'], run: () => store.overdue(1000) },
  cancel: { from: ['scheduled', 'queued', 'retrying'], run: ({ id }) => store.cancel(id, 'ada', null) },
  promote: { from: ['scheduled', 'retrying'], run: ({ id }) => store.promote(id) },
  'cancel many': {
    from: ['scheduled', 'queued', 'retrying'],
    run: ({ id }) => store.act([id], { action: 'cancel', by: 'ada', reason: null }),
  },
  'promote many': {
    from: ['scheduled', 'retrying'],
    run: ({ id }) => store.act([id], { action: 'promote' }),
  },
  'move many': {
    from: [],
    run: ({ id }) => store.act([id], { action: 'move', to: { queue: 'other', priority: 1 } }),
  },
  'free the jobs of a lost worker': { from: ['running'], run: () => store.reapLostWorkers(3) },
  'give up the jobs of a lost worker': { from: ['running'], run: () => store.reapLostWorkers(1) },
}

test.each(Object.entries(statements))('%s: only moves of the table happen', async (_, { from, run }) => {
  const rows = await everyRow()

  for (const row of rows) await run(row)

  const moved = await movesOf(rows)
  expect(moved.filter(({ was, is }) => !moves[was].includes(is))).toEqual([])
  expect([...new Set(moved.map(({ was }) => was))].sort()).toEqual([...from].sort())
})

test('a retry by hand begins what has ended without success anew, and moves nothing else', async () => {
  const rows = await everyRow()

  for (const { id } of rows) await store.retry(id)

  const moved = await movesOf(rows)
  expect(new Set(moved.map(({ was, is }) => `${was} ${is}`))).toEqual(
    new Set(['failed queued', 'cancelled queued', 'expired queued']),
  )
})

test('every move of the table happens', async () => {
  const seen = new Set<string>()
  for (const { run } of Object.values(statements)) {
    const rows = await everyRow()
    for (const row of rows) await run(row)
    for (const { was, is } of await movesOf(rows)) seen.add(`${was} ${is}`)
  }

  expect([...seen].sort()).toEqual(
    Object.entries(moves)
      .flatMap(([was, to]) => to.map((is) => `${was} ${is}`))
      .sort(),
  )
})

/** A row in each state, asked to stop or not, too late to start or not, once delayed or not. */
async function everyRow(): Promise<Row[]> {
  await client.query('TRUNCATE celeriac.job, celeriac.worker')
  // It has said goodbye a moment ago, so its jobs are nobody's.
  await client.query(
    `INSERT INTO celeriac.worker (id, name, host, pid, queues, tasks, concurrency, version, config_hash, lock_key, stopped_at)
     VALUES ($1, 'gone', 'here', 1, '{}', '{}', 1, '1', '', 1, now())`,
    [worker],
  )
  const rows: Row[] = []
  for (const state of states)
    for (const isCancelled of [false, true])
      for (const isLate of [false, true])
        for (const isDelayed of [false, true]) {
          const row = { id: randomUUID(), state }
          rows.push(row)
          await client.query(
            `INSERT INTO celeriac.job (id, task, queue, state, payload, run_at, created_at, dispatched_at, delivery,
               attempt, worker_id, finished_at, cancel_requested_at, expires_at)
             VALUES ($1, 't', 'q', $2, '1', now() - interval '10 seconds',
               now() - (CASE WHEN $6 THEN 20 ELSE 10 END) * interval '1 second', now(), $3, 1, $4,
               CASE WHEN $5 THEN now() END, CASE WHEN $7 THEN now() END,
               CASE WHEN $8 THEN now() - interval '1 second' END)`,
            [
              row.id,
              state,
              number,
              state === 'running' || isEnd(state) ? worker : null,
              isEnd(state),
              isDelayed,
              isCancelled,
              isLate,
            ],
          )
        }
  return rows
}

async function settle(settlement: Settlement): Promise<void> {
  await store.settle(settlement)
}

async function movesOf(rows: readonly Row[]): Promise<{ was: JobState; is: JobState }[]> {
  const found = await client.query<Row>('SELECT id, state FROM celeriac.job')
  const now = new Map(found.rows.map((row) => [row.id, row.state]))
  return rows
    .map(({ id, state }) => ({ was: state, is: now.get(id) ?? state }))
    .filter(({ was, is }) => was !== is)
}
