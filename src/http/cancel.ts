import type { Job } from '../job/job.js'
import { findVisible } from './find.js'
import type { Call, HttpDeps } from './http.js'
import { notFound, type Problem, problem, sendProblem } from './problem.js'
import { sendOngoing } from './status.js'

/** `DELETE /jobs/:id`: a waiting job never starts, a running one is asked to stop. */
export async function cancelJob(jobs: HttpDeps, call: Call): Promise<void> {
  const before = await findVisible(jobs, call)
  if (!before) return sendProblem(call.res, notFound)
  const answer = await jobs.cancel(call.id, jobs.ownerOf ? before.owner : null, null)
  const job = answer === 'unknown' ? undefined : await jobs.find(call.id)
  if (!job) return sendProblem(call.res, notFound)
  if (answer === 'finished') return sendProblem(call.res, hadEnded(job))
  await sendOngoing(jobs, call, job, { ms: 0 })
}

function hadEnded({ state }: Job): Problem {
  return { ...problem('JOB_ENDED', 'The job had ended before.'), state }
}
