import { PrismaPg } from '@prisma/adapter-pg'
import pg from 'pg'

export interface Row {
  readonly id: string
  readonly status: string
}

/** A row to be. */
interface NewRow {
  readonly name: string
  readonly payload: object
}

/** What apps use of the client that `glue.prisma` becomes. */
export interface OwnTable {
  readonly job: {
    create(call: { data: NewRow }): Promise<Row>
    createManyAndReturn(call: { data: NewRow[] }): Promise<Row[]>
    update(call: { where: { id: string }; data: object }): Promise<Row>
  }
  $transaction<T>(work: (tx: Transaction) => Promise<T>): Promise<T>
}

/** As much of Prisma's own as `tx` of an enqueue needs. */
export interface Transaction extends Pick<OwnTable, 'job'> {
  $queryRawUnsafe<T = unknown>(query: string, ...values: unknown[]): Promise<T>
}

/** An app's own table, and its own Prisma client. */
export async function openOwnTable(databaseUrl: string): Promise<OwnTable> {
  await createTable(databaseUrl)
  // It is made when the bench is compiled, so no import can name it.
  const { PrismaClient } = (await import(new URL('glue-client.js', import.meta.url).href)) as {
    PrismaClient: new (options: { adapter: PrismaPg }) => OwnTable
  }
  return new PrismaClient({ adapter: new PrismaPg({ connectionString: databaseUrl }) })
}

async function createTable(databaseUrl: string): Promise<void> {
  const client = new pg.Client({ connectionString: databaseUrl })
  await client.connect()
  await client.query(`CREATE TABLE IF NOT EXISTS job (
    id uuid PRIMARY KEY, name text NOT NULL, status text NOT NULL DEFAULT 'queued', payload jsonb NOT NULL,
    result jsonb, error text, created_at timestamp(3) NOT NULL DEFAULT now(), finished_at timestamp(3))`)
  await client.end()
}
