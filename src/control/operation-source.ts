import { StoreUnavailableError } from '../errors.js'
import type { Matched, Store, StoredFilter } from '../store/store.js'
import { type PlannedJobs, partIds } from './operation-plan.js'

/** Where the jobs of an operation come from, batch by batch. */
export interface Source {
  count(): Promise<Matched>
  /** The next ones after `cursor`, so many at most. */
  next(cursor: string | null, size: number): Promise<Batch>
}

export interface Batch {
  readonly ids: readonly string[]
  /** What is no id at all. */
  readonly strangers: readonly string[]
  readonly cursor: string | null
  readonly isDone: boolean
}

type SourceStore = Pick<Store, 'searchIds' | 'countMatching'>

const mostCounted = 1_000_000

export function sourceOf(store: SourceStore, which: PlannedJobs): Source {
  return 'ids' in which ? fromIds(which.ids) : fromFilter(store, which.filter)
}

/** The cursor is how many there were before. */
function fromIds(given: readonly string[]): Source {
  return {
    count: async () => ({ count: given.length, isMore: false }),
    async next(cursor, size) {
      const from = Number(cursor ?? 0)
      const to = from + size
      return { ...partIds(given.slice(from, to)), cursor: String(to), isDone: to >= given.length }
    },
  }
}

/** Newest first in each queue, so that what comes meanwhile, also from this very operation, is not met again. */
function fromFilter(store: SourceStore, filter: StoredFilter): Source {
  return {
    count: () => store.countMatching(filter, mostCounted),
    async next(cursor, size) {
      const page = { limit: size, sort: 'newest', inAnyOrder: true } as const
      const found = await store.searchIds(filter, { ...page, ...(cursor === null ? {} : { cursor }) })
      const isStuck = found.isCut && (found.cursor === null || found.cursor === cursor)
      if (isStuck) throw new StoreUnavailableError(stuckMessage)
      return { ids: found.ids, strangers: [], cursor: found.cursor, isDone: found.cursor === null }
    },
  }
}

export const stuckMessage =
  'PostgreSQL did not get through twenty jobs in 2 s to look for those that match. Check its load, or search for less text.'
