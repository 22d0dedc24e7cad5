import type { BulkOutcome } from '../../job/filter.js'
import type { JobOutcome, Moved, MoveTarget } from '../search-store.js'
import type { Redelivery } from '../store.js'
import * as moves from './moves.js'
import { isWaiting } from './row.js'
import type { Table } from './table.js'

/** @param tell of a job that runs */
export function cancelJobs(
  table: Table,
  ids: readonly string[],
  by: string | null,
  reason: string | null,
  tell: (id: string) => void,
): JobOutcome[] {
  return ids.map((id) => {
    const outcome = moves.cancel(table, id, by, reason)
    if (outcome === 'cancelling') tell(id)
    return { id, outcome }
  })
}

export function deleteJobs(table: Table, ids: readonly string[]): JobOutcome[] {
  return ids.map((id) => {
    const row = table.rows.get(id)
    if (!row || row.state === 'running') return { id, outcome: row ? 'unfit' : 'unknown' }
    table.remove(id)
    return { id, outcome: 'deleted' }
  })
}

export function retryJobs(table: Table, ids: readonly string[]): Moved {
  return toMoved(table, ids, 'retried', (id) => moves.retry(table, id))
}

export function promoteJobs(table: Table, ids: readonly string[]): Moved {
  return toMoved(table, ids, 'promoted', (id) => moves.promote(table, id))
}

export function moveJobs(table: Table, ids: readonly string[], { queue, priority }: MoveTarget): Moved {
  return toMoved(table, ids, 'moved', (id) => {
    const row = table.rows.get(id)
    if (!row || !isWaiting(row)) return undefined
    return moves.redeliver(table, row, {
      queue: queue ?? row.queue,
      priority: priority ?? row.priority,
    })
  })
}

function toMoved(
  table: Table,
  ids: readonly string[],
  outcome: BulkOutcome,
  move: (id: string) => Redelivery | undefined,
): Moved {
  const known = ids.map((id) => ({ id, isKnown: table.rows.has(id), redelivery: move(id) }))
  return {
    outcomes: known.map(({ id, isKnown, redelivery }) => ({
      id,
      outcome: redelivery ? outcome : isKnown ? 'unfit' : 'unknown',
    })),
    redeliveries: known.flatMap(({ redelivery }) => redelivery ?? []),
  }
}
