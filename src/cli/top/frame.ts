import { tellMs } from '../../job/duration.js'
import { paint } from '../kit.js'
import { tellBytes } from '../show.js'
import type { QueueSample, Rates, Sample, TaskSample, WorkerSample } from './sample.js'

/** What whoever sits there has chosen. */
export interface View {
  readonly sort: Sort
  /** The queue that `p` means. */
  readonly queue: string | undefined
  /** Said in the last line, instead of the keys. */
  readonly message: string | undefined
}

/** By how much waits and runs, by what happens, by what goes wrong, or by name. */
export const sorts = ['load', 'rate', 'failures', 'name'] as const
export type Sort = (typeof sorts)[number]

export const firstView: View = Object.freeze({ sort: 'load', queue: undefined, message: undefined })

export interface Size {
  readonly columns: number
  readonly rows: number
}

/** A column: its head, which side it stands at, and what it says. */
interface Column<Row> {
  readonly head: string
  readonly isText?: boolean
  readonly tell: (row: Row) => string
}

const keys = 'q quit  up/down queue  p pause  left/right sort'

/** The screen, as lines that fit in. What has no room is counted. */
export function drawFrame(sample: Sample, view: View, { columns, rows }: Size): string[] {
  const problems = sample.problems.slice(0, 3)
  const queues = sortedQueues(sample.queues, view.sort)
  const workers = [...sample.workers].sort(byOf(view.sort, workerRank, ({ name }) => name))
  const tasks = [...sample.tasks].sort(byOf(view.sort, taskRank, ({ task }) => task))
  // Title, a blank line before each of three tables and before the last line, their heads.
  const room = Math.max(3, rows - 1 - problems.length - 3 * 2 - 2)
  const [forQueues, forWorkers, forTasks] = share(room, [queues.length, workers.length, tasks.length])
  return [
    title(sample, columns),
    ...problems.map(({ message }) => paint('red', cut(`! ${message}`, columns))),
    '',
    ...draw(queueColumns, queues, forQueues, columns, {
      isChosen: ({ queue }) => queue === view.queue,
      isRed: isUnserved,
    }),
    '',
    ...draw(workerColumns, workers, forWorkers, columns, { isRed: ({ state }) => state !== 'ok' }),
    '',
    ...draw(taskColumns, tasks, forTasks, columns, { isRed: ({ rates }) => (rates.failed ?? 0) > 0 }),
    '',
    cut(view.message ?? `${keys}: ${view.sort}`, columns),
  ]
}

/** In the order in which the screen has them, for the keys. */
export function sortedQueues(queues: readonly QueueSample[], sort: Sort): QueueSample[] {
  return [...queues].sort(byOf(sort, queueRank, ({ queue }) => queue))
}

function title({ at, status, workers, tasks }: Sample, columns: number): string {
  const up = workers.filter(({ state }) => state !== 'lost' && state !== 'silent')
  const slots = up.reduce((sum, { concurrency }) => sum + concurrency, 0)
  const running = up.reduce((sum, worker) => sum + (worker.running ?? 0), 0)
  const rate = (of: (rates: Rates) => number | null) =>
    tellRate(
      tasks.some(({ rates }) => of(rates) === null)
        ? null
        : tasks.reduce((sum, { rates }) => sum + (of(rates) ?? 0), 0),
    )
  const text = [
    `celeriac top  ${status}`,
    `${up.length} ${up.length === 1 ? 'worker' : 'workers'}`,
    `${running}/${slots} slots`,
    `in ${rate(({ enqueued }) => enqueued)}`,
    `out ${rate(({ ended }) => ended)}`,
    `failed ${rate(({ failed }) => failed)} /s`,
  ].join('  ')
  const time = `  ${at.toTimeString().slice(0, 8)}`
  return text.length + time.length > columns ? cut(text, columns) : text + time
}

const queueColumns: readonly Column<QueueSample>[] = [
  { head: 'QUEUE', isText: true, tell: ({ queue }) => queue },
  { head: 'waiting', tell: ({ waiting }) => tellCount(waiting) },
  { head: 'delayed', tell: ({ delayed }) => tellCount(delayed) },
  { head: 'running', tell: ({ running }) => tellCount(running) },
  { head: 'oldest', tell: ({ oldestMs }) => (oldestMs === null ? '-' : tellMs(oldestMs)) },
  { head: 'in/s', tell: ({ rates }) => tellRate(rates.enqueued) },
  { head: 'out/s', tell: ({ rates }) => tellRate(rates.ended) },
  {
    head: 'served by',
    isText: true,
    tell: ({ paused, workers }) =>
      paused ? 'PAUSED' : workers.length > 1 ? `${workers.length} workers` : (workers[0] ?? 'nobody'),
  },
]

const workerColumns: readonly Column<WorkerSample>[] = [
  { head: 'WORKER', isText: true, tell: ({ name }) => name },
  { head: 'state', isText: true, tell: ({ state }) => state },
  { head: 'running', tell: ({ running, concurrency }) => `${running ?? '?'}/${concurrency}` },
  { head: 'taken', tell: ({ reserved }) => String(reserved ?? '-') },
  { head: 'memory', tell: ({ memory }) => (memory === null ? '-' : tellBytes(memory)) },
  { head: 'loop', tell: ({ loopDelayMs }) => (loopDelayMs === null ? '-' : `${Math.round(loopDelayMs)} ms`) },
  { head: 'cpu', tell: ({ cpu }) => (cpu === null ? '-' : `${Math.round(cpu * 100)}%`) },
  { head: 'load', tell: ({ load }) => (load === null ? '-' : load.toFixed(1)) },
  { head: 'up', tell: ({ upMs }) => tellMs(upMs) },
]

const taskColumns: readonly Column<TaskSample>[] = [
  { head: 'TASK', isText: true, tell: ({ task }) => task },
  { head: 'in/s', tell: ({ rates }) => tellRate(rates.enqueued) },
  { head: 'starts/s', tell: ({ rates }) => tellRate(rates.started) },
  { head: 'ends/s', tell: ({ rates }) => tellRate(rates.ended) },
  { head: 'failures/s', tell: ({ rates }) => tellRate(rates.failed) },
]

interface Marks<Row> {
  readonly isChosen?: (row: Row) => boolean
  readonly isRed?: (row: Row) => boolean
}

function draw<Row>(
  columns: readonly Column<Row>[],
  rows: readonly Row[],
  room: number,
  width: number,
  { isChosen, isRed }: Marks<Row>,
): string[] {
  const shown = rows.length > room ? rows.slice(0, room - 1) : rows
  const cells = shown.map((row) => columns.map(({ tell }) => tell(row)))
  const widths = columns.map(({ head }, at) =>
    Math.max(head.length, ...cells.map((row) => row[at]?.length ?? 0)),
  )
  // The name gives way: numbers that are cut mean something else.
  const rest = widths.slice(1).reduce((sum, each) => sum + each + 2, 0)
  widths[0] = Math.min(widths[0] ?? 0, Math.max(8, width - 2 - rest))
  const line = (row: readonly string[]) =>
    row
      .map((cell, at) => {
        const fit = at === 0 ? cutMiddle(cell, widths[at] ?? 0) : cut(cell, widths[at] ?? 0)
        return columns[at]?.isText ? fit.padEnd(widths[at] ?? 0) : fit.padStart(widths[at] ?? 0)
      })
      .join('  ')
      .trimEnd()
  return [
    paint('bold', cut(`  ${line(columns.map(({ head }) => head))}`, width)),
    ...shown.map((row, at) => {
      const text = cut(`${isChosen?.(row) ? '>' : ' '} ${line(cells[at] ?? [])}`, width)
      return isRed?.(row) ? paint('red', text) : text
    }),
    ...(shown.length < rows.length ? [`  … and ${rows.length - shown.length} more`] : []),
  ]
}

/** What the small ones do not need, the large ones get. */
function share(room: number, wants: readonly [number, number, number]): [number, number, number] {
  const given: [number, number, number] = [0, 0, 0]
  let left = room
  for (let round = 0; left > 0 && round < room; round += 1) {
    for (const at of [0, 1, 2] as const) {
      if (left === 0 || given[at] >= Math.max(1, wants[at])) continue
      given[at] += 1
      left -= 1
    }
  }
  return given
}

type Rank<Row> = (row: Row) => Readonly<Record<Exclude<Sort, 'name'>, number>>

const queueRank: Rank<QueueSample> = ({ waiting, running, rates: { enqueued, ended, failed } }) => ({
  load: waiting + running,
  rate: (enqueued ?? 0) + (ended ?? 0),
  failures: failed ?? 0,
})

const workerRank: Rank<WorkerSample> = ({ running, cpu, state }) => ({
  load: running ?? 0,
  rate: cpu ?? 0,
  failures: state === 'ok' ? 0 : 1,
})

const taskRank: Rank<TaskSample> = ({ rates: { enqueued, started, ended, failed } }) => ({
  load: (started ?? 0) + (enqueued ?? 0),
  rate: (started ?? 0) + (ended ?? 0),
  failures: failed ?? 0,
})

function byOf<Row>(sort: Sort, rank: Rank<Row>, name: (row: Row) => string) {
  return (one: Row, other: Row) => {
    const byRank = sort === 'name' ? 0 : rank(other)[sort] - rank(one)[sort]
    return byRank || name(one).localeCompare(name(other))
  }
}

function isUnserved({ waiting, workers, paused }: QueueSample): boolean {
  return waiting > 0 && workers.length === 0 && !paused
}

/** `12`, `3.4`, `0`. */
function tellRate(rate: number | null): string {
  if (rate === null) return '-'
  return rate >= 100 || Number.isInteger(rate) ? String(Math.round(rate)) : rate.toFixed(1)
}

function tellCount(count: number): string {
  return count.toLocaleString('en')
}

function cut(text: string, width: number): string {
  return text.length > width ? `${text.slice(0, Math.max(0, width - 1))}…` : text
}

/** Names of one kind begin alike, and end in what tells them apart. */
function cutMiddle(text: string, width: number): string {
  if (text.length <= width) return text
  const end = Math.floor((width - 1) / 2)
  return `${text.slice(0, width - 1 - end)}…${end === 0 ? '' : text.slice(-end)}`
}
