import type { JobLogLevel, JobLogLine } from '../job/event.js'
import type { EndedJob } from '../job/facts.js'
import type { CancelAnswer, Job, JobContext, JobOptions, StoredError } from '../job/job.js'
import type { Limit, TaskLimits } from '../job/limit.js'
import type { EndState, JobState } from '../job/state.js'
import type { Transaction } from '../job/transaction.js'
import type { UniqueRule } from '../job/unique.js'
import type { ChangeStore } from './change-store.js'
import type { ControlStore, Setting } from './control-store.js'
import type { FactStore } from './fact-store.js'
import type { OperationStore } from './operation-store.js'
import type { SearchStore } from './search-store.js'
import type { StatStore } from './stat-store.js'
import type { KeyPlace, PrunedKeys } from './unique.js'

/**
 * What remembers jobs. Every question that a user can ask is answered from here, never from the broker.
 *
 * All times are the database's, so that no clocks of two machines are compared.
 * Every method throws {@link StoreUnavailableError} when the database does not answer within the deadline.
 */
export interface Store extends ChangeStore, ControlStore, FactStore, OperationStore, SearchStore, StatStore {
  /** The address without secrets. */
  readonly address: string

  /** Writes rows; concurrent calls share a statement. All rows of one call are one transaction. */
  insert(jobs: readonly NewJob[]): Promise<InsertedJob[]>
  /**
   * The same inside a transaction of the app's own: the rows exist if and only if it commits.
   * @throws {TransactionError} when it is on another database
   */
  insertIn(tx: Transaction, jobs: readonly NewJob[]): Promise<InsertedJob[]>
  /** Tells `listener` of each batch of rows whose commit this process knows of: their deliveries are to be sent. */
  onCommitted(listener: (committed: Committed) => void): void
  /** Forgets these batches: the broker holds what is to be delivered of them. */
  clearOutbox(receipts: readonly string[]): Promise<void>
  /** Takes a job for a worker if the delivery is the current one; concurrent calls share a statement. */
  claim(delivery: DeliveryKey, workerId: string): Promise<ClaimedJob | undefined>
  /** A plain read of why a delivery could not be claimed. */
  explain(delivery: DeliveryKey): Promise<ClaimRefusal>
  /** Records how an attempt ended, if it still holds the fence; concurrent calls share a statement. */
  settle(outcome: Settlement): Promise<Settled>
  /**
   * Records a success inside a transaction of the app's own. `settled: false`: the attempt had lost its fence.
   * @throws {TransactionError} when it is on another database
   */
  settleIn(tx: Transaction, outcome: Extract<Settlement, { state: 'succeeded' }>): Promise<Settled>
  /** What tells this store from all others: a text in its own tables. */
  installation(): Promise<string>
  /** Claims again what this worker runs, where a crash of the store has taken the claim back. */
  holdOn(claims: readonly Claim[], workerId: string): Promise<void>
  /** Whether this worker has recorded an end under this delivery. */
  isSettledBy(key: DeliveryKey, workerId: string): Promise<boolean>
  /** Gives claimed jobs back, unstarted or aborted, under a new delivery number. */
  giveBack(
    keys: readonly DeliveryKey[],
    workerId: string,
    reason: 'unstarted' | 'returned',
  ): Promise<Redelivery[]>
  /** Moves a waiting job to a new delivery number: this worker cannot run it, another might. */
  defer(delivery: DeliveryKey): Promise<Redelivery | undefined>
  /** Takes jobs with limits whose turn it is. Committed when it resolves, so that no crash takes one back. */
  admit(applicant: Applicant): Promise<Admitted>
  /** Jobs that were claimed as if they had no limits go back, and wait for their turn. Gives how many. */
  limit(claims: readonly LimitedClaim[], workerId: string): Promise<number>
  /** Calls `listener` when a job begins to wait for its turn; `undefined`: some may have been missed. */
  onTurn(listener: (turn: TurnNews | undefined) => void): () => void
  /** How many jobs with limits wait and run, by task. */
  countLimited(): Promise<LimitedCount[]>
  /** Remembers that the broker holds these deliveries. */
  markDispatched(keys: readonly DeliveryKey[]): Promise<void>
  /** Ends a waiting job whose time to start has passed. */
  expire(id: string): Promise<boolean>
  saveProgress(key: DeliveryKey, workerId: string, progress: string): Promise<void>
  /** Keeps what attempts logged that still hold their jobs. Lines that are there already stay as they are. */
  saveLogs(lines: readonly NewLogLine[]): Promise<void>
  /** Deletes all but the newest lines of a job. */
  trimLogs(jobId: string, keep: number): Promise<void>

  find(id: string): Promise<Job | undefined>
  /** The same with what its task hides, as far as the row has it. */
  reveal(id: string): Promise<Job | undefined>
  /** Of these jobs, those that have ended and are still there, for who tells of it. */
  endedJobs(ids: readonly string[]): Promise<EndedJob[]>
  /** Of the watched ids, those that have ended or are gone. One query. */
  endedAmong(ids: readonly string[]): Promise<string[]>
  /** Lines of a job after the one with this number, in their order. */
  listLogs(id: string, after: number, limit: number): Promise<KeptLine[]>
  /** The last lines of a job, or the last before the one with this number, in their order. */
  lastLogs(id: string, limit: number, before?: number): Promise<KeptLine[]>
  /** What has changed since each look before; `undefined` where nothing has. One query. */
  look(looks: readonly Look[]): Promise<(Sight | undefined)[]>
  cancel(id: string, by: string | null, reason: string | null): Promise<CancelAnswer>
  /** Of these running jobs, those that were asked to stop. */
  cancelRequestedAmong(ids: readonly string[]): Promise<string[]>
  /** Puts a failed, cancelled or expired job back into its queue, as new. `undefined`: there is none in such a state. */
  retry(id: string): Promise<Redelivery | undefined>
  /**
   * The same with another payload, where the job is still under this delivery, so that what was edited is what it had.
   * `undefined`: it is not, or is in no such state.
   */
  retryWith(key: DeliveryKey, payload: EditedPayload): Promise<Redelivery | undefined>
  /** Makes a scheduled or retrying job due now. `undefined`: there is none in such a state. */
  promote(id: string): Promise<Redelivery | undefined>

  /** A page of one queue's jobs: open ones oldest first, ended ones newest first. Large values are left out. */
  listJobs(listing: JobListing): Promise<Job[]>
  /** Jobs by queue and state. No count goes beyond what lists reach. */
  countJobs(queues: readonly string[]): Promise<QueueCount[]>
  knownQueues(): Promise<string[]>
  /** How full these queues are. One bounded statement. */
  load(questions: readonly LoadQuestion[]): Promise<QueueLoad[]>

  /** Queues that a live worker serves. */
  servedQueues(options?: {
    /** Only workers that have renewed their lease within this time. Default: all that live. */
    readonly seenWithinMs?: number
  }): Promise<string[]>
  /** What workers tell of their tasks, as they wrote it: live ones first, the newest before the others. */
  announcedTasks(): Promise<string[]>

  /** Takes the tickets of those passes that nobody ran in their interval, and looks what there is to do. */
  beginRound(passes: readonly Ticket[]): Promise<Round>
  /** Batches of the last moments that were not cleared: whoever wrote them has died, or the broker was away. */
  leftInOutbox(limit: number): Promise<Committed[]>
  /** Rows that were not handed to the broker and are due within a minute. */
  undispatched(limit: number): Promise<Redelivery[]>
  /** Rows whose delivery should have been claimed and was not, under a new delivery number. */
  overdue(limit: number): Promise<Redelivery[]>
  /** Ends waiting jobs whose time to start has passed. Gives their ids. */
  expireOverdue(limit: number): Promise<string[]>
  /** Remembers what was left in the broker. */
  rememberMark(mark: number, instance: string): Promise<void>
  /** Jobs that wait and were handed to the broker, in the order of queue and id. */
  waiting(scan: Scan): Promise<Scanned>
  /** Remembers that the start of the store's server was seen. */
  rememberRestart(): Promise<void>
  /** Begins a walk; one of the same name that is under way goes back to where this one begins. */
  beginWalk(walk: NewWalk): Promise<void>
  /** Remembers how far a walk has come, or ends it. `undefined`: it has ended, or somebody else has moved it. */
  moveWalk(walk: Walk, next: Cursor | undefined): Promise<Walk | undefined>
  /** The queues whose oldest jobs were handed to the broker a while ago and still wait. */
  stuckQueues(): Promise<string[]>
  /** Adds a missed round to every live worker, marks the lost, and frees their jobs. */
  reapLostWorkers(maxLost: number): Promise<LostWork>

  finishedTasks(): Promise<FinishedTask[]>
  /** The places of these finished jobs, where there are so many. It counts entries of an index: some thousands are quick. */
  nthFinished(asked: readonly NthFinished[]): Promise<(Place | undefined)[]>
  /** Of these rules, those under which there is something to look at. */
  dueRules(rules: readonly PruneRule[]): Promise<PruneRule[]>
  /** Deletes the next finished jobs under a rule, oldest first, of the next `limit` that it looks at. */
  prune(rule: PruneRule, limit: number): Promise<Pruned>
  /** Deletes workers that stopped or were lost long ago. Gives how many. */
  pruneWorkers(): Promise<number>
  /** Deletes keys that no job holds any more, of the next `limit` behind a place. */
  pruneUniqueKeys(after: KeyPlace | undefined, limit: number): Promise<PrunedKeys>
  /** Lets the next round run this pass, whatever its interval: there is more to do. */
  returnTicket(pass: string): Promise<void>

  /** Calls `listener` when a job is asked to stop. Reconnects by itself; may miss some while it does. */
  onCancelRequest(listener: (jobId: string) => void): () => void

  /** @throws {MigrationError} when the tables are missing, older or newer */
  assertMigrated(): Promise<void>
  ping(): Promise<void>
  /** Whether the server takes writes, asked on a connection that nobody else waits for. */
  probe(): Promise<void>
  close(): Promise<void>
}

/** Rows that are in the database for good. */
export interface Committed {
  /** To be handed to `clearOutbox` when all deliveries are in the broker. */
  readonly receipt: string
  readonly deliveries: readonly Redelivery[]
}

export interface Ticket {
  readonly pass: string
  readonly everyMs: number
}

/** What a maintenance round finds. */
export interface Round {
  /** The passes that this process may run now. */
  readonly due: readonly string[]
  readonly work: Work
  readonly walks: readonly Walk[]
  readonly mark: LastMark
  /** What was set while the app ran. */
  readonly settings?: readonly Setting[]
}

/** Whether there is anything to do. */
export interface Work {
  /** Batches in the outbox that should be gone. */
  readonly outbox: boolean
  readonly undispatched: boolean
  readonly overdue: boolean
  readonly expired: boolean
  /** Workers that live, or went a moment ago. */
  readonly workers: boolean
  /** The store's server was started anew a while ago, and nobody has seen to what that may have cost. */
  readonly restarted: boolean
  /** Jobs that have not ended. */
  readonly open: boolean
  /** Moves that were not added up. */
  readonly moves: boolean
  /** Actions on many jobs whose runner has died. */
  readonly operations: boolean
}

/** What the broker should hold. */
export interface LastMark {
  readonly installation: string
  /** 0 before the first. */
  readonly mark: number
  readonly instance: string | null
  /** The database's time, in milliseconds. */
  readonly now: number
}

/** Where a walk through the open jobs stands. */
export interface Cursor {
  readonly queue: string
  readonly jobId: string
}

export interface Scan {
  readonly after: Cursor
  /** Of this queue only. */
  readonly within?: string
  /** Handed over since then, in milliseconds; all when `null`. */
  readonly since: number | null
  /** Jobs to look at. */
  readonly limit: number
}

export interface Scanned {
  readonly deliveries: readonly Redelivery[]
  /** `undefined` when no jobs are left. */
  readonly next: Cursor | undefined
}

/** `repair` sends again what the broker lost; `net` is the slow one that looks at everything, in case. */
export type WalkName = 'repair' | 'net'

export interface NewWalk {
  readonly name: WalkName
  readonly since: number | null
  readonly cursor: Cursor
}

export interface Walk extends NewWalk {
  /** Raised by each move. */
  readonly step: number
}

/** A task that has finished jobs. */
export interface FinishedTask {
  readonly task: string
  /** Whether a worker of the last days knew it. */
  readonly isServed: boolean
}

/** Where a finished job stands among those of its task. */
export interface Place {
  /** As the database says it. */
  readonly finishedAt: string
  readonly jobId: string
}

/** The finished job of a task that so many newer ones follow, of those between two places. */
export interface NthFinished {
  readonly task: string
  readonly newer: number
  readonly before?: Place
  readonly after?: Place
}

/** Which finished jobs of a task go. */
export interface PruneRule {
  readonly task: string
  /** How far pruning has come is remembered under this name. */
  readonly rule: string
  readonly states: readonly EndState[]
  /** Those that ended longer ago than this, or up to this one. */
  readonly upTo: { readonly ageMs: number } | Place
}

export interface Pruned {
  readonly deleted: number
  /** `false` when there may be more of them. */
  readonly isDone: boolean
}

/** A line to be kept. Its texts are plain, and capped. */
export interface NewLogLine {
  readonly jobId: string
  readonly delivery: number
  readonly workerId: string
  /** Rises within the job, from attempt to attempt. */
  readonly number: number
  readonly attempt: number
  readonly level: JobLogLevel
  readonly message: string
  /** JSON text. */
  readonly details: string | null
  /** How long ago it was logged. */
  readonly agoMs: number
}

export interface KeptLine extends JobLogLine {
  readonly number: number
}

/** What somebody who watches a job has seen of it. */
export interface Look {
  readonly jobId: string
  /** The number of the last line. */
  readonly after: number
  /** Of the row; `null` before the first look. */
  readonly version: string | null
}

export interface Sight {
  /** There is no such job, or not any more. */
  readonly isGone: boolean
  /** Absent when the row is as it was. The job's payload is left out. */
  readonly changed?: { readonly version: string; readonly job: Job }
  readonly lines: readonly KeptLine[]
  /** There may be more lines than these. */
  readonly hasMore: boolean
}

export interface DeliveryKey {
  readonly jobId: string
  readonly number: number
}

/** A claim as its worker knows it. */
export interface Claim extends DeliveryKey {
  readonly attempt: number
}

/** A row to be written. Values are resolved and valid; JSON is text. */
export interface NewJob {
  readonly id: string
  readonly task: string
  readonly queue: string
  readonly payload: string
  readonly options: string | null
  readonly priority: number
  readonly maxAttempts: number
  readonly owner: string | null
  readonly tags: readonly string[]
  readonly idempotencyKey: string | null
  readonly parentId: string | null
  readonly requestId: string | null
  readonly traceparent: string | null
  /** JSON text of a {@link JobContext}. */
  readonly context: string | null
  /** Of a job with limits: its key, or empty. */
  readonly limitKey: string | null
  /** Of a job that its task keeps unique. Rows of one call are all of them unique, or none. */
  readonly unique: UniqueClaim | null
  /** Not together with `runAt`. */
  readonly delayMs: number | null
  readonly runAt: Date | null
  readonly expiresInMs: number | null
}

export interface InsertedJob {
  readonly id: string
  /** `false`: the idempotency key, or the key that its task keeps unique, led to a row that was there before. */
  readonly created: boolean
  readonly state: JobState
  /** Milliseconds until it is due; 0 when it is. */
  readonly dueInMs: number
  readonly createdAt: Date
  /** The row's payload, where the idempotency key led there. */
  readonly payload?: string | null
  /** The idempotency key is known to have come with another payload. */
  readonly conflicts?: boolean
}

/** What a job is one of its kind by, among the jobs of its owner. */
export type UniqueClaim = { readonly key: string } & UniqueRule

/** What a worker needs to run an attempt. */
export interface ClaimedJob {
  readonly id: string
  readonly number: number
  readonly task: string
  readonly queue: string
  readonly payload: string
  readonly options: JobOptions
  readonly attempt: number
  readonly maxAttempts: number
  readonly failures: number
  /** Workers that its attempts were lost with. */
  readonly lost: number
  readonly owner: string | null
  readonly requestId: string | null
  readonly traceparent: string | null
  readonly context: JobContext | null
  readonly parentId: string | null
  readonly limitKey: string | null
  readonly cancelRequested: boolean
}

/** Why a delivery was not claimed, and so what to do with it. */
export type ClaimRefusal =
  /** The row is gone, has ended, runs elsewhere, or has a newer delivery: drop it. */
  | { readonly reason: 'stale' }
  /** Its time has not come: send it again for the remainder. */
  | { readonly reason: 'early'; readonly redelivery: Redelivery }
  /** It waited too long: it must end `expired`. */
  | { readonly reason: 'expired' }
  /** It has limits, and waits for its turn in the store from now on: drop it. */
  | { readonly reason: 'limited' }
  /** It could be claimed after all. */
  | { readonly reason: 'claimable' }

/** How an attempt ended. */
export type Settlement = {
  readonly jobId: string
  readonly number: number
  readonly workerId: string
  readonly attempt: number
  /** The row goes with its end. */
  readonly drop?: boolean
} & (
  | {
      readonly state: 'succeeded'
      readonly result: string | null
      readonly resultError: string | null
      /** What the row's payload becomes, where it has fields that nobody is to see. */
      readonly payload?: string
    }
  | { readonly state: 'failed'; readonly error: StoredError }
  | { readonly state: 'cancelled'; readonly error: StoredError | null }
  | { readonly state: 'retrying'; readonly error: StoredError; readonly retryInMs: number }
  /** It goes to `retrying`, and nothing is held against it. */
  | { readonly state: 'snoozed'; readonly reason: string | null; readonly retryInMs: number }
)

/** `settled: false`: the attempt had lost its fence, and nothing was written. */
export interface Settled {
  readonly settled: boolean
  /** The next delivery of a job that will be tried again. */
  readonly redelivery?: Redelivery
}

/** A payload that takes the place of a job's own. */
export interface EditedPayload {
  /** JSON text. */
  readonly text: string
  /** Of a job with limits: its key, or empty. */
  readonly limitKey: string | null
  /** What the job was one of its kind by, and is not any more. */
  readonly freedKey: string | null
}

/** A delivery that must be sent, as the row has it. */
export interface Redelivery extends DeliveryKey {
  readonly task: string
  readonly queue: string
  readonly priority: number
  readonly dueInMs: number
  /** It is due and has limits: it waits for its turn in the store, and nothing is sent. */
  readonly isLimited?: boolean
}

/** A worker that asks for jobs with limits. */
export interface Applicant {
  readonly workerId: string
  /** Those that it may start jobs of, in the order in which they are served. */
  readonly queues: readonly string[]
  /** How many it can start at once. */
  readonly places: number
  /** `undefined`: the worker does not know the task. By the task's name or an alias. */
  limitsOf(task: string): AdmittedTask | undefined
  limitOf(queue: string): Limit | undefined
}

/** A task that waits for admission. */
export interface AdmittedTask {
  /** Its name and its aliases: they share one limit. */
  readonly names: readonly [name: string, ...aliases: string[]]
  readonly limits: TaskLimits
}

export interface Admitted {
  readonly jobs: readonly ClaimedJob[]
  /** Whether jobs wait that this worker could run. */
  readonly isWaiting: boolean
  /** Somebody else was quicker, or there is more to look at: ask again. */
  readonly isUnfinished: boolean
  /** When the next may start, by its rate; `null`: not by time. */
  readonly nextInMs: number | null
  /** Tasks of which nothing starts before that time, whatever comes. */
  readonly paced: readonly { readonly task: string; readonly queue: string; readonly inMs: number }[]
  /** Jobs that had waited too long, and ended. */
  readonly expired: readonly string[]
}

export interface TurnNews {
  readonly queue: string
  readonly task: string
}

export interface LimitedClaim extends DeliveryKey {
  readonly limitKey: string
}

export interface LimitedCount {
  readonly task: string
  readonly queue: string
  readonly waiting: number
  readonly running: number
}

/** What a list can hold. `delayed` are scheduled and retrying jobs, `unsuccessful` all ends but `succeeded`. */
export type ListedJobs = 'running' | 'queued' | 'delayed' | 'succeeded' | 'unsuccessful' | 'failed'

export interface JobListing {
  readonly queue: string
  readonly jobs: ListedJobs
  readonly limit: number
  readonly offset: number
}

export interface QueueCount {
  readonly queue: string
  readonly state: JobState
  readonly count: number
}

/** What is to be known of a queue, and no more is looked at than that takes. */
export interface LoadQuestion {
  readonly queue: string
  /** How many jobs that are due are counted at most. */
  readonly waiting: number
  /** Owners with so many jobs are named; none where it is `null`. */
  readonly share: number | null
  /** These are named too, if they have any. */
  readonly owners: readonly string[]
}

export interface QueueLoad {
  readonly queue: string
  /** Jobs that are due and wait for a worker. */
  readonly waiting: number
  /** How long the oldest of them has been due; `null` when there is none. */
  readonly ageMs: number | null
  /** Owners and how many jobs of theirs wait, due or not. */
  readonly owners: readonly (readonly [owner: string, jobs: number])[]
}

export interface LostWork {
  readonly workers: readonly { readonly id: string; readonly name: string }[]
  readonly redeliveries: readonly Redelivery[]
  /** Jobs that took down too many workers, and have failed. */
  readonly failed: readonly string[]
  /** Jobs that were asked to stop, and have ended so. */
  readonly cancelled: readonly string[]
}

export type * from './change-store.js'
export type * from './control-store.js'
export type { ErrorHead } from './error-head.js'
export type * from './fact-store.js'
export type * from './operation-store.js'
export type * from './search-store.js'
export type * from './stat-store.js'
export type * from './worker-load.js'
export type { EndState, KeyPlace, PrunedKeys }
