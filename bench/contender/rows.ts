import pg from 'pg'

/** Looks into Celeriac's table from outside, so that what is measured is what was stored. */
export async function openRows(databaseUrl: string) {
  // Named, so that it is not taken for one of Celeriac's.
  const client = new pg.Client({ connectionString: databaseUrl, application_name: 'bench' })
  await client.connect()

  return {
    count: () => ask('count(*) FROM celeriac.job'),
    succeeded: () => ask(`count(*) FROM celeriac.job WHERE state = 'succeeded' AND result IS NOT NULL`),
    /** Resolves when every job has ended. */
    ended: (withinMs?: number) =>
      untilNone(() => ask('count(*) FROM celeriac.job WHERE finished_at IS NULL'), withinMs),
    untilHandedOver,
    /** Resolves with the number of rows, when all of them are known to be in the broker. */
    async dispatched() {
      await untilHandedOver()
      return ask('count(*) FROM celeriac.job')
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

  /** Resolves when every row is known to be in the broker. */
  async function untilHandedOver(): Promise<void> {
    await untilNone(() =>
      ask('count(*) FROM celeriac.job WHERE dispatched_at IS NULL AND finished_at IS NULL'),
    )
    await untilNone(() => ask('count(*) FROM celeriac.outbox', 'celeriac.outbox'))
  }

  async function ask(what: string, table = 'celeriac.job'): Promise<number> {
    if (!(await exists(table))) return 0
    const { rows } = await client.query<{ count: string }>(`SELECT ${what}`)
    return Number(rows[0]?.count)
  }

  async function exists(table: string): Promise<boolean> {
    const { rows } = await client.query<{ there: boolean }>('SELECT to_regclass($1) IS NOT NULL AS there', [
      table,
    ])
    return rows[0]?.there === true
  }
}

const lookEveryMs = 10
const patienceMs = 60_000

async function untilNone(count: () => Promise<number>, withinMs = patienceMs): Promise<void> {
  const endsAt = performance.now() + withinMs
  for (;;) {
    const left = await count()
    if (left === 0) return
    if (performance.now() > endsAt) throw new Error(`${left} jobs are lost: nothing happened to them.`)
    await new Promise((resolve) => setTimeout(resolve, lookEveryMs))
  }
}
