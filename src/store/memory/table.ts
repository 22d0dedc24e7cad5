import type { Move } from '../../job/move.js'
import type { LogRow } from '../log.js'
import type { Committed, DeliveryKey, NewWorker } from '../store.js'
import { movesOf } from './count.js'
import type { UniqueCall, UniqueEntry, View } from './insert.js'
import { idempotencyOf, type Row } from './row.js'
import { noteMoves, type TimedMove } from './stats.js'

export interface WorkerRow extends NewWorker {
  readonly startedAt: Date
  readonly stoppedAt: Date | undefined
  readonly report: string
  readonly reportedAt: Date | null
}

export interface Added {
  readonly row: Row
  /** The payload as it was given: JSON text. */
  readonly payload: string
}

/** What a store in memory remembers, and the one place that changes a row. */
export interface Table extends View {
  /** By id, in the order of their writing. */
  readonly rows: ReadonlyMap<string, Row>
  readonly workers: Map<string, WorkerRow>
  /** Kept lines by job, in the order of their numbers. */
  readonly logs: Map<string, LogRow[]>
  /** Batches whose deliveries nobody was told of. */
  readonly outbox: Map<string, Committed>
  /** All that were ever added, oldest first; what has gone meanwhile as it was last. */
  readonly added: readonly Added[]
  readonly runningRows: ReadonlySet<Row>
  /** Keys that tasks keep unique, whether they are held or not. */
  readonly uniqueKeys: Map<string, UniqueEntry>
  readonly uniqueCalls: Map<string, UniqueCall>
  /** What has happened to jobs. */
  readonly moves: Map<string, Move>
  /** The same by minute. */
  readonly minutes: Map<string, TimedMove>
  /** Resolves when a row is written, added or removed. */
  changed(): Promise<void>
  /** A row's version changes whenever it is written. */
  versionOf(row: Row): string
  write(row: Row, changes: Partial<Row>): void
  remove(id: string): void
  /** Calls back for each row that is written or added. */
  onWrite(listener: (row: Row) => void): void
  clear(): void
}

export function createTable(nowMs: () => number): Table {
  const rows = new Map<string, Row>()
  const versions = new WeakMap<Row, number>()
  const idempotent = new Map<string, Row>()
  const workers: Table['workers'] = new Map()
  const logs: Table['logs'] = new Map()
  const outbox: Table['outbox'] = new Map()
  const added: Added[] = []
  const runningRows = new Set<Row>()
  const uniqueKeys: Table['uniqueKeys'] = new Map()
  const uniqueCalls: Table['uniqueCalls'] = new Map()
  const moves: Table['moves'] = new Map()
  const minutes: Table['minutes'] = new Map()
  const listeners: ((row: Row) => void)[] = []
  let writes = 0
  let changed: Promise<void> | undefined
  let tellChanged: () => void = () => {}

  const table: Table = {
    rows,
    workers,
    logs,
    outbox,
    added,
    runningRows,
    uniqueKeys,
    uniqueCalls,
    moves,
    minutes,
    now: () => new Date(nowMs()),
    changed() {
      changed ??= new Promise((resolve) => {
        tellChanged = resolve
      })
      return changed
    },
    row: (id) => rows.get(id),
    unique: (key) => uniqueKeys.get(key),
    call: (key) => uniqueCalls.get(key),
    setUnique: (key, entry) => void uniqueKeys.set(key, entry),
    setCall: (key, call) => void uniqueCalls.set(key, call),
    change(row, changes) {
      table.write(row, changes)
      return row
    },
    onWrite: (listen) => void listeners.push(listen),
    versionOf: (row) => String(versions.get(row)),
    add(row) {
      rows.set(row.id, row)
      added.push({ row, payload: row.payload })
      count(undefined, row)
      const key = idempotencyOf(row)
      if (key !== undefined) idempotent.set(key, row)
      noteWrite(row)
    },
    write(row, changes) {
      const was = { ...row }
      Object.assign(row, changes)
      count(was, row)
      noteWrite(row)
    },
    remove(id) {
      const row = rows.get(id)
      if (!row) return
      rows.delete(id)
      count(row, undefined)
      logs.delete(id)
      const key = idempotencyOf(row)
      if (key !== undefined) idempotent.delete(key)
      runningRows.delete(row)
      noteChange()
    },
    holderOf(job) {
      const key = idempotencyOf(job)
      return key === undefined ? undefined : idempotent.get(key)
    },
    clear() {
      for (const each of [
        rows,
        idempotent,
        logs,
        outbox,
        runningRows,
        uniqueKeys,
        uniqueCalls,
        moves,
        minutes,
      ])
        each.clear()
      added.length = 0
      noteChange()
    },
  }
  return table

  function count(before: Readonly<Row> | undefined, after: Readonly<Row> | undefined): void {
    const now = table.now()
    noteMoves(table, movesOf(before, after, now), now)
  }

  function noteWrite(row: Row): void {
    writes += 1
    versions.set(row, writes)
    if (row.state === 'running') runningRows.add(row)
    else runningRows.delete(row)
    for (const listen of listeners) listen(row)
    noteChange()
  }

  function noteChange(): void {
    if (!changed) return
    changed = undefined
    tellChanged()
  }
}

/** The row of a delivery, as long as no later one took its place. */
export function current(table: Table, { jobId, number }: DeliveryKey): Row | undefined {
  const row = table.rows.get(jobId)
  return row?.delivery === number ? row : undefined
}
