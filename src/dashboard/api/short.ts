import { toShownJson } from '../../job/codec.js'
import type { Job, StoredError } from '../../job/job.js'

/** Characters of a value in a list. */
const shortest = 200

/** A job for a list: its large values as the beginnings of their JSON, and its errors without their stacks. */
export function toShort(job: Job): Job {
  const { payload, result, progress, error, attempts } = job
  return {
    ...{ ...job, payload: toText(payload), result: toText(result), progress: toText(progress) },
    error: error && toShortError(error),
    attempts: attempts.map((attempt) =>
      attempt.error ? { ...attempt, error: toShortError(attempt.error) } : attempt,
    ),
  }
}

/** Characters of a message. */
const longestMessage = 1000

function toShortError({ stack: _, ...error }: StoredError): StoredError {
  const { message } = error
  return message.length > longestMessage
    ? { ...error, message: `${message.slice(0, longestMessage)}…` }
    : error
}

/** Of what is not there, nothing. */
function toText(value: unknown): string | null {
  if (value === undefined || value === null) return null
  const text = toShownJson(value) ?? ''
  return text.length > shortest ? `${text.slice(0, shortest)}…` : text
}
