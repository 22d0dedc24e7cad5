import { plainValues, type Values } from '../job/codec.js'
import type { Job, JobContext, JobOptions, PastAttempt, StoredError } from '../job/job.js'
import { toStoredError } from '../job/json.js'
import { censor, redactorFor } from '../job/redact.js'
import type { Job as JobRow } from './generated/prisma/client.js'

/** A row as the rest of the code knows it: JSON text parsed, past attempts with plain times. */
export function toJob(row: JobRow, values = plainValues): Job {
  const job = toRevealedJob(row, values)
  const { redact } = job.options
  return redact ? { ...job, ...hidden(job, redact) } : job
}

/** With what its task hides. */
export function toRevealedJob(row: JobRow, values = plainValues): Job {
  const options = toOptions(row.options)
  return {
    ...row,
    payload: read(values, row.payload),
    options,
    context: toContext(row.context),
    result: row.result === null ? undefined : read(values, row.result),
    progress: fromJsonText(row.progress),
    error: (fromJsonText(row.error) as StoredError | undefined) ?? null,
    attempts: (fromJsonText(row.attempts) as StoredAttempt[]).map(toPastAttempt),
  }
}

/** A value that no codec here can read is no reason to show nothing of its job. */
function read(values: Values, text: string): unknown {
  try {
    return values.fromText(text)
  } catch (error) {
    return { unreadable: toStoredError(error).message }
  }
}

/** Who runs the job reads its row by `claim`; everybody else reads it here. The key of its limits is made of its payload. */
function hidden({ payload, result, progress, context, limitKey }: Job, paths: readonly string[]) {
  return {
    ...redactorFor(paths)({ payload, result, progress, context }),
    limitKey: limitKey && paths.some((path) => path.startsWith('payload')) ? censor : limitKey,
  }
}

export function toOptions(json: string | null): JobOptions {
  return (fromJsonText(json) as JobOptions | undefined) ?? {}
}

export function toContext(json: string | null): JobContext | null {
  return (fromJsonText(json) as JobContext | undefined) ?? null
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
