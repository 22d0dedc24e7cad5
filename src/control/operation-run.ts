import type { HeldOperation, JobOutcome, Matched, Redelivery, Store, Tally, Worked } from '../store/store.js'
import { sleep } from '../waiting.js'
import { fromPlanText } from './operation-plan.js'
import { type Source, sourceOf } from './operation-source.js'

export type RunStore = Pick<Store, 'searchIds' | 'countMatching' | 'workOperation' | 'renewOperation'>

/** Who hears what a batch has done, once it is committed. */
export interface RunListeners {
  /** Of jobs that have ended so, or are asked to stop. */
  onCancelled(outcomes: readonly JobOutcome[]): Promise<void>
  /** Takes what has a new delivery; resolves when it can take more. */
  send(redeliveries: readonly Redelivery[]): Promise<void>
}

export interface Run {
  readonly store: RunStore
  readonly held: HeldOperation
  readonly listeners: RunListeners
  /** Ends it after the batch that is under way. */
  readonly signal: AbortSignal
  /** Whether to count first how many there are. */
  readonly isCounted: boolean
  readonly pace: Pace
  /** Told after each batch, and waited for. */
  onBatch?(worked: Worked, matched: Matched | undefined): unknown
}

/** How much of the servers, and of its process, an operation takes for itself. */
export interface Pace {
  /** Jobs in the first batch. */
  readonly first: number
  /** Jobs in one, at most, whatever its plan says. */
  readonly most: number
  /** A batch that takes longer is followed by a smaller one: it locks its rows, and keeps others waiting, for so long. */
  readonly longMs: number
  /** How long it rests after a batch: so many times what that took in the store, beside what it took in the broker. */
  readonly rests: number
}

export interface Ran extends Pick<Tally, 'done' | 'counts'> {
  /** `aborted`: its signal says so. `left`: somebody has stopped it, or has taken it over. */
  readonly end: 'done' | 'aborted' | 'left'
  /** Where to go on. */
  readonly cursor: string | null
}

/** So often the runner says that it lives, also while a batch, or who is told of it, takes long. */
const beatMs = 3000
const longestRestMs = 1000

/**
 * Works an operation off, batch by batch, and rests as long as it works: others need the servers, too. What a batch does and
 * how far the operation has come are committed together, so every job is met once, whoever goes on.
 */
export async function runOperation(run: Run): Promise<Ran> {
  const { store, held } = run
  const beat = setInterval(() => void store.renewOperation(held).catch(() => {}), beatMs)
  beat.unref()
  try {
    return await workOff(run)
  } finally {
    clearInterval(beat)
  }
}

async function workOff({ store, held, listeners, signal, isCounted, pace, onBatch }: Run): Promise<Ran> {
  const { id, runner } = held
  const { deed, which, batch } = fromPlanText(held.plan)
  const most = Math.min(batch, pace.most)
  const source = sourceOf(store, which)
  const matched = isCounted ? await count(store, held, source) : undefined
  let at: Omit<Ran, 'end'> = { done: held.done, counts: {}, cursor: held.cursor }
  let { step } = held
  for (let size = Math.min(pace.first, most); ; ) {
    if (signal.aborted) return { ...at, end: 'aborted' }
    const begun = performance.now()
    const { isDone, ...next } = await source.next(at.cursor, size)
    const worked = await store.workOperation({ ...next, id, runner, step, deed, isDone })
    if (!worked) return { ...at, end: 'left' }
    const workedMs = performance.now() - begun
    await tell(listeners, worked)
    const toldMs = performance.now() - begun - workedMs
    step = worked.step
    at = { done: worked.done, counts: worked.counts, cursor: next.cursor }
    await onBatch?.(worked, matched)
    if (isDone) return { ...at, end: 'done' }
    size = nextSize(size, most, workedMs, pace.longMs)
    await sleep(Math.min(workedMs * pace.rests + toldMs, longestRestMs))
  }
}

async function count(store: RunStore, held: HeldOperation, source: Source): Promise<Matched> {
  const matched = await source.count()
  await store.renewOperation(held, matched)
  return matched
}

async function tell({ onCancelled, send }: RunListeners, worked: Worked): Promise<void> {
  const cancelled = worked.outcomes.filter(
    ({ outcome }) => outcome === 'cancelled' || outcome === 'cancelling',
  )
  if (cancelled.length > 0) await onCancelled(cancelled)
  if (worked.redeliveries.length > 0) await send(worked.redeliveries)
}

const smallestBatch = 20

function nextSize(size: number, most: number, tookMs: number, longMs: number): number {
  if (tookMs > longMs) return Math.min(most, Math.max(smallestBatch, Math.floor(size / 2)))
  return tookMs < longMs / 3 ? Math.min(most, size * 2) : size
}
