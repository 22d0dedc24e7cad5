import type { ChangedJob, ChangePlace, ChangeStore } from '../change-store.js'
import { firstIdOf, toChanged } from '../changes.js'
import type { Command } from '../control-store.js'
import type { Row } from './row.js'
import type { Table } from './table.js'

/** The commands, newest first. */
type Commands = () => readonly Command[]

export function createChanges(table: Table, commands: Commands): ChangeStore {
  const rows = () => [...table.rows.values()]

  return {
    async changeClock() {
      const now = table.now()
      return { now, oldest: now }
    },
    async endedSince(since, after, limit) {
      return rows()
        .filter((row) => row.finishedAt !== null && row.finishedAt >= since && isBehind(row, after))
        .sort((a, b) => compare(placeOf(a), placeOf(b)))
        .slice(0, limit)
        .map(changed)
    },
    async openedSince(since, after, limit) {
      const first = after ?? firstIdOf(since)
      return rows()
        .filter(({ id, finishedAt }) => finishedAt === null && id > first)
        .sort((a, b) => (a.id < b.id ? -1 : 1))
        .slice(0, limit)
        .map(changed)
    },
    async movedSince(since) {
      const hasMoved = ({ startedAt, attempts }: Row) =>
        (startedAt !== null && startedAt >= since) || attempts !== '[]'
      return rows()
        .filter((row) => row.finishedAt === null && row.attempt > 0 && hasMoved(row))
        .map(changed)
    },
    async workersSince(since) {
      return [...table.workers.values()]
        .filter(({ startedAt, stoppedAt }) => (stoppedAt ?? startedAt) >= since)
        .map(({ id, name, queues, concurrency, startedAt, stoppedAt = null }) => ({
          ...{ id, name, queues, concurrency, startedAt, stoppedAt, lostAt: null },
        }))
    },
    async commandsSince(since, limit) {
      return commands()
        .toReversed()
        .filter(({ askedAt }) => askedAt >= since)
        .slice(0, limit)
        .map(({ id, verb, args, workers, askedBy, askedFrom, askedAt }) => ({
          ...{ id, verb, args, workers: workers.length, askedBy, askedFrom, askedAt },
        }))
    },
  }
}

function changed({ id, task, queue, state, attempt, workerId, error, attempts, ...row }: Row): ChangedJob {
  const { createdAt, runAt, startedAt, finishedAt, cancelRequestedAt, cancelledBy, cancelReason } = row
  return toChanged({
    ...{ id, task, queue, state, attempt, workerId, error, attempts },
    ...{ createdAt, runAt, startedAt, finishedAt, cancelRequestedAt, cancelledBy, cancelReason },
  })
}

function placeOf({ finishedAt, id }: Row): string {
  return `${finishedAt?.toISOString()} ${id}`
}

function isBehind(row: Row, after: ChangePlace | undefined): boolean {
  return after === undefined || compare(placeOf(row), `${after.finishedAt.toISOString()} ${after.id}`) > 0
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
