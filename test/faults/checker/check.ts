import { judgeCommits } from './commits.js'
import { judgeEnd } from './ends.js'
import { gatherFaults } from './faults.js'
import { type History, isEnd } from './history.js'
import { judgeLastAttempt } from './last-attempt.js'
import { measureRecovery, percentile, type Recoveries } from './recovery.js'
import { judgeSightings } from './sightings.js'
import { judgeAllStarts, judgeStarts, newStartCounts } from './starts.js'
import { gatherTrails, type Trails } from './trail.js'
import type { Report, Verdict, Violation } from './verdict.js'
import { judgeStray, judgeWish } from './wishes.js'

export interface Limits {
  /** Between two readings of the database's clock for one moment. */
  readonly toleranceMs: number
  /** From a task's last act to the commit of its end, when nothing is in the way. */
  readonly settleMs: number
  /** How long a server, a connection or a paused process that is back may still be felt. */
  readonly recoveryMs: number
  /** All jobs end this long after the last fault, or after they are due. */
  readonly endWithinMs: number
  /** The 99th percentile from a `kill -9` to the next start of what ran there. `undefined`: it is only measured. */
  readonly killRecoveryMs: number | undefined
  /** The slowest answer. `undefined`: it is only measured. */
  readonly answerWithinMs: number | undefined
}

export const defaultLimits: Limits = Object.freeze({
  toleranceMs: 100,
  settleMs: 1000,
  recoveryMs: 20_000,
  endWithinMs: 120_000,
  killRecoveryMs: undefined,
  answerWithinMs: undefined,
})

/**
 * Judges a run by what was seen of it from outside. It knows nothing of the code that it judges: only the clients' log,
 * the tasks' effects, what was done to the system, and the rows that are left.
 */
export function checkHistory(history: History, given: Partial<Limits> = {}): Verdict {
  const limits: Limits = { ...defaultLimits, ...given }
  const violations: Violation[] = []
  const report: Report = (rule, id, detail) => void violations.push({ rule, id, detail })

  const faults = gatherFaults(history.faults)
  const pidOf = new Map(Array.from(history.workers, ({ id, pid }) => [id, pid]))
  const trails = gatherTrails(history, report)
  const starts = newStartCounts()
  const recoveries: Recoveries = { afterKillMs: [], hindered: 0 }
  const endLimits = { lastFaultAt: faults.lastAt, endWithinMs: limits.endWithinMs }

  for (const wish of trails.wishes.values()) judgeWish(wish, report)
  for (const trail of trails.jobs.values()) {
    const key = trail.row?.key ?? trail.key
    const wish = key === undefined ? undefined : trails.wishes.get(key)
    judgeEnd(trail, wish, endLimits, report)
    judgeStray(trail, report)
    judgeSightings(trail, report)
    judgeStarts(trail, faults, limits, starts, report)
    judgeLastAttempt(trail, wish, pidOf, report)
    judgeCommits(trail, wish, pidOf, report)
    checkIdentity(trail.row?.task, wish?.task, trail.id, report)
    measureRecovery(trail, faults, limits, recoveries)
  }
  judgeAllStarts(starts, report)
  judgeTimes(recoveries, trails.tookMs, limits, report)

  const counts = {
    ...countWishes(trails),
    ...countRows(trails),
    ...starts,
    'kill to next start, p50 ms': percentile(recoveries.afterKillMs, 0.5),
    'kill to next start, p99 ms': percentile(recoveries.afterKillMs, 0.99),
    'kill to next start, measured': recoveries.afterKillMs.length,
    'kill to next start, hindered': recoveries.hindered,
    'answers, p99 ms': percentile(trails.tookMs, 0.99),
    ...Object.fromEntries([...faults.counts].sort()),
    violations: violations.length,
  }
  return { counts, violations }
}

/** I12: an id that answered a wish for one task does not become a job of another. */
function checkIdentity(
  rowTask: string | undefined,
  askedTask: string | undefined,
  id: string,
  report: Report,
): void {
  if (rowTask !== undefined && askedTask !== undefined && rowTask !== askedTask)
    report('I12', id, `${askedTask} was asked for, and its row is of ${rowTask}`)
}

function judgeTimes(
  { afterKillMs }: Recoveries,
  tookMs: readonly number[],
  { killRecoveryMs, answerWithinMs }: Limits,
  report: Report,
): void {
  const recoveryMs = percentile(afterKillMs, 0.99)
  if (killRecoveryMs !== undefined && recoveryMs > killRecoveryMs)
    report('I9', null, `from a kill to the next start, p99 is ${recoveryMs} ms`)
  const slow = answerWithinMs === undefined ? 0 : tookMs.filter((ms) => ms > answerWithinMs).length
  if (slow > 0) report('I10', null, `${slow} answers took longer than ${answerWithinMs} ms`)
}

function countWishes({ wishes }: Trails): Record<string, number> {
  const counts = { asked: wishes.size, accepted: 0, refused: 0, unsure: 0, rolledBack: 0 }
  for (const { accepted, refused, rolledBack } of wishes.values()) {
    if (accepted) counts.accepted += 1
    else if (rolledBack) counts.rolledBack += 1
    else if (refused !== undefined) counts.refused += 1
    else counts.unsure += 1
  }
  return counts
}

function countRows({ jobs }: Trails): Record<string, number> {
  const states = { succeeded: 0, failed: 0, cancelled: 0, expired: 0, withoutEnd: 0 }
  let [rows, lost] = [0, 0]
  for (const { row, key } of jobs.values()) {
    if (row) {
      rows += 1
      states[isEnd(row.state) ? row.state : 'withoutEnd'] += 1
    } else if (key !== undefined) lost += 1
  }
  return { rows, ...states, lost }
}
