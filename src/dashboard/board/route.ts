import type { AppControllerRoute } from '@bull-board/api/dist/types.js'

/**
 * What the board offers of bull-board's routes. Whatever is not in this table is refused, also what a later version
 * brings: adding and editing jobs, emptying and deleting queues, limits, schedulers, and whatever asks the server of the
 * broker about itself.
 */
const offered: ReadonlySet<string> = new Set([
  'get /api/queues',
  'put /api/queues/pause',
  'put /api/queues/resume',
  'put /api/queues/:queueName/pause',
  'put /api/queues/:queueName/resume',
  'put /api/queues/:queueName/retry/:queueStatus',
  'get /api/queues/:queueName/workers',
  'get /api/queues/:queueName/rate-limit',
  'get /api/queues/:queueName/default-job-options',
  'get /api/queues/:queueName/:jobId',
  'get /api/queues/:queueName/:jobId/logs',
  'get /api/queues/:queueName/:jobId/flow',
  'put /api/queues/:queueName/:jobId/retry',
  'put /api/queues/:queueName/:jobId/clean',
  'put /api/queues/:queueName/:jobId/promote',
])

/** The addresses at which the pages' own script shows something that is offered. */
const pages = ['/', '/queue/:queueName', '/queue/:queueName/:jobId']

export interface Match {
  readonly route: AppControllerRoute
  /** Method and pattern, as in the table. */
  readonly key: string
  readonly params: Readonly<Record<string, string>>
  readonly isOffered: boolean
}

/** The first of bull-board's routes that fits, in its own order, offered or not. */
export function matchRoute(
  routes: readonly AppControllerRoute[],
  method: string,
  path: string,
): Match | undefined {
  for (const route of routes) {
    if (![route.method].flat().some((each) => each.toUpperCase() === method)) continue
    for (const pattern of [route.route].flat()) {
      const params = matchPath(pattern, path)
      const key = `${method.toLowerCase()} ${pattern}`
      if (params) return { route, key, params, isOffered: offered.has(key) }
    }
  }
  return undefined
}

export function isPage(path: string): boolean {
  return pages.some((pattern) => matchPath(pattern, path))
}

/** By segments, each decoded by itself, so that a slash in a queue's name is no slash in the path. */
function matchPath(pattern: string, path: string): Record<string, string> | undefined {
  const [names, values] = [pattern.split('/'), path.split('/')]
  if (names.length !== values.length) return undefined
  const params: Record<string, string> = {}
  for (const [at, name] of names.entries()) {
    const value = decode(values[at] ?? '')
    if (value === undefined || (name.startsWith(':') ? value === '' : value !== name)) return undefined
    if (name.startsWith(':')) params[name.slice(1)] = value
  }
  return params
}

function decode(segment: string): string | undefined {
  try {
    return decodeURIComponent(segment)
  } catch {
    return undefined
  }
}
