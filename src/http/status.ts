import type { OutgoingHttpHeaders } from 'node:http'
import type { Job, JobStatus } from '../job/job.js'
import { isEnd } from '../job/state.js'
import { sendJson, sendRevalidated } from './answer.js'
import { findAtEnd } from './find.js'
import type { Call, HttpDeps } from './http.js'
import { withLinks } from './link.js'
import { isProblem, notFound, sendProblem } from './problem.js'
import { isAnswered, readWait, type Wait } from './wait.js'

/** `GET /jobs/:id`: what is known of the job. */
export async function showStatus(jobs: HttpDeps, call: Call): Promise<void> {
  const wait = readWait(call.req)
  if (isProblem(wait)) return sendProblem(call.res, wait)
  const job = await findAtEnd(jobs, call, wait.ms)
  if (isAnswered(call.res)) return
  if (!job) return sendProblem(call.res, notFound)
  const status = withLinks(await jobs.toStatus(job), call.base)
  sendRevalidated(call, jobs.toJson(status), followUp(status, wait))
}

/** Answers 202 with the status of a job that goes on. */
export async function sendOngoing(jobs: HttpDeps, call: Call, job: Job, wait: Wait): Promise<void> {
  const status = withLinks(await jobs.toStatus(job), call.base)
  sendJson(call.res, 202, jobs.toJson(status), { 'Cache-Control': 'no-store', ...followUp(status, wait) })
}

/** When to look again, and whether the client's wish to wait was heard. */
export function followUp(status: JobStatus, { applied }: Wait): OutgoingHttpHeaders {
  return {
    ...(isEnd(status.state) ? {} : { 'Retry-After': '1' }),
    ...(applied === undefined ? {} : { 'Preference-Applied': applied }),
  }
}
