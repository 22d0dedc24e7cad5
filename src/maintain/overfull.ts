import type { NthFinished, Place, PruneRule, Store } from '../store/store.js'

/** How many finished jobs of a task may be kept. */
export interface TaskLimit {
  readonly task: string
  readonly count: number
}

export interface Overfull {
  /** The tasks that have more finished jobs than they may: the newest stay. */
  find(store: Store, limits: readonly TaskLimit[]): Promise<PruneRule[]>
  /** Count all anew: what was found was not seen to. */
  forget(): void
}

/** Entries of the index that one statement counts. */
const page = 50_000
/** Below this, counting costs next to nothing, and is done each time. */
const few = 10_000

/**
 * Counting a million takes a second, so a task is not counted again before a tenth of what it may have has been added
 * to what it had. Each process remembers for itself; what others have deleted meanwhile only makes it count too early.
 */
export function createOverfull(): Overfull {
  const newestCounted = new Map<string, Place>()

  return { find, forget: () => newestCounted.clear() }

  async function find(store: Store, limits: readonly TaskLimit[]): Promise<PruneRule[]> {
    const due = await withMore(store, limits)
    const newest = await store.nthFinished(due.map(({ task }) => ({ task, newer: 0 })))
    const firstPages = await store.nthFinished(
      due.map(({ task, count }) => ({ task, newer: Math.min(count, few) })),
    )
    const rules: PruneRule[] = []
    for (const [index, limit] of due.entries()) {
      const upTo = await countOn(store, limit, firstPages[index])
      if (upTo) rules.push({ task: limit.task, rule: 'count', states: ends, upTo })
      const place = newest[index]
      if (place && limit.count > few) newestCounted.set(limit.task, place)
    }
    return rules
  }

  async function withMore(store: Store, limits: readonly TaskLimit[]): Promise<TaskLimit[]> {
    const asked: NthFinished[] = limits.map(({ task, count }) => {
      const after = newestCounted.get(task)
      return after ? { task, newer: Math.floor(count / 10), after } : { task, newer: 0 }
    })
    const found = await store.nthFinished(asked)
    return limits.filter((_, index) => found[index] !== undefined)
  }
}

const ends = ['succeeded', 'failed', 'cancelled', 'expired'] as const

/** The newest job that is too many. `place`: the one that the first `few` follow. */
async function countOn(
  store: Store,
  { task, count }: TaskLimit,
  place: Place | undefined,
): Promise<Place | undefined> {
  let before = place
  for (let left = count - few; before && left > 0; left -= page) {
    ;[before] = await store.nthFinished([{ task, newer: Math.min(left, page) - 1, before }])
  }
  return before
}
