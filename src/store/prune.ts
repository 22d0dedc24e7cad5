import type { Pool } from 'pg'
import type { FinishedTask, NthFinished, Place, Pruned, PruneRule } from './store.js'

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

export async function nthFinished(pool: Pool, asked: readonly NthFinished[]): Promise<(Place | undefined)[]> {
  if (asked.length === 0) return []
  const { rows } = await pool.query<Place & { readonly at: number }>(nthStatement(asked))
  const found = new Map(rows.map(({ at, ...place }) => [at, place]))
  return asked.map((_, index) => found.get(index + 1))
}

export function nthStatement(asked: readonly NthFinished[]) {
  const values = [
    asked.map(({ task }) => task),
    asked.map(({ newer }) => newer),
    asked.map(({ before }) => before?.finishedAt ?? 'infinity'),
    asked.map(({ before }) => before?.jobId ?? null),
    asked.map(({ after }) => after?.finishedAt ?? '-infinity'),
    asked.map(({ after }) => after?.jobId ?? null),
  ]
  return { text: nthSql, values }
}

const nthSql = `
SELECT r.at::int AS at, j.*
FROM unnest($1::text[], $2::int[], $3::timestamptz[], $4::uuid[], $5::timestamptz[], $6::uuid[])
  WITH ORDINALITY AS r(task, newer, before_at, before_id, after_at, after_id, at)
CROSS JOIN LATERAL (SELECT j.finished_at::text AS "finishedAt", j.id AS "jobId" FROM celeriac.job j
  WHERE j.finished_at IS NOT NULL
    AND ${key} < (r.task, r.before_at, coalesce(r.before_id, ${highest}))
    AND ${key} > (r.task, r.after_at, coalesce(r.after_id, ${zero}))
  ${backwards} OFFSET r.newer LIMIT 1) AS j`

/** Lists show them for 7 days, and by them it is known which tasks somebody serves. A job keeps its worker's id. */
export async function pruneWorkers(pool: Pool): Promise<number> {
  const { rowCount } = await pool.query(
    `WITH gone AS (
       DELETE FROM celeriac.worker WHERE stopped_at < now() - interval '7 days' OR lost_at < now() - interval '7 days'
       RETURNING id),
     said AS (DELETE FROM celeriac.worker_stat WHERE worker_id IN (SELECT id FROM gone))
     SELECT id FROM gone`,
  )
  return rowCount ?? 0
}
