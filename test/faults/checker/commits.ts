import type { Effect, JobRow } from './history.js'
import type { Trail, WishTrail } from './trail.js'
import type { Report } from './verdict.js'

/** I6: one attempt settles a job, once; an effect that commits with the end is there if and only if the end is. */
export function judgeCommits(
  trail: Trail,
  wish: WishTrail | undefined,
  pidOf: ReadonlyMap<string, number>,
  report: Report,
): void {
  const { id, row, commits } = trail
  if (!row) return
  const twice = findSettledTwice(row)
  if (twice !== undefined) report('I6', id, `attempt ${twice} was settled twice`)
  const fault = commits.length === 0 ? findMissing(row, wish) : findWrong(row, commits, pidOf)
  if (fault !== undefined) report('I6', id, fault)
}

function findMissing(row: JobRow, wish: WishTrail | undefined): string | undefined {
  return wish?.wish.once && row.state === 'succeeded' ? 'it succeeded, and its effect is missing' : undefined
}

function findWrong(
  row: JobRow,
  commits: readonly Effect[],
  pidOf: ReadonlyMap<string, number>,
): string | undefined {
  if (commits.length > 1) return `its effect was committed ${commits.length} times`
  if (row.state !== 'succeeded') return `its effect was committed, and it is ${row.state}`
  const pid = row.worker === null ? undefined : pidOf.get(row.worker)
  const isLast = (commit: Effect) => commit.attempt === row.attempt && commit.pid === pid
  return commits.every(isLast) ? undefined : `its effect is not of attempt ${row.attempt}, which ended it`
}

function findSettledTwice(row: JobRow): number | undefined {
  const settled = row.attempts.filter((entry) => entry.outcome === 'failed')
  const again = settled.find((entry, nth) => settled.slice(0, nth).some((other) => isSame(entry, other)))
  if (again) return again.number
  if (row.state !== 'succeeded') return undefined
  return settled.find((entry) => isSame(entry, { number: row.attempt, worker: row.worker }))?.number
}

interface Named {
  readonly number: number
  readonly worker: string | null
}

function isSame(one: Named, other: Named): boolean {
  return one.number === other.number && one.worker === other.worker
}
