import type { Limit, Pace, TaskLimits } from './limit.js'

/**
 * Which waiting jobs start now, by the limits of their tasks, keys and queues.
 *
 * Tasks take turns, the smaller priority first; within a task its keys take turns; within a key priority decides, then
 * age. Times are milliseconds of one clock, the store's.
 */
export interface Scene {
  readonly now: number
  /** How many may start at most. */
  readonly places: number
  /** Those of the first queue go first. */
  readonly lines: readonly Line[]
  /** How each task stands, by its name. */
  readonly tasks: ReadonlyMap<string, Standing & { readonly limits: TaskLimits }>
  /** How each queue with a limit stands. */
  readonly queues: ReadonlyMap<string, Standing & { readonly limit: Limit }>
}

/** Jobs of one task that wait in one queue. */
export interface Line {
  /** The task's name; of a job that waits under an alias, too. */
  readonly task: string
  readonly queue: string
  /** Where the queue stands among those that are served. */
  readonly order: number
  /** Keys that wait, in the order of their turns. */
  readonly keys: readonly WaitingKey[]
  /** Keys that were left out because of their rate: when the first of them may start. */
  readonly nextAt: number | null
}

export interface WaitingKey extends Standing {
  readonly key: string
  /** The first of its jobs, in their order. */
  readonly jobs: readonly WaitingJob[]
  /** More of its jobs wait. */
  readonly hasMore: boolean
}

export interface WaitingJob {
  readonly jobId: string
  readonly priority: number
  /** When it began to wait: what a rate would have let start before that, nobody missed. */
  readonly since: number
}

/** What a limit has let through so far. */
export interface Standing {
  /** Jobs that run; counting may stop at the limit. */
  readonly running: number
  /** When the next may start, by the rate; `null` before the first. */
  readonly nextAt: number | null
  /** Its last starts. Not kept of a key, of which there are too many. */
  readonly recent?: Recent
}

/** How many have started up to each of these times, newest last. */
export type Recent = readonly (readonly [upTo: number, starts: number])[]

export interface Admission {
  readonly starts: readonly Start[]
  /** When the next may start, of those whose rate has let some start. */
  readonly tasks: ReadonlyMap<string, TaskMove>
  readonly queues: ReadonlyMap<string, Move>
  readonly keys: readonly { readonly task: string; readonly key: string; readonly nextAt: number }[]
  /** When to look again, by the rates; `null`: when a job has ended or a new one waits. */
  readonly nextAt: number | null
  /** Lines of which nothing starts before that time, whatever comes. */
  readonly paced: readonly { readonly line: Line; readonly nextAt: number }[]
}

export interface Move {
  readonly nextAt: number | null
  readonly recent: Recent
}

export interface TaskMove extends Move {
  /** Whose turn it was last. */
  readonly lastKey: string
}

export interface Start {
  readonly line: Line
  readonly key: string
  readonly jobId: string
}

/**
 * What a look finds late may start at once, up to so much of it, so that the rate is met. Of a task or a queue, whose last
 * starts are known, it can be more.
 */
const catchUpMs = { known: 1000, unknown: 50 }
/** More than the rate by so much never starts in any second, or in the time of twenty starts where that is longer. */
const excess = 1.03
const shortestWindowMs = 1000
const windowStarts = 20
/** Starts are counted in so many parts of the window. */
const slots = 40

export function admit({ now, places, lines, tasks, queues }: Scene): Admission {
  const taskScopes = new Map([...tasks].map(([name, { limits, ...at }]) => [name, toScope(limits.task, at)]))
  const queueScopes = new Map([...queues].map(([name, { limit, ...at }]) => [name, toScope(limit, at)]))
  const keyScopes = new Map<string, Scope & { readonly task: string; readonly key: string }>()
  const rows = lines.map(toRow)
  const starts: Start[] = []
  const lastKeys = new Map<string, string>()

  while (starts.length < places) {
    const row = pickRow(rows.filter(hasHead))
    if (!row) break
    starts.push(startHead(row))
  }

  const open = rows.map((row) => ({ line: row.line, ...lookAhead(row) }))
  const times = open.flatMap(({ at }) => (at === null ? [] : [at]))
  return {
    starts,
    tasks: new Map(
      [...lastKeys].map(([task, lastKey]) => [task, { lastKey, ...toMove(taskScopes.get(task)) }]),
    ),
    queues: new Map(
      [...queueScopes].flatMap(([name, scope]) => (scope.moved ? [[name, toMove(scope)]] : [])),
    ),
    keys: [...keyScopes.values()].flatMap(({ task, key, moved, limit, nextAt }) =>
      moved && limit.pace && nextAt !== null ? [{ task, key, nextAt }] : [],
    ),
    nextAt: times.length === 0 ? null : Math.min(...times),
    paced: open.flatMap(({ line, at, isPaced }) => (isPaced && at !== null ? [{ line, nextAt: at }] : [])),
  }

  function toRow(line: Line): Row {
    const limit = tasks.get(line.task)?.limits.key ?? {}
    const keys = line.keys.map((waiting) => {
      const name = `${line.task} ${waiting.key}`
      const scope = keyScopes.get(name) ?? { ...toScope(limit, waiting), task: line.task, key: waiting.key }
      keyScopes.set(name, scope)
      return { key: waiting.key, jobs: [...waiting.jobs], hasMore: waiting.hasMore, scope }
    })
    const scopes = [taskScopes.get(line.task), queueScopes.get(line.queue)].filter(
      (scope) => scope !== undefined,
    )
    return { line, keys, scopes, left: [], taken: 0 }
  }

  /** Keys of which nothing starts now leave the circle; the head is the first of those that stay. */
  function hasHead(row: Row): boolean {
    if (row.scopes.some((scope) => opensAt(scope, now) > now)) return false
    for (let next = row.keys[0]; next; next = row.keys[0]) {
      if (next.jobs.length > 0 && opensAt(next.scope, now) <= now) return true
      row.keys.shift()
      row.left.push(next)
    }
    return false
  }

  function startHead(row: Row): Start {
    const [next] = row.keys.splice(0, 1) as [RowKey]
    const [job] = next.jobs.splice(0, 1) as [WaitingJob]
    row.keys.push(next)
    row.taken += 1
    for (const scope of [...row.scopes, next.scope]) start(scope, now, job.since)
    lastKeys.set(row.line.task, next.key)
    return { line: row.line, key: next.key, jobId: job.jobId }
  }

  /** When the row's next job may start. */
  function lookAhead(row: Row): { readonly at: number | null; readonly isPaced: boolean } {
    const keys = [...row.keys, ...row.left].flatMap(({ jobs, hasMore, scope }) =>
      jobs.length > 0 || hasMore ? [opensAt(scope, now)] : [],
    )
    if (row.line.nextAt !== null) keys.push(row.line.nextAt)
    const opens = Math.max(now, ...row.scopes.map((scope) => opensAt(scope, now)))
    const at = Math.max(opens, Math.min(...keys))
    return at === Number.POSITIVE_INFINITY ? { at: null, isPaced: false } : { at, isPaced: opens > now }
  }
}

interface Scope {
  readonly limit: Limit
  running: number
  nextAt: number | null
  /** `undefined`: not known. */
  recent: [upTo: number, starts: number][] | undefined
  moved: boolean
}

interface RowKey {
  readonly key: string
  readonly jobs: WaitingJob[]
  readonly hasMore: boolean
  readonly scope: Scope
}

interface Row {
  readonly line: Line
  readonly keys: RowKey[]
  readonly scopes: readonly Scope[]
  readonly left: RowKey[]
  taken: number
}

function toScope(limit: Limit, { running, nextAt, recent }: Standing): Scope {
  return { limit, running, nextAt, recent: recent?.map(([upTo, starts]) => [upTo, starts]), moved: false }
}

function toMove(scope: Scope | undefined): Move {
  return { nextAt: scope?.nextAt ?? null, recent: scope?.recent ?? [] }
}

/** The first queue first, then the smaller priority, then who has had less. */
function pickRow(rows: readonly Row[]): Row | undefined {
  return rows.toSorted(
    (a, b) => a.line.order - b.line.order || priorityOf(a) - priorityOf(b) || a.taken - b.taken,
  )[0]
}

function priorityOf({ keys }: Row): number {
  return keys[0]?.jobs[0]?.priority ?? 0
}

/** When one more may start; never, as far as time goes, where as many run as may. */
function opensAt({ limit: { concurrency, pace }, running, nextAt, recent }: Scope, now: number): number {
  if (concurrency !== undefined && running >= concurrency) return Number.POSITIVE_INFINITY
  if (!pace) return now
  const due = nextAt === null ? now : dueAt(pace, nextAt, now)
  return recent ? Math.max(due, windowOpensAt(pace, recent, now)) : due
}

/** When fewer have started within the window than may. */
function windowOpensAt(pace: Pace, recent: Recent, now: number): number {
  const windowMs = windowOf(pace)
  const inWindow = recent.filter(([upTo]) => upTo > now - windowMs && upTo <= now + windowMs)
  let excessive = inWindow.reduce((sum, [, starts]) => sum + starts, 0) - mostOf(pace)
  for (const [upTo, starts] of inWindow) {
    if (excessive < 0) break
    excessive -= starts
    if (excessive < 0) return upTo + windowMs
  }
  return now
}

function windowOf(pace: Pace): number {
  return Math.max(shortestWindowMs, intervalOf(pace) * windowStarts)
}

function mostOf(pace: Pace): number {
  return Math.max(1, Math.floor((windowOf(pace) / intervalOf(pace)) * excess))
}

function start(scope: Scope, now: number, since: number): void {
  scope.running += 1
  scope.moved = true
  const { pace } = scope.limit
  if (!pace) return
  scope.nextAt = afterStart(
    pace,
    scope.nextAt,
    now,
    since,
    scope.recent ? catchUpMs.known : catchUpMs.unknown,
  )
  if (scope.recent) scope.recent = withStart(pace, scope.recent, now)
}

function withStart(pace: Pace, recent: Scope['recent'] & object, now: number): Scope['recent'] & object {
  const slotMs = windowOf(pace) / slots
  const upTo = (Math.floor(now / slotMs) + 1) * slotMs
  const last = recent.at(-1)
  if (last?.[0] === upTo) {
    last[1] += 1
    return recent
  }
  return [...recent.filter(([old]) => old > now - windowOf(pace) && old < upTo), [upTo, 1]]
}

/** A start is never more than one interval away: a later one is that of a slower rate, or of a clock that was put back. */
function dueAt(pace: Pace, nextAt: number, now: number): number {
  return Math.min(nextAt, now + intervalOf(pace))
}

function afterStart(pace: Pace, nextAt: number | null, now: number, since: number, lateMs: number): number {
  const due = nextAt === null ? now : dueAt(pace, nextAt, now)
  return Math.max(due, Math.min(now, Math.max(now - lateMs, since))) + intervalOf(pace)
}

function intervalOf({ starts, perMs }: Pace): number {
  return perMs / starts
}
