import type { EndState, JobState } from './state.js'

/** What happened to jobs of one task in one queue, counted in the transaction in which it did. */
export interface Move {
  readonly task: string
  readonly queue: string
  /** Empty: there was no such job. */
  readonly was: JobState | ''
  /** Empty: there is no such job any more. */
  readonly is: JobState | ''
  readonly how: MoveKind
  readonly jobs: number
  /** Of a start: how long the job had been due. Of an attempt that is over: how long it ran. */
  readonly took: Spread
  /** Of success and failure: from the enqueue to the end. */
  readonly total: Spread
}

/**
 * What the two states do not tell. `failed`, `snoozed`: why it waits for its next attempt. `lost`, `returned`,
 * `unstarted`: why it left its worker. `dropped`: an end that took the row along. `moved`:
 * it went from one queue to another, as it was.
 */
export type MoveKind = '' | 'failed' | 'snoozed' | 'lost' | 'returned' | 'unstarted' | 'dropped' | 'moved'

/** Durations, by how many lie between two bounds. */
export interface Spread {
  /** Their sum, in milliseconds. */
  readonly ms: number
  /** One more than there are bounds: the last are beyond all. Empty: none was measured. */
  readonly counts: readonly number[]
  /** Whole milliseconds that no duration lies below. */
  readonly leastMs: number
  /** Whole milliseconds that no duration lies above. */
  readonly mostMs: number
}

/** Upper bounds in milliseconds, from 1 ms to a day. A duration that equals one lies above it. */
export const spreadBoundsMs: readonly number[] = Object.freeze([
  ...[1, 2, 5, 10, 20, 50, 100, 200, 500],
  ...[1, 2, 5, 10, 20, 30].map((seconds) => seconds * 1000),
  ...[1, 2, 5, 10, 20, 30].map((minutes) => minutes * 60_000),
  ...[1, 2, 4, 6, 12, 24].map((hours) => hours * 3_600_000),
])

export const noSpread: Spread = Object.freeze({ ms: 0, counts: [], leastMs: 0, mostMs: 0 })

export function addSpread(one: Spread, other: Spread): Spread {
  if (other.counts.length === 0) return one
  if (one.counts.length === 0) return other
  return {
    ms: one.ms + other.ms,
    counts: one.counts.map((count, at) => count + (other.counts[at] ?? 0)),
    leastMs: Math.min(one.leastMs, other.leastMs),
    mostMs: Math.max(one.mostMs, other.mostMs),
  }
}

export function countOf({ counts }: Spread): number {
  return counts.reduce((sum, count) => sum + count, 0)
}

/**
 * Below which this part of the durations lies, in milliseconds; `undefined`: none was measured. It is as coarse as the
 * bounds, and never outside of what was measured: durations that are all alike are told exactly.
 */
export function quantileOf(spread: Spread, part: number): number | undefined {
  const wanted = countOf(spread) * part
  if (wanted === 0) return undefined
  let below = 0
  for (const [at, count] of spread.counts.entries()) {
    if (below + count >= wanted && count > 0) return between(spread, at, (wanted - below) / count)
    below += count
  }
  return spread.mostMs
}

function between({ leastMs, mostMs }: Spread, at: number, part: number): number {
  const from = Math.max(spreadBoundsMs[at - 1] ?? 0, leastMs)
  const to = Math.min(spreadBoundsMs[at] ?? mostMs, mostMs)
  return from + (to - from) * part
}

/** Whether an attempt began. One whose start a crash of the store took back began with its end. */
export function isStart({ was, is, how }: Move): boolean {
  return (is === 'running' && how !== 'moved') || isUnclaimedEnd({ was, is, how })
}

/** How an attempt ended that is over by this move; `undefined`: none is. */
export function attemptOutcomeOf(move: Move): AttemptOutcome | undefined {
  const { was, is, how } = move
  if (how === 'dropped') return is as EndState & AttemptOutcome
  if (was !== 'running' && !isUnclaimedEnd(move)) return undefined
  if (how === 'failed') return 'retried'
  if (how !== '' && how !== 'moved') return how
  return is === 'succeeded' || is === 'failed' || is === 'cancelled' ? is : undefined
}

export type AttemptOutcome =
  | 'succeeded'
  | 'failed'
  | 'cancelled'
  | 'retried'
  | 'snoozed'
  | 'lost'
  | 'returned'
  | 'unstarted'

type Ways = Pick<Move, 'was' | 'is' | 'how'>

function isUnclaimedEnd({ was, is, how }: Ways): boolean {
  if (was !== 'queued' && was !== 'scheduled' && was !== 'retrying') return false
  return is === 'succeeded' || is === 'failed' || (is === 'retrying' && how !== '')
}

/** The end that jobs have reached by this move. */
export function endOf({ was, is, how }: Move): EndState | undefined {
  if (was === '' && how !== 'dropped') return undefined
  return is === 'succeeded' || is === 'failed' || is === 'cancelled' || is === 'expired' ? is : undefined
}

export function isEnqueue({ was, how }: Move): boolean {
  return was === '' && how !== 'dropped' && how !== 'moved'
}

/** Put back into its queue after its end, by hand. */
export function isRequeue({ was, is }: Move): boolean {
  return (was === 'failed' || was === 'cancelled' || was === 'expired') && is === 'queued'
}

/** How many jobs there are in each state: what came less what went. */
export function depthsOf(moves: readonly Move[]): Map<string, Map<JobState, number>> {
  const depths = new Map<string, Map<JobState, number>>()
  for (const { queue, was, is, how, jobs } of moves) {
    if (how === 'dropped') continue
    const states = depths.get(queue) ?? new Map<JobState, number>()
    depths.set(queue, states)
    if (was !== '') states.set(was, (states.get(was) ?? 0) - jobs)
    if (is !== '') states.set(is, (states.get(is) ?? 0) + jobs)
  }
  return depths
}
