import type { Trail, WishTrail } from './trail.js'
import type { Report } from './verdict.js'

/** I2: what was refused or rolled back left nothing behind, and one key made one job however often it was asked. */
export function judgeWish(wish: WishTrail, report: Report): void {
  const { key, ids, accepted, unsure, unanswered, refused, rolledBack, ran } = wish
  if (ids.size > 1)
    report('I2', [...ids][0] ?? null, `one wish made two jobs: ${key} is ${[...ids].join(', ')}`)
  if (accepted || unsure || unanswered > 0) return
  const left = ids.size > 0 ? `has a row (${[...ids].join(', ')})` : ran ? 'ran' : undefined
  if (left === undefined) return
  const id = [...ids][0] ?? null
  if (rolledBack) report('I2', id, `${key} was rolled back, and ${left}`)
  else if (refused !== undefined) report('I2', id, `${key} was refused with ${refused}, and ${left}`)
}

/** I2, by id: what has no row, and was no job as far as anybody was told, did not run. */
export function judgeStray({ id, row, key, rolledBack, starts }: Trail, report: Report): void {
  if (row || key !== undefined || starts.length === 0) return
  // A wish that was rolled back has been judged, if the task said whose it is.
  if (rolledBack && starts[0]?.key !== null) return
  report('I2', id, rolledBack ? 'rolled back, and it ran' : 'it ran, and has no row')
}
