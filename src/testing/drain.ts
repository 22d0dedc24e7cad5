import { AssertionError } from 'node:assert'
import type { Backend } from '../backend.js'
import type { MemoryServer } from '../broker/memory.js'
import type { Duration } from '../job/duration.js'
import type { MemoryStore } from '../store/memory.js'
import { sleep } from '../waiting.js'
import { durationMs, type MovableTime } from './clock.js'
import { toError } from './eager.js'
import type { EnqueuedJob } from './enqueued.js'

export interface DrainOptions {
  /** Failed jobs are no error of this call. Default `false`. */
  readonly allowFailures?: boolean
  /** Runs also what falls due in this time, each job at its time: the clock is moved. Default: what is due now. */
  readonly within?: Duration
}

/** What came of a drain. */
export interface Drained {
  readonly succeeded: number
  readonly failed: number
  readonly cancelled: number
  readonly expired: number
  /** Jobs that wait for a time to come: delayed, or for their next attempt. */
  readonly waiting: number
  /** Those that ended, in the order of their writing. */
  readonly jobs: readonly EnqueuedJob[]
}

export interface DrainDeps {
  readonly server: MemoryServer
  readonly store: Pick<MemoryStore, 'table' | 'limits'>
  readonly time: MovableTime
  readonly backend: () => Promise<Backend>
  /** Resolves when jobs are taken. */
  readonly working: () => Promise<unknown>
  readonly jobs: () => EnqueuedJob[]
  /** Runs passes of maintenance now. */
  readonly maintain: (passes: readonly string[]) => Promise<void>
  /** Hooks run beside the jobs, and may enqueue others. */
  readonly hooksEnded: () => Promise<void>
  /** Whether the queues flow outside of a drain, too. */
  readonly alwaysFlows: boolean
}

export interface Drainer {
  drain(options?: DrainOptions): Promise<Drained>
  /** Moves the clock. What falls due on the way runs where the queues flow. */
  advanceTo(ms: number): Promise<void>
}

/** What time brings about, and nothing else: in a process that loses nothing there is nothing to repair. */
const timedPasses: readonly string[] = ['dispatch', 'expiry', 'prune']

export function createDrainer(deps: DrainDeps): Drainer {
  const { server, time, working, jobs, alwaysFlows } = deps
  const { table, limits } = deps.store
  let last: Promise<unknown> = Promise.resolve()

  return {
    drain: ({ allowFailures = false, within } = {}) => {
      const ms = within === undefined ? undefined : durationMs(within, 'drain({ within })')
      return inTurn(() => drain(allowFailures, ms))
    },
    advanceTo: (ms) => inTurn(() => advanceTo(ms)),
  }

  /** One after the other: two that ran at once would take each other's ends for their own. */
  function inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = last.then(work)
    last = done.catch(() => {})
    return done
  }

  async function drain(allowFailures: boolean, withinMs: number | undefined): Promise<Drained> {
    const before = new Set(ended().map(({ id, attempt }) => `${id} ${attempt}`))
    await flowing(async () => {
      await runDue()
      if (withinMs !== undefined) await runUntil(time.now() + withinMs)
    })
    const ends = ended().filter(({ id, attempt }) => !before.has(`${id} ${attempt}`))
    if (!allowFailures) assertNoneFailed(ends)
    return toDrained(ends, jobs())
  }

  async function advanceTo(ms: number): Promise<void> {
    if (alwaysFlows) return flowing(() => runUntil(ms))
    time.moveTo(ms)
    await look()
  }

  async function flowing(work: () => Promise<void>): Promise<void> {
    await working()
    server.flow()
    try {
      await work()
    } finally {
      if (!alwaysFlows) server.halt()
    }
  }

  /** Each job at its time, as if the time had passed. */
  async function runUntil(until: number): Promise<void> {
    for (let next = nextAt(); next !== undefined && next <= until; next = nextAt()) {
      time.moveTo(next)
      await runDue()
    }
    time.moveTo(until)
    await runDue()
  }

  async function runDue(): Promise<void> {
    do {
      await look()
      await quiet()
    } while (hasDue())
  }

  /** What is due goes to its queue; what is too late ends. */
  async function look(): Promise<void> {
    const { dispatcher } = await deps.backend()
    server.tick()
    await deps.maintain(timedPasses)
    await dispatcher.settled()
    server.tick()
    limits.tellAll()
  }

  /** Resolves when nothing runs and nothing is about to. */
  async function quiet(): Promise<void> {
    const { dispatcher } = await deps.backend()
    for (let calm = 0, busy = 0; calm < 2; ) {
      await dispatcher.settled()
      await turn()
      await deps.hooksEnded()
      const isBusy = server.isBusy() || table.runningRows.size > 0 || limits.mayStart()
      calm = isBusy ? 0 : calm + 1
      busy = isBusy ? busy + 1 : 0
      if (busy > quickTurns) await sleep(1)
    }
  }

  function hasDue(): boolean {
    const next = server.nextDueAt()
    return next !== undefined && next <= time.now()
  }

  function nextAt(): number | undefined {
    const now = time.now()
    const times = [...table.rows.values()].flatMap(({ state, runAt, expiresAt, finishedAt }) => [
      ...(state === 'scheduled' || state === 'retrying' ? [runAt.getTime()] : []),
      ...(finishedAt === null && expiresAt !== null ? [expiresAt.getTime()] : []),
    ])
    const coming = [...times, server.nextDueAt() ?? 0, limits.nextAt() ?? 0].filter((each) => each > now)
    return coming.length === 0 ? undefined : Math.min(...coming)
  }

  function ended(): EnqueuedJob[] {
    return jobs().filter(({ state }) => ends.includes(state))
  }
}

const ends: readonly string[] = ['succeeded', 'failed', 'cancelled', 'expired']
/** A handler that waits for something real is asked after less often. */
const quickTurns = 20

function turn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve)
  })
}

function toDrained(ends: readonly EnqueuedJob[], all: readonly EnqueuedJob[]): Drained {
  const count = (jobs: readonly EnqueuedJob[], ...states: readonly string[]) =>
    jobs.filter(({ state }) => states.includes(state)).length
  return {
    succeeded: count(ends, 'succeeded'),
    failed: count(ends, 'failed'),
    cancelled: count(ends, 'cancelled'),
    expired: count(ends, 'expired'),
    waiting: count(all, 'scheduled', 'retrying'),
    jobs: ends,
  }
}

function assertNoneFailed(ends: readonly EnqueuedJob[]): void {
  const failed = ends.filter(({ state }) => state === 'failed')
  const [first] = failed
  if (!first) return
  const lines = failed.map(({ task, id, error }) => `  ${task} (${id}): ${error?.name}: ${error?.message}`)
  const error = new AssertionError({
    message: `${failed.length === 1 ? '1 job' : `${failed.length} jobs`} failed:\n${lines.join('\n')}\nIf that is what the test is about: drain({ allowFailures: true }).`,
    actual: failed.length,
    expected: 0,
    operator: 'drain',
    stackStartFn: assertNoneFailed,
  })
  if (first.error) error.cause = toError(first.error)
  throw error
}
