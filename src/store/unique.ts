import type { Pool } from 'pg'
import { type IdRange, type Statement, toInsert } from './statements.js'
import type { InsertedJob, NewJob, Redelivery } from './store.js'

/**
 * Rows of tasks that keep their jobs unique. A function of the database decides for each, behind the lock of its key,
 * so that many processes, and transactions that are open for long, agree. Statements of other jobs know nothing of it.
 */
export function insertUniqueStatement(jobs: readonly NewJob[], { first, last }: IdRange): Statement {
  return { name: 'celeriac_unique', text: uniqueSql('$1::json'), values: [toRows(jobs), first, last] }
}

/** The same inside a transaction of somebody else's: nothing is written where the database is another. */
export function insertUniqueInTransaction(
  jobs: readonly NewJob[],
  { first, last }: IdRange,
  installation: string,
  channel: string,
): Statement {
  return {
    name: 'celeriac_unique_tx',
    text: uniqueInTransactionSql,
    values: [toRows(jobs), first, last, installation, channel],
  }
}

/** Where one payload led. */
export interface UniqueAnswer extends InsertedJob {
  readonly at: number
  /** The delivery that a job was put off to, where it is to be sent now. */
  readonly moved: number | null
}

/** One line where no row was written, too, so that another database is told apart. */
export interface UniqueInTransaction {
  readonly same: boolean
  readonly answers: readonly UniqueAnswer[] | null
}

const columns = `o_at AS at, o_id AS id, o_created AS created, o_conflicts AS conflicts,
  o_payload AS payload, o_state AS state,
  o_created_at AS "createdAt", o_due_in_ms AS "dueInMs", o_moved AS moved`

const written = (rows: string) => `
done AS MATERIALIZED (SELECT ${columns} FROM celeriac.insert_unique(${rows})),
batch AS (
  INSERT INTO celeriac.outbox (first, last) SELECT $2::uuid, $3::uuid WHERE EXISTS (SELECT FROM done WHERE created)
  ON CONFLICT DO NOTHING)`

const uniqueSql = (rows: string) => `WITH ${written(rows)} SELECT * FROM done ORDER BY at`

const uniqueInTransactionSql = `
WITH here AS (SELECT id = $4::uuid AS same FROM celeriac.installation),
${written(`CASE WHEN (SELECT same FROM here) THEN $1::json ELSE '[]' END`)}
SELECT coalesce((SELECT same FROM here), false) AS same,
  (SELECT json_agg(d ORDER BY d.at) FROM done d) AS answers,
  (SELECT pg_notify($5::text, $2::text)::text WHERE EXISTS (SELECT FROM done WHERE created OR moved IS NOT NULL)) AS told`

function toRows(jobs: readonly NewJob[]): string {
  return JSON.stringify(jobs.map(toRow))
}

/** As the insert of other jobs has it, and what its task says of their being unique. */
function toRow(job: NewJob, n: number) {
  const { unique } = job
  return {
    n,
    ...toInsert(job),
    uk: unique?.key,
    um: unique?.mode,
    ul:
      unique?.mode === 'window' ? unique.windowMs : unique?.mode === 'debounce' ? unique.delayMs : undefined,
    ux: unique?.mode === 'debounce' ? (unique.maxMs ?? undefined) : undefined,
  }
}

/** A job that was put off, as its delivery is to be sent. */
export function toMoved(
  { task, queue, priority }: NewJob,
  { id, moved, dueInMs }: UniqueAnswer,
): Redelivery[] {
  return moved === null ? [] : [{ jobId: id, number: moved, task, queue, priority, dueInMs }]
}

/** A key's row, as a place to go on from. */
export interface KeyPlace {
  readonly task: string
  readonly owner: string
  readonly key: string
}

export interface PrunedKeys {
  readonly deleted: number
  /** `undefined` when all have been looked at. */
  readonly next: KeyPlace | undefined
}

/** Not the newest: whoever wrote them is about to write the job. */
const pruneKeysSql = `
WITH seen AS MATERIALIZED (
  SELECT u.* FROM celeriac.unique_key u WHERE (u.task, u.owner, u.key) > ($1, $2, $3)
  ORDER BY u.task, u.owner, u.key LIMIT $4),
free AS (
  SELECT s.task, s.owner, s.key FROM seen s LEFT JOIN celeriac.job j ON j.id = s.job_id
  WHERE s.since < now() - interval '1 minute'
    AND CASE WHEN s.until IS NULL THEN j.id IS NULL OR j.finished_at IS NOT NULL ELSE s.until < now() END),
doomed AS (
  SELECT u.task, u.owner, u.key FROM celeriac.unique_key u
  JOIN free f ON (u.task, u.owner, u.key) = (f.task, f.owner, f.key)
  JOIN seen s ON (u.task, u.owner, u.key) = (s.task, s.owner, s.key) AND u.job_id = s.job_id
  FOR UPDATE OF u SKIP LOCKED),
gone AS (
  DELETE FROM celeriac.unique_key u USING doomed d
  WHERE (u.task, u.owner, u.key) = (d.task, d.owner, d.key) RETURNING 1)
SELECT (SELECT count(*)::int FROM gone) AS deleted, (SELECT count(*)::int FROM seen) AS seen, l.*
FROM (SELECT 1) AS one LEFT JOIN
  (SELECT task, owner, key FROM seen ORDER BY task DESC, owner DESC, key DESC LIMIT 1) AS l ON true`

/** Idempotency keys are kept as long as the job that they led to. */
const pruneCallsSql = `
DELETE FROM celeriac.unique_call c WHERE ctid = ANY(ARRAY(
  SELECT c.ctid FROM celeriac.unique_call c LEFT JOIN celeriac.job j ON j.id = c.job_id WHERE j.id IS NULL LIMIT $1))`

/** Deletes keys that hold nothing any more, of the next `limit` behind a place. */
export async function pruneUniqueKeys(
  pool: Pool,
  after: KeyPlace | undefined,
  limit: number,
): Promise<PrunedKeys> {
  if (!after) await pool.query(pruneCallsSql, [limit])
  const { task, owner, key } = after ?? { task: '', owner: '', key: '' }
  const { rows } = await pool.query<KeyPlace & { deleted: number; seen: number }>(pruneKeysSql, [
    ...[task, owner, key, limit],
  ])
  const [row] = rows
  if (!row) return { deleted: 0, next: undefined }
  const next = row.seen < limit ? undefined : { task: row.task, owner: row.owner, key: row.key }
  return { deleted: row.deleted, next }
}
