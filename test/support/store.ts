import pg from 'pg'
import { createPrismaStore } from '../../src/store/prisma.js'
import type { Store } from '../../src/store/store.js'
import { freshTables } from './servers.js'

/** A store on tables of its own, and a client beside it that sees the rows. */
export interface OpenStore {
  readonly store: Store
  readonly client: pg.Client
  close(): Promise<void>
}

export async function openStore(): Promise<OpenStore> {
  const log = { info() {}, warn() {} }
  const url = await freshTables('redis')
  const store = createPrismaStore({ url, directUrl: url, deadlineMs: 20_000, log })
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  return {
    store,
    client,
    async close() {
      await client.end()
      await store.close()
    },
  }
}
