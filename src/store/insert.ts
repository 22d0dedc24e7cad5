import { randomBytes } from 'node:crypto'
import type { Transaction } from '../job/transaction.js'
import type { Batch } from './batch.js'
import type { Listener } from './listen.js'
import {
  existingStatement,
  type IdRange,
  type InsertAnswer,
  insertInTransaction,
  insertStatement,
  type Statement,
  type TransactionAnswer,
} from './statements.js'
import type { Committed, InsertedJob, NewJob, Redelivery } from './store.js'
import { otherDatabase, runIn } from './transaction.js'
import {
  insertUniqueInTransaction,
  insertUniqueStatement,
  toMoved,
  type UniqueAnswer,
  type UniqueInTransaction,
} from './unique.js'

/** Writes new rows, and tells of them when they are committed. */
export interface Inserter {
  /** Concurrent calls share a statement. */
  insert(jobs: readonly NewJob[]): Promise<InsertedJob[]>
  insertIn(tx: Transaction, jobs: readonly NewJob[]): Promise<InsertedJob[]>
}

export interface InserterDeps {
  /** Runs a statement of its own, committed with its answer. */
  readonly run: Run
  readonly inTransaction: <T>(work: (run: Run) => Promise<T>) => Promise<T>
  readonly batch: (
    maxSize: number,
    run: (calls: readonly (readonly NewJob[])[]) => Promise<InsertedJob[][]>,
    sizeOf: (jobs: readonly NewJob[]) => number,
  ) => Batch<readonly NewJob[], InsertedJob[]>
  readonly listener: Listener
  /** What this database is known by. */
  readonly installation: () => Promise<string>
  readonly onCommitted: (committed: Committed) => void
}

export type Run = <Row>(statement: Statement) => Promise<Row[]>

/** Above this, a call's rows go in a transaction of their own. */
const sharedRows = 500
const rowsPerStatement = 5000
/** Keys are locked until the commit, so that fewer of them go together. */
const sharedUniqueRows = 100
/** How long the first transaction waits until its commit can be heard. What is not heard is found by a pass. */
const listenMs = 500
/** A transaction that is open for longer is left to the pass. */
const longestTransactionMs = 60_000

export function createInserter(deps: InserterDeps): Inserter {
  const { listener, installation, onCommitted } = deps
  const shared = deps.batch(sharedRows, insertCalls, (jobs) => jobs.length)
  const sharedUnique = deps.batch(sharedUniqueRows, insertUniqueCalls, (jobs) => jobs.length)
  const channel = `celeriac_commit_${randomBytes(8).toString('hex')}`
  const uncommitted = new Map<string, Committed & { readonly writtenAt: number }>()
  let listening: Promise<void> | undefined

  return {
    insert(jobs) {
      if (jobs[0]?.unique)
        return jobs.length > sharedUniqueRows ? insertManyUnique(jobs) : sharedUnique.add(jobs)
      return jobs.length > sharedRows ? insertMany(jobs) : shared.add(jobs)
    },
    insertIn: (tx, jobs) => (jobs[0]?.unique ? insertUniqueIn(tx, jobs) : insertIn(tx, jobs)),
  }

  async function insertCalls(calls: readonly (readonly NewJob[])[]): Promise<InsertedJob[][]> {
    const jobs = calls.flat()
    const range = rangeOf(jobs)
    const inserted = await write(deps.run, insertStatement(jobs, range), jobs)
    onCommitted(toCommitted(range, jobs, inserted))
    let end = 0
    return calls.map((each) => {
      end += each.length
      return inserted.slice(end - each.length, end)
    })
  }

  async function insertMany(jobs: readonly NewJob[]): Promise<InsertedJob[]> {
    const parts = await deps.inTransaction((run) =>
      inParts(jobs, async (part) => {
        const range = rangeOf(part)
        return { part, range, inserted: await write(run, insertStatement(part, range), part) }
      }),
    )
    for (const { part, range, inserted } of parts) onCommitted(toCommitted(range, part, inserted))
    return parts.flatMap(({ inserted }) => inserted)
  }

  async function insertIn(tx: Transaction, jobs: readonly NewJob[]): Promise<InsertedJob[]> {
    const here = await installation()
    await hearing()
    const run: Run = (statement) => runIn(tx, statement)
    const parts = await inParts(jobs, async (part) => {
      const range = rangeOf(part)
      const [answer] = await run<TransactionAnswer>(insertInTransaction(part, range, here, channel))
      if (!answer?.same) throw otherDatabase()
      const inserted = await toAllInserted(run, answer, part)
      remember(toCommitted(range, part, inserted))
      return inserted
    })
    return parts.flat()
  }

  async function insertUniqueCalls(calls: readonly (readonly NewJob[])[]): Promise<InsertedJob[][]> {
    const inserted = await insertUnique(deps.run, calls.flat(), onCommitted)
    let end = 0
    return calls.map((each) => {
      end += each.length
      return inserted.slice(end - each.length, end)
    })
  }

  async function insertManyUnique(jobs: readonly NewJob[]): Promise<InsertedJob[]> {
    const written: Committed[] = []
    const parts = await deps.inTransaction((run) =>
      inParts(jobs, (part) => insertUnique(run, part, (committed) => written.push(committed))),
    )
    for (const committed of written) onCommitted(committed)
    return parts.flat()
  }

  async function insertUniqueIn(tx: Transaction, jobs: readonly NewJob[]): Promise<InsertedJob[]> {
    const here = await installation()
    await hearing()
    const parts = await inParts(jobs, async (part) => {
      const range = rangeOf(part)
      const statement = insertUniqueInTransaction(part, range, here, channel)
      const [answer] = await runIn<UniqueInTransaction>(tx, statement)
      if (!answer?.same) throw otherDatabase()
      const answers = (answer.answers ?? []).map(withDate)
      remember(toUniqueCommitted(range, part, answers))
      return answers
    })
    return parts.flat()
  }

  /** PostgreSQL sends what a transaction announces when it commits, and nothing when it does not. */
  async function hearing(): Promise<void> {
    listening ??= new Promise((resolve) => {
      listener.on(channel, hear, resolve)
      setTimeout(resolve, listenMs).unref()
    })
    await listening
  }

  function hear(receipt: string): void {
    const committed = uncommitted.get(receipt)
    if (!committed) return
    uncommitted.delete(receipt)
    onCommitted(committed)
  }

  function remember(committed: Committed): void {
    const writtenAt = performance.now()
    for (const [receipt, old] of uncommitted) {
      if (writtenAt - old.writtenAt < longestTransactionMs) break
      uncommitted.delete(receipt)
    }
    uncommitted.set(committed.receipt, { ...committed, writtenAt })
  }
}

async function insertUnique(
  run: Run,
  jobs: readonly NewJob[],
  tell: (committed: Committed) => void,
): Promise<InsertedJob[]> {
  const range = rangeOf(jobs)
  const answers = await run<UniqueAnswer>(insertUniqueStatement(jobs, range))
  tell(toUniqueCommitted(range, jobs, answers))
  return answers
}

/** What was made, and what was put off. */
function toUniqueCommitted(
  range: IdRange,
  jobs: readonly NewJob[],
  answers: readonly UniqueAnswer[],
): Committed {
  const { receipt, deliveries } = toCommitted(range, jobs, answers)
  const moved = jobs.flatMap((job, at) => {
    const answer = answers[at]
    return answer ? toMoved(job, answer) : []
  })
  return { receipt, deliveries: [...deliveries, ...moved] }
}

/** In a transaction of the app's own the answer is JSON, which has no dates. */
function withDate(answer: UniqueAnswer): UniqueAnswer {
  return { ...answer, createdAt: new Date(answer.createdAt) }
}

async function inParts<T>(
  jobs: readonly NewJob[],
  work: (part: readonly NewJob[]) => Promise<T>,
): Promise<T[]> {
  const done: T[] = []
  for (let at = 0; at < jobs.length; at += rowsPerStatement) {
    done.push(await work(jobs.slice(at, at + rowsPerStatement)))
  }
  return done
}

async function write(run: Run, statement: Statement, jobs: readonly NewJob[]): Promise<InsertedJob[]> {
  const [answer] = await run<InsertAnswer>(statement)
  if (!answer) throw new Error('An insert of jobs gave no answer.')
  return toAllInserted(run, answer, jobs)
}

async function toAllInserted(
  run: Run,
  answer: InsertAnswer,
  jobs: readonly NewJob[],
): Promise<InsertedJob[]> {
  if (answer.written === jobs.length) return jobs.map((job) => toInserted(job, answer.now))
  return findAll(run, jobs)
}

/** What the row says, by the rules of the statement that wrote it. */
function toInserted({ id, delayMs, runAt }: NewJob, now: number): InsertedJob {
  const dueInMs = delayMs ?? (runAt === null ? 0 : Math.max(0, runAt.getTime() - now))
  return { id, created: true, state: dueInMs > 0 ? 'scheduled' : 'queued', dueInMs, createdAt: new Date(now) }
}

type ExistingRow = Required<Omit<InsertedJob, 'conflicts'>> & { readonly askedId: string }

/** Some met a row that was there before: their own, written by a try whose answer was lost, or one with the same key. */
async function findAll(run: Run, jobs: readonly NewJob[]): Promise<InsertedJob[]> {
  const rows = await run<ExistingRow>(existingStatement(jobs))
  const found = new Map(rows.map((row) => [row.askedId, row]))
  return jobs.map((job) => {
    const row = found.get(job.id)
    if (!row) throw new Error(`The store kept no row for job ${job.id}.`)
    const { askedId, ...inserted } = row
    return { ...inserted, created: row.id === askedId }
  })
}

/** Ids are made in the order of time, so that few rows of others lie between. */
function rangeOf(jobs: readonly NewJob[]): IdRange {
  let first = jobs[0]?.id ?? ''
  let last = first
  for (const { id } of jobs) {
    if (id < first) first = id
    else if (id > last) last = id
  }
  return { first, last }
}

function toCommitted(
  { first }: IdRange,
  jobs: readonly NewJob[],
  inserted: readonly InsertedJob[],
): Committed {
  const deliveries: Redelivery[] = []
  for (const [at, { id, task, queue, priority, limitKey }] of jobs.entries()) {
    const row = inserted[at]
    if (!row?.created) continue
    const delivery = { jobId: id, number: 1, task, queue, priority, dueInMs: row.dueInMs }
    deliveries.push(limitKey === null || row.dueInMs > 0 ? delivery : { ...delivery, isLimited: true })
  }
  return { receipt: first, deliveries }
}
