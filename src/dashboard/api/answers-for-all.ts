import type { DashboardDeps } from '../dashboard.js'
import { tellFailure, toRefusal } from '../failure.js'
import { type Hub, type Load, largestKept, type Rendered } from '../live/hub.js'
import type { Watched } from '../live/live.js'
import { patterns, routes } from './api.js'
import type { RouteName } from './contract.js'
import { ApiError, toApiRefusal } from './problem.js'
import { readQuery } from './query.js'
import { type Match, matching, type Reading, type Route } from './route.js'
import { render } from './send.js'

/** Answers that many get: each is asked for once. */
export interface SharedAnswers {
  get(found: Match, search: string): Promise<Rendered>
  /** @throws {ApiError} when there is no such address, or it cannot be watched */
  watched(address: string): Watched
}

const mostFailing = 1000

export function shareAnswers(deps: DashboardDeps, hub: Hub): SharedAnswers {
  /** Those that the log was told of, until they answer again: a page asks every few seconds. */
  const failing = new Set<string>()

  return {
    async get(found, search) {
      const shared = toShared(found.name, found.params, search)
      if (!shared) throw new Error(`${found.name} is not for all.`)
      return hub.get(shared.address, shared.load)
    },
    watched(watch) {
      const [path, search] = partsOf(watch)
      const found = matching(patterns, path).find(({ method }) => method === 'GET')
      const shared = found && toShared(found.name, found.params, search)
      if (shared) return { watch, ...shared, ...(found.name === 'GET /jobs' ? ofJobs(watch, search) : {}) }
      throw new ApiError(400, 'BAD_REQUEST', `"${watch.slice(0, 200)}" is no address that can be watched.`)
    },
  }

  /** `undefined`: it is answered to one at a time. @throws {ConfigError} when the address says what its route does not know */
  function toShared<Name extends RouteName>(name: Name, params: Match['params'], search: string) {
    const route: Route<Name> = routes[name]
    if (!('read' in route)) return undefined
    const { read } = route
    const reading = { deps, params, query: readQuery(route.query, search) } as Reading<Name>
    const address = addressOf(name, params, search)
    return { address, load: () => told(address, async () => render(await read(reading))) }
  }

  /** A failure that is for the log is told there once, and comes out as what is said of it. */
  async function told(address: string, load: Load): Promise<Rendered> {
    try {
      const rendered = await load()
      failing.delete(address)
      return rendered
    } catch (error) {
      if (toApiRefusal(error)) throw error
      const refusal = toRefusal(error)
      if (!failing.has(address)) tellFailure(deps.log, refusal, error, `GET ${JSON.stringify(address)}`)
      if (failing.size >= mostFailing) failing.clear()
      failing.add(address)
      throw new ApiError(refusal.status, refusal.code, refusal.message)
    }
  }
}

/** As many as the pages show. */
const mostJobs = 200

/** A page of jobs may be as large as their payloads and errors, and many may watch as many pages. */
function ofJobs(watch: string, search: string): Pick<Watched, 'refusal'> {
  const { limit = 0 } = readQuery(routes['GET /jobs'].query, search)
  const told = `"${watch.slice(0, 200)}" cannot be watched`
  if (limit > mostJobs)
    throw new ApiError(
      400,
      'BAD_REQUEST',
      `${told}: it has up to ${limit} jobs. Say a "limit" of ${mostJobs} at most.`,
    )
  return {
    refusal: (length) =>
      length > largestKept
        ? new ApiError(
            400,
            'BAD_REQUEST',
            `${told}: these jobs have more than 1 MB. Say "values=short", or a lower "limit".`,
          )
        : undefined,
  }
}

function partsOf(address: string): readonly [path: string, search: string] {
  const at = address.indexOf('?')
  return at === -1 ? [address, ''] : [address.slice(0, at), address.slice(at + 1)]
}

/** The same for all that mean the same, whatever the order of their words. */
function addressOf(name: RouteName, params: Match['params'], search: string): string {
  const said = new URLSearchParams(
    [...new URLSearchParams(search)].sort(([one], [other]) => (one < other ? -1 : 1)),
  )
  return JSON.stringify([name, params, said.toString()])
}
