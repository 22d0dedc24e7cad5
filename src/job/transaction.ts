/**
 * A transaction of the app's own on the store's database, or any client of it: a Prisma client or the `tx` of its
 * `$transaction`, a client of `pg`, or anything else that answers {@link SqlClient.query}. How Drizzle and Kysely are
 * handed over stands in `docs/transactions.md`.
 */
export type Transaction = PrismaTransaction | SqlClient

/** The part of a Prisma client that is needed: whatever its schema and its version. */
export interface PrismaTransaction {
  $queryRawUnsafe<T = unknown>(query: string, ...values: unknown[]): PromiseLike<T>
}

/** One SQL statement with `$1`, `$2` … for its values, which are texts; the answer's rows are objects by column name. */
export interface SqlClient {
  query(text: string, values: unknown[]): PromiseLike<{ rows: unknown[] }>
}

export function isTransaction(value: unknown): value is Transaction {
  if (typeof value !== 'object' || value === null) return false
  return isPrisma(value) || ('query' in value && typeof value.query === 'function')
}

export function isPrisma(value: object): value is PrismaTransaction {
  return '$queryRawUnsafe' in value && typeof value.$queryRawUnsafe === 'function'
}
