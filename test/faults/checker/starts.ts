import type { Faults } from './faults.js'
import type { Effect } from './history.js'
import type { Trail } from './trail.js'
import type { Report } from './verdict.js'

export interface StartLimits {
  /** Between two readings of the database's clock for one moment. */
  readonly toleranceMs: number
  /** From a task's last act to the commit of its end. */
  readonly settleMs: number
  /** How long a server or a connection that is back may still be felt. */
  readonly recoveryMs: number
}

export interface StartCounts {
  starts: number
  /** Started again because the task had failed and has attempts left. */
  askedRetries: number
  operatorRetries: number
  extraStarts: number
  /** Attempts that ran when something was killed, stopped, paused or cut. */
  disturbedAttempts: number
  startsAfterEnd: number
  /** Claimed before the end, in a process that stood still when it came. */
  startsAfterEndPaused: number
}

export function newStartCounts(): StartCounts {
  return {
    starts: 0,
    askedRetries: 0,
    operatorRetries: 0,
    extraStarts: 0,
    disturbedAttempts: 0,
    startsAfterEnd: 0,
    startsAfterEndPaused: 0,
  }
}

/** I3 and I5, for one job: each start but the first has a reason, and none comes after the end. */
export function judgeStarts(
  trail: Trail,
  faults: Faults,
  limits: StartLimits,
  counts: StartCounts,
  report: Report,
): void {
  const { id, row } = trail
  counts.starts += trail.starts.length
  counts.operatorRetries += trail.retried
  const starts = withoutLateOnes(trail, faults, limits, counts, report)
  const disturbed = starts.map((start, nth) => isDisturbed(start, nth, limits.recoveryMs))
  counts.disturbedAttempts += starts.filter((start, nth) => isDisturbed(start, nth, 0)).length
  if (!row || starts.length < 2) return

  const asked = findAskedRetries(trail, starts)
  const unasked = starts.map((_, nth) => nth).filter((nth) => nth < starts.length - 1 && !asked.has(nth))
  const extra = Math.max(0, unasked.length - trail.retried)
  const excused = unasked.filter((nth) => disturbed[nth]).length
  counts.askedRetries += asked.size
  counts.extraStarts += extra
  if (extra > excused)
    report('I5', id, `${starts.length} starts: ${asked.size} retries, ${extra} extra, faults met ${excused}`)

  function isDisturbed(start: Effect, nth: number, graceMs: number): boolean {
    const next = starts[nth + 1]?.at ?? Number.POSITIVE_INFINITY
    const over = finishOf(trail, start)?.at ?? row?.finishedAt ?? next
    return faults.met(start, Math.min(over + limits.settleMs, next), graceMs)
  }
}

/** I5, for the whole run: the figure that is promised. */
export function judgeAllStarts({ extraStarts, disturbedAttempts }: StartCounts, report: Report): void {
  if (extraStarts > disturbedAttempts)
    report(
      'I5',
      null,
      `${extraStarts} extra starts, and only ${disturbedAttempts} attempts were met by a fault`,
    )
}

function withoutLateOnes(
  { id, row, starts }: Trail,
  faults: Faults,
  { toleranceMs, settleMs }: StartLimits,
  counts: StartCounts,
  report: Report,
): readonly Effect[] {
  const end = row?.finishedAt ?? Number.POSITIVE_INFINITY
  const late = starts.filter((start) => start.at > end + toleranceMs)
  if (late.length === 0) return starts
  for (const start of late) {
    const wokenAt = faults.pausedUntil(start.pid, end, toleranceMs)
    if (wokenAt !== undefined && start.at <= wokenAt + settleMs) counts.startsAfterEndPaused += 1
    else {
      counts.startsAfterEnd += 1
      const lateMs = Math.round(start.at - end)
      report('I3', id, `attempt ${start.attempt} (pid ${start.pid}) started ${lateMs} ms after the end`)
    }
  }
  return starts.filter((start) => !late.includes(start))
}

/**
 * The starts that failed by themselves, by index: each stands as failed in the row's list, once. Those whose task threw
 * come first; a time limit leaves no last act. What the row calls returned or lost was not asked for, even if its task
 * threw on the way.
 */
function findAskedRetries(trail: Trail, starts: readonly Effect[]): ReadonlySet<number> {
  const entries = trail.row?.attempts ?? []
  const failed = entries.filter((entry) => entry.outcome === 'failed').map((entry) => entry.number)
  const asked = new Set<number>()
  const take = (nth: number, attempt: number) => {
    const entry = failed.indexOf(attempt)
    if (entry === -1) return
    failed.splice(entry, 1)
    asked.add(nth)
  }
  const early = starts.slice(0, -1)
  early.forEach((start, nth) => {
    if (finishOf(trail, start)?.ok === false) take(nth, start.attempt)
  })
  early.forEach((start, nth) => {
    if (!asked.has(nth)) take(nth, start.attempt)
  })
  return asked
}

export function finishOf({ finishes }: Trail, start: Effect): Effect | undefined {
  return finishes.find((finish) => finish.attempt === start.attempt && finish.pid === start.pid)
}
