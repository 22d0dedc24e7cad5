import type { FinishedTask, NthFinished, Place, Pruned, PruneRule } from '../store.js'
import type { Row } from './row.js'
import type { Table } from './table.js'

export function finishedTasks(table: Table): FinishedTask[] {
  const tasks = new Set(allFinished(table).map(({ task }) => task))
  const served = new Set([...table.workers.values()].flatMap((worker) => worker.tasks))
  return [...tasks].sort().map((task) => ({ task, isServed: served.has(task) }))
}

export function nthFinished(table: Table, { task, newer, before, after }: NthFinished): Place | undefined {
  const between = allFinished(table).filter(
    (row) => row.task === task && (!before || isBefore(row, before)) && (!after || isAfter(row, after)),
  )
  const row = between.at(-1 - newer)
  return row && { finishedAt: timeOf(row), jobId: row.id }
}

export function isDueRule(table: Table, rule: PruneRule): boolean {
  return doomed(table, rule).length > 0
}

/** Oldest first. */
export function prune(table: Table, rule: PruneRule, limit: number): Pruned {
  const found = doomed(table, rule)
  for (const { id } of found.slice(0, limit)) table.remove(id)
  return { deleted: Math.min(found.length, limit), isDone: found.length < limit }
}

function doomed(table: Table, { task, states, upTo }: PruneRule): Row[] {
  const oldest = 'ageMs' in upTo ? new Date(table.now().getTime() - upTo.ageMs).toISOString() : undefined
  const isReached = (row: Row) => ('ageMs' in upTo ? timeOf(row) <= (oldest ?? '') : !isAfter(row, upTo))
  return allFinished(table).filter(
    (row) => row.task === task && (states as readonly string[]).includes(row.state) && isReached(row),
  )
}

/** In the order of their ends. */
function allFinished(table: Table): Row[] {
  const finished = [...table.rows.values()].filter(({ finishedAt }) => finishedAt !== null)
  return finished.sort((one, other) => (isBefore(one, placeOf(other)) ? -1 : 1))
}

function placeOf(row: Row): Place {
  return { finishedAt: timeOf(row), jobId: row.id }
}

function timeOf({ finishedAt }: Row): string {
  return finishedAt?.toISOString() ?? ''
}

function isBefore(row: Row, { finishedAt, jobId }: Place): boolean {
  return timeOf(row) === finishedAt ? row.id < jobId : timeOf(row) < finishedAt
}

function isAfter(row: Row, { finishedAt, jobId }: Place): boolean {
  return timeOf(row) === finishedAt ? row.id > jobId : timeOf(row) > finishedAt
}
