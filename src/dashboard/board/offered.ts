import type { AppControllerRoute, HTTPMethod } from '@bull-board/api/dist/types.js'
import type { DashboardAction } from '../access.js'

/**
 * What the board offers of bull-board's routes, and what whoever asks for it must be allowed to do. Whatever is not in this
 * table is refused, also what a later version brings: adding and editing jobs, emptying and deleting queues, limits,
 * schedulers, and whatever asks the server of the broker about itself.
 */
export const offered: ReadonlyMap<string, DashboardAction> = new Map([
  ['get /api/queues', 'view'],
  ['put /api/queues/pause', 'queue.pause'],
  ['put /api/queues/resume', 'queue.pause'],
  ['put /api/queues/:queueName/pause', 'queue.pause'],
  ['put /api/queues/:queueName/resume', 'queue.pause'],
  ['put /api/queues/:queueName/retry/:queueStatus', 'job.retry'],
  ['get /api/queues/:queueName/workers', 'view'],
  ['get /api/queues/:queueName/rate-limit', 'view'],
  ['get /api/queues/:queueName/default-job-options', 'view'],
  ['get /api/queues/:queueName/:jobId', 'view'],
  ['get /api/queues/:queueName/:jobId/logs', 'view'],
  ['get /api/queues/:queueName/:jobId/flow', 'view'],
  ['put /api/queues/:queueName/:jobId/retry', 'job.retry'],
  ['put /api/queues/:queueName/:jobId/clean', 'job.cancel'],
  ['put /api/queues/:queueName/:jobId/promote', 'job.run'],
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

/** What it takes; `undefined` where the board does not offer it. */
export function actionOf(route: Route): DashboardAction | undefined {
  return offered.get(keyOf(route))
}

/** Method and address, as in the table. */
export function keyOf({ method, route }: Route): string {
  return `${method} ${route}`
}
