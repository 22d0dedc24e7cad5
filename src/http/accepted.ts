import type { Response } from 'express'
import { JobNotFoundError } from '../errors.js'
import type { JobHandle, JobStatus } from '../job/job.js'
import { sendJson } from './answer.js'
import type { HttpDeps } from './http.js'
import { withLinks } from './link.js'
import { problem, sendProblem, toProblem } from './problem.js'
import { followUp } from './status.js'
import type { Wait } from './wait.js'

/**
 * Answers 202 for a job that was accepted: `Location`, `Retry-After`, and its status as the body.
 *
 * A new job's status is known, so the answer goes out at once. Only a job that an idempotency key led to is read from
 * the store first. The answer never fails later: what goes wrong there is answered as a problem.
 *
 * @throws {TypeError} when `handle` is not what `enqueue` gives
 */
export function sendAccepted(jobs: HttpDeps, res: Response, base: string, handle: JobHandle): void {
  assertHandle(handle)
  const { created } = handle
  const send = (known: JobStatus) => sendWithLocation(jobs, res, 202, base, known, created, { ms: 0 })
  const status = jobs.statusOf(handle)
  if (status instanceof Promise)
    status.then(send, (error) => {
      if (!created && error instanceof JobNotFoundError) sendGone(jobs, res, base, handle)
      else sendUnread(res, error)
    })
  else send(status)
}

/** A window that a task keeps unique may last longer than the row of its job. */
export function sendGone(
  jobs: Pick<HttpDeps, 'toJson'>,
  res: Response,
  base: string,
  { id, task }: JobHandle,
): void {
  const self = `${base}/${id}`
  const body = jobs.toJson({ id, task, created: false, links: { self } })
  sendJson(res, 202, body, { 'Cache-Control': 'no-store', Location: self })
}

function sendUnread(res: Response, error: unknown): void {
  sendProblem(
    res,
    toProblem(error) ?? problem('INTERNAL', 'The job was accepted. Its status cannot be read.'),
  )
}

/** Answers an accepting route with a status, whether it made the job, and with where to ask for it again. */
export function sendWithLocation(
  jobs: Pick<HttpDeps, 'toJson'>,
  res: Response,
  code: 200 | 202,
  base: string,
  status: JobStatus,
  created: boolean,
  wait: Wait,
): void {
  const linked = withLinks(status, base)
  sendJson(res, code, jobs.toJson({ ...linked, created }), {
    'Cache-Control': 'no-store',
    Location: linked.links.self,
    ...followUp(status, wait),
  })
}

function assertHandle(handle: unknown): void {
  if (handle instanceof Promise)
    throw new TypeError('res.accepted takes a job, and was given a promise of one: await the enqueue.')
  if (typeof handle === 'object' && handle !== null && 'id' in handle) return
  throw new TypeError(
    `res.accepted takes a job as enqueue gives it, not ${handle === null ? 'null' : typeof handle}.`,
  )
}
