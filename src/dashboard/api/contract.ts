import type { Answer as WorkersAnswer } from '../../control/door.js'
import type { ClusterProblem, ClusterStatus } from '../../control/status.js'
import type { ActiveJob, WorkerStats } from '../../control/verbs.js'
import type { JobLogLevel } from '../../job/event.js'
import type { BulkAction, BulkOutcome, JobFilter, MatchCount, SortOrder } from '../../job/filter.js'
import type { Job } from '../../job/job.js'
import type { JobState } from '../../job/state.js'

/**
 * The whole management API: what each address takes and answers. Handlers are held to it by their types, pages ask by
 * it, and its description for others (OpenAPI) is made of it, with these comments. Dates are ISO 8601 in UTC.
 *
 * `params` stand in the path, `query` behind it, `body` is JSON. What is left out takes none.
 */
export interface Api {
  /** Who asks, and what he may do. */
  'GET /me': { answer: Me }
  /** This API, described by OpenAPI 3.1. */
  'GET /openapi.json': { answer: Record<string, unknown> }
  /** How everything is, and what needs somebody, the most urgent first: what `celeriac status` says, and which tasks began to fail. */
  'GET /status': { answer: ClusterStatus }
  /**
   * Server-Sent Events of what stands at addresses of this API (`watch=/queues?range=1h`, URL-encoded, at most 20): `data`
   * at first and whenever it has changed, `problem` where it cannot be had. The events are in {@link LiveEvent}.
   */
  'GET /live': { query: { watch?: string[] }; answer: LiveEvent }
  /** How everything is, and was: what needs attention, counts, rates, a chart, queues and workers. */
  'GET /overview': { query: { range?: Range }; answer: Overview }
  /** The tasks that this process, or a worker, knows, with rates of the range. */
  'GET /tasks': { query: { range?: Range }; answer: { range: Range; tasks: TaskSummary[]; total: number } }
  /** A task: its schema and options, its limits, its rates and its chart. */
  'GET /tasks/:name': { params: { name: string }; query: { range?: Range }; answer: TaskPage }
  /** The failures of a task in the range, grouped by error. */
  'GET /tasks/:name/errors': { params: { name: string }; query: { range?: Range }; answer: TaskErrors }
  /** Enqueues a job by hand. With `wait`, answers its end if that comes within so many seconds, at most 25. */
  'POST /tasks/:name/enqueue': {
    params: { name: string }
    query: { wait?: number }
    body: EnqueueBody
    answer: { id: string; created: boolean; job: Job | null }
  }
  /** Every queue, with what waits and who serves it, and rates of the range. */
  'GET /queues': { query: { range?: Range }; answer: { range: Range; queues: QueueSummary[]; total: number } }
  /** A queue over time. */
  'GET /queues/:name': { params: { name: string }; query: { range?: Range }; answer: QueuePage }
  /** Every worker that the store remembers: live ones first, then those that went. */
  'GET /workers': { query: { state?: WorkerState }; answer: { workers: WorkerSummary[]; total: number } }
  /** A worker by id or name; of those of one name, the one that lives, else the last. */
  'GET /workers/:id': { params: { id: string }; query: { range?: Range }; answer: WorkerPage }
  /** Broker and store: versions, memory, connections, sizes, dispatch lag, and what maintenance has repaired. */
  'GET /system': { answer: SystemPage }
  /** Asks workers: `ping`, `active`, `reserved`, `registered`, `stats`, `queues`, `conf`, `report`. */
  'GET /inspect/:question': {
    params: { question: string }
    query: { workers?: string[]; deadline?: string }
    answer: WorkersAnswer<unknown>
  }
  /** Tells workers, or all, what to do. The body has the verb's arguments; see docs/management-api.md. */
  'POST /control/:verb': {
    params: { verb: string }
    body: Record<string, unknown>
    answer: WorkersAnswer<unknown>
  }
  /**
   * The audit: who did what, when, from where, to how many. Newest first. Questions to workers, which change nothing, are
   * there where their `verb` is asked for.
   */
  'GET /commands': {
    query: { limit?: number; before?: string; verb?: string; by?: string; from?: string; since?: string }
    answer: { commands: AuditLine[]; next: string | null }
  }
  /** One line of the audit: what each worker replied; of an action on many jobs, how far it has come. */
  'GET /commands/:id': { params: { id: string }; answer: AuditPage }
  /** Asks an action on many jobs to stop after the batch that is under way. */
  'POST /commands/:id/stop': { params: { id: string }; answer: AuditLine }
  /** Goes on with an action that was stopped. Takes the right to begin it as well. */
  'POST /commands/:id/resume': { params: { id: string }; answer: AuditLine }
  /** A page of the jobs that match. All that is said must hold; of what is named several times, one. */
  'GET /jobs': { query: JobsListQuery; answer: JobsPage }
  /** How many match, up to `most` (10,000), as far as two seconds tell. */
  'GET /job-count': { query: JobCountQuery; answer: MatchCount }
  /** All that match, as they are read: CSV, or JSON Lines. The answer is no JSON. */
  'GET /job-export': { query: JobExportQuery; answer: string }
  /** Names that filters may take: for suggestions. */
  'GET /vocabulary': { answer: Vocabulary }
  /** Everything that is known of a job. Hidden fields stay hidden. */
  'GET /jobs/:id': { params: { id: string }; answer: JobPage }
  /** The bare result of a job that has succeeded. Waits for its end for `wait` seconds, at most 25. */
  'GET /jobs/:id/result': {
    params: { id: string }
    query: { wait?: number }
    answer: { state: JobState; result?: unknown; error?: { name: string; message: string } }
  }
  /**
   * Lines that its attempts have logged: the last ones, the last ones before the one with this number, or those after
   * one. `hasMore` tells of lines that are still farther away.
   */
  'GET /jobs/:id/logs': {
    params: { id: string }
    query: { after?: number; before?: number; limit?: number }
    answer: { lines: LogLine[]; hasMore: boolean }
  }
  /** Begins an ended job anew, with another payload if the body has one. It must pass the task's schema. */
  'POST /jobs/:id/retry': { params: { id: string }; body: { payload?: unknown }; answer: { id: string } }
  /** The job with the fields that its task hides, as far as they are kept. It is noted who saw them. */
  'POST /jobs/:id/reveal': { params: { id: string }; answer: RevealedJob }
  /**
   * Does the same to many jobs: `cancel`, `retry`, `delete`, `promote` (run now) or `move`. Answers when it is done, or
   * after two seconds: it goes on, and `GET /commands/:id` says how far it has come.
   */
  'POST /jobs/:action': { params: { action: BulkAction }; body: ActBody; answer: AuditLine }
}

/** `METHOD /path`, below the API's address. */
export type RouteName = keyof Api
type Part<Name extends RouteName, Key extends string, Else> =
  Api[Name] extends Record<Key, infer Value> ? Value : Else
export type ParamsOf<Name extends RouteName> = Part<Name, 'params', Record<never, string>>
export type QueryOf<Name extends RouteName> = Part<Name, 'query', Record<never, string>>
export type BodyOf<Name extends RouteName> = Part<Name, 'body', undefined>
export type AnswerOf<Name extends RouteName> = Api[Name]['answer']

export interface Me {
  /** As `authorize` has it. */
  readonly name: string | null
  readonly role: string | null
  /** What he may do. */
  readonly actions: readonly string[]
  /** Of Celeriac. */
  readonly version: string
  /** Whether this is the stand-alone server, where one can log out. */
  readonly canLogOut: boolean
  /** Where a trace is shown, with `{traceId}` in it, as the option `dashboard.traceUrl` has it. */
  readonly traceUrl: string | null
  /** Where the public endpoint of a job is, with `{id}` in it; relative to the dashboard. */
  readonly statusUrl: string | null
}

/** The data of an event: `body` of the event `data`, `problem` of the event `problem`. */
export interface LiveEvent {
  /** The address, as it was given. */
  readonly watch: string
  /** What a GET of the address answers. */
  readonly body?: unknown
  readonly problem?: { readonly status: number; readonly code: string; readonly detail: string }
}

/** How far back charts and rates look. */
export type Range = '15m' | '1h' | '6h' | '24h' | '7d' | '30d'

/**
 * Milliseconds. Durations are counted between bounds from 1 ms to a day, each at most 2.5 times the one before, and a
 * percentile is as coarse as they are; it is never below the shortest or beyond the longest duration.
 */
export interface Percentiles {
  /** `null`: nothing was measured. */
  readonly p50Ms: number | null
  readonly p95Ms: number | null
  readonly p99Ms: number | null
}

/** What happened in a range. */
export interface Rates {
  readonly enqueued: number
  /** Attempts that began. */
  readonly started: number
  readonly succeeded: number
  /** Jobs that have failed: none of their attempts follows. */
  readonly failed: number
  readonly cancelled: number
  readonly expired: number
  /** Failed attempts that another follows. */
  readonly retried: number
  /**
   * Of the attempts that succeeded or failed, those that failed, whether or not another follows: `failed` and `retried`. 0 to
   * 1; `null`: there was none.
   */
  readonly failureRate: number | null
  /** From when a job was due to its start. */
  readonly wait: Percentiles
  /** Of attempts. */
  readonly run: Percentiles
}

/** A chart's lines: a number for each step, from `from` on. */
export interface Series {
  readonly from: Date
  readonly stepMs: number
  readonly enqueued: readonly number[]
  readonly started: readonly number[]
  readonly succeeded: readonly number[]
  readonly failed: readonly number[]
  readonly retried: readonly number[]
  readonly cancelled: readonly number[]
  readonly expired: readonly number[]
  /** Jobs that were queued at the end of the step. */
  readonly waiting: readonly number[]
  /** Scheduled or retrying. */
  readonly delayed: readonly number[]
  readonly running: readonly number[]
  readonly waitP50Ms: readonly (number | null)[]
  readonly waitP95Ms: readonly (number | null)[]
  readonly runP50Ms: readonly (number | null)[]
  readonly runP95Ms: readonly (number | null)[]
}

export type StateCounts = Readonly<Record<JobState, number>>

export interface Overview {
  readonly range: Range
  /** The database's time. */
  readonly now: Date
  readonly status: ClusterStatus['status']
  /** The most urgent first. Empty when all is well. */
  readonly attention: readonly ClusterProblem[]
  /** Of all jobs in the store. */
  readonly states: StateCounts
  readonly rates: Rates
  readonly series: Series
  readonly queues: readonly QueueSummary[]
  /** Those that live, and those that were lost lately. */
  readonly workers: readonly WorkerSummary[]
}

/** Limits that hold now. */
export interface LimitSummary extends LimitFigures {
  /** Of each of a task's keys. */
  readonly perKey: LimitFigures
  /** What the code says: it holds again when what was set is taken back. */
  readonly code: LimitFigures
  /** Somebody has set one of them while the app ran. */
  readonly set: WhoSet | null
}

export interface LimitFigures {
  /** As `'10/s'`; `null`: none. */
  readonly rateLimit: string | null
  readonly concurrency: number | null
}

/** Who set something while the app ran, and when. */
export interface WhoSet {
  readonly by: string | null
  readonly at: Date
}

/** Milliseconds; `null`: no limit. */
export interface TimeLimits {
  readonly softMs: number | null
  readonly hardMs: number | null
}

export interface TaskSummary {
  readonly name: string
  readonly queue: string | null
  /** Whether this process has its code. */
  readonly isKnownHere: boolean
  /** Names of live workers that run it: they have its code, and serve its queue at this moment. */
  readonly workers: readonly string[]
  /** Jobs that have not ended. */
  readonly open: number
  readonly rates: Rates
}

export interface TaskPage extends TaskSummary {
  readonly range: Range
  readonly aliases: readonly string[]
  readonly source: string | null
  readonly priority: number
  readonly attempts: number
  /** How long it waits before the next attempt; `null`: only its code, which is not here, can tell. */
  readonly backoff: Backoff | null
  readonly timeLimit: TimeLimits & {
    /** What the code says: it holds again when what was set is taken back. */
    readonly code: TimeLimits
    /** Somebody has set it while the app ran. */
    readonly set: WhoSet | null
  }
  readonly expiresInMs: number | null
  readonly pool: string | null
  readonly unique: string | null
  readonly redact: readonly string[]
  readonly limits: LimitSummary
  /** How long its finished jobs are kept, by state, in milliseconds; `null`: for ever. */
  readonly retention: Readonly<Record<string, number | null>>
  readonly schema: {
    /** JSON Schema; `null`: the library gives none, or the code is not here. */
    readonly jsonSchema: Readonly<Record<string, unknown>> | null
    readonly library: string | null
    /** Why there is none. */
    readonly note: string | null
    /** A small payload of this shape. */
    readonly example: unknown
  }
  readonly states: StateCounts
  readonly series: Series
}

export interface Backoff {
  /** `function`: the app's own code decides each time. */
  readonly type: 'fixed' | 'exponential' | 'list' | 'function'
  /** The first of `exponential`, each of a list. Empty where a function decides. */
  readonly delaysMs: readonly number[]
  readonly maxMs: number
  /** 0 to 1: the part of the wait that is random. */
  readonly jitter: number
}

export interface TaskErrors {
  readonly groups: readonly ErrorGroup[]
  /** Jobs that were looked at: those that have failed, and those that have failed and are retried. */
  readonly looked: number
  /** There are more than were looked at. */
  readonly isCut: boolean
  readonly lookedTo: Date | null
}

export interface ErrorGroup {
  readonly name: string
  /** With numbers, ids and quoted texts taken out. */
  readonly message: string
  /** Jobs that have failed so, or wait for their next attempt after it. */
  readonly count: number
  /** Those of them that wait for their next attempt. */
  readonly retrying: number
  /** When the last of them failed; of one that is retried, when that attempt began. */
  readonly lastAt: Date
  /** The last of them. */
  readonly jobId: string
}

export interface QueueSummary {
  readonly name: string
  /** Jobs that are queued. */
  readonly waiting: number
  readonly running: number
  /** Scheduled or retrying. */
  readonly delayed: number
  /** How long the oldest job that is due has waited; `null`: none is due. */
  readonly oldestMs: number | null
  readonly isPaused: boolean
  /** Names of live workers. */
  readonly servedBy: readonly string[]
  readonly limits: LimitSummary
  readonly rates: Rates
}

export interface QueuePage extends QueueSummary {
  readonly range: Range
  /** Who paused it; `null`: nobody. */
  readonly paused: WhoSet | null
  readonly states: StateCounts
  /** Its tasks, those with the most open jobs first. */
  readonly tasks: readonly { readonly name: string; readonly open: number }[]
  readonly series: Series
}

/** `hanging`: it renews its lease, and its event loop stands still. `silent`: it does not renew. */
export type WorkerState = 'ok' | 'unwell' | 'hanging' | 'silent' | 'lost' | 'stopped'

export interface WorkerSummary {
  readonly id: string
  readonly name: string
  readonly host: string
  readonly pid: number
  readonly state: WorkerState
  readonly queues: readonly string[]
  readonly concurrency: number
  readonly pool: string
  /** `null`: it has not said yet. */
  readonly stats: WorkerStats | null
  readonly startedAt: Date
  readonly seenAt: Date
  readonly endedAt: Date | null
}

export interface WorkerPage extends WorkerSummary {
  readonly range: Range
  /** Of Celeriac. */
  readonly version: string
  readonly nodeVersion: string
  readonly appVersion: string | null
  readonly tasks: readonly string[]
  readonly config: Readonly<Record<string, unknown>>
  /** What runs on it, by the store; the oldest first, at most 100. */
  readonly active: readonly Pick<ActiveJob, 'id' | 'task' | 'queue' | 'attempt' | 'runningMs'>[]
  readonly series: WorkerSeries
}

/** What a worker said of itself, the highest of each step; `null`: nothing. */
export interface WorkerSeries {
  readonly from: Date
  readonly stepMs: number
  readonly running: readonly (number | null)[]
  readonly concurrency: readonly (number | null)[]
  readonly memory: readonly (number | null)[]
  readonly loopDelayMs: readonly (number | null)[]
  readonly cpu: readonly (number | null)[]
  /** Attempts that ended. */
  readonly processed: readonly (number | null)[]
}

export interface SystemPage {
  readonly broker: ServerPage
  readonly store: ServerPage
  readonly tables: readonly TableSize[]
  /** How long the oldest batch of jobs has been committed that the broker is not known to have. `null`: the store does not answer. */
  readonly dispatchLagMs: number | null
  readonly passes: readonly PassPage[]
}

/** A pass of maintenance. */
export interface PassPage {
  readonly name: string
  /** When a process last looked what there is to do. */
  readonly ranAt: Date
  /** Nobody has looked for much longer than is usual. */
  readonly isOverdue: boolean
  /** Jobs, so far. */
  readonly repaired: number
}

/** A server as it is seen from here. */
export interface ServerPage {
  readonly kind: string
  readonly address: string
  readonly health: 'up' | 'down'
  readonly version: string | null
  /** What there is to know, in the order in which it is shown. */
  readonly facts: readonly Fact[]
}

export interface Fact {
  readonly name: string
  readonly value: number | string | boolean | null
  /** `moment`: ISO 8601 in UTC. */
  readonly unit: 'bytes' | 'ms' | 'count' | 'part' | 'text' | 'moment'
  /** The most that it may be, in the same unit, where there is a limit. */
  readonly most?: number
  /** What is wrong with it, and what to do. */
  readonly warning?: string
}

export interface TableSize {
  readonly name: string
  readonly rows: number
  readonly deadRows: number
  readonly bytes: number
  readonly indexBytes: number
  /** The largest first. */
  readonly indexes: readonly { readonly name: string; readonly bytes: number }[]
  /** By the server itself or by hand; `null`: never. */
  readonly vacuumedAt: Date | null
}

export interface AuditLine {
  readonly id: string
  readonly verb: string
  readonly args: unknown
  /** Who, as `authorize` has it. */
  readonly by: string | null
  /** `code`, `cli` or `http`, and where from. */
  readonly from: string
  readonly at: Date
  /** To how many jobs or workers; `null`: it is no such thing. */
  readonly affected: number | null
  /** The first workers, up to three, that it was asked of. */
  readonly asked: readonly { readonly id: string; readonly name: string | null }[]
  /** Of an action on many jobs. */
  readonly operation: Operation | null
  /** What came of it otherwise. */
  readonly outcome: unknown
}

export interface AuditPage extends AuditLine {
  /** The workers that were asked, and what each said. */
  readonly workers: readonly AskedOne[]
}

export interface AskedOne {
  readonly id: string
  /** `null`: the store has forgotten it. */
  readonly name: string | null
  /** `asked`: it may reply yet. `silent`: it did not within the deadline, and does nothing any more. */
  readonly came: 'replied' | 'refused' | 'silent' | 'asked'
  /** What it replied, or why it refused. */
  readonly value: unknown
  readonly at: Date | null
}

export interface Operation {
  /** `interrupted`: its process has been silent for 10 s; another goes on with it, or `resume` does. */
  readonly state: 'running' | 'stopped' | 'done' | 'interrupted' | 'failed'
  /** Jobs so far, whatever came of them. */
  readonly done: number
  /** How many there are, as far as a count tells. */
  readonly matched: number
  /** There are more than `matched`, or may be. */
  readonly isMore: boolean
  readonly counts: Readonly<Partial<Record<BulkOutcome, number>>>
  /** Jobs a second, lately; `null`: it has not moved yet. */
  readonly rate: number | null
  readonly movedAt: Date
  readonly endedAt: Date | null
  readonly stoppedBy: string | null
  /** Why it could not go on. */
  readonly error: string | null
}

/** Of which jobs, in an address. Lists by commas, or named several times. All that is said must hold. */
export interface JobsQuery {
  /** As people write it: `state:failed task:mail.* "timed out"`. See docs/query.md. */
  query?: string
  /** Whole ids. */
  id?: string[]
  state?: JobState[]
  /** Also by the names that a task had before. */
  task?: string[]
  queue?: string[]
  /** Names or ids of those that run the job, or ran it last. */
  worker?: string[]
  owner?: string[]
  /** Jobs that carry one of these. */
  tag?: string[]
  /** Children of this job. */
  parent?: string
  /** ISO time, or so long ago: `1h`. */
  createdAfter?: string
  /** ISO time, or so long ago: `1h`. */
  createdBefore?: string
  /** Of the current or last attempt: ISO time, or so long ago. */
  startedAfter?: string
  /** Of the current or last attempt: ISO time, or so long ago. */
  startedBefore?: string
  /** Of ended jobs alone: ISO time, or so long ago. */
  finishedAfter?: string
  /** Of ended jobs alone: ISO time, or so long ago. */
  finishedBefore?: string
  /** The current or last attempt has taken so long: `30s`. */
  minDuration?: string
  /** The current or last attempt has taken no longer: `30s`. */
  maxDuration?: string
  /** Starts so far, at least. */
  minAttempts?: number
  /** The class of the last error: `TypeError`. */
  errorName?: string
  /** Text of the last error: class, code, message or stack, in any case of letters. */
  error?: string
  /** Text in payload, result or error, in any case of letters. Where something is hidden, nobody looks. */
  text?: string
}

/** Which page of them. */
export interface JobsListQuery extends JobsQuery {
  /** 1 to 1000. Default 50. */
  limit?: number
  /** Where the page before ended. */
  cursor?: string
  /** By creation, or by end where only ended jobs are meant. Default `newest`. */
  sort?: SortOrder
  /** `short`: payload, result and progress as JSON text of at most 200 characters, errors without stacks. Default `full`. */
  values?: 'full' | 'short'
}

export interface JobCountQuery extends JobsQuery {
  /** Where the count ends. Default 10,000. */
  most?: number
}

export interface JobExportQuery extends JobsQuery {
  /** Default `csv`. */
  format?: 'csv' | 'jsonl'
  /** Names by commas, as `id,task,state,payload`. Default: what most tables need. */
  columns?: string
}

export interface JobsPage {
  readonly jobs: readonly JobRow[]
  /** For the next page; `null`: there is none. */
  readonly cursor: string | null
  /** The time for a search (2 s) was over before the page was full. */
  readonly isCut: boolean
  /** How far it looked: everything up to this moment. `null`: at all of it. */
  readonly lookedTo: Date | null
  /** From when on it looked, where a search for text was bounded without a word of time. */
  readonly since: Date | null
  /** How many match, where counters say it at once (by state, task and queue alone); else `null`: ask `/job-count`. */
  readonly total: number | null
  /** Jobs of these tasks and queues, by state, whatever else is asked. */
  readonly states: StateCounts
}

export interface JobRow extends Job {
  readonly workerName: string | null
}

export interface JobPage {
  readonly job: JobRow
  /** Whether it waits and no live worker serves its queue. */
  readonly waitingFor: 'worker' | null
  /** Workers of all its attempts, by id. */
  readonly workers: Readonly<Record<string, string>>
  readonly parent: Relative | null
  /** The first 100. */
  readonly children: readonly Relative[]
  readonly hasMoreChildren: boolean
  /** Fields are hidden, and some may see them. */
  readonly isRedacted: boolean
}

export interface RevealedJob extends Job {
  /** It has succeeded, so the fields that its task hides were removed, and cannot be shown. */
  readonly isRemoved: boolean
}

export interface Relative {
  readonly id: string
  readonly task: string
  readonly state: JobState
}

export interface LogLine {
  readonly number: number
  readonly attempt: number
  readonly level: JobLogLevel
  readonly message: string
  readonly details?: unknown
  readonly at: string
}

export interface Vocabulary {
  readonly tasks: readonly string[]
  readonly queues: readonly string[]
  readonly workers: readonly string[]
  readonly tags: readonly string[]
  readonly owners: readonly string[]
  readonly errors: readonly string[]
}

/** What may be said of a job that is enqueued by hand. */
export interface EnqueueBody {
  payload?: unknown
  /** Milliseconds, or `'10s'`. */
  delay?: number | string
  runAt?: string
  expiresIn?: number | string
  queue?: string
  priority?: number
  attempts?: number
  timeLimit?: number | string
  tags?: string[]
  owner?: string | null
  /**
   * The id of a job of the task: hidden fields of the payload that say `[redacted]` get the values that it has. Takes
   * `job.edit` as well.
   */
  copyOf?: string
}

/** Which jobs: `ids` or `filter`, and what the action needs. */
export interface ActBody {
  ids?: string[]
  filter?: JobFilter
  /** Of `cancel`. */
  reason?: string
  /** Of `move`. */
  queue?: string
  priority?: number
}
