import { isEnd } from './history.js'
import type { Trail, WishTrail } from './trail.js'
import type { Report } from './verdict.js'

export interface EndLimits {
  /** When the last fault was over; `undefined` without faults. */
  readonly lastFaultAt: number | undefined
  readonly endWithinMs: number
}

/** I1: lost, without an end, at an end that it must not reach, or late. */
export function judgeEnd(trail: Trail, wish: WishTrail | undefined, limits: EndLimits, report: Report): void {
  const { id, row, key, missing } = trail
  if (!row) {
    if (key !== undefined) report('I1', id, `accepted for ${key}, and lost: it has no row`)
    return
  }
  if (missing) report('I1', id, 'accepted, then answered with 404')
  if (!isEnd(row.state) || row.finishedAt === null) {
    if (!wish?.wish.later) report('I1', id, `it has no end: ${row.state}, attempt ${row.attempt}`)
    return
  }
  const { ends } = wish?.wish ?? {}
  if (ends && !ends.includes(row.state))
    report('I1', id, `it ended ${row.state}, and should have ended ${ends.join(' or ')}`)
  if (limits.lastFaultAt === undefined) return
  const lateMs = row.finishedAt - Math.max(limits.lastFaultAt, row.runAt) - limits.endWithinMs
  if (lateMs > 0) report('I1', id, `it ended ${Math.round(lateMs)} ms too late after the last fault`)
}
