import { Redis } from 'ioredis'
import pg from 'pg'
import { onTestFinished } from 'vitest'
import type { Broker, TakenDelivery } from '../../src/broker/broker.js'
import { createPostgresBroker } from '../../src/broker/postgres.js'
import { createRedisBroker } from '../../src/broker/redis.js'
import { createDispatcher } from '../../src/enqueue/dispatch.js'
import { createHold } from '../../src/enqueue/hold.js'
import type { Retention } from '../../src/job/retain.js'
import type { MaintenanceParts, Pass } from '../../src/maintain/maintain.js'
import { migrate } from '../../src/store/migrate.js'
import { createPrismaStore } from '../../src/store/prisma.js'
import type { Round } from '../../src/store/store.js'
import { createEvents } from '../../src/telemetry/events.js'
import type { BrokerKind } from '../support/lab.js'
import { freshDatabase, freshRedis } from '../support/servers.js'
import { until } from '../support/until.js'

export const intervalMs = 3000
export const forEver: Retention = {
  ages: { succeeded: null, failed: null, cancelled: null, expired: null },
  count: null,
}

/** What a pass works on, with nothing else in the way: no worker, no web process, no timer. */
export interface Ground extends MaintenanceParts {
  readonly database: string
  readonly client: pg.Client
  /** What was logged, as `warn: …`. */
  readonly told: string[]
  /** One round of this pass by whoever is first. `undefined`: the round found nothing to do. */
  round(pass: Pass, hasTime?: () => boolean): Promise<number | undefined>
  /** The same, whether the round found something to do or not. */
  force(pass: Pass): Promise<number>
  /** Takes all deliveries that the broker has for a queue, until there are so many. */
  take(queue: string, onDelivery?: (delivery: TakenDelivery) => void): { readonly taken: TakenDelivery[] }
}

export interface GroundOptions {
  readonly database?: string
  readonly redis?: string
  readonly prefix?: string
  readonly deadlineMs?: number
  readonly retention?: MaintenanceParts['retention']
}

/** It is closed after the test. */
export async function openGround(kind: BrokerKind, options: GroundOptions = {}): Promise<Ground> {
  const database = options.database ?? (await freshDatabase())
  await migrate({ url: database, log: { info() {} } })
  const told: string[] = []
  const log = {
    info: (message: string) => void told.push(`info: ${message}`),
    warn: (message: string) => void told.push(`warn: ${message}`),
  }
  const store = createPrismaStore({ url: database, directUrl: database, deadlineMs: 10_000, log })
  const broker = await openBroker(kind, database, options, log)
  const dispatcher = createDispatcher({ broker, store, hold: createHold(), log })
  const client = new pg.Client({ connectionString: database })
  client.on('error', () => {})
  await client.connect()
  const parts: MaintenanceParts = {
    store,
    broker,
    dispatcher,
    events: createEvents({ error() {} }),
    maxLost: 3,
    retention: options.retention ?? { isKnown: () => true, ofTask: () => undefined, ofOthers: forEver },
    takeUp: async () => 0,
    log,
  }
  const closers: (() => Promise<void>)[] = []
  onTestFinished(async () => {
    for (const close of closers) await close()
    await dispatcher.close()
    await broker.close()
    await store.close()
    await client.end()
  })

  return {
    ...parts,
    database,
    client,
    told,
    async round(pass, hasTime = () => true) {
      const round = await beginRound(pass)
      return pass.isNeeded(round, intervalMs) ? pass.run({ ...parts, hasTime }, round) : undefined
    },
    async force(pass) {
      return pass.run({ ...parts, hasTime: () => true }, await beginRound(pass))
    },
    take(queue, onDelivery = () => {}) {
      const taken: TakenDelivery[] = []
      const intake = broker.take(queue, {
        async onDelivery(delivery) {
          taken.push(delivery)
          onDelivery(delivery)
          return 'done'
        },
      })
      intake.setLimit(100)
      closers.push(() => intake.close())
      return { taken }
    },
  }

  async function beginRound(pass: Pass): Promise<Round> {
    await client.query('DELETE FROM celeriac.pass')
    return store.beginRound([{ pass: pass.name, everyMs: 0 }])
  }
}

async function openBroker(
  kind: BrokerKind,
  database: string,
  { redis, prefix = 'celeriac', deadlineMs = 5000 }: GroundOptions,
  log: MaintenanceParts['log'],
): Promise<Broker> {
  if (kind === 'postgres') return createPostgresBroker({ url: database, migrate: true, deadlineMs, log })
  return createRedisBroker({ connection: redis ?? (await freshRedis()), prefix, deadlineMs, log })
}

export interface Rows {
  readonly task?: string
  readonly queue?: string
  readonly state?: string
  /** How long ago it was written, in SQL: `'1 hour'`. */
  readonly written?: string
  readonly ended?: string
  /** From now. */
  readonly due?: string
  readonly expires?: string
  readonly dispatched?: string | null
}

/** Rows as jobs would have left them, in the order of their ids. Gives the ids. */
export async function addRows(
  { client }: Pick<Ground, 'client'>,
  count: number,
  rows: Rows = {},
): Promise<string[]> {
  const { task = 'mail.send', queue = 'default', state = 'queued', written = '1 minute', ended } = rows
  const dispatched = rows.dispatched === undefined ? written : rows.dispatched
  const { rows: added } = await client.query<{ id: string }>(
    `INSERT INTO celeriac.job (id, task, queue, state, payload, created_at, run_at, expires_at, dispatched_at, finished_at)
     SELECT gen_random_uuid(), $2, $3, $4::celeriac.job_state, 'null', now() - $5::interval,
       coalesce(now() + $6::interval, now() - $5::interval), now() + $7::interval, now() - $8::interval,
       now() - $9::interval - n * interval '1 millisecond'
     FROM generate_series(1, $1::int) AS n RETURNING id`,
    [count, task, queue, state, written, rows.due ?? null, rows.expires ?? null, dispatched, ended ?? null],
  )
  return added.map(({ id }) => id).sort()
}

export async function statesOf({ client }: Pick<Ground, 'client'>): Promise<Record<string, number>> {
  const { rows } = await client.query<{ state: string; count: number }>(
    'SELECT state::text, count(*)::int FROM celeriac.job GROUP BY 1 ORDER BY 1',
  )
  return Object.fromEntries(rows.map(({ state, count }) => [state, count]))
}

/** Hands these jobs to the broker, as a web process would have done when it wrote them. */
export async function hand({ dispatcher }: Ground, ids: readonly string[], queue = 'default'): Promise<void> {
  for (let at = 0; at < ids.length; at += 1000) {
    const part = ids.slice(at, at + 1000)
    await dispatcher.deliver(
      part.map((jobId) => ({ jobId, number: 1, task: 'mail.send', queue, priority: 0, dueInMs: 0 })),
    )
  }
}

/** Takes what the broker has until there is nothing left, of at least so many. Gives the ids in order. */
export async function takeAll(ground: Ground, count: number, queue = 'default'): Promise<string[]> {
  const { taken } = ground.take(queue)
  await until(() => taken.length >= count)
  await until(async () => Object.values(await ground.broker.counts(queue)).every((each) => each === 0))
  return taken.map(({ jobId }) => jobId).sort()
}

/** Takes everything from the broker, as an administrator could by mistake. `redis`: a server of the test's own. */
export async function wipe(ground: Ground, redis: string | undefined): Promise<void> {
  if (redis === undefined) {
    const { rows } = await ground.client.query<{ name: string }>(
      `SELECT format('%I.%I', schemaname, tablename) AS name FROM pg_tables
       WHERE schemaname = 'celeriac_broker' AND tablename <> 'migration'`,
    )
    await ground.client.query(`TRUNCATE ${rows.map(({ name }) => name).join(', ')}`)
  } else await askRedis(redis, 'flushall')
}

export async function askRedis(url: string, ...command: readonly [string, ...string[]]): Promise<unknown> {
  const client = new Redis(url)
  try {
    return await client.call(...command)
  } finally {
    client.disconnect()
  }
}
