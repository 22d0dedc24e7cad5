import type { Job } from '../job/job.js'
import { sendJson } from './answer.js'
import { findVisible } from './find.js'
import type { Call, HttpDeps } from './http.js'
import { withLinks } from './link.js'
import { notFound, type Problem, problem, sendProblem } from './problem.js'
import { followUp } from './status.js'

/** `DELETE /jobs/:id`: a waiting job never starts, a running one is asked to stop. `?reason=` says why. */
export async function cancelJob(jobs: HttpDeps, call: Call): Promise<void> {
  const before = await findVisible(jobs, call)
  if (!before) return sendProblem(call.res, notFound)
  const answer = await jobs.cancel(call.id, jobs.ownerOf ? before.owner : null, reasonOf(call.req.url))
  const job = answer === 'unknown' ? undefined : await jobs.find(call.id)
  if (!job) return sendProblem(call.res, notFound)
  if (answer === 'finished') return sendProblem(call.res, hadEnded(job))
  const status = withLinks(await jobs.toStatus(job), call.base)
  sendJson(call.res, 202, JSON.stringify({ ...status, answer }), {
    'Cache-Control': 'no-store',
    ...followUp(status, { ms: 0 }),
  })
}

function hadEnded({ state }: Job): Problem {
  return { ...problem('JOB_ENDED', 'The job had ended before.'), state, answer: 'finished' }
}

/** Bodies of a DELETE do not pass every proxy. */
function reasonOf(url: string): string | null {
  const at = url.indexOf('?')
  return at === -1 ? null : new URLSearchParams(url.slice(at)).get('reason')
}
