import type { Pool } from 'pg'
import type { LoadQuestion, QueueLoad } from './store.js'

/**
 * What waits in some queues, in one statement. Nobody asks it for a request: a process looks now and then.
 *
 * It reads the index `job_open` no further than it must to know whether a limit is reached. Range and order name the
 * index's first column, as in `lists.ts`, and each limit stands in the text, so that the planner sees how little is
 * wanted.
 */
export async function readLoad(pool: Pool, questions: readonly LoadQuestion[]): Promise<QueueLoad[]> {
  if (questions.length === 0) return []
  const { rows } = await pool.query<QueueLoad>(loadStatement(questions))
  return rows
}

/** How many jobs of a queue are looked at for the shares of their owners: the newest. */
export const shareReach = 100_000
/** An answer names no more owners than this for a queue, those with the most jobs first. */
const mostOwners = 10_000

export function loadStatement(questions: readonly LoadQuestion[]) {
  const values: unknown[] = []
  const bind = (value: unknown) => `$${values.push(value)}`
  const text = questions.map((question) => partOf(question, bind)).join('\nUNION ALL ')
  return { text, values }
}

function partOf({ queue, waiting, share, owners }: LoadQuestion, bind: (value: unknown) => string): string {
  const name = `${bind(queue)}::text`
  const shares =
    share === null ? `'[]'::json` : sharesOf(name, limitOf(share), `${bind([...owners])}::text[]`)
  return `SELECT ${name} AS queue, near.waiting, near."ageMs", ${shares} AS owners FROM (
  SELECT count(*)::int AS waiting, (extract(epoch FROM now() - min(due.run_at)) * 1000)::float8 AS "ageMs"
  FROM (SELECT j.run_at ${waitingIn(name)} AND j.run_at <= now()
    ORDER BY j.queue, j.id LIMIT ${limitOf(waiting)}) AS due) AS near`
}

/** An owner whose share is full is named, and each that was asked for. */
function sharesOf(queue: string, share: number, owners: string): string {
  return `(SELECT coalesce(json_agg(json_build_array(near.owner, near.jobs)), '[]') FROM (
    SELECT owner, count(*)::int AS jobs FROM (
      SELECT j.owner ${waitingIn(queue)} ORDER BY j.queue DESC, j.id DESC LIMIT ${shareReach}) AS newest
    WHERE owner IS NOT NULL GROUP BY owner HAVING count(*) >= ${share} OR owner = ANY(${owners})
    ORDER BY 2 DESC LIMIT ${mostOwners}) AS near)`
}

const waitingIn = (queue: string) => `FROM celeriac.job j
    WHERE j.queue BETWEEN ${queue} AND ${queue} AND j.finished_at IS NULL
      AND j.state IN ('queued', 'scheduled', 'retrying')`

/** It becomes a part of the text. */
function limitOf(value: number): number {
  return Math.max(0, Math.trunc(Number(value)))
}
