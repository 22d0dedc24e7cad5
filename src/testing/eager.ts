import { JobEndedError } from '../errors.js'
import { waitsForTurn } from '../store/memory/row.js'
import type { MemoryStore } from '../store/memory.js'
import { toJob } from '../store/rows.js'
import type { InsertedJob, Settlement } from '../store/store.js'

export interface EagerStore extends MemoryStore {
  /** Waits until these jobs have ended, or wait for a time to come. @throws {JobEndedError} with `propagate` */
  settled(ids: readonly string[]): Promise<void>
}

export interface EagerOptions {
  /** Resolves when jobs are taken. */
  readonly working: () => Promise<unknown>
  /** Whether a queue is paused: what waits in it is waited for by nobody. */
  readonly isPaused: (queue: string) => boolean
  /** Whether a job that did not succeed is an error of the call that enqueued it. */
  readonly propagate: boolean
}

/**
 * A store whose inserts resolve when the jobs have run: one attempt follows the other at once, whatever their backoff.
 * All else is as in the store that it stands before.
 */
export function createEagerStore(
  store: MemoryStore,
  { working, isPaused, propagate }: EagerOptions,
): EagerStore {
  const { table, limits } = store
  return Object.assign(Object.create(store) as MemoryStore, { insert, settle, settled })

  async function insert(jobs: Parameters<MemoryStore['insert']>[0]): Promise<InsertedJob[]> {
    await working()
    const inserted = await store.insert(jobs)
    // One that was there before may be the very job that enqueues it anew.
    await settled(inserted.filter(({ created }) => created).map(({ id }) => id))
    return inserted
  }

  function settle(outcome: Settlement) {
    return store.settle(outcome.state === 'retrying' ? { ...outcome, retryInMs: 0 } : outcome)
  }

  async function settled(ids: readonly string[]): Promise<void> {
    for (const id of ids) {
      while (mayStillRun(id)) await table.changed()
      if (propagate) throwEnd(id)
    }
  }

  function mayStillRun(id: string): boolean {
    const row = table.rows.get(id)
    if (!row || row.finishedAt !== null) return false
    if (row.state === 'running') return true
    if (isPaused(row.queue)) return false
    return waitsForTurn(row) ? limits.mayStart() : row.runAt.getTime() <= table.now().getTime()
  }

  function throwEnd(id: string): void {
    const row = table.rows.get(id)
    if (!row || row.finishedAt === null || row.state === 'succeeded') return
    const { task, error } = toJob({ ...row })
    const state = row.state as 'failed' | 'cancelled' | 'expired'
    const why = state === 'failed' && error ? ` failed: ${error.name}: ${error.message}` : ` ended ${state}.`
    throw new JobEndedError(state, `Job ${id} (${task})${why}`, error ? { cause: toError(error) } : {})
  }
}

/** What a handler threw, as far as it was kept. */
export function toError({
  name,
  message,
  code,
  stack,
}: {
  name: string
  message: string
  code?: string
  stack?: string
}): Error {
  const error = new Error(message)
  error.name = name
  if (stack !== undefined) error.stack = stack
  return code === undefined ? error : Object.assign(error, { code })
}
