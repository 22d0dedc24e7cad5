import type { ErrorRequestHandler, NextFunction, Request, RequestHandler, Response } from 'express'
import { runInRequest } from '../enqueue/context.js'
import type { EnqueueOptions, JobHandle } from '../job/job.js'
import type { AnyTask, Task } from '../task/define.js'
import type { InputOf, ResultOf, TaskName, TaskOf } from '../task/names.js'
import { type Accept, createAccept } from './accept.js'
import { sendAccepted } from './accepted.js'
import { matchHealth } from './health.js'
import type { HttpDeps } from './http.js'
import { baseOf } from './link.js'
import { passBelow } from './mount.js'
import { answerError } from './problem.js'
import { createProblems } from './problems.js'
import { type Match, matchRoute } from './route.js'

export type { HttpDeps } from './http.js'

/** The HTTP side of one `celeriac()`. */
export interface Http {
  /** `app.use(jobs)`: `req.enqueue`, `res.accepted`, and the endpoints below `path`. */
  readonly middleware: RequestHandler
  /** `jobs.accept(task)`: a route in one line. */
  readonly accept: Accept
  /** `jobs.problems()`: problem+json for the errors of hand-written routes and of body parsers. */
  problems(): ErrorRequestHandler
}

/** What a call must say after the task: the payload may be left out where it may be `undefined`. */
export type EnqueueArguments<Input> = undefined extends Input
  ? [payload?: Input, options?: EnqueueOptions]
  : [payload: Input, options?: EnqueueOptions]

/** Enqueues for this request: owner, request id and trace context are its own. */
export interface RequestEnqueue {
  <Input, Payload, Result>(
    task: Task<Input, Payload, Result>,
    ...rest: EnqueueArguments<Input>
  ): Promise<JobHandle<Result>>
  /** By name: typed where {@link Register} says which tasks there are. */
  <Name extends TaskName>(
    name: Name,
    ...rest: EnqueueArguments<InputOf<TaskOf<Name>>>
  ): Promise<JobHandle<ResultOf<TaskOf<Name>>>>
}

declare global {
  namespace Express {
    interface Request {
      /** As `task.enqueue(payload, options)`, where the request's context was lost, or by name. */
      enqueue: RequestEnqueue
    }
    interface Response {
      /** Answers 202 for a job: `Location`, `Retry-After`, and its status as the body. */
      accepted(job: JobHandle): void
    }
  }
}

export function createHttp(jobs: HttpDeps): Http {
  const mounts = new WeakMap<Request, string>()
  const addressFor = (req: Request) => baseOf(jobs, mounts.get(req))

  function middleware(req: Request, res: Response, next: NextFunction): void {
    mounts.set(req, req.baseUrl)
    equip(jobs, req, res, () => addressFor(req))
    const match = matchRoute(req.method, req.path, jobs.path)
    const showHealth = match ? undefined : matchHealth(req.method, req.path, jobs.path)
    if (match) answer(match, req, res, next)
    else if (showHealth) showHealth(jobs, req, res).catch(next)
    else runInRequest(req, () => pass(req, res, next))
  }

  function answer({ endpoint, id }: Match, req: Request, res: Response, next: NextFunction): void {
    endpoint(jobs, { req, res, id, base: addressFor(req) }).catch((error: unknown) =>
      answerError(error, res, next),
    )
  }

  function pass(req: Request, res: Response, next: NextFunction): void {
    if (jobs.dashboard) passBelow(`${jobs.path}/dashboard`, jobs.dashboard, req, res, next)
    else next()
  }

  return { middleware, accept: createAccept(jobs, addressFor), problems: createProblems }
}

function equip(jobs: HttpDeps, req: Request, res: Response, address: () => string): void {
  const enqueue = (task: AnyTask | string, payload?: unknown, options?: EnqueueOptions) =>
    runInRequest(req, () => jobs.enqueue(task, payload, options ?? {}))
  req.enqueue = enqueue as RequestEnqueue
  res.accepted = (job) => sendAccepted(jobs, res, address(), job)
}
