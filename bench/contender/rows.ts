import pg from 'pg'

/** Looks into Celeriac's table from outside, so that what is measured is what was stored. */
export async function openRows(databaseUrl: string) {
  const client = new pg.Client({ connectionString: databaseUrl })
  await client.connect()

  return {
    count: () => ask('count(*) FROM celeriac.job'),
    succeeded: () => ask(`count(*) FROM celeriac.job WHERE state = 'succeeded' AND result IS NOT NULL`),
    ended: () => untilNone(() => ask('count(*) FROM celeriac.job WHERE finished_at IS NULL')),
    /** Resolves with the number of rows, when all of them are known to be in the broker. */
    async dispatched() {
      await untilNone(() =>
        ask('count(*) FROM celeriac.job WHERE dispatched_at IS NULL AND finished_at IS NULL'),
      )
      return ask('count(*) FROM celeriac.job')
    },
    async wipe() {
      await client.query(`DO $$ BEGIN
        IF to_regclass('celeriac.job') IS NOT NULL THEN TRUNCATE celeriac.job; END IF;
        IF to_regclass('celeriac_broker.job') IS NOT NULL THEN TRUNCATE celeriac_broker.job CASCADE; END IF;
      END $$`)
    },
    /** How long claimed jobs waited for their handler, whose result is when it began. */
    async waits() {
      const { rows } = await client.query<{ mean: number; max: number; returned: number }>(`
        SELECT avg(waited)::float8 AS mean, max(waited)::float8 AS max,
          (count(*) FILTER (WHERE delivery > 1))::int AS returned
        FROM (SELECT delivery, result::float8 - extract(epoch FROM started_at)::float8 * 1000 AS waited
          FROM celeriac.job WHERE state = 'succeeded') AS j`)
      const [waits] = rows
      if (!waits) throw new Error('No job has ended.')
      return waits
    },
  }

  async function ask(what: string): Promise<number> {
    if (!(await exists())) return 0
    const { rows } = await client.query<{ count: string }>(`SELECT ${what}`)
    return Number(rows[0]?.count)
  }

  async function exists(): Promise<boolean> {
    const { rows } = await client.query<{ there: boolean }>(
      `SELECT to_regclass('celeriac.job') IS NOT NULL AS there`,
    )
    return rows[0]?.there === true
  }
}

const lookEveryMs = 10
const patienceMs = 60_000

async function untilNone(count: () => Promise<number>): Promise<void> {
  const endsAt = performance.now() + patienceMs
  for (;;) {
    const left = await count()
    if (left === 0) return
    if (performance.now() > endsAt) throw new Error(`${left} jobs are lost: nothing happened to them.`)
    await new Promise((resolve) => setTimeout(resolve, lookEveryMs))
  }
}
