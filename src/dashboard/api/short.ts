import { toShownJson } from '../../job/codec.js'
import type { Job } from '../../job/job.js'

/** Characters of a value in a list. */
const shortest = 200

/** A job for a list: its large values as the beginnings of their JSON. */
export function toShort(job: Job): Job {
  return { ...job, payload: toText(job.payload), result: toText(job.result), progress: toText(job.progress) }
}

/** Of what is not there, nothing. */
function toText(value: unknown): string | null {
  if (value === undefined || value === null) return null
  const text = toShownJson(value) ?? ''
  return text.length > shortest ? `${text.slice(0, shortest)}…` : text
}
