import type { Redelivery, Round, Ticket, Work } from '../store.js'
import { expire, isTooLate, redeliver } from './moves.js'
import { isDelayed, isWaiting, type Row, toRedelivery } from './row.js'
import type { Table } from './table.js'

/** What a store in memory can have to repair: nothing is lost in it, but time passes. */

const settlingMs = 2000
const horizonMs = 60_000

export function undispatched(table: Table, limit: number): Redelivery[] {
  return pick(table, limit, isUndispatched).map((row) => toRedelivery(row, table.now()))
}

function isUndispatched(row: Row, now: Date): boolean {
  const isSoon = row.runAt.getTime() < now.getTime() + horizonMs
  // It was made due by hand a moment ago: whoever did that is about to send it. What came due by itself is not queued yet.
  const isFresh = row.state === 'queued' && row.runAt <= now && !isOlder(row.runAt, now, settlingMs)
  const isMeant = isSoon && !isFresh && isOlder(row.createdAt, now, settlingMs)
  return row.dispatchedAt === null && isWaiting(row) && isMeant
}

export function overdue(table: Table, limit: number): Redelivery[] {
  return pick(table, limit, isOverdue).map((row) => redeliver(table, row, { state: 'queued' }))
}

function isOverdue(row: Row, now: Date): boolean {
  const wasHandedOver = isDelayed(row) && row.dispatchedAt !== null
  return wasHandedOver && row.runAt > row.createdAt && isOlder(row.runAt, now, settlingMs)
}

export function expireOverdue(table: Table, limit: number): string[] {
  const late = pick(table, limit, isExpired)
  for (const row of late) expire(table, row)
  return late.map(({ id }) => id)
}

function isExpired(row: Row, now: Date): boolean {
  return isWaiting(row) && isTooLate(row, now)
}

function isOlder(moment: Date, now: Date, ms: number): boolean {
  return moment.getTime() < now.getTime() - ms
}

function pick(table: Table, limit: number, is: (row: Row, now: Date) => boolean): Row[] {
  const now = table.now()
  const found = [...table.rows.values()].filter((row) => is(row, now))
  return found.sort((one, other) => one.runAt.getTime() - other.runAt.getTime()).slice(0, limit)
}

export interface Rounds {
  begin(tickets: readonly Ticket[]): Round
  returnTicket(pass: string): void
  /** When each pass that is known last ran. */
  ranAt(): readonly { readonly pass: string; readonly at: Date }[]
}

/** @param installation what this store is known by */
export function createRounds(table: Table, installation: string): Rounds {
  const ranAt = new Map<string, number>()
  const returned = new Set<string>()

  return {
    begin(tickets) {
      const now = table.now().getTime()
      const due = tickets.filter(
        ({ pass, everyMs }) => returned.has(pass) || isDue(ranAt.get(pass), now, everyMs),
      )
      for (const { pass } of due) {
        ranAt.set(pass, now)
        returned.delete(pass)
      }
      // The mark is always fresh: what the broker loses, the store loses as well.
      const mark = { installation, mark: now, instance: null, now }
      return { due: due.map(({ pass }) => pass), work: workOf(table), walks: [], mark }
    },
    returnTicket: (pass) => void returned.add(pass),
    ranAt: () => [...ranAt].sort().map(([pass, at]) => ({ pass, at: new Date(at) })),
  }
}

function isDue(before: number | undefined, now: number, everyMs: number): boolean {
  return before === undefined || Math.abs(now - before) >= everyMs
}

function workOf(table: Table): Work {
  const now = table.now()
  const rows = [...table.rows.values()]
  return {
    outbox: table.outbox.size > 0,
    undispatched: rows.some((row) => isUndispatched(row, now)),
    overdue: rows.some((row) => isOverdue(row, now)),
    expired: rows.some((row) => isExpired(row, now)),
    workers: false,
    restarted: false,
    open: false,
    moves: false,
    operations: false,
  }
}
