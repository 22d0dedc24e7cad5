/**
 * What a run of the fault suite leaves behind, and all that the checker reads.
 *
 * A history has five parts. The clients and the nemesis write theirs as JSON Lines, one event a line, in the order in
 * which things happened to them. The tasks write theirs into a table of the test's own. The rows are read once, after
 * the run. `read.ts` loads all of it; `check.ts` judges it.
 *
 * Times are milliseconds since 1970. Those of effects and rows are the database's: `clock_timestamp()`, never a
 * worker's clock. The clients and the nemesis run on the database's machine, so that theirs can be compared with them.
 */
export interface History {
  readonly client: Iterable<ClientEvent>
  readonly effects: Iterable<Effect>
  readonly faults: Iterable<Fault>
  readonly jobs: Iterable<JobRow>
  readonly workers: Iterable<WorkerRow>
}

/**
 * What a client asked and saw. A `key` names one wish of one client: it is the `Idempotency-Key`, it stands in the
 * payload as `key`, and it stays the same when the client asks again. All events of one id must be in order, so one
 * poller reads one job.
 */
export type ClientEvent =
  /** Written before each request, so that a wish is known even when its client dies. */
  | ({ readonly at: number; readonly kind: 'asked'; readonly key: string; readonly task: string } & Wish)
  /** 202, or the commit of a transaction that had enqueued. */
  | ({ readonly at: number; readonly kind: 'accepted'; readonly key: string; readonly id: string } & Timed)
  /** 4xx: it must never run, unless the same key was accepted at another time. */
  | ({ readonly at: number; readonly kind: 'refused'; readonly key: string; readonly status: number } & Timed)
  /** 503, a timeout, a reset: there may be a job or not. No status: there was no answer. */
  | ({ readonly at: number; readonly kind: 'unsure'; readonly key: string; readonly status?: number } & Timed)
  /** The caller's transaction was rolled back: `id` must never have been a job. */
  | { readonly at: number; readonly kind: 'rolledback'; readonly key: string; readonly id: string }
  /** A status as read over HTTP. `missing` is a 404. */
  | ({
      readonly at: number
      readonly kind: 'seen'
      readonly id: string
      readonly state: JobState | 'missing'
    } & Timed)
  /** What a request to cancel was answered. */
  | { readonly at: number; readonly kind: 'cancelled'; readonly id: string; readonly answer: CancelAnswer }
  /** An operator had the ended job begin anew. Written before the request. */
  | { readonly at: number; readonly kind: 'retried'; readonly id: string }

/** How long the answer took, from the first byte sent. */
interface Timed {
  readonly tookMs?: number
}

/** What the workload knows of the job that it asks for. */
export interface Wish {
  /** The ends that it may reach. Default: any. */
  readonly ends?: readonly EndState[]
  /** Its task commits its effect together with its end, so that there is one `commit` for each success. */
  readonly once?: true
  /** Its task returns something else than its {@link Signature}. */
  readonly unsigned?: true
  /** It is due after the run, so it need not have ended. */
  readonly later?: true
}

/**
 * What a task did. `start` is its first act; `finish` its last before it returns or throws (`ok`); `commit` stands in
 * the transaction that ends the job, for tasks whose effect is exactly once. The others commit at once.
 */
export interface Effect {
  readonly at: number
  readonly kind: 'start' | 'finish' | 'commit'
  readonly id: string
  /** As the handler's context says. */
  readonly attempt: number
  /** Of the handler's process. */
  readonly pid: number
  /** From the payload. */
  readonly key: string | null
  /** Of a `finish`: `false` when the handler threw. */
  readonly ok: boolean | null
}

/** What a task returns, unless its wish says `unsigned`, so that a row's result tells whose it is. */
export interface Signature {
  readonly attempt: number
  readonly pid: number
}

/**
 * Something that was done to the system. Every death and stop of a process counts, whoever caused it: a poison task
 * that takes its worker along is a `kill` of that worker, for the sake of what else ran there.
 */
export interface Fault {
  readonly at: number
  /** When it was over: the server up again, the process continued or gone, the connection healed. Default: at once. */
  readonly until?: number
  /**
   * `kill` ends at once (SIGKILL, `-m immediate`, a failpoint). `stop` is an orderly end (SIGTERM), whose `until` is
   * the exit. `pause` stands still (SIGSTOP, a lock, CLIENT PAUSE). `cut` takes connections (reset, refused, half-open).
   * `wipe` takes data. `slow` and `other` are no reason to run anything twice.
   */
  readonly kind: 'kill' | 'stop' | 'pause' | 'cut' | 'wipe' | 'slow' | 'other'
  readonly target: 'worker' | 'web' | 'redis' | 'postgres' | 'network'
  /** Of the one worker or web process that was hit. Without it, it was all of them. */
  readonly pid?: number
  /** What the nemesis calls it, such as `F21`. */
  readonly name?: string
}

/** A row of `celeriac.job`, after the run. */
export interface JobRow {
  readonly id: string
  /** From the payload; else the row's idempotency key. */
  readonly key: string | null
  readonly task: string
  readonly state: JobState
  readonly attempt: number
  readonly failures: number
  readonly lost: number
  readonly worker: string | null
  /** JSON text. `null` also when it is longer than any signature. */
  readonly result: string | null
  /** The name of the error that it ended with. */
  readonly errorName: string | null
  readonly createdAt: number
  readonly runAt: number
  readonly startedAt: number | null
  readonly finishedAt: number | null
  readonly delivery: number
  /** The past attempts, oldest first. */
  readonly attempts: readonly PastAttempt[]
}

export interface PastAttempt {
  readonly number: number
  readonly worker: string | null
  readonly outcome: 'failed' | 'lost' | 'returned'
}

/** A row of `celeriac.worker`. */
export interface WorkerRow {
  readonly id: string
  readonly pid: number
}

export type EndState = 'succeeded' | 'failed' | 'cancelled' | 'expired'
export type JobState = 'scheduled' | 'queued' | 'running' | 'retrying' | EndState
export type CancelAnswer = 'cancelled' | 'cancelling' | 'finished' | 'unknown'

const ends: ReadonlySet<string> = new Set<EndState>(['succeeded', 'failed', 'cancelled', 'expired'])

export function isEnd(state: string): state is EndState {
  return ends.has(state)
}
