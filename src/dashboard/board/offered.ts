import type { AppControllerRoute, HTTPMethod } from '@bull-board/api/dist/types.js'

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
export const pages = ['/', '/queue/:queueName', '/queue/:queueName/:jobId']

/** A route of bull-board with one method and one address. */
export interface Route extends AppControllerRoute {
  readonly method: HTTPMethod
  readonly route: string
}

export function eachRoute(routes: readonly AppControllerRoute[]): Route[] {
  return routes.flatMap((each) =>
    [each.method]
      .flat()
      .flatMap((method) => [each.route].flat().map((route) => ({ ...each, method, route }))),
  )
}

export function isOffered(route: Route): boolean {
  return offered.has(keyOf(route))
}

/** Method and address, as in the table. */
export function keyOf({ method, route }: Route): string {
  return `${method} ${route}`
}
