import type { Values } from '../../job/codec.js'
import type { Job } from '../../job/job.js'

/** A job as one line of JSON. Its values are as its task knows them, so they are written by what reads them. */
export function toShown(job: Job, { toShownJson }: Values, more: object = {}): string {
  return toShownJson({ ...job, ...more })
}
