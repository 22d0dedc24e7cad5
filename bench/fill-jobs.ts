import type pg from 'pg'
import {
  type DashboardSizes,
  daysFilled,
  failedOneIn,
  queueSql,
  runningOnEach,
  taskSql,
  workerSql,
} from './filled.js'
import { startProgress } from './progress.js'

const atOnce = 100_000

/** Jobs that have ended, that run and that wait, each numbered from where the others end. */
export async function addJobs(client: pg.Client, sizes: DashboardSizes): Promise<void> {
  const { finished, waiting, workers } = sizes
  const running = workers * runningOnEach
  // The last ones ended before now, however long they ran.
  const reach = `(interval '${daysFilled} days' - interval '10 minutes')`
  const created = `now() - interval '${daysFilled} days' + n * ${reach} / ${finished}`
  await insert(client, 'finished jobs', sizes, { first: 0, count: finished, at: created, rest: finishedSql })
  const began = `now() - interval '1 minute'`
  await insert(client, 'running jobs', sizes, {
    first: finished,
    count: running,
    at: began,
    rest: runningSql,
  })
  const enqueued = `now() - interval '1 hour' + (n - ${finished + running}) * interval '1 hour' / ${waiting}`
  await insert(client, 'waiting jobs', sizes, {
    ...{ first: finished + running, count: waiting, at: enqueued, rest: waitingSql },
  })
}

interface Kind {
  readonly first: number
  readonly count: number
  /** When it was created, in SQL, by its number `n`. */
  readonly at: string
  /** The columns that make its state. */
  readonly rest: string
}

const stateColumns =
  'state, result, error, attempt, failures, max_attempts, worker_id, dispatched_at, started_at, finished_at, attempts'

/** Errors of five kinds, with what differs from job to job. */
const errorSql = `CASE n % 5
  WHEN 0 THEN json_build_object('name', 'TypeError', 'message', 'Cannot read properties of undefined (reading ''total'') of order ' || n, 'stack', ${stackOf('priceOf')})
  WHEN 1 THEN json_build_object('name', 'TimeLimitError', 'code', 'TIME_LIMIT', 'message', 'The attempt took longer than its time limit of 30000 ms.')
  WHEN 2 THEN json_build_object('name', 'FetchError', 'code', 'ECONNREFUSED', 'message', 'request to https://api.example.com/items/' || n || ' failed', 'stack', ${stackOf('fetchItem')})
  WHEN 3 THEN json_build_object('name', 'ValidationError', 'message', '"amount" must be at least 1, and is ' || n % 7 - 9, 'stack', ${stackOf('validate')})
  ELSE json_build_object('name', 'Error', 'message', 'Request ' || n || ' was answered by 502 Bad Gateway', 'stack', ${stackOf('send')})
END`

function stackOf(name: string): string {
  return `E'Error\\n    at ${name} (/app/src/modules/shop/tasks.js:42:11)\\n    at run (/app/src/modules/shop/tasks.js:17:3)'`
}

const workerOf = (workers: number) => workerSql(`n % ${workers}`)
const isFailed = `(n / ${failedOneIn} % ${failedOneIn} = n % ${failedOneIn})`

/** Of a pair of task and queue, one after the other, none has all the failures. */
const finishedSql = `
  CASE WHEN ${isFailed} THEN 'failed' ELSE 'succeeded' END::celeriac.job_state,
  CASE WHEN ${isFailed} THEN NULL ELSE '{"ok":true,"reference":"R-' || n || '"}' END,
  CASE WHEN ${isFailed} THEN e.error::text END,
  CASE WHEN ${isFailed} THEN 3 ELSE 1 END, CASE WHEN ${isFailed} THEN 3 ELSE 0 END, 3, w.id, at,
  at + wait.took, at + wait.took + run.took,
  CASE WHEN ${isFailed} THEN json_build_array(${[1, 2].map(pastAttempt).join(', ')})::text ELSE '[]' END`

function pastAttempt(number: number): string {
  return `json_build_object('number', ${number}, 'worker', w.id, 'startedAt', at, 'finishedAt', at, 'outcome', 'failed', 'error', e.error)`
}

const runningSql = `'running'::celeriac.job_state, NULL, NULL, 1, 0, 3, w.id, at, at + wait.took, NULL, '[]'`
const waitingSql = `'queued'::celeriac.job_state, NULL, NULL, 0, 0, 3, NULL, now(), NULL, NULL, '[]'`

/** Its id is of the time of its creation. */
const idSql = `(lpad(to_hex((1000 * date_part('epoch', at))::bigint), 12, '0') || '70008000' || lpad(to_hex(n), 12, '0'))::uuid`
const payloadSql = `'{"order":' || n || ',"to":"user' || n % 5000 || '@example.com","lines":[{"item":"I-' || n % 313 || '","amount":' || n % 9 || '}]}'`

async function insert(
  client: pg.Client,
  what: string,
  { tasks, queues, workers }: DashboardSizes,
  { first, count, at, rest }: Kind,
): Promise<void> {
  const progress = startProgress(what, count)
  for (let done = 0; done < count; done += atOnce) {
    await client.query(
      `INSERT INTO celeriac.job (id, task, queue, payload, owner, tags, run_at, created_at, ${stateColumns})
       SELECT ${idSql}, ${taskSql(`n % ${tasks}`)}, ${queueSql(`n / ${tasks} % ${queues}`)}, ${payloadSql},
         CASE WHEN n % 2 = 0 THEN 'user' || n % 5000 END, ARRAY['tenant' || n % 100], at, at, ${rest}
       FROM generate_series($1::bigint, $2::bigint) AS n,
         LATERAL (SELECT ${at} AS at) AS t, LATERAL (SELECT ${workerOf(Math.max(1, workers))} AS id) AS w,
         LATERAL (SELECT ${errorSql} AS error) AS e,
         LATERAL (SELECT n % 41 * interval '1 millisecond' AS took) AS wait,
         LATERAL (SELECT CASE WHEN n % 1000 = 0 THEN interval '5 minutes' ELSE n % 997 * interval '3 milliseconds' END AS took) AS run`,
      [first + done, first + Math.min(done + atOnce, count) - 1],
    )
    progress.at(done + atOnce)
  }
  progress.end()
}
