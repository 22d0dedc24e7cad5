import { type Chart, type Step, toChart } from '../../job/chart.js'
import { addSpread, type Move } from '../../job/move.js'
import { keptMs, toPieces, toSteps } from '../../job/resolution.js'
import { isEnd } from '../../job/state.js'
import {
  addOpenJobs,
  addTally,
  noOpenJobs,
  noTally,
  openChangeOf,
  type Tally,
  tallyOf,
} from '../../job/tally.js'
import type {
  ChartQuery,
  Depth,
  NamedTally,
  SeenWorker,
  StatScope,
  StatStore,
  SumsQuery,
} from '../stat-store.js'
import type { Table } from './table.js'

/** Moves of one kind in one minute. */
export interface TimedMove extends Move {
  readonly at: Date
}

const minuteMs = 60_000

/** Adds moves to what has happened before, in all and in this minute. */
export function noteMoves(
  { moves, minutes }: Pick<Table, 'moves' | 'minutes'>,
  added: readonly Move[],
  now: Date,
): void {
  const at = new Date(Math.floor(now.getTime() / minuteMs) * minuteMs)
  for (const move of added) {
    const key = JSON.stringify([move.task, move.queue, move.was, move.is, move.how])
    const minuteKey = `${at.getTime()} ${key}`
    moves.set(key, addMove(moves.get(key), move))
    minutes.set(minuteKey, { at, ...addMove(minutes.get(minuteKey), move) })
  }
}

function addMove(present: Move | undefined, move: Move): Move {
  if (!present) return move
  return {
    ...move,
    jobs: present.jobs + move.jobs,
    took: addSpread(present.took, move.took),
    total: addSpread(present.total, move.total),
  }
}

type Answers = { [Name in keyof StatStore]: (...args: never[]) => Awaited<ReturnType<StatStore[Name]>> }

/** What there is to see in memory. */
export function createMemoryStats(table: Table) {
  const repairs = new Map<string, number>()

  return {
    foldStats: () => 0,
    noteOldest: () => {},
    moves: () => [...table.moves.values()],
    chart,
    sums,
    depths,
    sights: () => ({
      oldest: oldest(),
      dispatchLagMs: 0,
      workers: workers(),
      lostWorkers: 0,
      repairs: repaired(),
    }),
    repaired,
    pruneStats,
    noteRepairs: (pass: string, jobs: number) => void repairs.set(pass, (repairs.get(pass) ?? 0) + jobs),
  } satisfies Answers & { repaired: () => unknown }

  function chart(query: ChartQuery): Chart {
    const steps = toSteps(query, table.now())
    const found = new Map<number, Step>()
    for (const move of minutesOf(query)) {
      const number = Math.floor((move.at.getTime() - steps.from.getTime()) / steps.stepMs)
      if (number < 0) continue
      const at = Math.min(number, steps.count)
      const step = found.get(at) ?? { tally: noTally, change: noOpenJobs }
      found.set(at, {
        tally: addTally(step.tally, tallyOf(move)),
        change: addOpenJobs(step.change, openChangeOf(move)),
      })
    }
    const present = [...table.moves.values()].filter(isIn(query)).map(openChangeOf)
    return toChart(steps, found, present.reduce(addOpenJobs, noOpenJobs))
  }

  function sums(query: SumsQuery): NamedTally[] {
    const pieces = toPieces(query, table.now())
    const from = pieces[0]?.from ?? query.from
    const to = pieces.at(-1)?.to ?? query.to
    const found = new Map<string, Tally>()
    for (const move of minutesOf(query)) {
      if (move.at < from || move.at >= to) continue
      const name = move[query.by]
      found.set(name, addTally(found.get(name) ?? noTally, tallyOf(move)))
    }
    return [...found]
      .sort(([one], [other]) => (one < other ? -1 : 1))
      .map(([name, tally]) => ({ name, ...tally }))
  }

  function minutesOf(scope: StatScope): TimedMove[] {
    return [...table.minutes.values()]
      .filter(isIn(scope))
      .filter(({ was, is }) => is !== '' || was === '' || !isEnd(was))
  }

  function depths(): Depth[] {
    const found = new Map<string, Depth>()
    for (const { task, queue, was, is, how, jobs } of table.moves.values()) {
      if (how === 'dropped') continue
      for (const [state, change] of [
        [is, jobs],
        [was, -jobs],
      ] as const) {
        if (state === '') continue
        const key = JSON.stringify([task, queue, state])
        found.set(key, { task, queue, state, jobs: (found.get(key)?.jobs ?? 0) + change })
      }
    }
    return [...found]
      .sort(([one], [other]) => (one < other ? -1 : 1))
      .map(([, depth]) => depth)
      .filter(({ jobs }) => jobs > 0)
  }

  function pruneStats(): boolean {
    const oldest = table.now().getTime() - keptMs[60]
    for (const [key, { at }] of table.minutes) if (at.getTime() < oldest) table.minutes.delete(key)
    return true
  }

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

function isIn({ task, queue }: StatScope): (move: Move) => boolean {
  return (move) => (!task || task.includes(move.task)) && (queue === undefined || queue === move.queue)
}
