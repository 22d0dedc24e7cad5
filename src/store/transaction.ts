import { TransactionError } from '../errors.js'
import { isPrisma, type Transaction } from '../job/transaction.js'
import { isMissingTable } from './connection.js'
import { type Statement, succeedInTransaction } from './statements.js'
import type { Settlement } from './store.js'

/**
 * Runs one of our statements inside a transaction of the app's own.
 *
 * An error of the statement is the app's as it came, for its transaction has failed; only a database without our
 * tables is told apart.
 */
export async function runIn<Row>(tx: Transaction, { text, values }: Statement): Promise<Row[]> {
  try {
    if (isPrisma(tx)) return await tx.$queryRawUnsafe<Row[]>(text, ...values)
    const { rows } = await tx.query(text, [...values])
    return rows as Row[]
  } catch (error) {
    if (isMissingTable(error)) throw otherDatabase({ cause: error })
    throw error
  }
}

export function otherDatabase(options?: ErrorOptions): TransactionError {
  return new TransactionError(
    'The transaction given as "tx" is on another database than the store. Nothing was written. Use the database of databaseUrl for both, or enqueue without "tx" after your commit.',
    options,
  )
}

/**
 * Records a success inside a transaction of the app's own. `false`: the attempt had lost its fence.
 * @param installation of the store that gave the job out
 */
export async function settleInTransaction(
  tx: Transaction,
  success: Extract<Settlement, { state: 'succeeded' }>,
  installation: string,
): Promise<boolean> {
  const rows = await runIn(tx, succeedInTransaction(success, success.workerId, installation))
  if (rows.length === 1) return true
  const statement = { name: 'celeriac_here', text: 'SELECT id FROM celeriac.installation', values: [] }
  const [asked] = await runIn<{ id: string }>(tx, statement)
  if (asked?.id !== installation) throw otherDatabase()
  return false
}
