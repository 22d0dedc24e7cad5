import type { BulkAction } from '../job/filter.js'

/** Each may do all that the one before may, and more. */
export const dashboardRoles = ['viewer', 'operator', 'admin'] as const
/** Looks; works with jobs, queues and workers; does also what cannot be undone or shows what is hidden. */
export type DashboardRole = (typeof dashboardRoles)[number]

/** All that can be done on the dashboard and over its API, and the least role that may. Nothing is done that is not here. */
const leastRoles = {
  /** Pages, lists, questions to workers, metrics. */
  view: 'viewer',
  'job.retry': 'operator',
  /** Retry with another payload. */
  'job.edit': 'operator',
  'job.cancel': 'operator',
  /** Now, before its time. */
  'job.run': 'operator',
  /** To another queue or priority. */
  'job.move': 'operator',
  'job.export': 'operator',
  'task.enqueue': 'operator',
  /** Rates, concurrency and time limits, of tasks and of queues. */
  'task.limit': 'operator',
  /** And resume. */
  'queue.pause': 'operator',
  'queue.purge': 'operator',
  /** Grow, shrink, autoscale, restart. */
  'worker.pool': 'operator',
  /** Add and remove. */
  'worker.queues': 'operator',
  'worker.log-level': 'operator',
  'worker.reset': 'operator',
  /** What works through many jobs. */
  'operation.stop': 'operator',
  'job.delete': 'admin',
  /** Fields under `redact`. */
  'job.reveal': 'admin',
  'worker.shutdown': 'admin',
} as const satisfies Record<string, DashboardRole>

/** Something that can be done on the dashboard, or over its API. */
export type DashboardAction = keyof typeof leastRoles

/** What it takes to do something to many jobs, and to go on with it where it was stopped. */
export const bulkRights: Readonly<Record<BulkAction, DashboardAction>> = Object.freeze({
  retry: 'job.retry',
  cancel: 'job.cancel',
  promote: 'job.run',
  move: 'job.move',
  delete: 'job.delete',
})

/** `undefined`: nothing like that is done to many jobs. */
export function bulkRight(name: string): DashboardAction | undefined {
  return Object.hasOwn(bulkRights, name) ? bulkRights[name as BulkAction] : undefined
}

export const dashboardActions: readonly DashboardAction[] = Object.freeze(
  Object.keys(leastRoles) as DashboardAction[],
)

/** The least role that may. */
export function leastRoleFor(action: DashboardAction): DashboardRole {
  return leastRoles[action]
}

export function isDashboardRole(value: unknown): value is DashboardRole {
  return dashboardRoles.some((role) => role === value)
}

export function mayAs(role: DashboardRole, action: DashboardAction): boolean {
  return dashboardRoles.indexOf(role) >= dashboardRoles.indexOf(leastRoles[action])
}

/** Whether somebody may do one thing. */
export type MayDo = (action: DashboardAction) => boolean

/**
 * What `authorize` says of whoever sent a request: nothing for nobody, a role, `true` for an admin, a function that is
 * asked for each action, or one of these with a name, which stands in the audit.
 */
export type DashboardAccess =
  | boolean
  | null
  | undefined
  | DashboardRole
  | MayDo
  | { readonly name?: string | undefined; readonly role: DashboardRole | false | null | undefined }
  | { readonly name?: string | undefined; readonly may: MayDo }
