import { both, boundsOf, type QueryBounds } from '../job/query/bounds.js'
import { isEnd } from '../job/state.js'
import { orderOf, statesOf } from './search-order.js'
import type { StoredFilter } from './search-store.js'

/**
 * The same filter, with what its query says of state, task, queue, ids, parent and times beside what it says itself, so
 * that the shortest way to it is found. The query stays: each job is still held against all of it.
 */
export function narrowed(filter: StoredFilter): StoredFilter {
  const { query, since, ...said } = filter
  const narrow = query
    ? { ...said, query, ...toFilter(both(toBounds(said), boundsOf(query, new Date()))) }
    : said
  return since ? withSince(narrow, since) : narrow
}

/**
 * Since when a search with text looks, as nothing else was said: `null` where it looks at all, for what is meant is few.
 */
export function sinceOf(filter: StoredFilter): Date | null {
  return narrowed(filter).since ?? null
}

/** By the time that the jobs are in the order of. */
function withSince(filter: StoredFilter, since: Date): StoredFilter {
  const isFew = filter.ids || filter.parentId || statesOf(filter).every((state) => !isEnd(state))
  if (isFew) return filter
  return orderOf(filter) === 'finished'
    ? { ...filter, since, finished: { from: since } }
    : { ...filter, since, created: { from: since } }
}

function toBounds({
  ids,
  states,
  tasks,
  queues,
  parentId,
  created,
  started,
  finished,
}: StoredFilter): QueryBounds {
  return {
    ...(ids && { ids }),
    ...(states && { states }),
    ...(tasks && { tasks }),
    ...(queues && { queues }),
    ...(parentId !== undefined && { parents: [parentId] }),
    ...(created && { created }),
    ...(started && { started }),
    ...(finished && { ended: finished }),
  }
}

function toFilter({ parents, ended, ...bounds }: QueryBounds): Partial<StoredFilter> {
  const [parentId] = parents ?? []
  return {
    ...bounds,
    ...(ended && { finished: ended }),
    // The way leads along the children of one job. Where none is left, any other is as short.
    ...(parents?.length === 1 && parentId !== undefined ? { parentId } : {}),
  }
}
