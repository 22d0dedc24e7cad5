import pg from 'pg'
import type { Servers } from '../support/lab.js'

/** What the store holds, asked by the test itself. */
export async function rowsOf<Row extends object>(
  { database }: Servers,
  text: string,
  values: unknown[] = [],
): Promise<Row[]> {
  const client = new pg.Client({ connectionString: database })
  await client.connect()
  try {
    return (await client.query<Row>(text, values)).rows
  } finally {
    await client.end()
  }
}
