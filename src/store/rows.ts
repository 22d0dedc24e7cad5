import type { Job, JobOptions, PastAttempt, StoredError } from '../job/job.js'
import type { Job as JobRow } from './generated/prisma/client.js'

/** A row as the rest of the code knows it: JSON text parsed, past attempts with plain times. */
export function toJob(row: JobRow): Job {
  return {
    ...row,
    payload: fromJsonText(row.payload),
    options: toOptions(row.options),
    result: fromJsonText(row.result),
    progress: fromJsonText(row.progress),
    error: (fromJsonText(row.error) as StoredError | undefined) ?? null,
    attempts: (fromJsonText(row.attempts) as StoredAttempt[]).map(toPastAttempt),
  }
}

export function toOptions(json: string | null): JobOptions {
  return (fromJsonText(json) as JobOptions | undefined) ?? {}
}

type StoredAttempt = Omit<PastAttempt, 'error'> & { readonly error: StoredError | null }

function toPastAttempt({ error, ...attempt }: StoredAttempt): PastAttempt {
  return {
    ...attempt,
    startedAt: attempt.startedAt && new Date(attempt.startedAt).toISOString(),
    finishedAt: new Date(attempt.finishedAt).toISOString(),
    ...(error === null ? {} : { error }),
  }
}

function fromJsonText(json: string | null): unknown {
  return json === null ? undefined : JSON.parse(json)
}
