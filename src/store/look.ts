import type { Pool } from 'pg'
import type { Job as JobRow } from './generated/prisma/client.js'
import { jobColumns } from './lists.js'
import { type LogRow, logColumns, toLine } from './log.js'
import { toJob } from './rows.js'
import type { Look, Sight } from './store.js'

/** Lines of one job in one look. */
const mostLines = 200
/** Of all jobs, as far as each still gets some. */
const mostLinesTogether = 5000
const fewestLines = 10

/**
 * What has changed of these jobs since somebody looked. A row that was written has another `xmin`; one that was not is
 * not sent. Row and lines are of one moment, so a reader who sees an end has all the lines before it, unless `hasMore`.
 */
export async function look(pool: Pool, looks: readonly Look[]): Promise<(Sight | undefined)[]> {
  const most = Math.min(mostLines, Math.max(fewestLines, Math.floor(mostLinesTogether / looks.length)))
  const { rows } = await pool.query<SightRow>({
    name: 'celeriac_look',
    text: lookSql,
    values: [
      looks.map(({ jobId }) => jobId),
      looks.map(({ after }) => after),
      looks.map(({ version }) => version),
      most,
    ],
  })
  const seen = new Map(rows.map((row) => [row.place, toSight(row, most)]))
  return looks.map((_, index) => seen.get(index + 1))
}

type SightRow = JobRow & {
  readonly place: number
  readonly known: boolean
  /** `null`: the row has not changed. */
  readonly rowVersion: string | null
  readonly lines: readonly LogRow[] | null
}

/** Nobody who watches a job sees its payload, so it is not read. */
const columns = jobColumns((column) => (column === 'payload' ? `'null'` : column))

const lookSql = `
SELECT a.place::int AS place, k.known, l.lines, j.*
FROM unnest($1::uuid[], $2::int8[], $3::text[]) WITH ORDINALITY AS a(job_id, after, version, place)
CROSS JOIN LATERAL (SELECT EXISTS (SELECT 1 FROM celeriac.job WHERE job.id = a.job_id) AS known) AS k
LEFT JOIN LATERAL (
  SELECT ${columns}, job.xmin::text AS "rowVersion" FROM celeriac.job
  WHERE job.id = a.job_id AND job.xmin::text IS DISTINCT FROM a.version) AS j ON true
CROSS JOIN LATERAL (
  SELECT json_agg(f ORDER BY f.number) AS lines FROM (
    SELECT ${logColumns} FROM celeriac.job_log l WHERE l.job_id = a.job_id AND l.number > a.after
    ORDER BY l.job_id, l.number LIMIT $4) AS f) AS l
WHERE NOT k.known OR l.lines IS NOT NULL OR j.id IS NOT NULL`

function toSight({ place: _, known, rowVersion, lines, ...row }: SightRow, most: number): Sight {
  return {
    isGone: !known,
    ...(rowVersion === null ? {} : { changed: { version: rowVersion, job: toJob(row) } }),
    lines: (lines ?? []).map(toLine),
    hasMore: lines?.length === most,
  }
}
