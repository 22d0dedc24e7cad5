import type { Dispatcher } from '../enqueue/dispatch.js'
import { CancelledError, ClosedError, StoreUnavailableError } from '../errors.js'
import type { Hide } from '../job/log-line.js'
import { redactorFor } from '../job/redact.js'
import type { ResolvedTimeLimit } from '../job/time-limit.js'
import type { ClaimedJob, DeliveryKey, Redelivery, Settled, Store } from '../store/store.js'
import type { KeepLine } from '../telemetry/log.js'
import type { Tracing } from '../telemetry/tracing.js'
import { sleep, within } from '../waiting.js'
import {
  type Attempt,
  type AttemptLog,
  createAttempt,
  type End,
  type Outcome,
  type RunnableTask,
} from './attempt.js'
import { createBlockWatch, type Suspect } from './blocked.js'
import type { Board } from './board.js'
import type { AttemptLines, JobLogs } from './job-logs.js'
import type { Pool } from './pool/pool.js'
import { createSlots } from './slots.js'
import { beginSpan, inSpan } from './span.js'
import type { Teller } from './teller.js'

/** Runs what was claimed and records how it ended: hold → run → settle, or give back. */
export interface Runner {
  /** A place for one more claim of a queue; `false` when none comes free soon. */
  reserve(queue: string): Promise<boolean>
  /** As {@link Slots.reserveNow}. */
  reserveNow(most: number): number
  release(): void
  /** Takes a job that was claimed in a reserved place, by the worker's identity at that time. */
  hold(queue: string, job: ClaimedJob, workerId: string): void
  /** Whether the delivery's job is here, from its claim until its end is recorded. */
  holds(delivery: DeliveryKey): boolean
  /** How many deliveries may be on their way. */
  limit(): number
  /** Only jobs of these queues start from now on; of others, what has not begun is given back. */
  serve(queues: readonly string[]): void
  /** How many jobs run at once. */
  resize(concurrency: number): void
  runningIds(): string[]
  /** What runs, and what waits for a handler. */
  held(): readonly HeldJob[]
  /** Claims again what runs, in case a crash of the store took a claim back. */
  holdOn(): void
  abort(jobId: string, reason: Error): void
  abortAll(reason: Error): void
  /** Starts nothing more, and gives back what has not begun. */
  drain(): void
  /** Resolves when no handler runs. */
  idle(): Promise<void>
  /** Stops waiting for handlers that ignore their signals. */
  abandonAll(): void
  /** Resolves when every end is recorded, or given up. */
  settled(): Promise<void>
  /** Waits for the store no longer. What is not recorded is found by the lost pass. */
  forsake(): void
  readonly unsettled: number
  readonly running: number
  /** Claimed, and not begun. */
  readonly reserved: number
  readonly processed: number
  /** Attempts that have ended, by what came of them. */
  readonly outcomes: Readonly<Record<string, number>>
  /** Attempts that were aborted, and whose jobs run again elsewhere. */
  readonly returned: number
}

export interface RunnerDeps {
  readonly store: Store
  readonly dispatcher: Dispatcher
  readonly board: Board
  readonly tasks: { get(name: string): RunnableTask | undefined }
  /** What was set while the app ran. It goes before what a task's code says. */
  readonly timeLimitOf?: (task: string) => ResolvedTimeLimit | undefined
  /** In the order in which they are served. */
  readonly queues: readonly string[]
  readonly concurrency: number
  /** Ends that wait for the store. At the bound no more is taken. */
  readonly mostUnsettled: number
  readonly maxResult: number
  /** Workers that a job may take down. */
  readonly maxLost: number
  /** How long a job without a time limit may block the event loop. */
  readonly stuckAfterMs: number
  /** What a job with a time limit gets beyond it, before the process is ended. */
  readonly graceMs: number
  readonly pool: Pool
  readonly log: AttemptLog
  readonly jobLog: (job: ClaimedJob, keep?: KeepLine, hide?: Hide) => AttemptLog
  /** Keeps what handlers log; without it, nothing is kept. */
  readonly jobLogs?: JobLogs | undefined
  readonly teller: Teller
  /** Makes spans of attempts. */
  readonly tracing?: Tracing | undefined
  /** Where they are full, no more is taken. */
  readonly hooks?: { readonly isFull: boolean }
  readonly onEnd: (jobId: string) => void
  readonly onChange: () => void
  /** What came of a job with limits is recorded. */
  readonly onFreed: () => void
}

export interface HeldJob {
  readonly job: ClaimedJob
  readonly pool: string
  /** Milliseconds; `undefined`: it has not begun. */
  readonly runningMs: number | undefined
  /** Since its claim. */
  readonly heldMs: number
  readonly isCancelling: boolean
}

interface Held {
  readonly job: ClaimedJob
  readonly task: RunnableTask
  readonly entry: number
  /** As `performance.now()` has it. */
  readonly heldAt: number
  /** Only under this name can the job be settled or given back. */
  readonly workerId: string
  /** Told to stop before it began. */
  cancelled?: Error
  /** As `performance.now()` has it. */
  startedAt?: number
  /** Which has run. */
  attempt?: Attempt
}

const staleCheckMs = 50
/** How soon a suspect that met another one is offered again. */
const suspectPauseMs = 1000
/** How long an end inside a transaction of the app's own waits until what was logged before is kept. */
const longestFlushMs = 1000
/** How long a suspect waits until what came of other jobs is recorded. */
const quietMs = 2000

export function createRunner(deps: RunnerDeps): Runner {
  const { store, dispatcher, board, tasks, mostUnsettled, teller, log } = deps
  /** By delivery: an attempt that was taken for lost may still run when the job comes again. */
  const attempts = new Map<string, Attempt>()
  const unsettled = new Set<Promise<unknown>>()
  /** From claim to recorded end. */
  const here = new Map<string, Held>()
  /** Of those, jobs on their last chance: one more lost worker, and they fail. */
  const suspects = new Set<string>()
  let drained = false
  let forsaken = false
  let processed = 0
  let returned = 0
  const outcomes: Record<string, number> = {}
  let onIdle: (() => void) | undefined
  const slots = createSlots<Held>({
    concurrency: deps.concurrency,
    queues: deps.queues,
    start: (held) => void run(held),
    full: () => unsettled.size >= mostUnsettled || deps.hooks?.isFull === true,
    onChange: deps.onChange,
  })
  const blocks = createBlockWatch({ running: inThisLoop, log })
  const staleCheck = setInterval(giveBackStale, staleCheckMs)
  staleCheck.unref()

  return {
    reserve: slots.reserve,
    reserveNow: slots.reserveNow,
    release: slots.release,
    hold,
    limit: slots.limit,
    serve: (queues) => giveBackUnstarted(slots.serve(queues)),
    resize: slots.resize,
    held: () => [...here].map(([key, held]) => toHeldJob(held, attempts.get(key))),
    runningIds: () => [...here.values()].map(({ job }) => job.id),
    holdOn,
    abort(jobId, reason) {
      for (const [key, held] of here) {
        if (held.job.id !== jobId) continue
        const attempt = attempts.get(key)
        if (attempt) attempt.abort(reason)
        else held.cancelled = reason
      }
    },
    abortAll(reason) {
      for (const attempt of attempts.values()) attempt.abort(reason)
    },
    drain() {
      drained = true
      clearInterval(staleCheck)
      blocks.close()
      giveBackUnstarted(slots.drain())
    },
    idle,
    abandonAll() {
      for (const attempt of attempts.values()) attempt.abandon()
    },
    async settled() {
      while (unsettled.size > 0) await Promise.allSettled(unsettled)
    },
    forsake() {
      forsaken = true
      deps.jobLogs?.forsake()
    },
    holds: (delivery) => here.has(keyOf(delivery.jobId, delivery.number)),
    get unsettled() {
      return unsettled.size
    },
    get running() {
      return slots.running
    },
    get reserved() {
      return slots.waiting
    },
    get processed() {
      return processed
    },
    get outcomes() {
      return outcomes
    },
    get returned() {
      return returned
    },
  }

  function hold(queue: string, job: ClaimedJob, workerId: string): void {
    const task = tasks.get(job.task)
    if (!task) {
      // Only a forged delivery names another task than its row.
      slots.release()
      track(giveBack([{ job, workerId }], 'unstarted'))
      return
    }
    if (isSuspect(job) && suspects.size > 0) {
      slots.release()
      track(giveBack([{ job, workerId }], 'unstarted', suspectPauseMs))
      return
    }
    if (isSuspect(job)) suspects.add(keyOf(job.id, job.number))
    const held = { job, task, workerId, entry: board.put(job.id, job.number), heldAt: performance.now() }
    here.set(keyOf(job.id, job.number), held)
    if (!slots.fill(queue, held)) giveBackUnstarted([held])
  }

  async function run(held: Held): Promise<void> {
    const { job, task, entry } = held
    const startedAt = performance.now()
    if (isSuspect(job)) await within(quietMs, Promise.allSettled(unsettled))
    const timeLimit = job.options.timeLimit ?? deps.timeLimitOf?.(task.name) ?? task.timeLimit
    if (board.start(entry, deadlineOf(task, timeLimit)) && !(drained && isSuspect(job)))
      await runAttempt(held, timeLimit, startedAt)
    // The lease thread has given it back, or has tried to: a second time does no harm.
    else track(giveBack([held], 'unstarted'))
    board.free(entry)
    slots.finish(held)
    if (slots.running === 0) onIdle?.()
  }

  /**
   * Which of the jobs that a dead worker held took it down, nobody can tell. So that the innocent are not given up with
   * the guilty, a worker holds one job on its last chance at a time, and starts it when the ends of others are recorded.
   */
  function isSuspect({ lost }: ClaimedJob): boolean {
    return lost > 0 && lost + 1 >= deps.maxLost
  }

  function forget({ id, number, limitKey }: ClaimedJob): void {
    here.delete(keyOf(id, number))
    suspects.delete(keyOf(id, number))
    if (limitKey !== null) deps.onFreed()
  }

  /** When a job that blocks the event loop has blocked it for too long. */
  function deadlineOf(task: RunnableTask, { softMs, hardMs }: ResolvedTimeLimit): number {
    // What runs elsewhere does not block this event loop.
    if (task.pool !== 'inline') return Number.POSITIVE_INFINITY
    if (hardMs !== null) return Date.now() + hardMs
    return Date.now() + (softMs === null ? deps.stuckAfterMs : softMs + deps.graceMs)
  }

  async function runAttempt(held: Held, timeLimit: ResolvedTimeLimit, startedAt: number): Promise<void> {
    const { task, workerId } = held
    const span = deps.tracing && beginSpan(deps.tracing, held.job, task, workerId)
    const job = span ? inSpan(held.job, span) : held.job
    let lines: AttemptLines | undefined
    const attempt = createAttempt({
      job,
      task,
      timeLimit,
      log() {
        const hide = task.redact.length > 0 ? redactorFor(task.redact) : undefined
        lines = deps.jobLogs?.open(job, workerId, hide)
        return deps.jobLog(job, lines?.keep, hide)
      },
      remote: task.pool === 'inline' ? undefined : deps.pool.attempt(job, task, task.pool, workerId),
      maxResult: deps.maxResult,
      saveProgress: (json) => store.saveProgress({ jobId: job.id, number: job.number }, workerId, json),
      async settleIn(tx, success) {
        if (lines) await within(longestFlushMs, lines.flushed())
        return (await store.settleIn(tx, { ...success, workerId })).settled
      },
    })
    const key = keyOf(job.id, job.number)
    attempts.set(key, attempt)
    if (job.cancelRequested) attempt.abort(new CancelledError('The job was cancelled.'))
    else if (held.cancelled) attempt.abort(held.cancelled)
    teller.started(job, workerId)
    const enteredAt = performance.now()
    held.startedAt = enteredAt
    const running = span ? span.run(attempt.run) : attempt.run()
    if (task.pool === 'inline') blocks.entered(job, task.name, performance.now() - enteredAt)
    const outcome = await running
    span?.end(outcome)
    attempts.delete(key)
    held.attempt = attempt
    const tookMs = performance.now() - startedAt
    if (task.pool === 'inline') blocks.left(job, task.name, startedAt, tookMs)
    // The slot is free now; the row follows when the store has it.
    if (attempt.completed) track(settleUnlessCommitted(held, outcome, tookMs))
    else track(lines ? recordAfter(lines, held, outcome, tookMs) : record(held, outcome, tookMs))
  }

  /** Whoever sees the end sees the log. */
  async function recordAfter(
    lines: AttemptLines,
    held: Held,
    outcome: Outcome,
    tookMs: number,
  ): Promise<void> {
    await lines.flushed()
    await record(held, outcome, tookMs)
  }

  function* inThisLoop(): Generator<Suspect> {
    for (const key of attempts.keys()) {
      const { job, task, startedAt } = here.get(key) ?? {}
      if (!job || task?.pool !== 'inline' || startedAt === undefined) continue
      yield { job, task: task.name, startedAt }
    }
  }

  function record(held: Held, outcome: Outcome, tookMs: number): Promise<void> {
    return outcome.state === 'returned' ? giveBackReturned(held, tookMs) : settle(held, outcome, tookMs)
  }

  /** @param outcome what the attempt comes to where the transaction in which it recorded its end was not committed */
  async function settleUnlessCommitted(held: Held, outcome: Outcome, tookMs: number): Promise<void> {
    const { job, workerId } = held
    const key = { jobId: job.id, number: job.number }
    if (!(await insist(() => store.isSettledBy(key, workerId)))) return record(held, outcome, tookMs)
    forget(job)
    noteEnd('succeeded')
    deps.onEnd(job.id)
    const success = {
      ...key,
      attempt: job.attempt,
      state: 'succeeded',
      result: null,
      resultError: null,
    } as const
    await tell(held, success, tookMs)
  }

  async function settle(held: Held, end: End, tookMs: number): Promise<void> {
    const { job, task, workerId } = held
    const settlement = task.drops.has(end.state) ? { ...end, workerId, drop: true } : { ...end, workerId }
    const { settled, redelivery, recorded } = await insist(() => store.settle(settlement)).then(
      (answer) => ({ ...answer, recorded: end }),
      (error: unknown) => settleAsRefused(job, workerId, error),
    )
    forget(job)
    noteEnd(settled ? recorded.state : 'superseded')
    if (!settled) {
      log.warn(
        `Job ${job.id} (${job.task}) was given to another worker meanwhile; this attempt's end was not recorded.`,
      )
      return
    }
    if (redelivery) dispatcher.send([redelivery])
    else deps.onEnd(job.id)
    await tell(held, recorded, tookMs, redelivery)
  }

  function noteEnd(outcome: string): void {
    processed += 1
    outcomes[outcome] = (outcomes[outcome] ?? 0) + 1
  }

  /** No waiting mends an end that the store refuses for what is in it. */
  async function settleAsRefused(
    job: ClaimedJob,
    workerId: string,
    error: unknown,
  ): Promise<Settled & { readonly recorded: End }> {
    if (forsaken) throw error
    log.error(`The end of job ${job.id} (${job.task}) was refused by the store: ${String(error)}`)
    const message = 'The end of the attempt could not be recorded; the log of its worker says why.'
    const refused = { name: 'SettlementError', message }
    const key = { jobId: job.id, number: job.number, attempt: job.attempt }
    const recorded = { ...key, state: 'failed', error: refused } as const
    return { ...(await insist(() => store.settle({ ...recorded, workerId }))), recorded }
  }

  async function giveBackReturned(held: Held, tookMs: number): Promise<void> {
    const [redelivery] = await giveBack([held], 'returned')
    if (redelivery) outcomes.returned = (outcomes.returned ?? 0) + 1
    if (redelivery) teller.returned(held.job, held.workerId, Math.round(tookMs))
  }

  /** The job is recorded, so nothing that is said of it is waited for. */
  function tell({ job, workerId, attempt }: Held, end: End, tookMs: number, redelivery?: Redelivery) {
    return teller.settled({ job, workerId, end, ms: Math.round(tookMs), redelivery }, attempt)
  }

  function track(work: Promise<unknown>): void {
    const untrack = () => {
      unsettled.delete(work)
      if (unsettled.size === mostUnsettled - 1) deps.onChange()
    }
    unsettled.add(work)
    work.then(untrack, (error: unknown) => {
      untrack()
      log.error(`The end of an attempt could not be recorded: ${String(error)}`)
    })
  }

  function holdOn(): void {
    const held = [...here.values()]
    for (const workerId of new Set(held.map((each) => each.workerId))) {
      const claims = held
        .filter((each) => each.workerId === workerId)
        .map(({ job }) => ({ jobId: job.id, number: job.number, attempt: job.attempt }))
      store.holdOn(claims, workerId).catch((error: unknown) => {
        log.warn(`Claims could not be made sure of after an outage of the store: ${String(error)}`)
      })
    }
  }

  /** What was claimed and found no free handler soon goes to another worker. */
  function giveBackStale(): void {
    if (slots.waiting > 0) giveBackUnstarted(slots.takeStale())
  }

  function giveBackUnstarted(held: readonly Held[]): void {
    if (held.length === 0) return
    for (const { entry } of held) {
      // From here on the lease thread leaves it alone.
      board.start(entry, Number.POSITIVE_INFINITY)
      board.free(entry)
    }
    track(giveBack(held, 'unstarted'))
  }

  async function giveBack(
    held: readonly Pick<Held, 'job' | 'workerId'>[],
    reason: 'unstarted' | 'returned',
    pauseMs = 0,
  ): Promise<Redelivery[]> {
    const back: Redelivery[] = []
    for (const workerId of new Set(held.map((each) => each.workerId))) {
      const keys = held
        .filter((each) => each.workerId === workerId)
        .map(({ job }) => ({ jobId: job.id, number: job.number }))
      // Nothing in it can be at fault, so whatever the store says against it passes.
      const redeliveries = await insist(() => store.giveBack(keys, workerId, reason), isNotTheEnd)
      if (reason === 'returned') returned += redeliveries.length
      back.push(...redeliveries)
      const again = pauseMs > 0 ? { dueInMs: pauseMs } : { ahead: true }
      dispatcher.send(redeliveries.map((redelivery) => ({ ...redelivery, ...again })))
    }
    for (const { job } of held) forget(job)
    if (back.length < held.length) await tellGone(held, back)
    return back
  }

  async function tellGone(held: readonly Pick<Held, 'job'>[], back: readonly Redelivery[]): Promise<void> {
    const ids = new Set(back.map(({ jobId }) => jobId))
    const gone = held
      .filter(({ job }) => !ids.has(job.id))
      .map(({ job }) => ({ jobId: job.id, number: job.number }))
    for (const { jobId } of gone) deps.onEnd(jobId)
    await teller.gone(gone)
  }

  /** The worker keeps what it holds while the store is away. */
  async function insist<T>(write: () => Promise<T>, passes = isOutage): Promise<T> {
    for (let pauseMs = 100; ; pauseMs = Math.min(pauseMs * 2, 2000)) {
      try {
        return await write()
      } catch (error) {
        if (forsaken || !passes(error)) throw error
        if (pauseMs === 100) log.warn(`Keeping what came of a job for the store: ${String(error)}`)
        await sleep(pauseMs)
      }
    }
  }

  function idle(): Promise<void> {
    if (slots.running === 0) return Promise.resolve()
    return new Promise((resolve) => {
      onIdle = resolve
    })
  }
}

function toHeldJob({ job, task, heldAt, startedAt, cancelled }: Held, attempt: Attempt | undefined): HeldJob {
  const now = performance.now()
  return {
    job,
    pool: task.pool,
    runningMs: startedAt === undefined ? undefined : Math.round(now - startedAt),
    heldMs: Math.round(now - heldAt),
    isCancelling: (attempt?.abortedFor ?? cancelled) !== undefined,
  }
}

function isOutage(error: unknown): boolean {
  return error instanceof StoreUnavailableError
}

function isNotTheEnd(error: unknown): boolean {
  return !(error instanceof ClosedError)
}

function keyOf(jobId: string, number: number): string {
  return `${jobId}.${number}`
}
