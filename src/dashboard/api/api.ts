import type { Request, Response } from 'express'
import { forbidden, fromOf, type Visitor } from '../access.js'
import { type Refusal, sendProblem } from '../answer.js'
import type { DashboardDeps } from '../dashboard.js'
import { longestDeadlineMs, readBody } from './call.js'
import { listCommands } from './commands.js'
import type { RouteName } from './contract.js'
import { longestWait, showJob, showLogs, showResult } from './job.js'
import { actionOfMany, actOnJobs, countJobs, listJobs } from './jobs.js'
import { showMe } from './me.js'
import { actionOfVerb, giveOrder } from './orders.js'
import { showStatus } from './overview.js'
import { ApiError, toApiRefusal } from './problem.js'
import { count, duration, oneOf, readQuery, someOf, text, texts } from './query.js'
import { askQuestion } from './questions.js'
import { listQueues } from './queues.js'
import { ranges } from './ranges.js'
import { type Call, type Match, matching, type Route, toPattern } from './route.js'
import { sendAnswer } from './send.js'
import { jobStates } from './states.js'
import { showErrors } from './task-errors.js'
import { listTasks } from './tasks.js'
import { listWorkers, workerStates } from './workers.js'

const range = { range: oneOf(...ranges) }

const ofJobs = {
  ...{ query: text, id: texts, state: someOf(...jobStates), task: texts, queue: texts, worker: texts },
  ...{ owner: texts, tag: texts, parent: text, createdAfter: text, createdBefore: text, startedAfter: text },
  ...{ startedBefore: text, finishedAfter: text, finishedBefore: text, minDuration: text, maxDuration: text },
  ...{ minAttempts: count(1, 1_000_000), errorName: text, error: text, text },
}

/** The others follow. */
type Built = Exclude<RouteName, Coming>
type Coming =
  | `GET /${'overview' | 'tasks/:name' | 'queues/:name' | 'workers/:id' | 'system'}`
  | `GET /${'job-export' | 'vocabulary' | 'commands/:id'}`
  | `POST /${'tasks/:name/enqueue' | 'commands/:id/stop' | 'commands/:id/resume' | 'jobs/:id/retry' | 'jobs/:id/reveal'}`

/** The whole management API. HEAD is answered as GET, without the body. */
export const routes: { readonly [Name in Built]: Route<Name> } = {
  'GET /me': { action: 'view', query: {}, answer: showMe },
  'GET /status': { action: 'view', query: {}, answer: showStatus },
  'GET /tasks': { action: 'view', query: range, answer: listTasks },
  'GET /tasks/:name/errors': { action: 'view', query: range, answer: showErrors },
  'GET /queues': { action: 'view', query: range, answer: listQueues },
  'GET /workers': { action: 'view', query: { state: oneOf(...workerStates) }, answer: listWorkers },
  'GET /inspect/:question': {
    action: 'view',
    query: { workers: texts, deadline: duration(longestDeadlineMs) },
    answer: askQuestion,
  },
  'POST /control/:verb': {
    action: ({ verb }) => actionOfVerb(verb),
    query: {},
    body: 'any',
    answer: giveOrder,
  },
  'GET /commands': {
    action: 'view',
    query: { limit: count(1, 1000), before: text, verb: text, by: text, from: text, since: text },
    answer: listCommands,
  },
  'GET /jobs': {
    action: 'view',
    query: {
      ...ofJobs,
      ...{ limit: count(1, 1000), cursor: text, sort: oneOf('newest', 'oldest') },
      values: oneOf('full', 'short'),
    },
    answer: listJobs,
  },
  'GET /job-count': { action: 'view', query: { ...ofJobs, most: count(1, 1_000_000) }, answer: countJobs },
  'GET /jobs/:id': { action: 'view', query: {}, answer: showJob },
  'GET /jobs/:id/result': { action: 'view', query: { wait: count(0, longestWait) }, answer: showResult },
  'GET /jobs/:id/logs': {
    action: 'view',
    query: { after: count(0, 1_000_000_000), limit: count(1, 1000) },
    answer: showLogs,
  },
  'POST /jobs/:action': {
    action: ({ action }) => actionOfMany(action),
    query: {},
    body: ['ids', 'filter', 'reason', 'queue', 'priority'],
    answer: actOnJobs,
  },
}

export const routeNames = Object.keys(routes) as Built[]
/** By method and path. */
export const patterns = routeNames.map(toPattern)

/** A request below `/api`, and who sends it. */
export interface ApiRequest {
  readonly req: Request
  readonly res: Response
  /** Below `/api`. */
  readonly path: string
  readonly visitor: Visitor
}

/**
 * Answers what is asked below `/api`, in JSON, by somebody who may see the dashboard.
 * @param refusalOf what to say of an error that is not the client's
 */
export async function answerApi(
  deps: DashboardDeps,
  request: ApiRequest,
  refusalOf: (error: unknown) => Refusal,
): Promise<void> {
  const { req, res, path } = request
  try {
    const found = match(req.method, path, res)
    await follow(deps, request, found.name, found.params)
  } catch (error) {
    if (res.headersSent) res.destroy()
    else sendProblem(res, toApiRefusal(error) ?? refusalOf(error))
  }
}

function match(method: string, path: string, res: Response): Match {
  const asked = method === 'HEAD' ? 'GET' : method
  const here = matching(patterns, path)
  const found = here.find((each) => each.method === asked)
  if (found) return found
  if (here.length === 0) throw new ApiError(404, 'NOT_FOUND', 'There is no such address.')
  res.setHeader('Allow', [...new Set(here.map((each) => each.method))].join(', '))
  throw new ApiError(405, 'METHOD_NOT_ALLOWED', 'This address does not know that method.')
}

/** May he? → read what he says → answer. */
async function follow<Name extends RouteName>(
  deps: DashboardDeps,
  { req, res, visitor }: ApiRequest,
  name: Name,
  found: Match['params'],
): Promise<void> {
  const route: Route<Name> = routes[name]
  // The pattern of the route has exactly the places that the contract names.
  const params = found as Call<Name>['params']
  const action = typeof route.action === 'function' ? route.action(params) : route.action
  if (action !== undefined && !visitor.may(action)) return sendProblem(res, forbidden(visitor, action))
  const call = {
    ...{ deps, visitor, from: fromOf(req), mount: req.baseUrl, params, signal: goneOf(res) },
    query: readQuery(route.query, searchOf(req.url)),
    body: await readBody(deps, req, route.body, name),
  } as Call<Name>
  if ('stream' in route) return route.stream(call, res)
  sendAnswer(req, res, await route.answer(call))
}

function searchOf(url: string): string {
  const at = url.indexOf('?')
  return at === -1 ? '' : url.slice(at + 1)
}

/** Who goes away wants no more of it. */
function goneOf(res: Response): AbortSignal {
  const controller = new AbortController()
  res.once('close', () => controller.abort())
  return controller.signal
}
