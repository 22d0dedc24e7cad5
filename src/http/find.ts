import { readOwner } from '../enqueue/context.js'
import type { Job } from '../job/job.js'
import { isEnd } from '../job/state.js'
import type { Call, HttpDeps } from './http.js'
import { holdUntilEnd } from './wait.js'

/**
 * The job of a call, if its caller may see it.
 *
 * With `owner` configured, that is its owner only: a job without owner is management's, and a request without owner
 * sees nothing.
 */
export async function findVisible(jobs: HttpDeps, { req, id }: Call): Promise<Job | undefined> {
  if (!jobs.ownerOf) return jobs.find(id)
  const owner = await readOwner(jobs.ownerOf, req)
  const job = await jobs.find(id)
  return owner !== null && job?.owner === owner ? job : undefined
}

/** As {@link findVisible}, waiting up to `waitMs` for the job's end. */
export async function findAtEnd(jobs: HttpDeps, call: Call, waitMs: number): Promise<Job | undefined> {
  const job = await findVisible(jobs, call)
  if (!job || waitMs === 0 || isEnd(job.state)) return job
  await holdUntilEnd(jobs, call.res, call.id, waitMs)
  return call.res.destroyed ? job : jobs.find(call.id)
}
