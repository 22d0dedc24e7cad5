import type { JobState } from './state.js'

/** Which job is meant. */
export interface JobRef {
  readonly id: string
  readonly task: string
  readonly queue: string
}

/** What events and hooks tell of a job, whatever happens to it. */
export interface JobFacts extends JobRef {
  /** How many failed attempts end it. */
  readonly maxAttempts: number
  readonly owner: string | null
  readonly requestId: string | null
  /** The job that enqueued it. */
  readonly parentId: string | null
}

export function toFacts(job: JobFacts): JobFacts {
  const { id, task, queue, maxAttempts, owner, requestId, parentId } = job
  return { id, task, queue, maxAttempts, owner, requestId, parentId }
}

/** A job whose end this process has brought about without running it, or has found. */
export interface EndedJob extends JobFacts {
  readonly state: JobState
  readonly attempt: number
  /** Of its last delivery. */
  readonly number: number
  /** Who ran its last attempt, where it ended with that. */
  readonly workerId: string | null
  /** JSON text, as the store has it. */
  readonly payload: string
  /** JSON text. */
  readonly error: string | null
  readonly cancelledBy: string | null
  readonly cancelReason: string | null
}
