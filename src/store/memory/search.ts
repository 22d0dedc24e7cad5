import type { Values } from '../../job/codec.js'
import type { FoundJobs, MatchCount } from '../../job/filter.js'
import { errorHeadLength, readErrorHead } from '../error-head.js'
import { narrowed } from '../search-narrow.js'
import { fromCursor, type JobPlace, orderOf, statesOf, toCursor } from '../search-order.js'
import { errorStart } from '../search-sql.js'
import type { FoundErrors, FoundIds, StoredFilter, StoredPage, TimeRange } from '../search-store.js'
import { toListed } from './lists.js'
import type { Row } from './row.js'
import { hasText, isMeant, workersOf } from './search-query.js'
import type { Table } from './table.js'

export function searchJobs(table: Table, filter: StoredFilter, page: StoredPage, values: Values): FoundJobs {
  const { ids, ...found } = searchIds(table, filter, page)
  return {
    jobs: ids.flatMap((id) => toRow(table, id)).map((row) => toListed(row, values, page.largestValue)),
    ...found,
  }
}

export function searchErrors(table: Table, filter: StoredFilter, page: StoredPage): FoundErrors {
  const { ids, ...found } = searchIds(table, filter, page)
  const errors = ids
    .flatMap((id) => toRow(table, id))
    .map(({ id, startedAt, finishedAt, error }) => ({
      ...{
        id,
        startedAt,
        finishedAt,
        error: error === null ? null : readErrorHead(error.slice(0, errorHeadLength)),
      },
    }))
  return { errors, ...found }
}

function toRow(table: Table, id: string): Row[] {
  const row = table.rows.get(id)
  return row ? [row] : []
}

export function searchIds(table: Table, asked: StoredFilter, page: StoredPage): FoundIds {
  const { limit, sort, cursor } = page
  const filter = narrowed(asked)
  const order = orderOf(filter)
  const from = cursor === undefined ? undefined : fromCursor(cursor, order, page)
  const sign = sort === 'oldest' ? 1 : -1
  const found = matching(table, filter)
    .map(
      (row): JobPlace => ({
        id: row.id,
        at: order === 'finished' ? (row.finishedAt?.toISOString() ?? '') : null,
      }),
    )
    .sort((one, other) => sign * compare(one, other))
    .filter((place) => from === undefined || sign * compare(place, from) > 0)
  const last = found[limit - 1]
  const hasMore = found.length > limit
  return {
    ids: found.slice(0, limit).map(({ id }) => id),
    cursor: hasMore && last ? toCursor(last, page) : null,
    isCut: false,
    lookedTo: null,
    since: filter.since ?? null,
  }
}

function compare(one: JobPlace, other: JobPlace): number {
  const [first, second] = [[one.at ?? '', one.id].join(), [other.at ?? '', other.id].join()]
  return first < second ? -1 : first > second ? 1 : 0
}

export function countMatching(table: Table, filter: StoredFilter, most: number): MatchCount {
  const count = matching(table, narrowed(filter)).length
  return { count: Math.min(count, most), isMore: count > most }
}

function matching(table: Table, filter: StoredFilter): Row[] {
  return [...table.rows.values()].filter((row) => isHit(table, filter, row))
}

/** As the statement says it; see `search-sql.ts`. */
function isHit(table: Table, filter: StoredFilter, row: Row): boolean {
  const { ids, tasks, queues, workers, owners, tags, parentId, minAttempts = 0, errorName, error } = filter
  return (
    statesOf(filter).includes(row.state) &&
    isOneOf(ids, row.id) &&
    isOneOf(tasks, row.task) &&
    !isAt(filter.notAt, row) &&
    isOneOf(queues, row.queue) &&
    (workers === undefined || workersOf(table, row).some((name) => workers.includes(name))) &&
    (owners === null ? row.owner === null : isOneOf(owners, row.owner)) &&
    (tags === undefined || tags.some((tag) => row.tags.includes(tag))) &&
    (parentId === undefined || row.parentId === parentId) &&
    isWithin(filter.created, row.createdAt) &&
    isWithin(filter.started, row.startedAt) &&
    isWithin(filter.finished, row.finishedAt) &&
    tookAsLong(table, filter, row) &&
    row.attempt >= minAttempts &&
    (errorName === undefined || row.error?.startsWith(errorStart(errorName)) === true) &&
    (error === undefined || hasText(row, 'error', error)) &&
    (filter.text === undefined || hasText(row, 'any', filter.text)) &&
    (filter.query === undefined || isMeant(table, filter.query, row))
  )
}

function isAt(place: StoredFilter['notAt'], { queue, priority }: Row): boolean {
  if (!place) return false
  return queue === (place.queue ?? queue) && priority === (place.priority ?? priority)
}

function isOneOf(list: readonly string[] | undefined, value: string | null): boolean {
  return list === undefined || (value !== null && list.includes(value))
}

function isWithin(range: TimeRange | undefined, moment: Date | null): boolean {
  if (range === undefined) return true
  if (moment === null) return false
  return (!range.from || moment >= range.from) && (!range.before || moment < range.before)
}

function tookAsLong(table: Table, { minDurationMs, maxDurationMs }: StoredFilter, row: Row): boolean {
  if (minDurationMs === undefined && maxDurationMs === undefined) return true
  if (row.startedAt === null || (row.finishedAt === null && row.state !== 'running')) return false
  const took = (row.finishedAt ?? table.now()).getTime() - row.startedAt.getTime()
  return took >= (minDurationMs ?? 0) && took <= (maxDurationMs ?? Number.POSITIVE_INFINITY)
}
