import type { Pool } from 'pg'
import { type Chart, toChart } from '../job/chart.js'
import { noSpread, type Spread } from '../job/move.js'
import { toPieces, toSteps } from '../job/resolution.js'
import type { OpenJobs, Tally } from '../job/tally.js'
import { addedUp, isTallied, readTally, summedTally, tallyColumns, tallySql, way } from './stat-sql.js'
import type { ChartQuery, Depth, NamedTally, SumsQuery } from './stat-store.js'

/**
 * What charts and lists with rates read: rows of few places, and the lines that no pass has added up yet. Parameter 1 is
 * the tasks that are asked for, 2 the queue; `NULL` where all are. The rows of all have an empty name.
 */
const isAsked = '($1::text[] IS NULL OR task = ANY($1)) AND ($2::text IS NULL OR queue = $2)'

/** What is later than the last step counts for one more: the depth is known of the present alone. */
const stepSql = `least($6::int, floor((1000 * date_part('epoch', at) - $4::float8) / $5::float8))::int`
const isSince = 'at >= to_timestamp($4::float8 / 1000)'

/** Each kind of move as what it adds to a state, and what it takes from another. */
const statesOf = (table: string, by: string, where: string) => `
  SELECT ${by} v.state, v.jobs
  FROM (SELECT ${by} was, "is", sum(jobs)::bigint AS jobs FROM celeriac.${table}
      WHERE how <> 'dropped' AND ${where} GROUP BY ${by} was, "is") AS m,
    LATERAL (VALUES (m."is", m.jobs), (m.was, -m.jobs)) AS v(state, jobs)
  WHERE v.state <> ''`
const allStates = (by: string, where: string) =>
  `(${statesOf('stat_total', by, where)} UNION ALL ${statesOf('stat_delta', by, where)})`
const jobsIn = (...states: string[]) =>
  `coalesce(sum(jobs) FILTER (WHERE state IN (${states.map((state) => `'${state}'`).join(', ')})), 0)::float8`

export const chartSql = `
WITH lines AS (SELECT ${stepSql} AS step, * FROM celeriac.stat_delta WHERE ${isSince} AND ${isAsked}),
${addedUp('added', 'lines', `step, ${way}`, ['took'])},
cells AS (
  SELECT ${stepSql} AS step, ${tallyColumns} FROM celeriac.stat
  WHERE minutes = $3 AND task = ANY(coalesce($1, '{""}')) AND queue = coalesce($2, '') AND ${isSince}
  UNION ALL SELECT step, ${tallySql} FROM added WHERE ${isTallied}),
steps AS (SELECT step, ${summedTally} FROM cells GROUP BY step),
present AS (
  SELECT ${jobsIn('queued')} AS queued, ${jobsIn('scheduled', 'retrying')} AS delayed, ${jobsIn('running')} AS running
  FROM ${allStates('', isAsked)} AS states)
SELECT p.queued AS "queuedNow", p.delayed AS "delayedNow", p.running AS "runningNow", s.*
FROM present p LEFT JOIN (SELECT step, ${readTally} FROM steps) AS s ON true`

interface TallyRow extends Omit<Tally, 'wait' | 'run'>, OpenJobs {
  readonly waitMs: number
  readonly wait: string
  readonly runMs: number
  readonly run: string
}

interface StepRow extends TallyRow {
  readonly queuedNow: number
  readonly delayedNow: number
  readonly runningNow: number
  /** `null`: nothing happened in any. */
  readonly step: number | null
}

export async function readChart(pool: Pool, asked: ChartQuery): Promise<Chart> {
  const steps = toSteps(asked, new Date())
  const { rows } = await pool.query<StepRow>(chartSql, [
    asked.task ?? null,
    asked.queue ?? null,
    steps.resolution,
    steps.from.getTime(),
    steps.stepMs,
    steps.count,
  ])
  const found = rows.flatMap(({ step, ...row }) =>
    step === null ? [] : [[step, { tally: toTally(row), change: toOpenJobs(row) }] as const],
  )
  const [{ queuedNow: queued = 0, delayedNow: delayed = 0, runningNow: running = 0 } = {}] = rows
  return toChart(steps, new Map(found), { queued, delayed, running })
}

function toOpenJobs({ queued, delayed, running }: OpenJobs): OpenJobs {
  return { queued, delayed, running }
}

function toTally(row: TallyRow): Tally {
  const { enqueued, requeued, started, succeeded, failed, cancelled, expired, retried, lost } = row
  return {
    ...{ enqueued, requeued, started, succeeded, failed, cancelled, expired, retried, lost },
    wait: toSpread(row.waitMs, row.wait),
    run: toSpread(row.runMs, row.run),
  }
}

/** @param list counts by bucket, and what no duration lies below, and above */
export function toSpread(ms: number, list: string): Spread {
  if (list === '') return noSpread
  const numbers = list.split(',').map(Number)
  const [leastMs = 0, mostMs = 0] = numbers.splice(-2)
  return { ms, counts: numbers, leastMs, mostMs }
}

const placeOf = {
  task: `s.task = n.name AND s.queue = coalesce($2, '')`,
  queue: `s.queue = n.name AND s.task = ANY(coalesce($1, '{""}'))`,
}

/** Name by name, so that the index leads to the rows of each. */
export const sumsSql = (by: 'task' | 'queue') => `
WITH lines AS (
  SELECT * FROM celeriac.stat_delta WHERE at >= $3::timestamptz AND at < $4::timestamptz AND ${isAsked}),
${addedUp('added', 'lines', `${by}, ${way}`, ['took'])},
names AS (SELECT DISTINCT ${by} AS name FROM celeriac.stat_total WHERE ${isAsked}),
pieces AS (SELECT * FROM unnest($5::int[], $6::timestamptz[], $7::timestamptz[]) AS p(minutes, from_at, to_at)),
cells AS (
  SELECT n.name, c.* FROM names n, pieces p, LATERAL (
    SELECT ${tallyColumns} FROM celeriac.stat s
    WHERE s.minutes = p.minutes AND ${placeOf[by]} AND s.at >= p.from_at AND s.at < p.to_at) AS c
  UNION ALL SELECT ${by}, ${tallySql} FROM added WHERE ${isTallied})
SELECT name, ${readTally} FROM (SELECT name, ${summedTally} FROM cells GROUP BY name) AS sums ORDER BY name`

export async function readSums(pool: Pool, asked: SumsQuery): Promise<NamedTally[]> {
  const pieces = toPieces(asked, new Date())
  const { rows } = await pool.query<TallyRow & { name: string }>(sumsSql(asked.by), [
    asked.task ?? null,
    asked.queue ?? null,
    pieces[0]?.from ?? asked.from,
    pieces.at(-1)?.to ?? asked.to,
    pieces.map(({ resolution }) => resolution),
    pieces.map(({ from }) => from),
    pieces.map(({ to }) => to),
  ])
  return rows.map(({ name, ...row }) => ({ name, ...toTally(row) }))
}

export const depthsSql = `
SELECT task, queue, state, sum(jobs)::float8 AS jobs FROM ${allStates('task, queue,', 'true')} AS states
GROUP BY task, queue, state HAVING sum(jobs) > 0 ORDER BY task, queue, state`

export async function readDepths(pool: Pool): Promise<Depth[]> {
  return (await pool.query<Depth>(depthsSql)).rows
}
