import { Queue } from 'bullmq'
import { Redis } from 'ioredis'
import pg from 'pg'
import { startProgress } from './progress.js'

/** Where a load goes: the servers of one installation, whose tables are there. */
export interface Target {
  readonly databaseUrl: string
  readonly redisUrl: string
}

const atOnce = 100_000
const deliveriesAtOnce = 5000
/** 2026-01-01, in milliseconds: the ids of filled rows are as old as that, and in order. */
const firstIdMs = 1_767_225_600_000

const columns =
  'id, task, queue, state, payload, result, attempt, delivery, run_at, created_at, dispatched_at, started_at, finished_at'

/** The id of the filled row with this number, in SQL: a UUIDv7 of a time that the number says. */
const idSql = (number: string) =>
  `(lpad(to_hex(${firstIdMs} + ${number}), 12, '0') || '70008000' || lpad(to_hex(${number}), 12, '0'))::uuid`

/** The same id. */
export function filledId(number: number): string {
  const hex = (value: number) => value.toString(16).padStart(12, '0')
  const time = hex(firstIdMs + number)
  return `${time.slice(0, 8)}-${time.slice(8)}-7000-8000-${hex(number)}`
}

/** Whose rows are waiting: one that the workers know. */
const waitingTask = `'bench.build'`
/** Finished rows are of several tasks, none of which has so many that they are pruned by default. */
const finishedTasks = `'bench.old' || n % 10`

/** What a queued row has in the columns after `payload`. */
const queuedSql = `NULL, 0, 1, now(), now(), now(), NULL, NULL`
/** What a succeeded row has there; they ended one after another. */
const succeededSql = `'{"url":"/2026-11.pdf"}', 1, 1, t.at, t.at, t.at, t.at, t.at + interval '2 ms'`

/**
 * Adds waiting jobs as they are when their web process has written them and handed them over: rows, and a delivery in
 * BullMQ for each. No process of ours may be open meanwhile, or it would find rows whose delivery is missing.
 */
export async function addWaiting(
  { databaseUrl, redisUrl }: Target,
  first: number,
  count: number,
): Promise<void> {
  await withClient(databaseUrl, async (client) => {
    await insertRows(
      client,
      'waiting rows',
      { task: waitingTask, state: 'queued', rest: queuedSql },
      first,
      count,
    )
    await client.query('VACUUM (ANALYZE) celeriac.job')
  })
  await deliver(redisUrl, first, count)
}

/** Adds rows of jobs that have succeeded. The indexes are made afterwards, which is quicker, and ends in the same table. */
export async function addSucceeded({ databaseUrl }: Target, first: number, count: number): Promise<void> {
  await withClient(databaseUrl, async (client) => {
    const restore = await dropIndexes(client)
    await insertRows(
      client,
      'finished rows',
      { task: finishedTasks, state: 'succeeded', rest: succeededSql },
      first,
      count,
    )
    await restore()
    await client.query('VACUUM (FREEZE, ANALYZE) celeriac.job')
    await client.query('CHECKPOINT')
  })
}

/** The same in many queues, of five tasks each, with jobs that wait in them and all that was counted of their lives. */
export async function addInQueues(
  { databaseUrl }: Target,
  { finished, waiting, queues, tasks }: { finished: number; waiting: number; queues: number; tasks: number },
): Promise<void> {
  await withClient(databaseUrl, async (client) => {
    const restore = await dropIndexes(client)
    const place = { task: `'bench.old' || n % ${tasks}`, queue: `'queue' || n / ${tasks} % ${queues}` }
    const done: RowSql = { ...place, state: 'succeeded', rest: succeededSql }
    await insertRows(client, 'finished rows', done, 0, finished)
    await insertRows(
      client,
      'waiting rows',
      { ...place, state: 'queued', rest: queuedSql },
      finished,
      waiting,
    )
    await restore()
    await client.query(
      `INSERT INTO celeriac.stat_delta (task, queue, was, "is", how, jobs, took, total)
       SELECT task, queue, was, "is", how, 200, took, CASE WHEN "is" IN ('succeeded', 'failed') THEN took END
       FROM (SELECT DISTINCT task, queue FROM celeriac.stat_delta) AS places,
         (VALUES ('queued', 'running', ''), ('running', 'succeeded', ''), ('running', 'failed', ''),
           ('running', 'retrying', 'failed')) AS moves(was, "is", how),
         (SELECT array_agg((exp(random() * 14))::real) AS took FROM generate_series(1, 200)) AS times`,
    )
    await client.query('VACUUM (FREEZE, ANALYZE) celeriac.job')
    await client.query('CHECKPOINT')
  })
}

/** What the columns of a row are, in SQL. */
interface RowSql {
  readonly task: string
  /** Default: the default queue. */
  readonly queue?: string
  readonly state: 'queued' | 'succeeded'
  /** What comes after `payload`. */
  readonly rest: string
}

async function insertRows(
  client: pg.Client,
  what: string,
  { task, queue = `'default'`, state, rest }: RowSql,
  first: number,
  count: number,
): Promise<void> {
  const progress = startProgress(what, count)
  for (let done = 0; done < count; done += atOnce) {
    await client.query(
      `INSERT INTO celeriac.job (${columns})
       SELECT ${idSql('n')}, ${task}, ${queue}, $3::celeriac.job_state, '{"month":"2026-11"}', ${rest}
       FROM generate_series($1::bigint, $2::bigint) AS n,
         LATERAL (SELECT now() - interval '15 hours' + n * interval '10 ms' AS at) AS t`,
      [first + done, first + Math.min(done + atOnce, count) - 1, state],
    )
    progress.at(done + atOnce)
  }
  progress.end()
}

/** Drops the table's indexes, and gives the way to make them again as they were. */
export async function dropIndexes(client: pg.Client): Promise<() => Promise<void>> {
  const { rows } = await client.query<{ name: string; definition: string; isPrimary: boolean }>(
    `SELECT i.indexrelid::regclass::text AS name, pg_get_indexdef(i.indexrelid) AS definition,
       i.indisprimary AS "isPrimary"
     FROM pg_index i WHERE i.indrelid = 'celeriac.job'::regclass`,
  )
  for (const { name, isPrimary } of rows)
    await client.query(isPrimary ? 'ALTER TABLE celeriac.job DROP CONSTRAINT job_pkey' : `DROP INDEX ${name}`)
  return async () => {
    await client.query("SET maintenance_work_mem = '512MB'")
    const progress = startProgress('indexes', rows.length)
    for (const [done, { definition, isPrimary }] of rows.entries()) {
      progress.at(done)
      await client.query(
        isPrimary ? 'ALTER TABLE celeriac.job ADD CONSTRAINT job_pkey PRIMARY KEY (id)' : definition,
      )
    }
    progress.end()
  }
}

/** As our own dispatcher adds them: named after the task, with the row's id and delivery number, and no payload. */
async function deliver(redisUrl: string, first: number, count: number): Promise<void> {
  const jobs = Array.from({ length: count }, (_, at) => ({ id: filledId(first + at), task: 'bench.build' }))
  await deliverTo({ redisUrl, queue: 'default', jobs })
}

/** Adds a delivery for each of these jobs, whose rows are there. */
export async function deliverTo({
  redisUrl,
  queue: name,
  jobs,
}: {
  redisUrl: string
  queue: string
  jobs: readonly { readonly id: string; readonly task: string }[]
}): Promise<void> {
  const connection = new Redis(redisUrl, { maxRetriesPerRequest: null })
  const queue = new Queue(name, { connection, prefix: 'celeriac' })
  const progress = startProgress('deliveries', jobs.length)
  for (let done = 0; done < jobs.length; done += deliveriesAtOnce) {
    const some = jobs.slice(done, done + deliveriesAtOnce)
    await queue.addBulk(some.map(({ id, task }) => ({ name: task, data: {}, opts: { jobId: `${id}.1` } })))
    progress.at(done + some.length)
  }
  progress.end()
  await queue.close()
  connection.disconnect()
}

export async function withClient(url: string, use: (client: pg.Client) => Promise<void>): Promise<void> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    await use(client)
  } finally {
    await client.end()
  }
}
