import { randomUUID } from 'node:crypto'
import { ClosedError, TransactionError } from '../errors.js'
import { plainValues, type Values } from '../job/codec.js'
import type { Transaction } from '../job/transaction.js'
import * as bulk from './memory/bulk.js'
import { createChanges } from './memory/changes.js'
import { createControl } from './memory/control.js'
import { toFacts, toPasses } from './memory/facts.js'
import * as finished from './memory/finished.js'
import { insertRow, toCommitted, uniqueKeyOf, type Written } from './memory/insert.js'
import { createLimits, type Limits } from './memory/limits.js'
import * as lists from './memory/lists.js'
import * as moves from './memory/moves.js'
import { createOperations } from './memory/operations.js'
import * as repairs from './memory/repairs.js'
import { idempotencyOf, isWaiting, toRedelivery } from './memory/row.js'
import * as search from './memory/search.js'
import { createMemoryStats } from './memory/stats.js'
import { createTable, current, type Table } from './memory/table.js'
import { type MemoryTransaction, OpenTransaction } from './memory/transaction.js'
import { readVocabulary } from './memory/vocabulary.js'
import { toJob, toRevealedJob } from './rows.js'
import type { Committed, InsertedJob, NewJob, Store } from './store.js'

export type { MemoryTransaction } from './memory/transaction.js'

/** A store that lives as long as this process: for tests. It keeps the contract as the one on PostgreSQL does. */
export interface MemoryStore extends Store {
  begin(): MemoryTransaction
  /** What is remembered. */
  readonly table: Table
  readonly limits: Pick<Limits, 'tellAll' | 'mayStart' | 'nextAt'>
  /** Whether a queue is paused, as its settings have it. */
  isPaused(queue: string): boolean
}

export interface MemoryStoreOptions {
  /** Milliseconds. Default: the clock of the process. */
  readonly now?: () => number
  /** How payloads and results are read. Default: as plain JSON. */
  readonly values?: Values
  /** Whether jobs with limits may start at all. Default: always. */
  readonly isOpen?: () => boolean
}

const closedMessage = 'The store has been closed.'

export function createMemoryStore(options: MemoryStoreOptions = {}): MemoryStore {
  const { now = Date.now, values = plainValues, isOpen = () => true } = options
  const table = createTable(now)
  const installation = randomUUID()
  const rounds = repairs.createRounds(table, installation)
  const limits = createLimits(table, isOpen)
  const control = createControl(table, (id) => operations.standing(id))
  const operations = createOperations({
    now: table.now,
    act: (ids, deed) => bulk.act(table, ids, deed, tellCancelled),
    addCommand: control.addCommand,
  })
  const stats = createMemoryStats(table)
  const changes = createChanges(table, () => control.commands({ limit: Number.MAX_SAFE_INTEGER }))
  const startedAt = table.now()
  const open = new Set<OpenTransaction>()
  const committedListeners: ((committed: Committed) => void)[] = []
  const cancelListeners = new Set<(jobId: string) => void>()
  let isClosed = false
  table.onWrite(limits.noticeWrite)

  return {
    table,
    limits,
    begin,
    address: 'memory',

    insert: answer(insert),
    insertIn: answer(insertIn),
    onCommitted: (listen) => void committedListeners.push(listen),
    clearOutbox: answer((receipts) => {
      for (const receipt of receipts) table.outbox.delete(receipt)
    }),
    claim: answer((delivery, workerId) => moves.claim(table, delivery, workerId)),
    explain: answer((delivery) => moves.explain(table, delivery)),
    settle: answer((outcome) => moves.settle(table, outcome)),
    settleIn: answer((tx, outcome) => {
      const transaction = ownOf(tx)
      if (!transaction) throw otherTransaction()
      const row = current(table, outcome)
      if (!row || !moves.isHeld(row, outcome.workerId)) return { settled: false }
      transaction.atCommit(() => void moves.settle(table, outcome))
      return { settled: true }
    }),
    installation: answer(() => installation),
    holdOn: answer((claims, workerId) => moves.holdOn(table, claims, workerId)),
    isSettledBy: answer((key, workerId) => {
      const row = current(table, key)
      return row?.workerId === workerId && row.finishedAt !== null
    }),
    giveBack: answer((keys, workerId, reason) => moves.giveBack(table, keys, workerId, reason)),
    defer: answer((delivery) => moves.defer(table, delivery)),
    admit: answer(limits.admit),
    limit: answer(limits.limit),
    onTurn: limits.onTurn,
    isPaused: control.isPaused,
    changeWorker: answer(control.changeWorker),
    forgetWorker: answer((id) => {
      if (table.workers.get(id)?.stoppedAt) control.forgetWorker(id)
    }),
    reportWorker: answer(control.reportWorker),
    workerChart: answer(control.workerChart),
    workers: answer(control.workers),
    workerNames: answer(control.workerNames),
    settings: answer(control.settings),
    setSetting: answer(control.setSetting),
    replaceSetting: answer(control.replaceSetting),
    onSettings: control.onSettings,
    addCommand: answer(control.addCommand),
    closeCommand: answer(control.closeCommand),
    commandsFor: answer(control.commandsFor),
    addReply: answer(control.addReply),
    repliesTo: answer(control.repliesTo),
    commands: answer(control.commands),
    command: answer(control.command),
    changeClock: answer(changes.changeClock),
    endedSince: answer(changes.endedSince),
    openedSince: answer(changes.openedSince),
    movedSince: answer(changes.movedSince),
    workersSince: answer(changes.workersSince),
    commandsSince: answer(changes.commandsSince),
    onCommand: control.onCommand,
    onReply: control.onReply,
    pruneCommands: answer(control.pruneCommands),
    foldStats: answer(stats.foldStats),
    noteOldest: answer(stats.noteOldest),
    moves: answer(stats.moves),
    chart: answer(stats.chart),
    sums: answer(stats.sums),
    depths: answer(stats.depths),
    sights: answer(stats.sights),
    pruneStats: answer(stats.pruneStats),
    noteRepairs: answer(stats.noteRepairs),
    facts: answer(() => toFacts(table, startedAt)),
    passes: answer(() => toPasses(rounds.ranAt(), stats.repaired())),
    countLimited: answer(limits.countLimited),
    markDispatched: answer((keys) => {
      for (const key of keys) {
        const row = current(table, key)
        if (row && isWaiting(row)) table.write(row, { dispatchedAt: table.now() })
      }
    }),
    expire: answer((id) => {
      const row = table.rows.get(id)
      return row !== undefined && moves.expire(table, row)
    }),
    saveProgress: answer((key, workerId, progress) => {
      const row = current(table, key)
      if (row?.state === 'running' && row.workerId === workerId) table.write(row, { progress })
    }),
    saveLogs: answer((lines) => lists.saveLogs(table, lines)),
    trimLogs: answer((jobId, keep) => lists.trimLogs(table, jobId, keep)),

    find: answer((id) => {
      const row = table.rows.get(id)
      return row && toJob({ ...row }, values)
    }),
    reveal: answer((id) => {
      const row = table.rows.get(id)
      return row && toRevealedJob({ ...row }, values)
    }),
    endedJobs: answer((ids) =>
      ids.flatMap((id) => {
        const row = table.rows.get(id)
        return row?.finishedAt ? [{ ...row, number: row.delivery }] : []
      }),
    ),
    endedAmong: answer((ids) => ids.filter((id) => table.rows.get(id)?.finishedAt !== null)),
    listLogs: answer((id, after, limit) => lists.listLogs(table, id, after, limit)),
    lastLogs: answer((id, limit, before) => lists.lastLogs(table, id, limit, before)),
    look: answer((looks) => looks.map((each) => lists.look(table, each))),
    cancel: answer((id, by, reason) => {
      const answer = moves.cancel(table, id, by, reason)
      if (answer === 'cancelling') tellCancelled(id)
      return answer
    }),
    cancelRequestedAmong: answer((ids) => ids.filter((id) => table.rows.get(id)?.cancelRequestedAt)),
    retry: answer((id) => moves.retry(table, id)),
    retryWith: answer((key, payload) => moves.retryWith(table, key, payload)),
    promote: answer((id) => moves.promote(table, id)),

    searchJobs: answer((filter, page) => search.searchJobs(table, filter, page, values)),
    searchErrors: answer((filter, page) => search.searchErrors(table, filter, page)),
    searchIds: answer((filter, page) => search.searchIds(table, filter, page)),
    countMatching: answer((filter, most) => search.countMatching(table, filter, most)),
    vocabulary: answer(() => readVocabulary(table)),
    act: answer((ids, deed) => bulk.act(table, ids, deed, tellCancelled)),
    addOperation: answer(operations.addOperation),
    workOperation: answer(operations.workOperation),
    renewOperation: answer(operations.renewOperation),
    heldOperation: answer(operations.heldOperation),
    failOperation: answer(operations.failOperation),
    releaseOperation: answer(operations.releaseOperation),
    takeOverOperation: answer(operations.takeOverOperation),
    stopOperation: answer(operations.stopOperation),
    resumeOperation: answer(operations.resumeOperation),
    operation: answer(operations.operation),
    openOperations: answer(operations.openOperations),

    listJobs: answer((listing) => lists.listJobs(table, listing, values)),
    countJobs: answer((queues) => lists.countJobs(table, queues)),
    knownQueues: answer(() => lists.knownQueues(table)),
    load: answer((questions) => lists.readLoad(table, questions)),

    // Who is in the process of its store is seen at every moment.
    servedQueues: answer(({ seenWithinMs = 0 } = {}) =>
      seenWithinMs < 0 ? [] : [...new Set(liveWorkers().flatMap(({ queues }) => queues))],
    ),
    announcedTasks: answer(announcedTasks),
    liveWorkers: answer(() =>
      liveWorkers().map(({ id, name, host, pid, queues, configHash, startedAt }) => ({
        ...{ id, name, host, pid, queues, configHash, startedAt },
      })),
    ),
    registerWorker: answer((worker) => {
      table.workers.set(worker.id, {
        ...worker,
        startedAt: table.now(),
        stoppedAt: undefined,
        report: '{}',
        reportedAt: null,
      })
    }),
    stopWorker: answer((id) => {
      const worker = table.workers.get(id)
      if (worker) table.workers.set(id, { ...worker, stoppedAt: table.now() })
    }),

    beginRound: answer((tickets) => {
      const round = rounds.begin(tickets)
      const work = { ...round.work, operations: operations.hasLate() }
      return { ...round, work, settings: control.settings() }
    }),
    leftInOutbox: answer(leftInOutbox),
    undispatched: answer((limit) => repairs.undispatched(table, limit)),
    overdue: answer((limit) => repairs.overdue(table, limit)),
    expireOverdue: answer((limit) => repairs.expireOverdue(table, limit)),
    rememberMark: answer(() => {}),
    rememberRestart: answer(() => {}),
    waiting: answer(() => ({ deliveries: [], next: undefined })),
    beginWalk: answer(() => {}),
    moveWalk: answer(() => undefined),
    stuckQueues: answer(() => []),
    reapLostWorkers: answer(() => ({ workers: [], redeliveries: [], failed: [], cancelled: [] })),

    finishedTasks: answer(() => finished.finishedTasks(table)),
    nthFinished: answer((asked) => asked.map((each) => finished.nthFinished(table, each))),
    dueRules: answer((rules) => rules.filter((rule) => finished.isDueRule(table, rule))),
    prune: answer((rule, limit) => finished.prune(table, rule, limit)),
    pruneUniqueKeys: answer(() => ({ deleted: 0, next: undefined })),
    pruneWorkers: answer(pruneWorkers),
    returnTicket: answer(rounds.returnTicket),

    onCancelRequest(listen) {
      cancelListeners.add(listen)
      return () => void cancelListeners.delete(listen)
    },

    assertMigrated: answer(() => {}),
    ping: answer(() => {}),
    probe: answer(() => {}),
    async close() {
      isClosed = true
    },
  }

  /** As an answer of a server: never in the same turn, and none once it is closed. */
  function answer<Args extends unknown[], Answer>(
    give: (...args: Args) => Answer | Promise<Answer>,
  ): (...args: Args) => Promise<Answer> {
    return async (...args) => {
      if (isClosed) throw new ClosedError(closedMessage)
      return give(...args)
    }
  }

  async function insert(jobs: readonly NewJob[]): Promise<InsertedJob[]> {
    await keysAreFree(jobs, undefined)
    const written = jobs.map((job) => insertRow(table, job))
    tellCommitted(written)
    return written.map(({ inserted }) => inserted)
  }

  async function insertIn(tx: Transaction, jobs: readonly NewJob[]): Promise<InsertedJob[]> {
    const transaction = ownOf(tx)
    if (!transaction) return insertUnheard(jobs)
    await keysAreFree(jobs, transaction)
    const written = jobs.map((job) => insertRow(transaction, job))
    transaction.atCommit(() => tellCommitted(written))
    return written.map(({ inserted }) => inserted)
  }

  /** Of a transaction somewhere else nobody here hears the end: its jobs are there, and wait to be looked for. */
  async function insertUnheard(jobs: readonly NewJob[]): Promise<InsertedJob[]> {
    await keysAreFree(jobs, undefined)
    const written = jobs.map((job) => insertRow(table, job))
    const committed = toCommitted(written)
    if (committed) table.outbox.set(committed.receipt, committed)
    return written.map(({ inserted }) => inserted)
  }

  /** A key that an open transaction holds is waited for, as PostgreSQL does it. */
  async function keysAreFree(jobs: readonly NewJob[], own: OpenTransaction | undefined): Promise<void> {
    for (const key of jobs.flatMap((job) => [idempotencyOf(job) ?? [], uniqueKeyOf(job) ?? []].flat()))
      for (const other of [...open]) if (other !== own && other.locks(key)) await other.ended
  }

  function tellCommitted(written: readonly Written[]): void {
    const committed = toCommitted(written)
    if (committed) for (const listen of committedListeners) listen(committed)
  }

  function begin(): MemoryTransaction {
    const transaction = new OpenTransaction(table)
    open.add(transaction)
    void transaction.ended.then(() => open.delete(transaction))
    return transaction
  }

  function leftInOutbox(limit: number): Committed[] {
    const now = table.now()
    return [...table.outbox.values()].slice(0, limit).map(({ receipt, deliveries }) => ({
      receipt,
      deliveries: deliveries.flatMap((delivery) => {
        const row = current(table, delivery)
        return row && isWaiting(row) ? [toRedelivery(row, now)] : []
      }),
    }))
  }

  function liveWorkers() {
    return [...table.workers.values()].filter(({ stoppedAt }) => stoppedAt === undefined)
  }

  /** Live ones first, the newest before the others. */
  function announcedTasks(): string[] {
    const newest = [...table.workers.values()].toReversed()
    const live = newest.filter(({ stoppedAt }) => stoppedAt === undefined)
    const options = [...live, ...newest].map(({ taskOptions = '{}' }) => taskOptions)
    return [...new Set(options)].filter((each) => each !== '{}')
  }

  function pruneWorkers(): number {
    const old = table.now().getTime() - 7 * 86_400_000
    const gone = [...table.workers.values()].filter(
      ({ stoppedAt }) => stoppedAt !== undefined && stoppedAt.getTime() < old,
    )
    for (const { id } of gone) control.forgetWorker(id)
    return gone.length
  }

  function tellCancelled(id: string): void {
    queueMicrotask(() => {
      for (const listen of cancelListeners) listen(id)
    })
  }

  function ownOf(tx: Transaction): OpenTransaction | undefined {
    if (!(tx instanceof OpenTransaction)) return undefined
    if (open.has(tx)) return tx
    throw new TransactionError(
      'The transaction given as "tx" has ended, or is that of another test kit. Nothing was written.',
    )
  }
}

function otherTransaction(): TransactionError {
  return new TransactionError(
    'The store is in memory, and does not hear what becomes of a transaction of a database. In tests, give complete() the transaction of jobs.transaction().',
  )
}
