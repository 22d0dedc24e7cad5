import { JobNotFoundError } from '../errors.js'
import {
  type EventPosition,
  type EventsOptions,
  fromEventId,
  type JobEvent,
  toEventId,
} from '../job/event.js'
import type { Job, JobStatus } from '../job/job.js'
import { isEnd } from '../job/state.js'
import type { KeptLine } from '../store/store.js'
import type { Follower } from './follow.js'
import type { Hold } from './hold.js'

export interface EventsDeps {
  readonly follower: Pick<Follower, 'next'>
  readonly hold: Pick<Hold, 'during'>
  toStatus(job: Job): Promise<JobStatus>
}

/** The events of one job, until its end. Leaving the loop, also while it waits, leaves nothing behind. */
export function openEvents(
  deps: EventsDeps,
  jobId: string,
  { after, signal }: EventsOptions = {},
): AsyncIterableIterator<JobEvent> {
  const left = new AbortController()
  const either = signal ? AbortSignal.any([signal, left.signal]) : left.signal
  const events = readEvents(deps, jobId, fromEventId(after), either)
  return {
    async next() {
      try {
        return await deps.hold.during(events.next())
      } catch (error) {
        if (left.signal.aborted) return { done: true, value: undefined }
        throw error
      }
    },
    async return() {
      left.abort()
      await events.return().catch(() => {})
      return { done: true, value: undefined }
    },
    [Symbol.asyncIterator]() {
      return this
    },
  }
}

/** Before the first look, and again where the row must be read once more. */
const unseen = { first: null, again: '' }

/** No row changes when a job waits for a worker that is not there. */
const unservedMs = 3000

/**
 * Lines are told once each, state and progress as they are when somebody reads. A reader who is slow misses states in
 * between, never a line, and nothing is gathered for it meanwhile.
 */
async function* readEvents(
  { follower, toStatus }: EventsDeps,
  jobId: string,
  from: EventPosition,
  signal: AbortSignal,
): AsyncGenerator<JobEvent, void, void> {
  const at = { line: from.line }
  const told: Told = {}
  let version: string | null = unseen.first
  let isHurried = true
  let last: Job | undefined
  for (;;) {
    const patience = last?.state === 'queued' ? { patienceMs: unservedMs } : {}
    const sight = await follower.next({ jobId, after: at.line, version }, { signal, isHurried, ...patience })
    if (sight.isGone && version === unseen.first) throw new JobNotFoundError(jobId)
    if (sight.isGone) return yield { type: 'gone', id: toEventId(at) }
    last = sight.changed?.job ?? last
    const job = sight.changed?.job ?? (last?.state === 'queued' ? last : undefined)
    const hasEnded = job !== undefined && isEnd(job.state)
    if (job && !hasEnded) yield* tellJob(job, await toStatus(job), told, at)
    for (const line of sight.lines) yield tellLine(line, at)
    if (hasEnded && !sight.hasMore) {
      if (from.end !== job.delivery) yield* tellEnd(job, await toStatus(job), told, at)
      return
    }
    isHurried = sight.hasMore
    version = hasEnded ? unseen.again : (sight.changed?.version ?? version)
  }
}

/** What was told last, as text. */
interface Told {
  state?: string
  progress?: string
}

function* tellJob(job: Job, status: JobStatus, told: Told, at: EventPosition): Generator<JobEvent, void> {
  const { progress: _, ...rest } = status
  const state = JSON.stringify(rest)
  if (state !== told.state) yield { type: 'state', id: toEventId(at), status }
  told.state = state
  yield* tellProgress(job, status, told, at)
}

function* tellEnd(job: Job, status: JobStatus, told: Told, at: EventPosition): Generator<JobEvent, void> {
  yield* tellProgress(job, status, told, at)
  yield { type: 'state', id: toEventId({ ...at, end: job.delivery }), status }
}

function* tellProgress(
  { attempt }: Job,
  { progress }: JobStatus,
  told: Told,
  at: EventPosition,
): Generator<JobEvent, void> {
  const text = JSON.stringify(progress)
  if (text !== (told.progress ?? 'null')) yield { type: 'progress', id: toEventId(at), attempt, progress }
  told.progress = text
}

function tellLine({ number, ...line }: KeptLine, at: { line: number }): JobEvent {
  at.line = number
  return { type: 'log', id: toEventId(at), ...line }
}
