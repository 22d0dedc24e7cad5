import pg from 'pg'

/** How often the whole table of jobs was read during some work. */
export async function countScans<Found>(
  databaseUrl: string,
  work: () => Promise<Found>,
): Promise<{ readonly found: Found; readonly scans: number }> {
  const before = await readScans(databaseUrl)
  const found = await work()
  return { found, scans: (await readScans(databaseUrl)) - before }
}

async function readScans(databaseUrl: string): Promise<number> {
  const client = new pg.Client({ connectionString: databaseUrl })
  await client.connect()
  try {
    // What a session has counted is told a moment later.
    await client.query('SELECT pg_sleep(2)')
    const { rows } = await client.query<{ scans: number }>(
      `SELECT seq_scan::int AS scans FROM pg_stat_user_tables WHERE schemaname = 'celeriac' AND relname = 'job'`,
    )
    return rows[0]?.scans ?? 0
  } finally {
    await client.end()
  }
}
