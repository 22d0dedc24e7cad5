import { isEnd } from '../job/state.js'
import { idBefore, idFrom, type JobPlace, orderOf, statesOf } from './search-order.js'
import { orIdEnd, queryHit } from './search-query.js'
import type { MoveTarget, StoredFilter, StoredPage, TimeRange } from './search-store.js'
import { notHidden, patterns, searchedCharacters, type Value } from './search-text.js'

/**
 * A search walks along an index, some rows at a time, and looks at each whether it matches. The walk is bounded by
 * whole keys of that index, in its order, so that no other is a match for the planner; what else the filter says is
 * looked at behind the limit, so that a rare match cannot make a statement long.
 */
export interface Look {
  /** Rows to walk past. */
  readonly size: number
  /** Matches to give. */
  readonly most: number
  readonly from: JobPlace | undefined
}

/** Adds a value to a statement, and gives its name there. */
function createValues(): { readonly values: unknown[]; readonly value: Value } {
  const values: unknown[] = []
  return { values, value: (each) => `$${values.push(each)}` }
}

/** The places of the next matches, how many rows were walked past, and the last of those. */
export function lookStatement(
  filter: StoredFilter,
  { sort, inAnyOrder = false }: Pick<StoredPage, 'sort' | 'inAnyOrder'>,
  look: Look,
) {
  const { values, value } = createValues()
  const { near, isDone } = walk(filter, sort === 'newest', inAnyOrder, look, value)
  const way = sort === 'newest' ? 'DESC' : 'ASC'
  const text = `
${near},
hits AS (SELECT line, id, at FROM near WHERE hit ORDER BY ${inOrder(way)} LIMIT ${value(look.most)}::int)
SELECT (SELECT count(*)::int FROM near) AS seen, ${isDone} AS "isDone",
  (SELECT ${place} FROM (SELECT * FROM near ORDER BY ${inOrder(opposite(way))} LIMIT 1) AS last) AS last,
  coalesce((SELECT json_agg(${place} ORDER BY ${inOrder(way)}) FROM hits), '[]'::json) AS hits`
  return { text, values }
}

const place = `json_build_object('id', id, 'at', at, 'line', line)`
const inOrder = (way: 'ASC' | 'DESC') => `line ${way}, at ${way}, id ${way}`

/** How many of the next rows match. */
export function countStatement(filter: StoredFilter, look: Look) {
  const { values, value } = createValues()
  const { near, isDone } = walk(filter, true, true, look, value)
  const text = `
${near}
SELECT count(*)::int AS seen, ${isDone} AS "isDone", (count(*) FILTER (WHERE hit))::int AS hits,
  (SELECT ${place} FROM (SELECT * FROM near ORDER BY ${inOrder('ASC')} LIMIT 1) AS last) AS last
FROM near`
  return { text, values }
}

function opposite(way: 'ASC' | 'DESC'): 'ASC' | 'DESC' {
  return way === 'ASC' ? 'DESC' : 'ASC'
}

interface Walk {
  /** The statement's `near`: the next rows, and whether each matches. */
  readonly near: string
  /** Whether no rows are left behind them, in SQL. */
  readonly isDone: string
}

function walk(
  filter: StoredFilter,
  isNewest: boolean,
  inAnyOrder: boolean,
  { size, from }: Look,
  value: Value,
): Walk {
  const isByEnd = orderOf(filter) === 'finished'
  const { lines, index } = trackOf(filter, isByEnd, value)
  const way = isNewest ? 'DESC' : 'ASC'
  const columns = [...index.of, ...(isByEnd ? ['finished_at', 'id'] : ['id'])]
  const keys = columns.map((column) => `j.${column}`).join(', ')
  // One queue after the other needs no bounds of time: each row is looked at, in the order of the index.
  const isThrough = inAnyOrder && index.isThrough === true
  const range = () => {
    if (isThrough) return from ? `(${keys}) ${isNewest ? '<' : '>'} (${throughPlace(from, value)})` : ''
    const [low, high] = isByEnd
      ? endBounds(filter, isNewest, from, value)
      : idBounds(filter, isNewest, from, value)
    const head = index.of.map(() => 'line.name, ').join('')
    return `(${keys}) > (${head}${low}) AND (${keys}) < (${head}${high})`
  }
  const order = columns.map((column) => `j.${column} ${way}`).join(', ')
  const all = `${value(size)}::int`
  const at = isByEnd ? 'j.finished_at' : 'NULL::timestamptz'
  const line = isThrough ? 'j.queue' : 'NULL::text'
  const rows = (
    what: string,
    limit: string,
  ) => `SELECT j.id, ${at} AS at, ${line} AS line, ${what} FROM celeriac.job j
    WHERE ${[index.where, range()].filter(Boolean).join(' AND ')} ORDER BY ${order} LIMIT ${limit}`
  const isHit = `(${hit(filter, value)}) AS hit`
  if (lines === undefined || isThrough)
    return {
      near: `WITH near AS MATERIALIZED (${rows(isHit, all)})`,
      isDone: `(SELECT count(*) FROM near) < ${all}`,
    }
  const key = isByEnd ? 'at, id' : 'id'
  return {
    near: `WITH RECURSIVE ${lines},
share AS MATERIALIZED (SELECT ${shareOf(all)} AS most FROM line),
taken AS MATERIALIZED (
  SELECT n.*, row_number() OVER (PARTITION BY line.name ORDER BY n.at ${way}, n.id ${way}) AS nth
  FROM line CROSS JOIN LATERAL (${rows('j.ctid AS place', '(SELECT most FROM share)')}) AS n),
edge AS MATERIALIZED (
  SELECT at, id FROM taken WHERE nth = (SELECT most FROM share) ORDER BY at ${way}, id ${way} LIMIT 1),
merged AS MATERIALIZED (
  SELECT id, at, line, place FROM taken
  WHERE NOT EXISTS (SELECT 1 FROM edge) OR (${key}) ${isNewest ? '>=' : '<='} (SELECT ${key} FROM edge)
  ORDER BY at ${way}, id ${way} LIMIT ${all}),
near AS MATERIALIZED (
  SELECT m.id, m.at, m.line, ${isHit} FROM merged m JOIN celeriac.job j ON j.ctid = m.place)`,
    isDone: `NOT EXISTS (SELECT 1 FROM edge) AND (SELECT count(*) FROM taken) <= ${all}`,
  }
}

/**
 * Of many lines each gives its share, or a look would read as many rows as it has lines times its size. What they give
 * is in order as far as the first line that may have more: at its edge the next look begins.
 */
function shareOf(all: string): string {
  return `least(${all}, greatest(${leastShare}, 2 * ${all} / greatest(1, count(*)::int)))`
}

/** Rows that one line gives at least, so that the first page is full at once where one line has all of it. */
const leastShare = 50

function throughPlace({ line, at, id }: JobPlace, value: Value): string {
  const end = at === null ? '' : `${value(at)}::timestamptz, `
  return `${value(line ?? '')}::text, ${end}${value(id)}::uuid`
}

interface Track {
  /** What the walk goes along, one after the other: `undefined` for the index as a whole. */
  readonly lines: string | undefined
  readonly index: {
    readonly of: readonly string[]
    readonly where: string
    /** The lines are all that the index has. */
    readonly isThrough?: boolean
  }
}

const isUnsuccessful = `j.finished_at IS NOT NULL
  AND (j.error IS NOT NULL OR j.cancel_requested_at IS NOT NULL OR j.expires_at <= j.finished_at)`
const isOpen = 'j.finished_at IS NULL'
const hasEnded = 'j.finished_at IS NOT NULL'

/** The shortest way to what the filter means. */
function trackOf(filter: StoredFilter, isByEnd: boolean, value: Value): Track {
  const { ids, parentId, tasks, queues } = filter
  const states = statesOf(filter)
  if (ids) return { lines: undefined, index: { of: [], where: `j.id = ANY(${value(ids)}::uuid[])` } }
  if (parentId)
    return {
      lines: named([parentId], value, 'uuid'),
      index: { of: ['parent_id'], where: 'j.parent_id IS NOT NULL' },
    }
  const ofQueues = (where: string): Track => ({
    lines: queues ? named(queues, value) : hop(where),
    index: { of: ['queue'], where, isThrough: !queues },
  })
  if (states.every((state) => !isEnd(state))) return ofQueues(isOpen)
  if (!isByEnd) return { lines: undefined, index: { of: [], where: '' } }
  if (!states.includes('succeeded')) return ofQueues(isUnsuccessful)
  if (tasks) return { lines: named(tasks, value), index: { of: ['task'], where: hasEnded } }
  return { lines: undefined, index: { of: [], where: hasEnded } }
}

function named(names: readonly string[], value: Value, type = 'text'): string {
  return `line AS (SELECT unnest(${value([...new Set(names)])}::${type}[]) AS name)`
}

/** From one queue to the next, an index entry each. */
function hop(where: string): string {
  return `hop AS (
  (SELECT j.queue AS name FROM celeriac.job j WHERE ${where} ORDER BY j.queue LIMIT 1)
  UNION ALL
  SELECT (SELECT j.queue FROM celeriac.job j WHERE ${where} AND j.queue > hop.name ORDER BY j.queue LIMIT 1)
  FROM hop WHERE hop.name IS NOT NULL),
line AS (SELECT name FROM hop WHERE name IS NOT NULL)`
}

const lowest = '00000000-0000-0000-0000-000000000000'
const highest = 'ffffffff-ffff-ffff-ffff-ffffffffffff'

function idBounds(
  { created, started, parentId }: StoredFilter,
  isNewest: boolean,
  from: JobPlace | undefined,
  value: Value,
): [low: string, high: string] {
  const before = earliest(created?.before, started?.before)
  const low = created?.from && !parentId ? idFrom(created.from) : lowest
  const high = before ? idBefore(before) : highest
  const id = (text: string) => `${value(text)}::uuid`
  return isNewest ? [id(low), id(from?.id ?? high)] : [id(from?.id ?? low), id(high)]
}

/** What was created or started at a moment ended later. */
function endBounds(
  { created, started, finished }: StoredFilter,
  isNewest: boolean,
  from: JobPlace | undefined,
  value: Value,
): [low: string, high: string] {
  const after = latest(created?.from, started?.from, finished?.from)
  const bound = ({ at, id }: { at: string; id: string }) => `${value(at)}::timestamptz, ${value(id)}::uuid`
  const start = { at: after?.toISOString() ?? '-infinity', id: lowest }
  const end = { at: finished?.before?.toISOString() ?? 'infinity', id: lowest }
  const here = from && { at: from.at ?? '', id: from.id }
  return isNewest ? [bound(start), bound(here ?? end)] : [bound(here ?? start), bound(end)]
}

function earliest(...dates: (Date | undefined)[]): Date | undefined {
  return dates.filter((date) => date !== undefined).sort((one, other) => Number(one) - Number(other))[0]
}

function latest(...dates: (Date | undefined)[]): Date | undefined {
  return dates.filter((date) => date !== undefined).sort((one, other) => Number(other) - Number(one))[0]
}

/** Whether a row is one of those that are meant. */
function hit(filter: StoredFilter, value: Value): string {
  const { states, tasks, queues, workers, owners, tags, parentId, errorName, error, text } = filter
  const texts = (list: readonly string[]) => `${value(list)}::text[]`
  const parts: string[] = []
  if (states || filter.finished) parts.push(`j.state = ANY(${value(statesOf(filter))}::celeriac.job_state[])`)
  if (tasks) parts.push(`j.task = ANY(${texts(tasks)})`)
  if (queues) parts.push(`j.queue = ANY(${texts(queues)})`)
  if (workers) {
    const list = texts(workers)
    parts.push(`(j.worker_id::text = ANY(${list})
      OR j.worker_id = ANY(ARRAY(SELECT w.id FROM celeriac.worker w WHERE w.name = ANY(${list}))))`)
  }
  if (owners === null) parts.push('j.owner IS NULL')
  else if (owners) parts.push(`j.owner = ANY(${texts(owners)})`)
  if (tags) parts.push(`j.tags && ${texts(tags)}`)
  if (parentId) parts.push(`j.parent_id = ${value(parentId)}::uuid`)
  if (filter.notAt) parts.push(elsewhere(filter.notAt, value))
  parts.push(
    ...within('j.created_at', filter.created, value),
    ...within('j.started_at', filter.started, value),
    ...within('j.finished_at', filter.finished, value),
    ...duration(filter, value),
  )
  if (filter.minAttempts !== undefined) parts.push(`j.attempt >= ${value(filter.minAttempts)}::int`)
  if (errorName !== undefined) parts.push(`starts_with(j.error, ${value(errorStart(errorName))})`)
  if (error !== undefined) parts.push(`j.error ILIKE ANY(${texts(patterns(error))})`)
  if (text !== undefined) {
    const like = `ANY(${texts(patterns(text))})`
    const has = (column: string) => `left(${column}, ${searchedCharacters}) ILIKE ${like}`
    parts.push(
      `(${orIdEnd(text, value)}j.error ILIKE ${like} OR (${notHidden} AND (${has('j.payload')} OR coalesce(${has('j.result')}, false))))`,
    )
  }
  const hits = parts.map((part) => `coalesce(${part}, false)`)
  if (filter.query) hits.push(queryHit(filter.query, value))
  return hits.length === 0 ? 'true' : hits.join(' AND ')
}

function elsewhere({ queue, priority }: MoveTarget, value: Value): string {
  const same = [
    ...(queue === undefined ? [] : [`j.queue = ${value(queue)}`]),
    ...(priority === undefined ? [] : [`j.priority = ${value(priority)}::int`]),
  ]
  return `NOT (${same.join(' AND ')})`
}

function within(column: string, range: TimeRange | undefined, value: Value): string[] {
  return [
    ...(range?.from ? [`${column} >= ${value(range.from)}::timestamptz`] : []),
    ...(range?.before ? [`${column} < ${value(range.before)}::timestamptz`] : []),
  ]
}

function duration({ minDurationMs, maxDurationMs }: StoredFilter, value: Value): string[] {
  if (minDurationMs === undefined && maxDurationMs === undefined) return []
  const took = `extract(epoch FROM coalesce(j.finished_at, now()) - j.started_at) * 1000`
  return [
    `(j.finished_at IS NOT NULL OR j.state = 'running')`,
    ...(minDurationMs === undefined ? [] : [`${took} >= ${value(minDurationMs)}::float8`]),
    ...(maxDurationMs === undefined ? [] : [`${took} <= ${value(maxDurationMs)}::float8`]),
  ]
}

/** Errors are kept as JSON text that begins with the name. Functions that look inside refuse `\u0000`. */
export function errorStart(name: string): string {
  return `{"name":${JSON.stringify(name)}`
}
