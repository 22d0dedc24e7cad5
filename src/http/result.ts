import type { Job, JobStatus } from '../job/job.js'
import { isEnd } from '../job/state.js'
import { sendRevalidated } from './answer.js'
import { findAtEnd } from './find.js'
import type { Call, HttpDeps } from './http.js'
import { isProblem, notFound, type Problem, problem, sendProblem } from './problem.js'
import { followUp, sendOngoing } from './status.js'
import { isAnswered, readWait } from './wait.js'

/** `GET /jobs/:id/result`: what the task returned, and nothing around it. */
export async function showResult(jobs: HttpDeps, call: Call): Promise<void> {
  const wait = readWait(call.req)
  if (isProblem(wait)) return sendProblem(call.res, wait)
  const job = await findAtEnd(jobs, call, wait.ms)
  if (isAnswered(call.res)) return
  if (!job) return sendProblem(call.res, notFound)
  if (!isEnd(job.state)) return sendOngoing(jobs, call, job, wait)
  const status = await jobs.toStatus(job)
  const missing = whyNoResult(job, status)
  if (missing) return sendProblem(call.res, missing)
  sendRevalidated(call, jobs.toJson(job.result), followUp(status, wait))
}

function whyNoResult(job: Job, { state, error }: JobStatus): Problem | undefined {
  if (state !== 'succeeded') {
    const ended = { ...problem('JOB_ENDED', endings[state] ?? ''), state }
    return error === undefined ? ended : { ...ended, error }
  }
  if (job.result !== undefined) return undefined
  return problem('RESULT_DROPPED', job.resultError ?? 'The job has succeeded. Its result is no longer kept.')
}

const endings: Readonly<Record<string, string>> = {
  failed: 'The job failed, so it has no result.',
  cancelled: 'The job was cancelled, so it has no result.',
  expired: 'The job expired before it could start, so it has no result.',
}
