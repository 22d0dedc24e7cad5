import type { Pool } from 'pg'
import type { JobLogLevel } from '../job/event.js'
import type { KeptLine, NewLogLine } from './store.js'

/**
 * Writes what an attempt logged as long as nobody else has taken over its job: an attempt that was taken for lost, and
 * goes on, adds nothing. That also keeps the numbers rising in the order in which lines appear, which readers rely on.
 */
export async function saveLogs(pool: Pool, lines: readonly NewLogLine[]): Promise<void> {
  await pool.query({ name: 'celeriac_log', text: saveSql, values: [JSON.stringify(lines.map(toRow))] })
}

/** Times are the database's: the worker says how long ago it was. */
const saveSql = `
INSERT INTO celeriac.job_log (job_id, number, attempt, level, message, details, at)
SELECT r.i, r.n, r.a, r.l, r.m, r.d, statement_timestamp() - r.ago * interval '1 millisecond'
FROM json_to_recordset($1::json) AS r(i uuid, k int, w uuid, n int8, a int, l text, m text, d text, ago float8)
JOIN celeriac.job j ON j.id = r.i AND j.delivery = r.k AND (j.worker_id = r.w
  OR (j.worker_id IS NULL AND j.state IN ('queued', 'scheduled', 'retrying')))
ON CONFLICT DO NOTHING`

function toRow(line: NewLogLine) {
  return {
    i: line.jobId,
    k: line.delivery,
    w: line.workerId,
    n: line.number,
    a: line.attempt,
    l: line.level,
    m: line.message,
    d: line.details ?? undefined,
    ago: line.agoMs,
  }
}

/** Leaves the newest lines of a job's earlier attempts, so that a job which runs again and again has an end to its log. */
export async function trimLogs(pool: Pool, jobId: string, keep: number): Promise<void> {
  await pool.query(
    `DELETE FROM celeriac.job_log WHERE job_id = $1 AND number <= (
       SELECT number FROM celeriac.job_log WHERE job_id = $1 ORDER BY number DESC OFFSET $2 LIMIT 1)`,
    [jobId, keep],
  )
}

/** A line as it is read. */
export interface LogRow {
  readonly number: number
  readonly attempt: number
  readonly level: string
  readonly message: string
  readonly details: string | null
  readonly at: string
}

export const logColumns = `l.number, l.attempt, l.level, l.message, l.details, l.at`

const listed = 'l.number::float8 AS number, l.attempt, l.level, l.message, l.details, l.at'

export async function listLogs(pool: Pool, jobId: string, after: number, limit: number): Promise<KeptLine[]> {
  const { rows } = await pool.query<LogRow>(
    `SELECT ${listed}
     FROM celeriac.job_log l WHERE l.job_id = $1 AND l.number > $2 ORDER BY l.job_id, l.number LIMIT $3`,
    [jobId, after, limit],
  )
  return rows.map(toLine)
}

export async function lastLogs(
  pool: Pool,
  jobId: string,
  limit: number,
  before = Number.MAX_SAFE_INTEGER,
): Promise<KeptLine[]> {
  const { rows } = await pool.query<LogRow>(
    `SELECT ${listed} FROM celeriac.job_log l WHERE l.job_id = $1 AND l.number < $3
     ORDER BY l.job_id DESC, l.number DESC LIMIT $2`,
    [jobId, limit, before],
  )
  return rows.reverse().map(toLine)
}

export function toLine({ level, details, at, ...line }: LogRow): KeptLine {
  return {
    ...line,
    level: level as JobLogLevel,
    ...(details === null ? {} : { details: JSON.parse(details) as unknown }),
    at: new Date(at).toISOString(),
  }
}
