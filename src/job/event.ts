import type { JobStatus } from './job.js'

export const logLevels = ['trace', 'debug', 'info', 'warn', 'error'] as const
export type JobLogLevel = (typeof logLevels)[number]

/** A line that a handler logged, as it is kept with its job. */
export interface JobLogLine {
  readonly attempt: number
  readonly level: JobLogLevel
  readonly message: string
  /** What was logged beside the message, as plain data. Not shown over HTTP. */
  readonly details?: unknown
  /** ISO 8601 in UTC, by the database's clock. */
  readonly at: string
}

/**
 * What happens to a job, as `handle.events()` and `GET /jobs/:id/events` tell it. `id` says how far the reader has come:
 * events after it are those that it has not seen.
 */
export type JobEvent<Result = unknown> =
  /** First of all, and whenever its state, its attempt or its wish to be cancelled changes. The last one is an end. */
  | { readonly type: 'state'; readonly id: string; readonly status: JobStatus<Result> }
  /** The latest report. What was overwritten between two looks is left out. */
  | { readonly type: 'progress'; readonly id: string; readonly attempt: number; readonly progress: unknown }
  /** Each kept line, once, in order. */
  | ({ readonly type: 'log'; readonly id: string } & JobLogLine)
  /** Its row was deleted while it was watched: it has ended, and nothing is kept of it. The last event, too. */
  | { readonly type: 'gone'; readonly id: string }

export interface EventsOptions {
  /** The `id` of the last event that was seen. Default: from the job's first line. */
  readonly after?: string
  /** Ends the iteration by throwing its reason. */
  readonly signal?: AbortSignal
}

export interface LogsOptions {
  /** At most so many, the first ones. Default 1000. */
  readonly limit?: number
}

/** How far a reader of a job's events has come. */
export interface EventPosition {
  /** The number of the last line. 0 before the first. */
  readonly line: number
  /** The delivery whose end was seen. */
  readonly end?: number
}

export function toEventId({ line, end }: EventPosition): string {
  return end === undefined ? String(line) : `${line}-end${end}`
}

/** What is no position of ours is the beginning. */
export function fromEventId(id: string | undefined): EventPosition {
  const [, line, end] = /^(\d{1,15})(?:-end(\d{1,9}))?$/.exec(id ?? '') ?? []
  if (line === undefined) return { line: 0 }
  return end === undefined ? { line: Number(line) } : { line: Number(line), end: Number(end) }
}
