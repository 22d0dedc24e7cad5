import type { Pool } from 'pg'
import { redelivery, waiting, waitsForTurn } from './repairs.js'
import type { Committed, Redelivery } from './store.js'

/**
 * The outbox: what was written and may not be in the broker yet. A line speaks for all rows of one insert, by the range
 * of their ids; rows of others that lie in it are sent once more, and the broker ignores what it holds.
 */
export async function clearOutbox(pool: Pool, receipts: readonly string[]): Promise<void> {
  await pool.query('DELETE FROM celeriac.outbox WHERE first = ANY($1::uuid[])', [receipts])
}

interface Left {
  readonly first: string
  readonly last: string
  /** None where all jobs of the batch have been taken meanwhile. */
  readonly delivery: Redelivery | null
}

/** Not the newest: whoever wrote them is about to send them. What is of the future, a clock that was put back left. */
export const isLeft = `created_at NOT BETWEEN now() - interval '2 seconds' AND now() + interval '2 seconds'`

/** What was written and is still not cleared. */
export async function leftInOutbox(pool: Pool, limit: number): Promise<Committed[]> {
  const { rows } = await pool.query<Left>(leftSql, [limit, pageSize])
  const batches = new Map<string, { last: string; deliveries: Redelivery[] }>()
  for (const { first, last, delivery } of rows) {
    const batch = batches.get(first) ?? { last, deliveries: [] }
    batches.set(first, batch)
    if (delivery) batch.deliveries.push(delivery)
  }
  for (const { last, deliveries } of batches.values()) await readOn(pool, last, deliveries)
  return [...batches].map(([receipt, { deliveries }]) => ({ receipt, deliveries }))
}

/** Where ids were made over a long time, many others lie between. */
async function readOn(pool: Pool, last: string, deliveries: Redelivery[]): Promise<void> {
  for (let size = deliveries.length; size === pageSize; ) {
    const after = deliveries.at(-1)?.jobId
    const { rows } = await pool.query<{ delivery: Redelivery }>(nextSql, [after, last, pageSize])
    deliveries.push(...rows.map((row) => row.delivery))
    size = rows.length
  }
}

const pageSize = 1000

/** The order makes the planner take the primary key, whatever it believes of the range. */
const inRange = (from: string, last: string, limit: string) => `
  SELECT j.* FROM celeriac.job j WHERE j.id ${from} AND j.id <= ${last} AND ${waiting} AND NOT ${waitsForTurn}
    AND j.dispatched_at IS NOT NULL
  ORDER BY j.id LIMIT ${limit}`

const asJson = `CASE WHEN j.id IS NOT NULL THEN
  (SELECT row_to_json(d) FROM (SELECT ${redelivery}) AS d) END AS delivery`

const leftSql = `
SELECT o.first, o.last, ${asJson}
FROM (SELECT first, last FROM celeriac.outbox WHERE ${isLeft}
  ORDER BY first LIMIT $1) AS o
LEFT JOIN LATERAL (${inRange('>= o.first', 'o.last', '$2')}) AS j ON true
ORDER BY o.first, j.id`

const nextSql = `SELECT ${asJson} FROM (${inRange('> $1::uuid', '$2::uuid', '$3')}) AS j ORDER BY j.id`
