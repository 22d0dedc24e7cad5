import { type BackendFactory, type PgPool, PostgresConnection, PostgresQueueBackend } from 'bullmq'
import type { WorkerSettings } from './link.js'

/** BullMQ's backend for PostgreSQL, with what the workers of one process share. */
export interface Backends {
  readonly forQueue: Factory
  readonly forWorker: Factory
}

type Factory = BackendFactory<PostgresQueueBackend, PgPool>
type StallSettings = Pick<WorkerSettings, 'maxStalledCount' | 'stalledInterval'>

/** @param served the queues that this process's workers serve */
export function backendsOf(served: () => Iterable<string>): Backends {
  const checkedAt = new Map<string, number>()

  return {
    forQueue: (name, options) =>
      new PostgresQueueBackend(new CheckedConnection(options.connection), name, options),
    forWorker: (name, options) => {
      const connection = new CheckedConnection(options.connection)
      const backend = new PostgresQueueBackend(connection, name, options)
      const settings = options as object as StallSettings
      return Object.assign(backend, {
        moveStalledJobsToWait: () => freeStalledWith(name, connection, settings),
      })
    },
  }

  /** All queues that are about due when one is, so that one statement serves them together. */
  async function freeStalledWith(
    name: string,
    connection: PostgresConnection,
    settings: StallSettings,
  ): Promise<string[]> {
    const now = performance.now()
    const due = [...new Set([name, ...served()])].filter(
      (queue) => now - (checkedAt.get(queue) ?? Number.NEGATIVE_INFINITY) > settings.stalledInterval / 2,
    )
    for (const queue of due) checkedAt.set(queue, now)
    try {
      return await freeStalled(due, connection, settings)
    } catch (error) {
      for (const queue of due) checkedAt.delete(queue)
      throw error
    }
  }
}

/** As BullMQ does it for one queue. Which deliveries were freed is of interest to nobody here. */
async function freeStalled(
  queues: readonly string[],
  { pool }: PostgresConnection,
  { maxStalledCount, stalledInterval }: StallSettings,
): Promise<string[]> {
  if (queues.length > 0)
    await pool.query(
      `SELECT count(freed.id) FROM unnest($1::text[]) AS q(name)
       CROSS JOIN LATERAL move_stalled_jobs_to_wait(q.name, $2, $3, $4) AS freed(id)`,
      [[...queues].sort(), maxStalledCount, Date.now(), stalledInterval],
    )
  return []
}

/**
 * BullMQ looks for its tables in a fixed schema when it is given a pool, and remembers a failure for ever. We have looked
 * before, in the right one.
 */
class CheckedConnection extends PostgresConnection {
  override async waitUntilReady(): Promise<void> {}
}
