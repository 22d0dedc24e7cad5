import type { Job, JobStatus, PastAttempt, StoredError } from './job.js'
import { publicLostMessage } from './lost.js'

/** What a caller may see of a job: no payload, no owner, no stacks, no names of workers or hosts. */
export function toStatus(job: Job): JobStatus {
  return {
    id: job.id,
    task: job.task,
    queue: job.queue,
    state: job.state,
    progress: job.progress ?? null,
    attempt: job.attempt,
    maxAttempts: job.maxAttempts,
    ...(job.state === 'succeeded' && job.result !== undefined ? { result: job.result } : {}),
    ...(job.resultError === null ? {} : { resultError: job.resultError }),
    ...(job.error === null ? {} : { error: publicError(job.error) }),
    attempts: job.attempts.map(publicAttempt),
    createdAt: job.createdAt.toISOString(),
    runAt: job.runAt.toISOString(),
    startedAt: job.startedAt?.toISOString() ?? null,
    finishedAt: job.finishedAt?.toISOString() ?? null,
    ...(job.cancelRequestedAt !== null && job.state === 'running' ? { cancelRequested: true } : {}),
    ...(job.cancelRequestedAt !== null && job.cancelReason !== null
      ? { cancelReason: job.cancelReason }
      : {}),
  }
}

function publicAttempt({ worker: _, error, ...attempt }: PastAttempt): Omit<PastAttempt, 'worker'> {
  return error === undefined ? attempt : { ...attempt, error: publicError(error) }
}

function publicError(error: StoredError): { name: string; message: string; code?: string } {
  const { name, code } = error
  const message = error.workers ? publicLostMessage(error.workers) : error.message
  return code === undefined ? { name, message } : { name, message, code }
}
