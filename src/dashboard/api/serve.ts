import type { Request, Response } from 'express'
import { forbidden, fromOf, type Visitor } from '../access.js'
import { sendProblem } from '../answer.js'
import type { DashboardDeps } from '../dashboard.js'
import { tellFailure, toRefusal } from '../failure.js'
import type { Guard } from '../guard.js'
import { createHub } from '../live/hub.js'
import { createLive } from '../live/live.js'
import { shareAnswers } from './answers-for-all.js'
import { patterns, routes } from './api.js'
import { readBody } from './call.js'
import type { RouteName } from './contract.js'
import { describeApi } from './open-api.js'
import { ApiError, toApiRefusal } from './problem.js'
import { readQuery } from './query.js'
import { type Call, type Match, matching, type Route } from './route.js'
import { sendAnswer, sendRendered } from './send.js'

/** A request below `/api`, and who sends it. */
export interface ApiRequest {
  readonly req: Request
  readonly res: Response
  /** Below `/api`. */
  readonly path: string
  readonly visitor: Visitor
}

/** Answers what is asked below `/api`, in JSON, by somebody who may see the dashboard. */
export function createApi(deps: DashboardDeps, guard: Guard): (request: ApiRequest) => Promise<void> {
  const hub = createHub()
  const shared = shareAnswers(deps, hub)
  const live = createLive({
    hub,
    closing: deps.closing,
    isAllowed: async (req) => (await guard(req))?.may('view') ?? false,
    refusalOf: (error) => toApiRefusal(error) ?? toRefusal(error),
  })
  deps.closing.addEventListener('abort', hub.close)

  return async function serve(request) {
    const { req, res, path } = request
    try {
      const found = match(req.method, path, res)
      await follow(request, found.name, found)
    } catch (error) {
      const refusal = toApiRefusal(error) ?? failed(req, error)
      if (res.headersSent) res.destroy()
      else sendProblem(res, refusal)
    }
  }

  function failed(req: Request, error: unknown) {
    const refusal = toRefusal(error)
    tellFailure(deps.log, refusal, error, `${req.method} ${JSON.stringify(req.path)}`)
    return refusal
  }

  /** May he? → answer. → Whatever was done, the next look shall see it. */
  async function follow<Name extends RouteName>(
    request: ApiRequest,
    name: Name,
    found: Match,
  ): Promise<void> {
    const { req, res, visitor } = request
    const route: Route<Name> = routes[name]
    // The pattern of the route has exactly the places that the contract names.
    const params = found.params as Call<Name>['params']
    const action = typeof route.action === 'function' ? route.action(params) : route.action
    if (action !== undefined && !visitor.may(action)) return sendProblem(res, forbidden(visitor, action))
    if ('read' in route) return sendRendered(req, res, await shared.get(found, searchOf(req.url)))
    const call = await toCall(request, route, name, params)
    try {
      await answer(request, route, call)
    } finally {
      if (action !== 'view') hub.forget()
    }
  }

  async function answer<Name extends RouteName>(
    request: ApiRequest,
    route: Exclude<Route<Name>, { read: unknown }>,
    call: Call<Name>,
  ): Promise<void> {
    const { req, res } = request
    if ('stream' in route) await stream(request, route.stream, call)
    else sendAnswer(req, res, await route.answer(call))
  }

  async function toCall<Name extends RouteName>(
    { req, res, visitor }: ApiRequest,
    route: Route<Name>,
    name: Name,
    params: Call<Name>['params'],
  ): Promise<Call<Name>> {
    const call = { deps, visitor, from: fromOf(req), mount: req.baseUrl, params, signal: goneOf(res) }
    return {
      ...{ ...call, query: readQuery(route.query, searchOf(req.url)) },
      body: await readBody(deps, req, route, name),
      api: {
        watch: (watched: readonly string[]) => watch(req, res, visitor, watched),
        describe: describeApi,
      },
    } as Call<Name>
  }

  function watch(req: Request, res: Response, visitor: Visitor, addresses: readonly string[]): void {
    const watched = addresses.map((address) => shared.watched(address))
    const refusal = live.refusal(req, visitor)
    if (refusal) sendProblem(res, refusal)
    else live.open(req, res, visitor, watched)
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

/** What would never end is not begun for its headers alone. */
async function stream<Name extends RouteName>(
  { req, res }: ApiRequest,
  write: (call: Call<Name>, res: Response) => Promise<void>,
  call: Call<Name>,
): Promise<void> {
  if (req.method === 'HEAD') res.writeHead(200).end()
  else await write(call, res)
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
