import type { JobRow, Signature } from './history.js'
import type { Trail, WishTrail } from './trail.js'
import type { Report } from './verdict.js'

/** With these ends, a task may have returned all the same: nobody was left to hear it, or it was too late. */
const deafEnds: ReadonlySet<string> = new Set(['WorkerLostError', 'TimeLimitError'])

/** I4: what the row says of its last attempt is what that attempt did. */
export function judgeLastAttempt(
  trail: Trail,
  wish: WishTrail | undefined,
  pidOf: ReadonlyMap<string, number>,
  report: Report,
): void {
  const difference = findDifference(trail, wish?.wish.unsigned !== true, pidOf)
  if (difference !== undefined) report('I4', trail.id, difference)
}

function findDifference(
  trail: Trail,
  signed: boolean,
  pidOf: ReadonlyMap<string, number>,
): string | undefined {
  const { row } = trail
  if (row?.state === 'succeeded')
    return (
      differsFromResult(row, signed, pidOf) ??
      differsFromEffects(trail, row, signed, pidOf) ??
      overtaken(trail, row)
    )
  if (row?.state === 'failed') return differsFromReturn(trail, row, pidOf) ?? overtaken(trail, row)
  return undefined
}

function differsFromResult(
  row: JobRow,
  signed: boolean,
  pidOf: ReadonlyMap<string, number>,
): string | undefined {
  if (!signed) return undefined
  const pid = row.worker === null ? undefined : pidOf.get(row.worker)
  const result = readSignature(row.result)
  if (!result) return `it succeeded, and its result names no attempt: ${row.result}`
  if (result.attempt !== row.attempt)
    return `its result is of attempt ${result.attempt}, and its row says attempt ${row.attempt}`
  if (result.pid !== pid) return `its result is of process ${result.pid}, and its row says process ${pid}`
  return undefined
}

/** The attempt that the row names started, and told that it was done. */
function differsFromEffects(
  trail: Trail,
  row: JobRow,
  signed: boolean,
  pidOf: ReadonlyMap<string, number>,
): string | undefined {
  const pid = row.worker === null ? undefined : pidOf.get(row.worker)
  const isLast = (effect: { attempt: number; pid: number }) =>
    effect.attempt === row.attempt && effect.pid === pid
  if (!trail.starts.some(isLast)) return `it succeeded with attempt ${row.attempt}, which never started there`
  const done =
    trail.finishes.some((finish) => isLast(finish) && finish.ok !== false) || trail.commits.length > 0
  if (signed && !done) return `it succeeded with attempt ${row.attempt}, whose task never came to its end`
  return undefined
}

function differsFromReturn(
  trail: Trail,
  row: JobRow,
  pidOf: ReadonlyMap<string, number>,
): string | undefined {
  if (row.errorName !== null && deafEnds.has(row.errorName)) return undefined
  const pid = row.worker === null ? undefined : pidOf.get(row.worker)
  const returned = trail.finishes.some(
    (finish) => finish.attempt === row.attempt && finish.pid === pid && finish.ok === true,
  )
  return returned
    ? `it failed with ${row.errorName}, and the task of attempt ${row.attempt} returned`
    : undefined
}

function overtaken({ starts }: Trail, row: JobRow): string | undefined {
  const end = row.finishedAt ?? Number.POSITIVE_INFINITY
  const later = starts.find((start) => start.attempt > row.attempt && start.at <= end)
  return later && `attempt ${later.attempt} had started, and its row is of attempt ${row.attempt}`
}

function readSignature(text: string | null): Signature | undefined {
  try {
    const value: unknown = JSON.parse(text ?? 'null')
    return isSignature(value) ? value : undefined
  } catch {
    return undefined
  }
}

function isSignature(value: unknown): value is Signature {
  return (
    typeof value === 'object' &&
    value !== null &&
    'attempt' in value &&
    typeof value.attempt === 'number' &&
    'pid' in value &&
    typeof value.pid === 'number'
  )
}
