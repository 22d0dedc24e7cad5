import {
  assertSchemaCompatibility,
  quoteSchemaName,
  runMigrations,
  SchemaMigrationRequiredError,
  withBackend,
} from 'bullmq'
import type pg from 'pg'
import { secretless } from '../job/address.js'
import { createClient, createPool } from '../store/connection.js'
import type { Broker, PostgresBrokerFacts } from './broker.js'
import { createBullBroker } from './bullmq.js'
import { isDeliveryGone, type Link, type Process } from './link.js'
import { createSharedPools } from './listen-pool.js'
import { type BrokerLog, createOutage, type Outage } from './outage.js'
import { backendsOf } from './postgres-backend.js'

export interface PostgresBrokerOptions {
  readonly url: string
  /** An address that does not lead through a transaction pooler. BullMQ needs its sessions, so this is used for all. */
  readonly directUrl?: string
  /** The schema of BullMQ's tables. Default `celeriac_broker`. */
  readonly schema?: string
  /** Whether to create BullMQ's tables, or bring them up to date, before the first use. Default: only to check them. */
  readonly migrate?: boolean
  /** How long a call waits for the server. */
  readonly deadlineMs: number
  readonly log: BrokerLog
  /** See `BullSettings`. */
  readonly lockMs?: number
  /** Connections for the workers of this process, besides the one that listens. More make BullMQ's statements wait for each other. Default 4. */
  readonly connections?: number
}

export const defaultBrokerSchema = 'celeriac_broker'

/** Wake-ups come by NOTIFY, and all look for themselves after trouble with a connection. This is the last net. */
const drainSeconds = 300
const queueConnections = 2
const firstRetryMs = 250
const longestRetryMs = 2000
const migrateConnectMs = 5000
const applicationName = 'celeriac broker'

/** Moves deliveries through BullMQ's tables in PostgreSQL. See {@link migratePostgresBroker}. */
export function createPostgresBroker(options: PostgresBrokerOptions): Broker {
  return createBullBroker(createPostgresLink(options), options)
}

/** Creates BullMQ's tables, or brings them up to date. Safe to run twice, and in several processes at once. */
export async function migratePostgresBroker(url: string, schema = defaultBrokerSchema): Promise<void> {
  const client = createClient({ url, applicationName, connectTimeoutMs: migrateConnectMs })
  await client.connect()
  try {
    await runMigrations(client, schema)
  } finally {
    await client.end()
  }
}

function createPostgresLink(options: PostgresBrokerOptions): Link {
  const { deadlineMs, log, schema = defaultBrokerSchema, connections = 4 } = options
  const url = options.directUrl ?? options.url
  const address = secretless(url)
  const outage = createOutage(`The broker's PostgreSQL at ${address}`, log)
  const open = (max: number, session: string) =>
    createPool({
      url,
      max,
      applicationName,
      connectTimeoutMs: deadlineMs,
      queryTimeoutMs: deadlineMs,
      options: `-c search_path=${quoteSchemaName(schema)} ${session}`,
      onError: outage.began,
    })
  const queuePool = open(queueConnections, '')
  // What a crash of the server takes back of a worker's answers comes again, and is refused by the store.
  const workerPool = open(connections, '-c synchronous_commit=off')
  const workers = new Map<object, string>()
  const served = () => workers.values()
  const shared = createSharedPools({
    queuePool,
    workerPool,
    openClient: () =>
      createClient({ url, applicationName, connectTimeoutMs: deadlineMs, queryTimeoutMs: deadlineMs }),
    queues: served,
    onTrouble: outage.began,
    onAnswer: outage.answered,
    onListening: outage.ended,
  })
  const prepare = options.migrate
    ? () => migratePostgresBroker(url, schema)
    : () => checkTables(queuePool, schema)
  const opening = keepTrying(prepare, outage)
  const backends = backendsOf(served)
  const { Queue } = withBackend(backends.forQueue)
  const { Worker } = withBackend(backends.forWorker)

  return {
    kind: 'postgres',
    address,
    outage,
    reach: opening.current,
    reached: opening.done,
    openQueue(name) {
      const queue = new Queue(name, { connection: shared.forQueues, streams: { events: { maxLen: 1 } } })
      return queue.on('error', outage.began)
    },
    openWorker(name, process, settings) {
      const worker = new Worker(name, removing(process), {
        ...settings,
        connection: shared.forWorkers,
        drainDelay: drainSeconds,
      })
      workers.set(worker, name)
      worker.once('closed', () => workers.delete(worker))
      return worker.on('error', (error) => {
        if (!isDeliveryGone(error)) outage.began(error)
      })
    },
    async putBack(job, token) {
      await job.moveToWait(token)
      // On this server BullMQ puts it behind those of its priority, if that is 0.
      if (job.priority === 0) await job.changePriority({ priority: 0, lifo: true }).catch(() => undefined)
    },
    async ping() {
      await queuePool.query('SELECT 1')
    },
    async facts() {
      const { rows } = await queuePool.query<Omit<PostgresBrokerFacts, 'kind' | 'address'>>(factsSql, [
        schema,
        applicationName,
      ])
      const [row] = rows
      if (!row) throw new Error('The server gave no answer to what it was asked.')
      return { kind: 'postgres', address, ...row }
    },
    async peek(queue, id) {
      // Every process asks this now and then, so it is one statement instead of two.
      const { rows } = await queuePool.query<{ startedAt: string; data: string | null }>(
        `SELECT extract(epoch FROM pg_postmaster_start_time())::text AS "startedAt",
           (SELECT data::text FROM job WHERE queue = $1 AND id = $2) AS data`,
        [queue, id],
      )
      const [row] = rows
      return { data: row?.data ?? undefined, instance: row?.startedAt ?? '' }
    },
    async close() {
      opening.stop()
      await shared.end()
      await Promise.all([queuePool.end(), workerPool.end()])
    },
  }
}

/** From the server's own statistics. Of other users' sessions it does not tell everybody what kind they are. */
const factsSql = `
SELECT split_part(current_setting('server_version'), ' ', 1) AS version,
  1000 * date_part('epoch', clock_timestamp() - pg_postmaster_start_time()) AS "upMs",
  t.*, c.*, current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int AS "mostConnections"
FROM (
  SELECT coalesce(sum(pg_table_size(relid)), 0)::float8 AS bytes, coalesce(sum(pg_indexes_size(relid)), 0)::float8 AS "indexBytes",
    coalesce(sum(n_live_tup), 0)::float8 AS rows, coalesce(sum(n_dead_tup), 0)::float8 AS "deadRows"
  FROM pg_stat_user_tables WHERE schemaname = $1) AS t,
 (SELECT count(*)::int AS connections, count(*) FILTER (WHERE application_name = $2)::int AS "ownConnections"
  FROM pg_stat_activity WHERE coalesce(backend_type, 'client backend') = 'client backend') AS c`

/** Here BullMQ looks through all finished rows, dead ones too, to keep none of them; it removes one by its key if told to. */
function removing(process: Process): Process {
  return (job, token) => {
    job.opts.removeOnComplete = true
    job.opts.removeOnFail = true
    return process(job, token)
  }
}

async function checkTables(pool: pg.Pool, schema: string): Promise<void> {
  const client = await pool.connect()
  try {
    await assertSchemaCompatibility(client, schema)
  } catch (error) {
    if (!(error instanceof SchemaMigrationRequiredError)) throw error
    throw new Error(`the schema "${schema}" lacks the broker's tables; run "celeriac migrate"`, {
      cause: error,
    })
  } finally {
    client.release()
  }
}

interface Trying {
  /** The attempt that is under way; between two, the failure of the last. */
  current(): Promise<void>
  readonly done: Promise<void>
  stop(): void
}

/** Tries until it works, by timers that keep no process alive. */
function keepTrying(attempt: () => Promise<void>, outage: Outage): Trying {
  let stopped = false
  let markDone: () => void = () => undefined
  const done = new Promise<void>((resolve) => {
    markDone = resolve
  })
  let current = once(firstRetryMs)

  return {
    current: () => current,
    done,
    stop() {
      stopped = true
    },
  }

  function once(retryMs: number): Promise<void> {
    const trying = attempt()
    trying.then(succeed, (error: Error) => {
      if (stopped) return
      outage.began(error)
      setTimeout(() => {
        if (!stopped) current = once(Math.min(retryMs * 2, longestRetryMs))
      }, retryMs).unref()
    })
    return trying
  }

  function succeed(): void {
    outage.ended()
    markDone()
  }
}
