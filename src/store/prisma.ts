import { PrismaPg } from '@prisma/adapter-pg'
import type { Pool } from 'pg'
import { StoreUnavailableError } from '../errors.js'
import { secretless } from '../job/address.js'
import { plainValues, type Values } from '../job/codec.js'
import type { Transaction } from '../job/transaction.js'
import { answerWithin } from '../waiting.js'
import { type Batch, createBatch, type Patience } from './batch.js'
import * as bulk from './bulk.js'
import { createChanges } from './changes.js'
import { createCommands } from './commands.js'
import {
  createPool,
  isDataError,
  isRetryable,
  isSilent,
  lateError,
  toStoreError,
  withClient,
} from './connection.js'
import { endedJobs } from './ends.js'
import { createFacts } from './facts.js'
import { PrismaClient } from './generated/prisma/client.js'
import { createInserter } from './insert.js'
import * as limits from './limits.js'
import { createListener } from './listen.js'
import * as lists from './lists.js'
import { readLoad } from './load.js'
import * as logs from './log.js'
import { look } from './look.js'
import { reapLostWorkers } from './lost.js'
import { assertMigrated } from './migrate.js'
import { createOperations } from './operations.js'
import { clearOutbox, leftInOutbox } from './outbox.js'
import * as pruning from './prune.js'
import * as repairs from './repairs.js'
import { beginRound, returnTicket } from './round.js'
import { toContext, toJob, toOptions, toRevealedJob } from './rows.js'
import * as search from './search.js'
import { createSilence } from './silence.js'
import {
  claimSettings,
  claimStatement,
  dropStatement,
  endStatement,
  hotSettings,
  markDispatchedStatement,
  type OtherEnd,
  type Statement,
  type Success,
  succeedStatement,
} from './statements.js'
import { createStats } from './stats.js'
import type {
  ClaimedJob,
  ClaimRefusal,
  Committed,
  DeliveryKey,
  Redelivery,
  Settled,
  Settlement,
  Store,
} from './store.js'
import { settleInTransaction } from './transaction.js'
import { pruneUniqueKeys } from './unique.js'
import { readVocabulary } from './vocabulary.js'
import * as walks from './walk.js'

export interface PrismaStoreOptions {
  /** A `postgres:` URL. */
  readonly url: string
  /** One that does not go through a transaction pooler, for LISTEN. */
  readonly directUrl: string
  /** How long any question may take. */
  readonly deadlineMs: number
  /** How payloads and results are read. Default: as plain JSON. */
  readonly values?: Values
  readonly log: { warn(message: string): void }
}

const cancelChannel = 'celeriac_cancel'
/** A probe that takes longer tells enough. */
const longestProbeMs = 2000
/** Maintenance rounds that a worker has until its first renewal. It holds no jobs yet, so nobody waits for it. */
const startingRounds = 20

/**
 * The store on PostgreSQL: Prisma for what is asked now and then, one batched statement and one connection each for
 * what every job needs. Connections open at first use, so a process that never claims holds none for it.
 */
export function createPrismaStore({
  url,
  directUrl,
  deadlineMs,
  log,
  values = plainValues,
}: PrismaStoreOptions): Store {
  const pool = (name: string, max: number, settings: string, patienceMs = deadlineMs): Pool =>
    createPool({
      url,
      max,
      applicationName: `celeriac ${name}`,
      connectTimeoutMs: patienceMs,
      queryTimeoutMs: patienceMs,
      options: settings,
    })
  const general = pool('store', 4, '-c TimeZone=UTC -c jit=off')
  const inserting = pool('insert', 1, hotSettings)
  const claiming = pool('claim', 1, claimSettings)
  const admitting = pool('admit', 1, `${hotSettings} -c jit=off`)
  const settling = pool('settle', 1, hotSettings)
  const searching = pool('search', 2, '-c TimeZone=UTC')
  const operating = pool('operate', 1, '-c TimeZone=UTC')
  const probing = pool('probe', 1, '', Math.min(deadlineMs, longestProbeMs))
  const prisma = new PrismaClient({ adapter: new PrismaPg(general) })
  const listener = createListener({ url: directUrl, log })

  const committedListeners: ((committed: Committed) => void)[] = []
  const silence = createSilence({ probe: probeGuarded, isSilent })
  const patience: Patience = { ms: deadlineMs, error: late }
  const inserter = createInserter({
    run: (statement) => run(inserting, statement),
    inTransaction: (work) => guard(() => inTransaction(work)),
    batch: (maxSize, runBatch, sizeOf) => batch(maxSize, runBatch, sizeOf, patience),
    listener,
    installation,
    onCommitted(committed) {
      for (const listen of committedListeners) listen(committed)
    },
  })
  let known: Promise<string> | undefined
  const claims = new Map<string, Batch<DeliveryKey, ClaimedJob | undefined>>()
  const settlements = new Map<string, Batch<Settlement, Settled>>()

  return {
    ...createChanges(general, timely),
    ...createCommands(general, listener, timely),
    ...createOperations({ working: operating, shared: general }, { guard, timely }),
    ...createStats(general, timely, guard),
    ...createFacts(general, url, timely),
    address: secretless(url),

    insert: (jobs) => (silence.error ? Promise.reject(silence.error) : inserter.insert(jobs)),
    insertIn: inserter.insertIn,
    onCommitted: (listen) => void committedListeners.push(listen),
    clearOutbox: (receipts) => guard(() => clearOutbox(general, receipts)),
    claim: (delivery, workerId) => claimsOf(workerId).add(delivery),
    settle: (outcome) => settlementsOf(outcome.workerId).add(outcome),
    settleIn,
    installation,
    holdOn: (claims, workerId) => guard(() => repairs.holdOn(general, claims, workerId)),
    isSettledBy: ({ jobId, number }, workerId) =>
      guard(async () => {
        const where = { id: jobId, delivery: number, workerId, finishedAt: { not: null } }
        return (await prisma.job.count({ where })) === 1
      }),
    explain: (delivery) => guard(() => explain(delivery)),
    giveBack: (keys, workerId, reason) => guard(() => repairs.giveBack(general, keys, workerId, reason)),
    admit: (applicant) => guard(() => limits.admit({ own: admitting, shared: general }, applicant)),
    limit: (claims, workerId) => guard(() => limits.limit(general, claims, workerId)),
    onTurn: (listen) =>
      listener.on(
        limits.turnChannel,
        (payload) => {
          const [queue = '', task = ''] = payload.split(' ')
          listen({ queue, task })
        },
        () => listen(undefined),
      ),
    countLimited: () => timely(() => limits.countLimited(general)),
    defer: (delivery) => guard(() => repairs.defer(general, delivery)),
    markDispatched: (keys) =>
      guard(async () => {
        await run(settling, markDispatchedStatement(keys))
      }),
    expire: (id) => guard(() => expire(id)),
    saveProgress: (key, workerId, progress) => guard(() => saveProgress(key, workerId, progress)),
    saveLogs: (lines) => guard(() => logs.saveLogs(general, lines)),
    trimLogs: (jobId, keep) => guard(() => logs.trimLogs(general, jobId, keep)),

    find: (id) =>
      timely(async () => {
        const row = await prisma.job.findUnique({ where: { id } })
        return row ? toJob(row, values) : undefined
      }),
    reveal: (id) =>
      timely(async () => {
        const row = await prisma.job.findUnique({ where: { id } })
        return row ? toRevealedJob(row, values) : undefined
      }),
    endedJobs: (ids) => timely(() => endedJobs(general, ids)),
    endedAmong: (ids) => timely(() => endedAmong(ids)),
    listLogs: (id, after, limit) => timely(() => logs.listLogs(general, id, after, limit)),
    lastLogs: (id, limit, before) => timely(() => logs.lastLogs(general, id, limit, before)),
    look: (looks) => timely(() => look(general, looks)),
    cancel: (id, by, reason) => timely(() => repairs.cancel(general, id, by, reason)),
    cancelRequestedAmong: (ids) =>
      guard(async () => {
        const where = { id: { in: [...ids] }, cancelRequestedAt: { not: null } }
        const rows = await prisma.job.findMany({ where, select: { id: true } })
        return rows.map((row) => row.id)
      }),
    retry: (id) => timely(() => repairs.retry(general, id)),
    retryWith: (key, payload) => timely(() => bulk.again(() => repairs.retryWith(general, key, payload))),
    promote: (id) => timely(() => repairs.promote(general, id)),

    searchJobs: (filter, page) => guard(() => search.searchJobs(searching, filter, page, values)),
    searchErrors: (filter, page) => guard(() => search.searchErrors(searching, filter, page)),
    searchIds: (filter, page) => guard(() => search.searchIds(operating, filter, page)),
    countMatching: (filter, most) => guard(() => search.countMatching(searching, filter, most)),
    vocabulary: () => guard(() => readVocabulary(general)),
    act: (ids, deed) => guard(() => bulk.act(operating, ids, deed)),

    listJobs: (listing) => timely(() => lists.listJobs(general, listing, values)),
    countJobs: (queues) => timely(() => lists.countJobs(general, queues)),
    knownQueues: () => timely(() => lists.knownQueues(general)),
    load: (questions) => timely(() => readLoad(general, questions)),

    servedQueues: ({ seenWithinMs } = {}) =>
      timely(async () => {
        const { rows } = await general.query<{ queue: string }>(
          `SELECT DISTINCT unnest(queues) AS queue FROM celeriac.worker
           WHERE stopped_at IS NULL AND lost_at IS NULL
             AND ($1::float8 IS NULL OR seen_at > now() - $1 * interval '1 millisecond')`,
          [seenWithinMs ?? null],
        )
        return rows.map(({ queue }) => queue)
      }),
    announcedTasks: () =>
      timely(async () => {
        const { rows } = await general.query<{ options: string }>(
          `SELECT task_options AS options FROM celeriac.worker WHERE task_options <> '{}' GROUP BY task_options
           ORDER BY max(CASE WHEN stopped_at IS NULL AND lost_at IS NULL THEN started_at END) DESC NULLS LAST,
             max(started_at) DESC`,
        )
        return rows.map(({ options }) => options)
      }),
    liveWorkers: () =>
      guard(() =>
        prisma.worker.findMany({
          where: { stoppedAt: null, lostAt: null },
          select: {
            id: true,
            name: true,
            host: true,
            pid: true,
            queues: true,
            configHash: true,
            startedAt: true,
          },
          orderBy: { startedAt: 'asc' },
        }),
      ),
    registerWorker: ({ queues, tasks, ...worker }) =>
      guard(async () => {
        const data = { ...worker, queues: [...queues], tasks: [...tasks], missed: -startingRounds }
        await prisma.worker.create({ data })
      }),
    stopWorker: (id) =>
      guard(async () => {
        await general.query('UPDATE celeriac.worker SET stopped_at = now() WHERE id = $1', [id])
      }),

    beginRound: (tickets) => guard(() => beginRound(general, tickets)),
    leftInOutbox: (limit) => guard(() => leftInOutbox(general, limit)),
    undispatched: (limit) => guard(() => repairs.undispatched(general, limit)),
    overdue: (limit) => guard(() => repairs.overdue(general, limit)),
    expireOverdue: (limit) => guard(() => repairs.expireOverdue(general, limit)),
    rememberMark: (mark, instance) => guard(() => walks.rememberMark(general, mark, instance)),
    rememberRestart: () => guard(() => walks.rememberRestart(general)),
    waiting: (scan) => guard(() => walks.scanWaiting(general, scan)),
    beginWalk: (walk) => guard(() => walks.beginWalk(general, walk)),
    moveWalk: (walk, next) => guard(() => walks.moveWalk(general, walk, next)),
    stuckQueues: () => guard(() => walks.stuckQueues(general)),
    reapLostWorkers: (maxLost) => guard(() => reapLostWorkers(general, maxLost)),

    finishedTasks: () => guard(() => pruning.finishedTasks(general)),
    nthFinished: (asked) => guard(() => pruning.nthFinished(general, asked)),
    dueRules: (rules) => guard(() => pruning.dueRules(general, rules)),
    prune: (rule, limit) => guard(() => pruning.prune(general, rule, limit)),
    pruneWorkers: () =>
      guard(async () => {
        await limits.pruneLimitStates(general)
        return pruning.pruneWorkers(general)
      }),
    pruneUniqueKeys: (after, limit) => guard(() => pruneUniqueKeys(general, after, limit)),
    returnTicket: (pass) => guard(() => returnTicket(general, pass)),

    onCancelRequest: (listen) => listener.on(cancelChannel, listen),

    assertMigrated: () => guard(() => assertMigrated(general)),
    ping: () =>
      guard(async () => {
        await general.query('SELECT 1')
      }),
    probe: probeGuarded,
    async close() {
      silence.close()
      await listener.close()
      await prisma.$disconnect()
      await Promise.all(
        [general, searching, operating, inserting, claiming, admitting, settling, probing].map((each) =>
          each.end(),
        ),
      )
    },
  }

  function guard<T>(ask: () => Promise<T>): Promise<T> {
    return ask().catch((error: unknown) => {
      throw told(error)
    })
  }

  function told(error: unknown): Error {
    const known = toStoreError(error, url)
    if (isSilent(known)) silence.suspect(known)
    return known
  }

  function late(): Error {
    return told(lateError(deadlineMs, url))
  }

  /** For callers that somebody waits for: a free connection, the answer and all else within the deadline. */
  async function timely<T>(ask: () => Promise<T>): Promise<T> {
    if (silence.error) throw silence.error
    return answerWithin(deadlineMs, guard(ask), late)
  }

  /** Suspects nobody: it is what a suspicion is tested by. */
  function probeGuarded(): Promise<void> {
    return probe(probing).catch((error: unknown) => {
      throw toStoreError(error, url)
    })
  }

  function batch<Item, Answer>(
    maxSize: number,
    runBatch: (items: readonly Item[]) => Promise<readonly Answer[]>,
    sizeOf?: (item: Item) => number,
    patience?: Patience,
  ): Batch<Item, Answer> {
    const run = (items: readonly Item[]) => guard(() => runBatch(items))
    return createBatch({
      ...{ maxSize, run, isRetryable, isOutage, isDataError },
      ...(sizeOf ? { sizeOf } : {}),
      ...(patience ? { patience } : {}),
    })
  }

  function inTransaction<T>(
    work: (run: <Row>(statement: Statement) => Promise<Row[]>) => Promise<T>,
  ): Promise<T> {
    return withClient(general, async (client) => {
      await client.query('BEGIN')
      const done = await work((statement) => run(client, statement))
      await client.query('COMMIT')
      return done
    })
  }

  /** Told apart from other databases that have our tables, such as that of another stage. */
  function installation(): Promise<string> {
    known ??= timely(async () => {
      const { id } = await prisma.installation.findFirstOrThrow()
      return id
    }).catch((error: unknown) => {
      known = undefined
      throw error
    })
    return known
  }

  async function settleIn(tx: Transaction, outcome: Success & { workerId: string }): Promise<Settled> {
    return { settled: await settleInTransaction(tx, outcome, await installation()) }
  }

  function claimsOf(workerId: string): Batch<DeliveryKey, ClaimedJob | undefined> {
    return once(claims, workerId, () =>
      batch(250, async (keys) => {
        const rows = await run<ClaimedRow>(claiming, claimStatement(sorted(keys), workerId))
        const claimed = new Map(
          rows.map((row) => [
            row.id,
            { ...row, options: toOptions(row.options), context: toContext(row.context) },
          ]),
        )
        return keys.map((key) => {
          const job = claimed.get(key.jobId)
          return job?.number === key.number ? job : undefined
        })
      }),
    )
  }

  function settlementsOf(workerId: string): Batch<Settlement, Settled> {
    return once(settlements, workerId, () => batch(250, (outcomes) => settle(outcomes, workerId)))
  }

  async function settle(outcomes: readonly Settlement[], workerId: string): Promise<Settled[]> {
    const drops = outcomes.filter(isDrop)
    const kept = drops.length === 0 ? outcomes : outcomes.filter((outcome) => !isDrop(outcome))
    const successes = kept.filter((outcome): outcome is Success => outcome.state === 'succeeded')
    const others = kept.filter((outcome): outcome is OtherEnd => outcome.state !== 'succeeded')
    const settled = new Map<string, Settled>()
    if (successes.length > 0) {
      const rows = await run<{ id: string }>(settling, succeedStatement(sorted(successes), workerId))
      for (const { id } of rows) settled.set(id, { settled: true })
    }
    if (others.length > 0) {
      const rows = await run<EndedRow>(settling, endStatement(sorted(others), workerId))
      for (const { id, state, ...next } of rows) {
        settled.set(id, {
          settled: true,
          ...(state === 'retrying' ? { redelivery: { jobId: id, ...next } } : {}),
        })
      }
    }
    if (drops.length > 0) {
      const rows = await run<{ id: string }>(settling, dropStatement(sorted(drops), workerId))
      for (const { id } of rows) settled.set(id, { settled: true })
    }
    return outcomes.map((outcome) => settled.get(outcome.jobId) ?? { settled: false })
  }

  async function explain(delivery: DeliveryKey): Promise<ClaimRefusal> {
    const { rows } = await general.query<{ early: boolean; expired: boolean; limited: boolean }>(
      `SELECT state <> 'queued' AND run_at > now() + interval '1 second' AS early, limit_key IS NOT NULL AS limited,
         coalesce(expires_at <= now(), false) AS expired
       FROM celeriac.job WHERE id = $1 AND delivery = $2 AND state IN ('queued', 'scheduled', 'retrying')`,
      [delivery.jobId, delivery.number],
    )
    const row = rows[0]
    if (!row) return { reason: 'stale' }
    if (row.expired) return { reason: 'expired' }
    if (!row.early && row.limited) {
      await limits.takeTurn(general, delivery.jobId, delivery.number)
      return { reason: 'limited' }
    }
    if (!row.early) return { reason: 'claimable' }
    const redelivery = await repairs.defer(general, delivery)
    return redelivery ? { reason: 'early', redelivery } : { reason: 'stale' }
  }

  async function expire(id: string): Promise<boolean> {
    const { rowCount } = await general.query(
      `UPDATE celeriac.job SET state = 'expired', finished_at = now(), dispatched_at = coalesce(dispatched_at, now())
       WHERE id = $1 AND expires_at <= now() AND state IN ('queued', 'scheduled', 'retrying')`,
      [id],
    )
    return rowCount === 1
  }

  async function saveProgress(key: DeliveryKey, workerId: string, progress: string): Promise<void> {
    const where = { id: key.jobId, delivery: key.number, workerId, state: 'running' as const }
    await prisma.job.updateMany({ where, data: { progress } })
  }

  async function endedAmong(ids: readonly string[]): Promise<string[]> {
    const { rows } = await general.query<{ id: string }>(
      `SELECT asked.id FROM unnest($1::uuid[]) AS asked(id) LEFT JOIN celeriac.job j ON j.id = asked.id
       WHERE j.id IS NULL OR j.finished_at IS NOT NULL`,
      [ids],
    )
    return rows.map((row) => row.id)
  }
}

type ClaimedRow = Omit<ClaimedJob, 'options' | 'context'> & {
  readonly options: string | null
  readonly context: string | null
}
function isDrop({ drop, state }: Settlement): boolean {
  return drop === true && state !== 'retrying'
}

type EndedRow = Omit<Redelivery, 'jobId'> & { readonly id: string; readonly state: string }
async function run<Row>(on: Pick<Pool, 'query'>, statement: Statement): Promise<Row[]> {
  const { rows } = await on.query({ ...statement, values: [...statement.values] })
  return rows
}

/** A server that has become a copy of another answers, and takes nothing. */
async function probe(pool: Pool): Promise<void> {
  const { rows } = await pool.query<{ readonly: string }>(
    `SELECT current_setting('transaction_read_only') AS readonly`,
  )
  if (rows[0]?.readonly !== 'off') throw Object.assign(new Error('it takes no writes'), { code: '25006' })
}

/** Rows are locked in the order of their ids, so that two batches rarely meet in a deadlock. */
function sorted<Key extends DeliveryKey>(keys: readonly Key[]): Key[] {
  return keys.toSorted((a, b) => (a.jobId < b.jobId ? -1 : a.jobId > b.jobId ? 1 : 0))
}

function isOutage(error: unknown): boolean {
  return error instanceof StoreUnavailableError
}

function once<Key, Value>(map: Map<Key, Value>, key: Key, make: () => Value): Value {
  const present = map.get(key)
  if (present !== undefined) return present
  const made = make()
  map.set(key, made)
  return made
}
