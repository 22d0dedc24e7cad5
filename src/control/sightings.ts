import type { ChangedAttempt, ChangedCommand, ChangedJob, ChangedWorker } from '../store/store.js'

/** Something that happened somewhere in the cluster. Names are those of `jobs.on`, and `command.asked`. */
export interface ClusterEvent {
  readonly type: ClusterEventName
  /** By the database's clock. */
  readonly at: Date
  readonly job?: { readonly id: string; readonly task: string; readonly queue: string }
  readonly attempt?: number
  readonly worker?: { readonly id: string; readonly name: string }
  /** How long the attempt took. */
  readonly ms?: number
  readonly error?: { readonly name: string; readonly message: string }
  /** Of a job that is not due at once: when it is. */
  readonly runAt?: Date
  readonly by?: string
  readonly reason?: string
  readonly queues?: readonly string[]
  readonly concurrency?: number
  /** Of a command. */
  readonly verb?: string
  readonly args?: unknown
  readonly from?: string
  /** How many workers were asked. */
  readonly workers?: number
}

export const clusterEventNames = Object.freeze([
  'job.enqueued',
  'job.started',
  'job.succeeded',
  'job.retrying',
  'job.snoozed',
  'job.failed',
  'job.cancelled',
  'job.expired',
  'job.returned',
  'job.lost',
  'worker.started',
  'worker.stopped',
  'worker.lost',
  'command.asked',
] as const)

export type ClusterEventName = (typeof clusterEventNames)[number]

/** Turns what is seen, again and again, into events that are told once. */
export interface Sightings {
  ofJob(job: ChangedJob): ClusterEvent[]
  ofWorker(worker: ChangedWorker): ClusterEvent[]
  ofCommand(command: ChangedCommand): ClusterEvent[]
  /** Ids of jobs that were seen and have not ended: the next ones in turn. */
  nextOpen(most: number): string[]
  /** What ended before then cannot be seen again. */
  forget(before: Date): void
}

/** What was told of a job. */
interface Told {
  /** The number of the last attempt whose start was told. */
  started: number
  /** When the last attempt ended that was told and did not end the job. */
  past: number
  /** When it ended; `undefined` while it is open. */
  end: number | undefined
}

/** Open jobs beyond so many are forgotten, the oldest first: their enqueueing may then be told twice. */
const mostOpen = 200_000

/** @param since what happened before is not told */
export function createSightings(since: Date): Sightings {
  const open = new Map<string, Told>()
  const ended = new Map<string, Told>()
  const toldOnce = new Set<string>()
  const workers = new Map<string, string>()
  /** Of a job that was forgotten, what is older was told. */
  let horizon = since

  return {
    ofJob(job) {
      const events: ClusterEvent[] = []
      const told = knownOr(job, events)
      for (const past of job.attempts) tellPast(job, past, told, events)
      const news = events.filter(({ at }) => at >= horizon)
      events.length = 0
      if (job.startedAt && job.attempt > told.started && job.state !== 'queued')
        tellStart(job, job, told, events)
      if (job.finishedAt) tellEnd(job, job.finishedAt, told, events)
      keep(job, told)
      return [...news, ...events.filter(({ at }) => at >= since)]
    },
    ofWorker(worker) {
      const { id, name, queues, concurrency, startedAt, stoppedAt, lostAt } = worker
      workers.set(id, name)
      const about = { worker: { id, name } }
      return [
        ...once(`start ${id}`, { type: 'worker.started', at: startedAt, ...about, queues, concurrency }),
        ...(lostAt ? once(`lost ${id}`, { type: 'worker.lost', at: lostAt, ...about }) : []),
        ...(stoppedAt ? once(`stop ${id}`, { type: 'worker.stopped', at: stoppedAt, ...about }) : []),
      ]
    },
    ofCommand({ id, verb, args, workers: asked, askedBy, askedFrom, askedAt }) {
      const by = askedBy === null ? {} : { by: askedBy }
      const about = { verb, args: JSON.parse(args) as unknown, ...by, from: askedFrom, workers: asked }
      return once(`command ${id}`, { type: 'command.asked', at: askedAt, ...about })
    },
    nextOpen(most) {
      const next = [...take(open, most)]
      // To the end of the line, so that each has its turn.
      for (const [id, told] of next) {
        open.delete(id)
        open.set(id, told)
      }
      return next.map(([id]) => id)
    },
    forget(before) {
      for (const [id, { end = 0 }] of ended) if (end < before.getTime()) ended.delete(id)
      for (const [id] of take(open, open.size - mostOpen)) open.delete(id)
      if (before > horizon) horizon = before
    },
  }

  /** A job that had ended and is open again was put back by hand. */
  function knownOr(job: ChangedJob, events: ClusterEvent[]): Told {
    const told = open.get(job.id) ?? ended.get(job.id)
    if (!told) {
      const { createdAt, runAt } = job
      const due = runAt > createdAt ? { runAt } : {}
      events.push({ type: 'job.enqueued', at: createdAt, ...refOf(job), ...due })
      return { started: 0, past: Number.NEGATIVE_INFINITY, end: undefined }
    }
    if (told.end !== undefined && job.finishedAt === null)
      events.push({ type: 'job.enqueued', at: job.runAt, ...refOf(job) })
    return told
  }

  function tellPast(job: ChangedJob, past: ChangedAttempt, told: Told, events: ClusterEvent[]): void {
    const endedAt = past.finishedAt.getTime()
    if (endedAt <= told.past) return
    told.past = endedAt
    // The failure that had ended a job, before somebody put it back.
    if (isSame(endedAt, told.end)) return
    if (past.number > told.started)
      tellStart(job, { ...past, attempt: past.number, workerId: past.worker }, told, events)
    const ms = past.startedAt ? { ms: Math.max(0, endedAt - past.startedAt.getTime()) } : {}
    const by = past.outcome === 'snoozed' && past.error ? { reason: past.error.message } : errorOf(past.error)
    const who = workerOf(past.worker)
    events.push({
      type: pastNames[past.outcome],
      at: past.finishedAt,
      ...refOf(job),
      attempt: past.number,
      ...who,
      ...ms,
      ...by,
    })
  }

  function tellStart(
    job: ChangedJob,
    { attempt, startedAt, workerId }: Pick<ChangedJob, 'attempt' | 'startedAt' | 'workerId'>,
    told: Told,
    events: ClusterEvent[],
  ): void {
    told.started = attempt
    if (startedAt)
      events.push({ type: 'job.started', at: startedAt, ...refOf(job), attempt, ...workerOf(workerId) })
  }

  function tellEnd(job: ChangedJob, finishedAt: Date, told: Told, events: ClusterEvent[]): void {
    if (isSame(finishedAt.getTime(), told.end)) return
    told.end = finishedAt.getTime()
    const { state, attempt, startedAt, workerId, cancelledBy, cancelReason } = job
    const ran = startedAt !== null && workerId !== null
    const time = ran ? { ms: Math.max(0, finishedAt.getTime() - startedAt.getTime()) } : {}
    const why = {
      ...(state === 'cancelled' && cancelledBy !== null ? { by: cancelledBy } : {}),
      ...(state === 'cancelled' && cancelReason !== null ? { reason: cancelReason } : {}),
      ...(state === 'failed' ? errorOf(job.error) : {}),
    }
    const type = `job.${state}` as ClusterEventName
    events.push({ type, at: finishedAt, ...refOf(job), attempt, ...workerOf(workerId), ...time, ...why })
  }

  function keep({ id, finishedAt }: ChangedJob, told: Told): void {
    if (finishedAt) {
      open.delete(id)
      ended.set(id, told)
    } else {
      told.end = undefined
      ended.delete(id)
      if (!open.has(id)) open.set(id, told)
    }
  }

  function once(key: string, event: ClusterEvent): ClusterEvent[] {
    if (toldOnce.has(key) || event.at < since) return []
    toldOnce.add(key)
    return [event]
  }

  function workerOf(id: string | null): Pick<ClusterEvent, 'worker'> {
    return id === null ? {} : { worker: { id, name: workers.get(id) ?? id } }
  }
}

const pastNames = {
  failed: 'job.retrying',
  lost: 'job.lost',
  returned: 'job.returned',
  snoozed: 'job.snoozed',
} as const satisfies Record<ChangedAttempt['outcome'], ClusterEventName>

function refOf({ id, task, queue }: ChangedJob): Pick<ClusterEvent, 'job'> {
  return { job: { id, task, queue } }
}

function errorOf(error: ClusterEvent['error'] | null): Pick<ClusterEvent, 'error'> {
  return error ? { error } : {}
}

/** The list of attempts carries microseconds, the row milliseconds. */
function isSame(one: number, other: number | undefined): boolean {
  return other !== undefined && Math.abs(one - other) <= 1
}

function* take<Key, Value>(map: ReadonlyMap<Key, Value>, most: number): Generator<[Key, Value]> {
  let taken = 0
  for (const entry of map) {
    if (taken >= most) return
    taken += 1
    yield entry
  }
}
