import type { Request, RequestHandler, Response } from 'express'
import { runInRequest } from '../enqueue/context.js'
import { ConfigError } from '../errors.js'
import type { EnqueueOptions, JobHandle } from '../job/job.js'
import { isEnd } from '../job/state.js'
import { type AnyTask, type CheckedTask, isTask, type Task } from '../task/define.js'
import { sendAccepted, sendGone, sendWithLocation } from './accepted.js'
import { hasBody, isAborted, readJson } from './body.js'
import type { HttpDeps } from './http.js'
import { answerError, isProblem, notFound, type Problem, problem, sendProblem } from './problem.js'
import { holdUntilEnd, isAnswered, readPreferredWait, type Wait } from './wait.js'

/** What an accepting route takes from the request. Both are read after the body was parsed. */
export interface AcceptOptions<Input> {
  /** The payload. Default: the body. */
  readonly payload?: (req: Request) => Input | Promise<Input>
  /** Options of the enqueue. An `idempotencyKey` here wins over the request's `Idempotency-Key`. */
  readonly options?: (req: Request) => EnqueueOptions | Promise<EnqueueOptions>
}

/**
 * Makes a route that takes a payload, enqueues it and answers 202 with the job's address and status.
 *
 * When no parser stood in front (`req.body` is undefined), it reads a JSON body of up to `maxPayload` bytes itself.
 * `Idempotency-Key` is honoured, and `Prefer: wait=10` answers 200 with the ended job if it ends in that time.
 * Errors of ours are answered as problem+json, all others go to the app.
 *
 * @throws {ConfigError} when the task has no payload schema and no `payload` is given: a body must not become a
 *   payload unseen
 */
export interface Accept {
  <Input, Payload, Result>(
    task: CheckedTask<Input, Payload, Result>,
    given?: AcceptOptions<NoInfer<Input>>,
  ): RequestHandler
  <Input, Payload, Result>(
    task: Task<Input, Payload, Result>,
    given: AcceptOptions<NoInfer<Input>> & Required<Pick<AcceptOptions<NoInfer<Input>>, 'payload'>>,
  ): RequestHandler
}

/** @param addressFor gives the address of all jobs for a route that this request reached */
export function createAccept(jobs: HttpDeps, addressFor: (req: Request) => string): Accept {
  return function accept(task: AnyTask, given: AcceptOptions<unknown> = {}): RequestHandler {
    assertAcceptable(task, given)

    async function take(req: Request, res: Response): Promise<void> {
      // Before the enqueue: a route that cannot say where its jobs are must not leave one behind.
      const base = addressFor(req)
      const key = readKey(req)
      if (isProblem(key)) return sendProblem(res, key)
      await parseBody(req, jobs.maxPayload)
      const payload = given.payload ? await given.payload(req) : req.body
      const options = given.options ? await given.options(req) : undefined
      const handle = await jobs.enqueue(task, payload, { ...key, ...options })
      const wait = readPreferredWait(req)
      if (wait.ms === 0) sendAccepted(jobs, res, base, handle)
      else await answerAtEnd(jobs, res, base, handle, wait)
    }

    return function accepting(req, res, next) {
      runInRequest(req, () => take(req, res)).catch((error: unknown) => {
        // Nobody is left to answer, and nothing was enqueued.
        if (isAborted(req)) return
        answerError(error, res, next)
      })
    }
  }
}

function assertAcceptable(task: AnyTask, given: AcceptOptions<unknown>): void {
  if (!isTask(task)) throw new ConfigError('accept takes a task, as defineTask gives it.')
  if (task.schema || given.payload) return
  const name = task.name === undefined ? 'This task' : `Task "${task.name}"`
  throw new ConfigError(
    `${name} has no payload schema, so accept would pass any body on to it. Give the task a schema, or say accept(task, { payload: (req) => … }).`,
  )
}

function readKey(req: Request): Pick<EnqueueOptions, 'idempotencyKey'> | Problem {
  const key = req.headers['idempotency-key']
  if (key === undefined) return {}
  if (typeof key === 'string' && /^[\x20-\x7e]{1,255}$/.test(key)) return { idempotencyKey: key }
  return problem('BAD_REQUEST', 'Idempotency-Key takes 1 to 255 printable ASCII characters.')
}

async function parseBody(req: Request, maxBytes: number): Promise<void> {
  if (isUnparsed(req)) req.body = await readJson(req, maxBytes)
}

/** Express 4's parsers leave `{}` behind when a body is of another type than theirs, and do not read it. */
function isUnparsed(req: Request): boolean {
  if (req.body === undefined) return true
  if (req.readableDidRead || !hasBody(req) || typeof req.body !== 'object' || req.body === null) return false
  return Object.keys(req.body).length === 0
}

async function answerAtEnd(
  jobs: HttpDeps,
  res: Response,
  base: string,
  handle: JobHandle,
  wait: Wait,
): Promise<void> {
  const { id, created } = handle
  await holdUntilEnd(jobs, res, id, wait.ms)
  if (isAnswered(res)) return
  const job = await jobs.find(id)
  if (!job) return created ? sendProblem(res, notFound) : sendGone(jobs, res, base, handle)
  const status = await jobs.toStatus(job)
  sendWithLocation(jobs, res, isEnd(job.state) ? 200 : 202, base, status, created, wait)
}
