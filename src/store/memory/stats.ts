import { addSpread, type Move, type MoveKind, noSpread, type Spread, spreadBoundsMs } from '../../job/move.js'
import type { SeenWorker, StatStore } from '../stat-store.js'
import type { Row } from './row.js'
import type { Table } from './table.js'

/** Adds what became of a row to what has happened before, as the triggers of the database do. */
export function countMove(
  moves: Map<string, Move>,
  before: Readonly<Row> | undefined,
  after: Readonly<Row> | undefined,
  now: Date,
): void {
  const row = after ?? before
  const was = before?.state ?? ''
  const is = after?.state ?? ''
  if (!row) return
  if (before && after && before.queue !== after.queue) {
    countQueueMove(moves, before, after)
    return
  }
  if (was === is) return
  const how = before && after ? kindOf(before, after) : ''
  const { task, queue } = row
  const key = JSON.stringify([task, queue, was, is, how])
  const present = moves.get(key)
  const took = before && after ? tookOf(before, after, how, now) : noSpread
  const total = before && after ? totalOf(after) : noSpread
  moves.set(key, {
    ...{ task, queue, was, is, how },
    jobs: (present?.jobs ?? 0) + 1,
    took: addSpread(present?.took ?? noSpread, took),
    total: addSpread(present?.total ?? noSpread, total),
  })
}

function countQueueMove(moves: Map<string, Move>, before: Readonly<Row>, after: Readonly<Row>): void {
  const lines = [
    { task: before.task, queue: before.queue, was: before.state, is: '' as const },
    { task: after.task, queue: after.queue, was: '' as const, is: after.state },
  ]
  for (const line of lines) {
    const key = JSON.stringify([line.task, line.queue, line.was, line.is, 'moved'])
    const jobs = (moves.get(key)?.jobs ?? 0) + 1
    moves.set(key, { ...line, how: 'moved', jobs, took: noSpread, total: noSpread })
  }
}

function kindOf(before: Readonly<Row>, after: Readonly<Row>): MoveKind {
  if (after.lost > before.lost) return 'lost'
  if (after.state === 'retrying') return after.failures > before.failures ? 'failed' : 'snoozed'
  if (before.state !== 'running' || after.state !== 'queued') return ''
  return after.attempt < before.attempt ? 'unstarted' : 'returned'
}

function tookOf(before: Readonly<Row>, after: Readonly<Row>, how: MoveKind, now: Date): Spread {
  const { startedAt, finishedAt, runAt } = after
  if (!startedAt || how === 'lost' || after.state === 'queued') return noSpread
  if (after.state === 'running') return spreadOf(startedAt.getTime() - runAt.getTime())
  return before.state === 'running' ? spreadOf((finishedAt ?? now).getTime() - startedAt.getTime()) : noSpread
}

function totalOf({ state, createdAt, finishedAt }: Readonly<Row>): Spread {
  if (!finishedAt || (state !== 'succeeded' && state !== 'failed')) return noSpread
  return spreadOf(finishedAt.getTime() - createdAt.getTime())
}

function spreadOf(duration: number): Spread {
  const ms = Math.max(0, duration)
  const beyond = spreadBoundsMs.findIndex((bound) => ms < bound)
  const place = beyond === -1 ? spreadBoundsMs.length : beyond
  return { ms, counts: Array.from({ length: spreadBoundsMs.length + 1 }, (_, at) => (at === place ? 1 : 0)) }
}

/** What there is to see in memory: no history, for a test has none. */
export function createMemoryStats(table: Table) {
  const repairs = new Map<string, number>()

  return {
    foldStats: () => 0,
    noteOldest: () => {},
    moves: () => [...table.moves.values()],
    movesByTime: () => [],
    sights: () => ({
      oldest: oldest(),
      dispatchLagMs: 0,
      workers: workers(),
      lostWorkers: 0,
      repairs: repaired(),
    }),
    pruneStats: () => true,
    noteRepairs: (pass: string, jobs: number) => void repairs.set(pass, (repairs.get(pass) ?? 0) + jobs),
  } satisfies { [Name in keyof StatStore]: (...args: never[]) => Awaited<ReturnType<StatStore[Name]>> }

  function oldest() {
    const now = table.now().getTime()
    const since = new Map<string, number>()
    for (const { queue, state, runAt } of table.rows.values()) {
      const isWaiting = state === 'queued' || state === 'scheduled' || state === 'retrying'
      if (!isWaiting || runAt.getTime() > now) continue
      since.set(queue, Math.min(since.get(queue) ?? now, runAt.getTime()))
    }
    return [...since].sort().map(([queue, at]) => ({ queue, ageMs: now - at }))
  }

  function workers(): SeenWorker[] {
    return [...table.workers.values()]
      .filter(({ stoppedAt }) => stoppedAt === undefined)
      .map(({ id, name, queues, concurrency, report }) => ({
        id,
        name,
        queues,
        concurrency,
        missed: 0,
        report,
      }))
  }

  function repaired() {
    return [...repairs].sort().map(([pass, jobs]) => ({ pass, jobs }))
  }
}
