import { type Move, type MoveKind, noSpread, type Spread, spreadBoundsMs } from '../../job/move.js'
import type { Row } from './row.js'

/** What became of a row, as the triggers of the database count it. One that goes to another queue leaves one, and comes to one. */
export function movesOf(
  before: Readonly<Row> | undefined,
  after: Readonly<Row> | undefined,
  now: Date,
): readonly Move[] {
  const row = after ?? before
  const was = before?.state ?? ''
  const is = after?.state ?? ''
  if (!row) return []
  if (before && after && before.queue !== after.queue) return queueMovesOf(before, after)
  if (was === is) return []
  const { task, queue } = row
  const how = before && after ? kindOf(before, after) : ''
  const took = before && after ? tookOf(before, after, how, now) : noSpread
  const total = before && after ? totalOf(after) : noSpread
  return [{ task, queue, was, is, how, jobs: 1, took, total }]
}

function queueMovesOf(before: Readonly<Row>, after: Readonly<Row>): readonly Move[] {
  const rest = { how: 'moved', jobs: 1, took: noSpread, total: noSpread } as const
  return [
    { task: before.task, queue: before.queue, was: before.state, is: '', ...rest },
    { task: after.task, queue: after.queue, was: '', is: after.state, ...rest },
  ]
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
  const counts = Array.from({ length: spreadBoundsMs.length + 1 }, (_, at) => (at === place ? 1 : 0))
  return { ms, counts, leastMs: Math.floor(ms), mostMs: Math.ceil(ms) }
}
