import type { Dispatcher } from '../enqueue/dispatch.js'
import { CancelledError, ClosedError, StoreUnavailableError } from '../errors.js'
import type { ClaimedJob, DeliveryKey, Settled, Store } from '../store/store.js'
import { sleep, within } from '../waiting.js'
import {
  type Attempt,
  type AttemptLog,
  createAttempt,
  type End,
  type Outcome,
  type RunnableTask,
} from './attempt.js'
import type { Board } from './board.js'
import { createSlots } from './slots.js'

/** Runs what was claimed and records how it ended: hold → run → settle, or give back. */
export interface Runner {
  /** A place for one more claim of a queue; `false` when none comes free soon. */
  reserve(queue: number): Promise<boolean>
  release(): void
  /** Takes a job that was claimed in a reserved place, by the worker's identity at that time. */
  hold(queue: number, job: ClaimedJob, workerId: string): void
  /** Whether the delivery's job is here, from its claim until its end is recorded. */
  holds(delivery: DeliveryKey): boolean
  /** How many deliveries may be on their way. */
  limit(): number
  runningIds(): string[]
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
  readonly processed: number
  /** Attempts that were aborted, and whose jobs run again elsewhere. */
  readonly returned: number
}

export interface RunnerDeps {
  readonly store: Store
  readonly dispatcher: Dispatcher
  readonly board: Board
  readonly tasks: { get(name: string): RunnableTask | undefined }
  readonly queues: number
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
  readonly log: AttemptLog
  readonly jobLog: (job: ClaimedJob) => AttemptLog
  readonly onEnd: (jobId: string) => void
  readonly onChange: () => void
}

interface Held {
  readonly job: ClaimedJob
  readonly task: RunnableTask
  readonly entry: number
  /** Only under this name can the job be settled or given back. */
  readonly workerId: string
}

const staleCheckMs = 50
/** How soon a suspect that met another one is offered again. */
const suspectPauseMs = 1000
/** How long a suspect waits until what came of other jobs is recorded. */
const quietMs = 2000

export function createRunner(deps: RunnerDeps): Runner {
  const { store, dispatcher, board, tasks, mostUnsettled, log } = deps
  /** By delivery: an attempt that was taken for lost may still run when the job comes again. */
  const attempts = new Map<string, Attempt>()
  const unsettled = new Set<Promise<void>>()
  /** From claim to recorded end. */
  const here = new Map<string, Held>()
  /** Of those, jobs on their last chance: one more lost worker, and they fail. */
  const suspects = new Set<string>()
  let drained = false
  let forsaken = false
  let processed = 0
  let returned = 0
  let onIdle: (() => void) | undefined
  const slots = createSlots<Held>({
    concurrency: deps.concurrency,
    queues: deps.queues,
    start: (held) => void run(held),
    full: () => unsettled.size >= mostUnsettled,
    onChange: deps.onChange,
  })
  const staleCheck = setInterval(giveBackStale, staleCheckMs)
  staleCheck.unref()

  return {
    reserve: slots.reserve,
    release: slots.release,
    hold,
    limit: slots.limit,
    runningIds: () => [...attempts.values()].map(({ job }) => job.id),
    holdOn,
    abort(jobId, reason) {
      for (const attempt of attempts.values()) if (attempt.job.id === jobId) attempt.abort(reason)
    },
    abortAll(reason) {
      for (const attempt of attempts.values()) attempt.abort(reason)
    },
    drain() {
      drained = true
      clearInterval(staleCheck)
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
    },
    holds: (delivery) => here.has(keyOf(delivery.jobId, delivery.number)),
    get unsettled() {
      return unsettled.size
    },
    get running() {
      return slots.running
    },
    get processed() {
      return processed
    },
    get returned() {
      return returned
    },
  }

  function hold(queue: number, job: ClaimedJob, workerId: string): void {
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
    const held = { job, task, workerId, entry: board.put(job.id, job.number) }
    here.set(keyOf(job.id, job.number), held)
    if (!slots.fill(queue, held)) giveBackUnstarted([held])
  }

  async function run(held: Held): Promise<void> {
    const { job, task, entry } = held
    const startedAt = performance.now()
    if (isSuspect(job)) await within(quietMs, Promise.allSettled(unsettled))
    if (board.start(entry, deadlineOf(job, task)) && !(drained && isSuspect(job)))
      await runAttempt(held, startedAt)
    // The lease thread has given it back, or has tried to: a second time does no harm.
    else track(giveBack([held], 'unstarted'))
    board.free(entry)
    slots.finish(performance.now() - startedAt)
    if (slots.running === 0) onIdle?.()
  }

  /**
   * Which of the jobs that a dead worker held took it down, nobody can tell. So that the innocent are not given up with
   * the guilty, a worker holds one job on its last chance at a time, and starts it when the ends of others are recorded.
   */
  function isSuspect({ lost }: ClaimedJob): boolean {
    return lost > 0 && lost + 1 >= deps.maxLost
  }

  function forget({ id, number }: ClaimedJob): void {
    here.delete(keyOf(id, number))
    suspects.delete(keyOf(id, number))
  }

  /** When a job that blocks the event loop has blocked it for too long. */
  function deadlineOf(job: ClaimedJob, task: RunnableTask): number {
    const limitMs = job.options.timeLimitMs ?? task.timeLimitMs
    return Date.now() + (limitMs === undefined ? deps.stuckAfterMs : limitMs + deps.graceMs)
  }

  async function runAttempt(held: Held, startedAt: number): Promise<void> {
    const { job, task, workerId } = held
    const attempt = createAttempt({
      job,
      task,
      log: () => deps.jobLog(job),
      maxResult: deps.maxResult,
      saveProgress: (json) => store.saveProgress({ jobId: job.id, number: job.number }, workerId, json),
      settleIn: async (tx, success) => (await store.settleIn(tx, { ...success, workerId })).settled,
    })
    const key = keyOf(job.id, job.number)
    attempts.set(key, attempt)
    if (job.cancelRequested) attempt.abort(new CancelledError('The job was cancelled.'))
    const outcome = await attempt.run()
    attempts.delete(key)
    const tookMs = performance.now() - startedAt
    // The slot is free now; the row follows when the store has it.
    if (attempt.completed) track(settleUnlessCommitted(held, outcome, tookMs))
    else track(record(held, outcome, tookMs))
  }

  function record(held: Held, outcome: Outcome, tookMs: number): Promise<void> {
    return outcome.state === 'returned' ? giveBack([held], 'returned') : settle(held, outcome, tookMs)
  }

  /** @param outcome what the attempt comes to where the transaction in which it recorded its end was not committed */
  async function settleUnlessCommitted(held: Held, outcome: Outcome, tookMs: number): Promise<void> {
    const { job, workerId } = held
    const key = { jobId: job.id, number: job.number }
    if (!(await insist(() => store.isSettledBy(key, workerId)))) return record(held, outcome, tookMs)
    forget(job)
    processed += 1
    deps.onEnd(job.id)
    const success = {
      ...key,
      attempt: job.attempt,
      state: 'succeeded',
      result: null,
      resultError: null,
    } as const
    report(log, job, success, Math.round(tookMs))
  }

  async function settle({ job, workerId }: Held, end: End, tookMs: number): Promise<void> {
    const { settled, redelivery } = await insist(() => store.settle({ ...end, workerId })).catch((error) =>
      settleAsRefused(job, workerId, error),
    )
    forget(job)
    processed += 1
    if (!settled) {
      log.warn(
        `Job ${job.id} (${job.task}) was given to another worker meanwhile; this attempt's end was not recorded.`,
      )
      return
    }
    if (redelivery) dispatcher.send([redelivery])
    else deps.onEnd(job.id)
    report(log, job, end, Math.round(tookMs))
  }

  /** No waiting mends an end that the store refuses for what is in it. */
  async function settleAsRefused(job: ClaimedJob, workerId: string, error: unknown): Promise<Settled> {
    if (forsaken) throw error
    log.error(`The end of job ${job.id} (${job.task}) was refused by the store: ${String(error)}`)
    const message = 'The end of the attempt could not be recorded; the log of its worker says why.'
    const refused = { name: 'SettlementError', message }
    const key = { jobId: job.id, number: job.number, attempt: job.attempt, workerId }
    return insist(() => store.settle({ ...key, state: 'failed', error: refused }))
  }

  function track(work: Promise<void>): void {
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
  ): Promise<void> {
    for (const workerId of new Set(held.map((each) => each.workerId))) {
      const keys = held
        .filter((each) => each.workerId === workerId)
        .map(({ job }) => ({ jobId: job.id, number: job.number }))
      // Nothing in it can be at fault, so whatever the store says against it passes.
      const redeliveries = await insist(() => store.giveBack(keys, workerId, reason), isNotTheEnd)
      if (reason === 'returned') returned += redeliveries.length
      const again = pauseMs > 0 ? { dueInMs: pauseMs } : { ahead: true }
      dispatcher.send(redeliveries.map((redelivery) => ({ ...redelivery, ...again })))
    }
    for (const { job } of held) forget(job)
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

function isOutage(error: unknown): boolean {
  return error instanceof StoreUnavailableError
}

function isNotTheEnd(error: unknown): boolean {
  return !(error instanceof ClosedError)
}

function keyOf(jobId: string, number: number): string {
  return `${jobId}.${number}`
}

function report(log: AttemptLog, job: ClaimedJob, end: End, ms: number): void {
  const facts = { job: job.id, task: job.task, attempt: job.attempt, ms }
  switch (end.state) {
    case 'succeeded':
      log.info(facts, `${job.task} succeeded in ${ms} ms`)
      break
    case 'cancelled':
      log.info(facts, `${job.task} was cancelled after ${ms} ms`)
      break
    case 'retrying':
      log.warn(facts, `${job.task} failed, next attempt in ${end.retryInMs} ms: ${end.error.message}`)
      break
    case 'failed':
      log.error(
        { ...facts, stack: end.error.stack },
        `${job.task} failed after ${ms} ms: ${end.error.message}`,
      )
  }
}
