import type { Request, Response } from 'express'
import { toShownJson } from '../../job/codec.js'
import { type DashboardAction, forbidden, type Visitor } from '../access.js'
import { jsonType, type Refusal, send, sendProblem } from '../answer.js'
import type { DashboardDeps } from '../dashboard.js'
import { type ApiCall, readQuery } from './call.js'
import { listQueues, listTasks, showStatus } from './cluster.js'
import { listCommands } from './commands.js'
import { actionOfMany, actOnJobs, countJobs, listJobs, showJob } from './jobs.js'
import { actionOfVerb, giveOrder } from './orders.js'
import { ApiError, toApiRefusal } from './problem.js'
import { askQuestion } from './questions.js'
import { listWorkers, showWorker } from './workers.js'

interface Route {
  readonly method: 'GET' | 'POST'
  /** Below `/api`. A last part that begins with a colon stands for one of any name. */
  readonly path: string
  /** What whoever asks must be allowed to do; by the name in the address where that says it, `undefined` for none that is known. */
  readonly action: DashboardAction | ((name: string) => DashboardAction | undefined)
  /** Gives what JSON says of it. What it throws, the client or the log is told. */
  readonly answer: (call: ApiCall) => Promise<unknown>
}

/** The whole management API. HEAD is answered as GET, without the body. */
export const routes: readonly Route[] = [
  { method: 'GET', path: '/status', action: 'view', answer: showStatus },
  { method: 'GET', path: '/workers', action: 'view', answer: listWorkers },
  { method: 'GET', path: '/workers/:id', action: 'view', answer: showWorker },
  { method: 'GET', path: '/queues', action: 'view', answer: listQueues },
  { method: 'GET', path: '/tasks', action: 'view', answer: listTasks },
  { method: 'GET', path: '/inspect/:question', action: 'view', answer: askQuestion },
  { method: 'POST', path: '/control/:verb', action: actionOfVerb, answer: giveOrder },
  { method: 'GET', path: '/commands', action: 'view', answer: listCommands },
  { method: 'GET', path: '/jobs', action: 'view', answer: listJobs },
  { method: 'GET', path: '/job-count', action: 'view', answer: countJobs },
  { method: 'GET', path: '/jobs/:id', action: 'view', answer: showJob },
  { method: 'POST', path: '/jobs/:action', action: actionOfMany, answer: actOnJobs },
]

/**
 * Answers what is asked below `/api`, in JSON, by somebody who may see the dashboard.
 * @param path below `/api`
 * @param refusalOf what to say of an error that is not the client's
 */
export async function answerApi(
  deps: DashboardDeps,
  { req, res, path, visitor }: { req: Request; res: Response; path: string; visitor: Visitor },
  refusalOf: (error: unknown) => Refusal,
): Promise<void> {
  try {
    const { route, name } = match(req.method, path, res)
    const action = typeof route.action === 'function' ? route.action(name) : route.action
    if (action !== undefined && !visitor.may(action)) return sendProblem(res, forbidden(visitor, action))
    const answer = await route.answer({ deps, req, name, query: readQuery(req.url), visitor })
    // What a codec made of a payload is no JSON by itself.
    send(res, { status: 200, type: jsonType, body: toShownJson(answer) })
  } catch (error) {
    if (res.headersSent) res.destroy()
    else sendProblem(res, toApiRefusal(error) ?? refusalOf(error))
  }
}

function match(method: string, path: string, res: Response): { route: Route; name: string } {
  const asked = method === 'HEAD' ? 'GET' : method
  const here = routes.flatMap((route) => {
    const name = nameIn(route.path, path)
    return name === undefined ? [] : [{ route, name }]
  })
  const found = here.find(({ route }) => route.method === asked)
  if (found) return found
  if (here.length === 0) throw new ApiError(404, 'NOT_FOUND', 'There is no such address.')
  res.setHeader('Allow', here.map(({ route }) => route.method).join(', '))
  throw new ApiError(405, 'METHOD_NOT_ALLOWED', 'This address does not know that method.')
}

/** What stands in the place of the name; empty where the route has none. `undefined`: it is another address. */
function nameIn(route: string, path: string): string | undefined {
  const [fixed = '', placeholder] = route.split('/:')
  if (placeholder === undefined) return path === fixed ? '' : undefined
  const rest = path.startsWith(`${fixed}/`) ? path.slice(fixed.length + 1) : ''
  return rest === '' || rest.includes('/') ? undefined : decoded(rest)
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text)
  } catch {
    return undefined
  }
}
