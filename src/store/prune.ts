import type { Pool } from 'pg'
import type { EndState } from '../job/state.js'
import type { FinishedTask, Pruned, PruneRule, TaskLimit } from './store.js'

/**
 * Deletes finished jobs, in the order of the index `job_task_finished`. A job's state is in no index, because a claim
 * changes it, so a rule that spares some states would meet them again in each round. How far each rule has come stands
 * in the store, therefore, and it goes on from there. Once a day it begins anew, for jobs whose transaction took so
 * long that their end was seen after the rule had passed by.
 */
export const staleAfter = `interval '1 day'`

const zero = `'00000000-0000-0000-0000-000000000000'::uuid`
const highest = `'ffffffff-ffff-ffff-ffff-ffffffffffff'::uuid`

/** By whole keys of the index, so that no other index is a match. */
const key = '(j.task, j.finished_at, j.id)'
const inOrder = 'ORDER BY j.task, j.finished_at, j.id'
const backwards = 'ORDER BY j.task DESC, j.finished_at DESC, j.id DESC'

export async function finishedTasks(pool: Pool): Promise<FinishedTask[]> {
  const { rows } = await pool.query<FinishedTask>(tasksSql)
  return rows
}

/** One look at the index for each task. */
export const tasksSql = `
WITH RECURSIVE finished AS (
  (SELECT j.task FROM celeriac.job j WHERE j.finished_at IS NOT NULL ${inOrder} LIMIT 1)
  UNION ALL
  SELECT (SELECT j.task FROM celeriac.job j WHERE j.finished_at IS NOT NULL
    AND ${key} > (f.task, 'infinity'::timestamptz, ${highest}) ${inOrder} LIMIT 1)
  FROM finished f WHERE f.task IS NOT NULL)
SELECT f.task, EXISTS (SELECT 1 FROM celeriac.worker w WHERE f.task = ANY(w.tasks)) AS "isServed"
FROM finished f WHERE f.task IS NOT NULL`

export async function dueRules(pool: Pool, rules: readonly PruneRule[]): Promise<PruneRule[]> {
  if (rules.length === 0) return []
  const { rows } = await pool.query<{ at: number }>(dueSql, [
    rules.map(({ task }) => task),
    rules.map(({ rule }) => rule),
    rules.map(({ upTo }) => ('ageMs' in upTo ? upTo.ageMs : null)),
    rules.map(({ upTo }) => ('ageMs' in upTo ? null : upTo.finishedAt)),
  ])
  return rows.flatMap(({ at }) => rules[at - 1] ?? [])
}

export const dueSql = `
SELECT r.at::int AS at
FROM unnest($1::text[], $2::text[], $3::float8[], $4::timestamptz[])
  WITH ORDINALITY AS r(task, rule, age, finished_at, at)
LEFT JOIN celeriac.prune p ON p.task = r.task AND p.rule = r.rule AND p.begun_at > now() - ${staleAfter}
WHERE (SELECT j.finished_at FROM celeriac.job j WHERE j.finished_at IS NOT NULL
    AND ${key} > (r.task, coalesce(p.finished_at, '-infinity'), coalesce(p.job_id, ${zero}))
    AND ${key} <= (r.task, 'infinity'::timestamptz, ${highest}) ${inOrder} LIMIT 1)
  <= coalesce(r.finished_at, now() - r.age * interval '1 millisecond')
ORDER BY r.at`

export async function prune(pool: Pool, rule: PruneRule, limit: number): Promise<Pruned> {
  const { rows } = await pool.query<{ deleted: number; seen: number }>(pruneStatement(rule, limit))
  const { deleted, seen } = rows[0] ?? { deleted: 0, seen: 0 }
  return { deleted, isDone: seen < limit }
}

export function pruneStatement({ task, rule, states, upTo }: PruneRule, limit: number) {
  const values =
    'ageMs' in upTo
      ? [task, rule, states, limit, upTo.ageMs, null, null]
      : [task, rule, states, limit, null, upTo.finishedAt, upTo.jobId]
  return { text: pruneSql, values }
}

const last = `coalesce($6::timestamptz, now() - $5::float8 * interval '1 millisecond')`

/** What somebody holds, or has begun anew meanwhile, stays. Rows are locked in the order of their ids. */
const pruneSql = `
WITH reached AS (
  SELECT p.finished_at, p.job_id FROM celeriac.prune p
  WHERE p.task = $1 AND p.rule = $2 AND p.begun_at > now() - ${staleAfter}),
seen AS MATERIALIZED (
  SELECT j.id, j.finished_at, j.state FROM celeriac.job j WHERE j.finished_at IS NOT NULL
    AND ${key} > ($1, coalesce((SELECT finished_at FROM reached), '-infinity'),
      coalesce((SELECT job_id FROM reached), ${zero}))
    AND ${key} <= ($1, ${last}, coalesce($7::uuid, ${highest}))
  ${inOrder} LIMIT $4::int),
doomed AS MATERIALIZED (
  SELECT j.id FROM celeriac.job j
  WHERE j.id = ANY(ARRAY(SELECT id FROM seen WHERE state = ANY($3::celeriac.job_state[])))
    AND j.finished_at <= ${last}
  ORDER BY j.id FOR UPDATE SKIP LOCKED),
gone AS (DELETE FROM celeriac.job j WHERE j.id = ANY(ARRAY(SELECT id FROM doomed)) RETURNING 1),
moved AS (
  INSERT INTO celeriac.prune AS p (task, rule, finished_at, job_id)
  SELECT $1, $2, finished_at, id FROM (SELECT * FROM seen ORDER BY finished_at DESC, id DESC LIMIT 1) AS newest
  ON CONFLICT (task, rule) DO UPDATE SET finished_at = excluded.finished_at, job_id = excluded.job_id,
    begun_at = CASE WHEN p.begun_at > now() - ${staleAfter} THEN p.begun_at ELSE now() END)
SELECT (SELECT count(*)::int FROM gone) AS deleted, (SELECT count(*)::int FROM seen) AS seen`

/** Entries of the index that one statement counts. */
const page = 50_000
/** Few tasks have more finished jobs than this, and one statement finds them. */
const few = 10_000

export async function overfull(pool: Pool, limits: readonly TaskLimit[]): Promise<PruneRule[]> {
  if (limits.length === 0) return []
  const { rows } = await pool.query<Position & { readonly at: number }>(manySql, [
    limits.map(({ task }) => task),
    limits.map(({ count }) => Math.min(count, few)),
  ])
  const rules: PruneRule[] = []
  for (const { at, ...position } of rows) {
    const limit = limits[at - 1]
    const upTo = limit && (await countOn(pool, limit, position))
    if (limit && upTo) rules.push({ task: limit.task, rule: 'count', states: ends, upTo })
  }
  return rules
}

const ends: readonly EndState[] = ['succeeded', 'failed', 'cancelled', 'expired']

interface Position {
  readonly finishedAt: string
  readonly jobId: string
}

/** The newest job that is too many. `newest`: the one after the first `few`. */
async function countOn(
  pool: Pool,
  { task, count }: TaskLimit,
  newest: Position,
): Promise<Position | undefined> {
  let position: Position | undefined = newest
  for (let left = count - few; position && left > 0; left -= page) {
    const values: unknown[] = [task, position.finishedAt, position.jobId, Math.min(left, page) - 1]
    const { rows }: { rows: Position[] } = await pool.query<Position>(nextSql, values)
    position = rows[0]
  }
  return position
}

const place = `j.finished_at::text AS "finishedAt", j.id AS "jobId"`

export const manySql = `
SELECT r.at::int AS at, j.*
FROM unnest($1::text[], $2::int[]) WITH ORDINALITY AS r(task, count, at)
CROSS JOIN LATERAL (SELECT ${place} FROM celeriac.job j WHERE j.finished_at IS NOT NULL
  AND ${key} <= (r.task, 'infinity'::timestamptz, ${highest}) AND ${key} > (r.task, '-infinity'::timestamptz, ${zero})
  ${backwards} OFFSET r.count LIMIT 1) AS j`

export const nextSql = `
SELECT ${place} FROM celeriac.job j WHERE j.finished_at IS NOT NULL
  AND ${key} < ($1, $2::timestamptz, $3::uuid) AND ${key} > ($1, '-infinity'::timestamptz, ${zero})
${backwards} OFFSET $4::int LIMIT 1`

/** Lists show them for 7 days, and by them it is known which tasks somebody serves. A job keeps its worker's id. */
export async function pruneWorkers(pool: Pool): Promise<number> {
  const { rowCount } = await pool.query(
    `DELETE FROM celeriac.worker WHERE stopped_at < now() - interval '7 days' OR lost_at < now() - interval '7 days'`,
  )
  return rowCount ?? 0
}
