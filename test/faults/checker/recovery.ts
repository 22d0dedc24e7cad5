import type { Faults } from './faults.js'
import type { StartLimits } from './starts.js'
import { finishOf } from './starts.js'
import type { Trail } from './trail.js'

/** Times from a kill to the next start of what ran there. */
export interface Recoveries {
  readonly afterKillMs: number[]
  /** Not counted: a server or the network was away in that time, too. */
  hindered: number
}

export function measureRecovery(
  trail: Trail,
  faults: Faults,
  { settleMs, recoveryMs }: StartLimits,
  recoveries: Recoveries,
): void {
  trail.starts.forEach((start, nth) => {
    const next = trail.starts[nth + 1]
    if (!next) return
    const over = finishOf(trail, start)?.at ?? next.at
    const kill = faults.killed(start.pid, start.at, Math.min(over + settleMs, next.at))
    if (!kill) return
    if (faults.away(kill.at, next.at, recoveryMs)) recoveries.hindered += 1
    else recoveries.afterKillMs.push(next.at - kill.at)
  })
}

/** The value that `share` of them do not exceed; 0 when there are none. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = Float64Array.from(values).sort()
  return Math.round(sorted[Math.min(sorted.length - 1, Math.ceil(sorted.length * share) - 1)] ?? 0)
}
