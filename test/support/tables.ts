import pg from 'pg'
import { migratePostgresBroker } from '../../src/broker/postgres.js'
import { migrate } from '../../src/store/migrate.js'

/** Whose tables a database has: those of the store, and with the broker on PostgreSQL the broker's beside them. */
export type TablesOf = 'redis' | 'postgres'

/** Databases that new ones are copied from. Nobody may be connected to them. */
export const templateOf: Readonly<Record<TablesOf, string>> = {
  redis: 'celeriac_store',
  postgres: 'celeriac_store_and_broker',
}

const log = { info() {}, warn() {} }

/** Makes the templates, once a run. */
export async function makeTables(server: string): Promise<void> {
  const client = new pg.Client({ connectionString: server })
  await client.connect()
  for (const name of Object.values(templateOf)) await client.query(`CREATE DATABASE ${name}`)
  await client.end()
  for (const name of Object.values(templateOf)) {
    const url = new URL(server)
    url.pathname = `/${name}`
    await migrate({ url: url.href, log })
    if (name === templateOf.postgres) await migratePostgresBroker(url.href)
  }
}
