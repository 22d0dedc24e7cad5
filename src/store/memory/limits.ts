import {
  admit as decide,
  type Line,
  type Recent,
  type Scene,
  type Standing,
  type WaitingKey,
} from '../../job/admission.js'
import type { Limit } from '../../job/limit.js'
import type {
  Admitted,
  AdmittedTask,
  Applicant,
  LimitedClaim,
  LimitedCount,
  Store,
  TurnNews,
} from '../store.js'
import { expire, start } from './moves.js'
import type { Row } from './row.js'
import { current, type Table } from './table.js'

type LimitMethods = Pick<Store, 'onTurn'> & {
  admit(applicant: Applicant): Admitted
  limit(claims: readonly LimitedClaim[], workerId: string): number
  countLimited(): LimitedCount[]
}

/** Jobs with limits wait in the store, and start when it is their turn. */
export interface Limits extends LimitMethods {
  /** A row was written: it may wait for its turn now. */
  noticeWrite(row: Row): void
  /** Whoever waits is to look again: time has passed, or jobs may be taken now. */
  tellAll(): void
  /** Whether a job waits that may start now, by those who asked for jobs. */
  mayStart(): boolean
  /** Whether this one may, sooner or later, without the end of another or the passing of time. */
  nextAt(): number | undefined
}

const nothing: Admitted = Object.freeze({
  jobs: [],
  isWaiting: false,
  isUnfinished: false,
  nextInMs: null,
  paced: [],
  expired: [],
})

/** @param isOpen whether jobs may be taken at all */
export function createLimits(table: Table, isOpen: () => boolean): Limits {
  const states = new Map<string, { nextAt: number | null; recent?: Recent; lastKey?: string }>()
  const turnListeners = new Set<(turn: TurnNews | undefined) => void>()
  /** Who asked last. */
  const applicants = new Map<string, Applicant>()
  const told = new WeakSet<Row>()

  return {
    admit,
    limit,
    noticeWrite,
    tellAll: () => tell(undefined),
    mayStart: () => [...applicants.values()].some((each) => decide(toScene(each)).starts.length > 0),
    nextAt() {
      const times = [...applicants.values()].flatMap((each) => decide(toScene(each)).nextAt ?? [])
      return times.length === 0 ? undefined : Math.min(...times)
    },
    onTurn: (listen) => listenTo(turnListeners, listen),
    countLimited,
  }

  function admit(applicant: Applicant): Admitted {
    applicants.set(applicant.workerId, applicant)
    const scene = toScene(applicant)
    if (scene.lines.length === 0) return nothing
    if (!isOpen()) return { ...nothing, isWaiting: true }
    const { now } = scene
    const decision = decide(scene)
    for (const [name, move] of decision.tasks) states.set(taskState(name), move)
    for (const [name, move] of decision.queues) states.set(queueState(name), move)
    for (const { task, key, nextAt } of decision.keys) states.set(keyState(task, key), { nextAt })
    const rows = decision.starts.flatMap(({ jobId }) => table.rows.get(jobId) ?? [])
    const expired = rows.filter((row) => expire(table, row)).map(({ id }) => id)
    const jobs = rows
      .filter(({ state }) => state === 'queued')
      .map((row) => start(table, row, applicant.workerId))
    return {
      jobs,
      expired,
      isWaiting: true,
      isUnfinished: expired.length > 0,
      nextInMs: decision.nextAt === null ? null : Math.max(0, decision.nextAt - now),
      paced: decision.paced.map(({ line: { task, queue }, nextAt }) => ({
        ...{ task, queue, inMs: Math.max(0, nextAt - now) },
      })),
    }
  }

  function toScene(applicant: Applicant): Scene {
    const found = linesOf(applicant)
    const tasks = new Map(found.map(({ task }) => [task.names[0], task]))
    const queues = new Map<string, Limit>()
    for (const { queue } of found) {
      const limit = applicant.limitOf(queue)
      if (limit) queues.set(queue, limit)
    }
    return {
      now: table.now().getTime(),
      places: applicant.places,
      lines: found.map(({ line }) => line),
      tasks: new Map(
        [...tasks].map(([name, { names, limits }]) => [
          name,
          { limits, ...standing(taskState(name), (row) => names.includes(row.task)) },
        ]),
      ),
      queues: new Map(
        [...queues].map(([name, limit]) => [
          name,
          { limit, ...standing(queueState(name), (row) => row.queue === name) },
        ]),
      ),
    }
  }

  function standing(state: string, is: (row: Row) => boolean): Standing {
    const { nextAt = null, recent = [] } = states.get(state) ?? {}
    return { running: permits().filter(is).length, nextAt, recent }
  }

  function linesOf({ queues, limitsOf }: Applicant) {
    const lines = new Map<string, { task: AdmittedTask; queue: string; rows: Row[] }>()
    for (const row of turns()) {
      const task = queues.includes(row.queue) ? limitsOf(row.task) : undefined
      if (!task) continue
      const key = JSON.stringify([row.task, row.queue])
      const line = lines.get(key) ?? { task, queue: row.queue, rows: [] }
      lines.set(key, line)
      line.rows.push(row)
    }
    return [...lines.values()].map(({ task, queue, rows }) => {
      const line: Line = {
        task: task.names[0],
        queue,
        order: queues.indexOf(queue),
        keys: keysOf(task, rows),
        nextAt: null,
      }
      return { task, queue, line }
    })
  }

  /** Those after the key whose turn it was last go first. */
  function keysOf({ names }: AdmittedTask, rows: readonly Row[]): WaitingKey[] {
    const last = states.get(taskState(names[0]))?.lastKey ?? ''
    const keys = [...new Set(rows.map((row) => row.limitKey ?? ''))].sort()
    return [...keys.filter((key) => key > last), ...keys.filter((key) => key <= last)].map((key) => ({
      key,
      hasMore: false,
      jobs: rows
        .filter((row) => row.limitKey === key)
        .sort(byPriority)
        .map(toWaitingJob),
      running: permits().filter((row) => names.includes(row.task) && row.limitKey === key).length,
      nextAt: states.get(keyState(names[0], key))?.nextAt ?? null,
    }))
  }

  function turns(): Row[] {
    return [...table.rows.values()].filter(({ state, limitKey }) => state === 'queued' && limitKey !== null)
  }

  function permits(): Row[] {
    return [...table.runningRows].filter(({ limitKey }) => limitKey !== null)
  }

  function limit(claims: readonly LimitedClaim[], workerId: string): number {
    const held = claims.flatMap((each) => {
      const row = current(table, each)
      return row?.state === 'running' && row.workerId === workerId ? [{ row, limitKey: each.limitKey }] : []
    })
    for (const { row, limitKey } of held) {
      const isCancelled = row.cancelRequestedAt !== null
      table.write(row, {
        ...{ limitKey, workerId: null, attempt: row.attempt - 1, delivery: row.delivery + 1 },
        dispatchedAt: row.dispatchedAt ?? table.now(),
        state: isCancelled ? 'cancelled' : 'queued',
        finishedAt: isCancelled ? table.now() : null,
      })
    }
    return held.length
  }

  function countLimited(): LimitedCount[] {
    const counts = new Map<string, { task: string; queue: string; waiting: number; running: number }>()
    const count = ({ task, queue }: Row, what: 'waiting' | 'running') => {
      const key = JSON.stringify([task, queue])
      const known = counts.get(key) ?? { task, queue, waiting: 0, running: 0 }
      known[what] += 1
      counts.set(key, known)
    }
    for (const row of turns()) count(row, 'waiting')
    for (const row of permits()) count(row, 'running')
    return [...counts.entries()].sort(([one], [other]) => (one < other ? -1 : 1)).map(([, each]) => each)
  }

  function noticeWrite(row: Row): void {
    const waits = row.state === 'queued' && row.limitKey !== null
    if (waits && !told.has(row)) tell({ queue: row.queue, task: row.task })
    if (waits) told.add(row)
    else told.delete(row)
  }

  function tell(news: TurnNews | undefined): void {
    queueMicrotask(() => {
      for (const listen of turnListeners) listen(news)
    })
  }
}

function listenTo<Listener>(listeners: Set<Listener>, listen: Listener): () => void {
  listeners.add(listen)
  return () => void listeners.delete(listen)
}

function byPriority(one: Row, other: Row): number {
  return one.priority - other.priority || (one.id < other.id ? -1 : 1)
}

function toWaitingJob({ id, priority, runAt }: Row) {
  return { jobId: id, priority, since: runAt.getTime() }
}

function taskState(name: string): string {
  return `task:${name}`
}

function queueState(name: string): string {
  return `queue:${name}`
}

function keyState(task: string, key: string): string {
  return `key:${task} ${key}`
}
