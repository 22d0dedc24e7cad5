import pg from 'pg'

/** The share of the jobs, at either end, that is left out: while a worker starts, and while its last jobs end. */
const leftOut = 0.1

/**
 * How many of the next jobs ended in a second, by the database's own times. A job has ended when its result is stored.
 *
 * @param run runs at least so many jobs
 */
export async function rateOfEnds(
  databaseUrl: string,
  count: number,
  run: () => Promise<void>,
): Promise<number> {
  const client = new pg.Client({ connectionString: databaseUrl })
  await client.connect()
  try {
    const since = await databaseTime(client)
    await run()
    return await rateSince(client, since, count)
  } finally {
    await client.end()
  }
}

async function databaseTime(client: pg.Client): Promise<string> {
  const { rows } = await client.query<{ now: string }>(
    'SELECT clock_timestamp()::timestamptz(3)::text AS now',
  )
  return rows[0]?.now ?? ''
}

/** Jobs share the times of their batches, so it counts what lies between two of these. */
async function rateSince(client: pg.Client, since: string, count: number): Promise<number> {
  const from = Math.floor(count * leftOut)
  const { rows } = await client.query<{ rate: number | null }>(
    `WITH ended AS (
       SELECT finished_at AS at FROM celeriac.job WHERE finished_at > $1 ORDER BY finished_at, id LIMIT $2),
     bounds AS (
       SELECT (SELECT at FROM ended ORDER BY at OFFSET $3 LIMIT 1) AS first,
         (SELECT at FROM ended ORDER BY at OFFSET $4 LIMIT 1) AS last)
     SELECT (count(*) / nullif(extract(epoch FROM last - first), 0))::float8 AS rate
     FROM bounds, ended WHERE at > first AND at <= last GROUP BY first, last`,
    [since, count, from, count - from - 1],
  )
  const rate = rows[0]?.rate
  if (rate == null) throw new Error(`Fewer than ${count} jobs have ended, or all at once.`)
  return rate
}
