import { type BulkOutcome, bulkStates } from '../../job/filter.js'
import type { JobState } from '../../job/state.js'
import type { Acted, JobDeed, JobOutcome, MoveTarget } from '../search-store.js'
import type { Redelivery } from '../store.js'
import * as moves from './moves.js'
import { isWaiting } from './row.js'
import type { Table } from './table.js'

/** @param tell of a job that runs and is asked to stop */
export function act(table: Table, ids: readonly string[], deed: JobDeed, tell: (id: string) => void): Acted {
  switch (deed.action) {
    case 'cancel':
      return { outcomes: ids.map((id) => cancel(table, id, deed.by, deed.reason, tell)), redeliveries: [] }
    case 'delete':
      return {
        outcomes: ids.map((id) => remove(table, id, deed.states ?? bulkStates.delete)),
        redeliveries: [],
      }
    case 'retry':
      return toMoved(table, ids, 'retried', (id) => moves.retry(table, id))
    case 'promote':
      return toMoved(table, ids, 'promoted', (id) => moves.promote(table, id))
    case 'move':
      return toMoved(table, ids, 'moved', (id) => move(table, id, deed.to))
  }
}

function cancel(
  table: Table,
  id: string,
  by: string | null,
  reason: string | null,
  tell: (id: string) => void,
): JobOutcome {
  const outcome = moves.cancel(table, id, by, reason)
  if (outcome === 'cancelling') tell(id)
  return { id, outcome }
}

function remove(table: Table, id: string, states: readonly JobState[]): JobOutcome {
  const row = table.rows.get(id)
  if (!row || !states.includes(row.state)) return { id, outcome: row ? 'unfit' : 'unknown' }
  table.remove(id)
  return { id, outcome: 'deleted' }
}

function move(table: Table, id: string, { queue, priority }: MoveTarget): Redelivery | undefined {
  const row = table.rows.get(id)
  if (!row || !isWaiting(row)) return undefined
  return moves.redeliver(table, row, { queue: queue ?? row.queue, priority: priority ?? row.priority })
}

function toMoved(
  table: Table,
  ids: readonly string[],
  outcome: BulkOutcome,
  move: (id: string) => Redelivery | undefined,
): Acted {
  const known = ids.map((id) => ({ id, isKnown: table.rows.has(id), redelivery: move(id) }))
  return {
    outcomes: known.map(({ id, isKnown, redelivery }) => ({
      id,
      outcome: redelivery ? outcome : isKnown ? 'unfit' : 'unknown',
    })),
    redeliveries: known.flatMap(({ redelivery }) => redelivery ?? []),
  }
}
