import type { StoredError } from '../../../../job/job.js'
import { isEnd } from '../../../../job/state.js'
import type { JobRow } from '../../../api/contract.js'
import type { Json } from '../../api/json.js'

export type TimedJob = Pick<
  Json<JobRow>,
  'state' | 'createdAt' | 'runAt' | 'startedAt' | 'finishedAt' | 'attempt' | 'attempts' | 'workerId' | 'error'
>

/** An attempt, with what lies before it. Moments are milliseconds. */
export interface TimelineRow {
  readonly number: number
  readonly worker: string | null
  /** Where the attempt before it ended, or the job was enqueued. */
  readonly waitedFrom: number
  readonly startedAt: number
  /** `null`: it runs. */
  readonly endedAt: number | null
  readonly outcome: 'running' | 'succeeded' | 'failed' | 'lost' | 'returned' | 'snoozed' | 'cancelled'
  readonly error: Json<StoredError> | undefined
}

/** What is to come: from a moment up to when the job is due, or up to now. */
export interface Ahead {
  readonly from: number
  readonly to: number
  readonly why: 'scheduled' | 'queued' | 'retrying'
}

export interface Timeline {
  readonly from: number
  readonly to: number
  /** The oldest first. */
  readonly rows: readonly TimelineRow[]
  readonly ahead: Ahead | null
}

/** What happened to a job, and when. */
export function toTimeline(job: TimedJob, now: number): Timeline {
  const from = ms(job.createdAt)
  const rows: TimelineRow[] = []
  for (const attempt of [...pastOf(job), ...currentOf(job)])
    rows.push({ ...attempt, waitedFrom: Math.min(rows.at(-1)?.endedAt ?? from, attempt.startedAt) })
  const ahead = aheadOf(job, rows.at(-1)?.endedAt ?? from, now)
  const ends = [from, ...rows.map(({ endedAt }) => endedAt ?? now), ahead?.to ?? 0]
  const end = isEnd(job.state) && job.finishedAt !== null ? ms(job.finishedAt) : 0
  return { from, to: Math.max(...ends, end), rows, ahead }
}

/** Its last attempts alone, with the time from the first of them on. */
export function lastOf(whole: Timeline, most: number): Timeline & { readonly hidden: number } {
  const hidden = Math.max(0, whole.rows.length - most)
  const rows = whole.rows.slice(hidden)
  return { ...whole, rows, hidden, from: hidden === 0 ? whole.from : (rows[0]?.startedAt ?? whole.from) }
}

/** Whether an attempt failed as the one before it did. */
export function isSameError({ error }: TimelineRow, before: TimelineRow | undefined): boolean {
  return error !== undefined && error.name === before?.error?.name && error.message === before.error.message
}

/**
 * How long the last attempt took, in milliseconds; `running`: it goes on. `undefined`: there was none. A job that ended
 * without one, or some time after it, has none for that.
 */
export function tookOf({
  state,
  attempt,
  attempts,
  startedAt,
  finishedAt,
}: Began): number | 'running' | undefined {
  if (attempt === 0 || startedAt === null) return undefined
  if (state === 'running') return 'running'
  const past = attempts.findLast(({ number }) => number === attempt)
  if (past?.startedAt) return ms(past.finishedAt) - ms(past.startedAt)
  return finishedAt === null ? undefined : ms(finishedAt) - ms(startedAt)
}

type Began = Pick<TimedJob, 'state' | 'attempt' | 'attempts' | 'startedAt' | 'finishedAt'>

/** How many have failed. A retry by hand gives a job all its attempts anew, and the history keeps those before. */
export function tellFailures({ state, failures, maxAttempts, attempts, attempt }: Tried): string {
  const isPast = attempts.some(({ number }) => number === attempt)
  const all =
    attempts.filter(({ outcome }) => outcome === 'failed').length + (state === 'failed' && !isPast ? 1 : 0)
  const said = `${failures} of ${maxAttempts} failed`
  return all > failures ? `${said} since the last retry` : said
}

type Tried = Pick<Json<JobRow>, 'state' | 'failures' | 'maxAttempts' | 'attempts' | 'attempt'>

type Attempt = Omit<TimelineRow, 'waitedFrom'>

function pastOf({ attempts }: TimedJob): Attempt[] {
  return attempts.map(({ number, worker, startedAt, finishedAt, outcome, error }) => ({
    ...{ number, worker, outcome, error },
    startedAt: ms(startedAt ?? finishedAt),
    endedAt: ms(finishedAt),
  }))
}

/** The one that the row itself tells of, unless it is among those of the past. */
function currentOf({
  state,
  startedAt,
  finishedAt,
  attempt,
  attempts,
  workerId,
  error,
}: TimedJob): Attempt[] {
  const isPast = attempts.some(({ number }) => number === attempt)
  if (startedAt === null || isPast || !(state === 'running' || isEnd(state)) || state === 'expired') return []
  return [
    {
      number: attempt,
      worker: workerId,
      outcome:
        state === 'running' || state === 'succeeded' || state === 'cancelled' ? state : outcomeOf(error),
      error: state === 'running' ? undefined : (error ?? undefined),
      startedAt: ms(startedAt),
      endedAt: finishedAt === null ? null : ms(finishedAt),
    },
  ]
}

function outcomeOf(error: TimedJob['error']): 'failed' | 'lost' {
  return error?.name === 'WorkerLostError' ? 'lost' : 'failed'
}

function aheadOf({ state, runAt }: TimedJob, from: number, now: number): Ahead | null {
  if (state === 'queued') return { from, to: Math.max(now, from), why: state }
  if (state !== 'scheduled' && state !== 'retrying') return null
  return { from, to: Math.max(ms(runAt), now), why: state }
}

function ms(moment: string): number {
  return new Date(moment).getTime()
}

/** Of the whole, in percent: where something begins, and how wide it is. */
export function placeOf({ from, to }: Pick<Timeline, 'from' | 'to'>, start: number, end: number) {
  const whole = Math.max(1, to - from)
  const begin = Math.max(start, from)
  const left = Math.min(100, (100 * (begin - from)) / whole)
  return { left, width: Math.max(0, Math.min(100 - left, (100 * (end - begin)) / whole)) }
}
