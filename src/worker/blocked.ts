import { performance } from 'node:perf_hooks'
import type { ClaimedJob } from '../store/store.js'

/** Names the task that keeps the event loop to itself: heartbeats, cancels and all other jobs of the worker wait for it. */
export interface BlockWatch {
  /** The synchronous part of an attempt is over. */
  entered(job: ClaimedJob, task: string, ms: number): void
  /** An attempt of this event loop is over. */
  left(job: ClaimedJob, task: string, startedAt: number, tookMs: number): void
  close(): void
}

export interface BlockWatchOptions {
  /** The attempts that run in this event loop. */
  readonly running: () => Iterable<Suspect>
  readonly log: { warn(facts: object, message: string): void }
}

export interface Suspect {
  readonly job: ClaimedJob
  readonly task: string
  /** As `performance.now()` has it. */
  readonly startedAt: number
}

/** A block of this length is told. */
const blockMs = 1000
const lookMs = 250
/** Told once per task in this time. */
const quietMs = 600_000

export function createBlockWatch({ running, log }: BlockWatchOptions): BlockWatch {
  const toldAt = new Map<string, number>()
  /** Attempts that have ended since the last look, and may have blocked until then. */
  let ended: Suspect[] = []
  let explained = false
  let lookedAt = performance.now()
  let load = performance.eventLoopUtilization()
  const timer = setInterval(look, lookMs)
  timer.unref()

  return {
    entered(job, task, ms) {
      if (ms < blockMs) return
      explained = true
      tell([{ job, task, startedAt: 0 }], ms)
    },
    left(job, task, startedAt, tookMs) {
      if (tookMs >= blockMs) ended.push({ job, task, startedAt })
    },
    close: () => clearInterval(timer),
  }

  /** What runs after its first `await` leaves no trace of whose it is; what ran all the while is under suspicion. */
  function look(): void {
    const now = performance.now()
    const ms = now - lookedAt - lookMs
    const { utilization } = performance.eventLoopUtilization(load)
    // A process that was stopped from outside has done nothing meanwhile.
    if (ms >= blockMs && !explained && utilization > 0.5) {
      tell(
        [...ended, ...running()].filter(({ startedAt }) => startedAt <= now - ms),
        ms,
      )
    }
    ended = []
    explained = false
    lookedAt = now
    load = performance.eventLoopUtilization()
  }

  function tell(suspects: readonly Suspect[], ms: number): void {
    const now = performance.now()
    const isKnown = ({ task }: Suspect) => now - (toldAt.get(task) ?? Number.NEGATIVE_INFINITY) < quietMs
    const [first, ...others] = suspects
    if (!first || suspects.some(isKnown)) return
    for (const { task } of suspects) toldAt.set(task, now)
    const who = others.length === 0 ? nameOf(first) : `One of ${suspects.map(nameOf).join(', ')}`
    const facts = { job: first.job.id, task: first.task, ms: Math.round(ms) }
    log.warn(
      others.length === 0 ? facts : { ms: facts.ms },
      `${who} kept the event loop busy for ${Math.round(ms)} ms; heartbeats, cancels and other jobs waited. Let it run elsewhere: pool: 'thread'. This is said once per task.`,
    )
  }
}

function nameOf({ job, task }: Suspect): string {
  return `task "${task}" (job ${job.id})`
}
