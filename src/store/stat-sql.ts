import { spreadBoundsMs } from '../job/move.js'

/** Parts of the statements that count what happened to jobs. */

/** What tells the lines of `stat_delta`, and the rows of `stat_total`, apart. */
export const key = 'task, queue, was, "is", how'
/** The part of it that says what a line counts for. */
export const way = 'was, "is", how'

const bounds = `ARRAY[${spreadBoundsMs.join(', ')}]::float8[]`
/** Of lists: counts by bucket, from 1; then whole milliseconds that no duration lies below, and none above. */
const places = [...spreadBoundsMs.keys(), spreadBoundsMs.length].map((at) => at + 1)
const leastAt = places.length + 1
const mostAt = places.length + 2

/** Where the counts of each kind begin, among the places of one row. The number of jobs is at 0. */
const firstOf = { took: 0, total: 100 }

type Kind = keyof typeof firstOf

/**
 * Adds up lines that the table or CTE `from` holds, by `by`: jobs, and durations as sums and as counts by bucket. Makes a
 * CTE `name`, and one before it. No join: of a thousand kinds of moves it would compare each with each.
 */
export const addedUp = (
  name: string,
  from: string,
  by: string,
  kinds: readonly Kind[] = ['took', 'total'],
) => `
${name}_places AS (
  SELECT ${by}, 0 AS place, sum(jobs)::bigint AS jobs, 0 AS ms, 0 AS least, 0 AS most FROM ${from} GROUP BY ${by}
  UNION ALL
  SELECT ${by}, v.first + width_bucket(ms::float8, ${bounds}) + 1 AS place, count(*), sum(ms::float8), min(ms), max(ms)
  FROM ${from}, LATERAL (VALUES ${kinds.map((kind) => `(${firstOf[kind]}, ${kind})`).join(', ')}) AS v(first, list),
    unnest(v.list) AS ms
  GROUP BY ${by}, place),
${name} AS (
  SELECT ${by}, sum(jobs) FILTER (WHERE place = 0)::bigint AS jobs, ${kinds.map(listFrom).join(', ')}
  FROM ${name}_places GROUP BY ${by})`

function listFrom(kind: Kind): string {
  const first = firstOf[kind]
  const isOfKind = `place BETWEEN ${first + 1} AND ${first + places.length}`
  const counts = places.map((at) => `coalesce(sum(jobs) FILTER (WHERE place = ${first + at}), 0)::bigint`)
  const ends = [`floor(min(least) FILTER (WHERE ${isOfKind}))`, `ceil(max(most) FILTER (WHERE ${isOfKind}))`]
  return `coalesce(sum(ms) FILTER (WHERE ${isOfKind}), 0) AS ${kind}_ms,
    CASE WHEN bool_or(${isOfKind}) THEN ARRAY[${[...counts, ...ends.map((end) => `${end}::bigint`)].join(', ')}] ELSE '{}' END AS ${kind}`
}

/** Of a group of rows: their lists added up, place by place; empty where all are. Several times as quick as by `unnest`. */
export const summedList = (list: string) => `CASE WHEN sum(${list}[1]) IS NULL THEN '{}'::bigint[]
    ELSE ARRAY[${places.map((place) => `sum(${list}[${place}])::bigint`).join(', ')},
      min(${list}[${leastAt}]), max(${list}[${mostAt}])] END`

/** In an upsert of table `t`: the list that is there, and the new one. */
export const addedList = (
  list: string,
) => `${list} = CASE WHEN cardinality(excluded.${list}) = 0 THEN t.${list}
    WHEN cardinality(t.${list}) = 0 THEN excluded.${list}
    ELSE ARRAY[${places.map((place) => `t.${list}[${place}] + excluded.${list}[${place}]`).join(', ')},
      least(t.${list}[${leastAt}], excluded.${list}[${leastAt}]), greatest(t.${list}[${mostAt}], excluded.${list}[${mostAt}])] END`

export const addedNumber = (column: string) => `${column} = t.${column} + excluded.${column}`

const isUnclaimedEnd = `was IN ('queued', 'scheduled', 'retrying') AND ("is" IN ('succeeded', 'failed') OR "is" = 'retrying' AND how <> '')`
const isEnd = (state: string) => `"is" = '${state}' AND (was <> '' OR how = 'dropped')`
const change = (states: string) => `CASE WHEN how = 'dropped' THEN 0
    ELSE jobs * (("is" IN (${states}))::int - (was IN (${states}))::int) END`
const countIf = (condition: string) => `CASE WHEN ${condition} THEN jobs ELSE 0 END`

/** The columns of `stat`, made of lines or totals that were added up: what `tallyOf` and `openChangeOf` of `job/tally.ts` say. */
const tallied = {
  enqueued: countIf(`was = '' AND how NOT IN ('dropped', 'moved')`),
  requeued: countIf(`was IN ('failed', 'cancelled', 'expired') AND "is" = 'queued'`),
  started: countIf(`"is" = 'running' AND how <> 'moved' OR ${isUnclaimedEnd}`),
  succeeded: countIf(isEnd('succeeded')),
  failed: countIf(isEnd('failed')),
  cancelled: countIf(isEnd('cancelled')),
  expired: countIf(isEnd('expired')),
  retried: countIf(`how = 'failed'`),
  lost: countIf(`how = 'lost'`),
  queued: change(`'queued'`),
  delayed: change(`'scheduled', 'retrying'`),
  running: change(`'running'`),
  wait_ms: `CASE WHEN "is" = 'running' THEN took_ms ELSE 0 END`,
  run_ms: `CASE WHEN "is" = 'running' THEN 0 ELSE took_ms END`,
  wait: `CASE WHEN "is" = 'running' THEN took ELSE '{}' END`,
  run: `CASE WHEN "is" = 'running' THEN '{}' ELSE took END`,
}

const lists = ['wait', 'run']
const durations = ['wait_ms', 'run_ms']
const numbers = Object.keys(tallied).filter((each) => !lists.includes(each) && !durations.includes(each))

/** Their names, in the order of all that follows. */
export const tallyColumns = Object.keys(tallied).join(', ')

/** The columns, of lines that were added up. */
export const tallySql = Object.entries(tallied)
  .map(([column, sql]) => `${sql} AS ${column}`)
  .join(',\n    ')

/** Whether a line says anything that the columns have: that ended jobs were deleted is in none. */
export const isTallied = `NOT ("is" = '' AND was IN ('succeeded', 'failed', 'cancelled', 'expired'))`

/** The columns of a group of rows, added up. */
export const summedTally = [
  ...numbers.map((column) => `sum(${column})::bigint AS ${column}`),
  ...durations.map((column) => `sum(${column}) AS ${column}`),
  ...lists.map((column) => `${summedList(column)} AS ${column}`),
].join(', ')

/** In an upsert of table `t`. */
export const addedTally = [...[...numbers, ...durations].map(addedNumber), ...lists.map(addedList)].join(', ')

/** The columns as they are read: numbers as such, and lists as text, which is read in a fraction of the time. */
export const readTally = [
  ...numbers.map((column) => `${column}::float8 AS ${column}`),
  ...durations.map((column) => `${column} AS "${column === 'wait_ms' ? 'waitMs' : 'runMs'}"`),
  ...lists.map((column) => `array_to_string(${column}, ',') AS ${column}`),
].join(', ')
