import type { JobState } from '../../job/state.js'
import type { ListedJobs } from '../../store/store.js'

/** The lists of a queue by bull-board's names, in the order of its tabs. */
export const tabs = ['active', 'waiting', 'delayed', 'failed', 'completed'] as const
export type Tab = (typeof tabs)[number]

/**
 * Whatever has ended otherwise than well is under `failed`: there people look for what went wrong, and there alone the
 * pages offer another try. Each such job says which end it was.
 */
export const tabOf: Readonly<Record<JobState, Tab>> = {
  running: 'active',
  queued: 'waiting',
  scheduled: 'delayed',
  retrying: 'delayed',
  succeeded: 'completed',
  failed: 'failed',
  cancelled: 'failed',
  expired: 'failed',
}

export const listOf: Readonly<Record<Tab, ListedJobs>> = {
  active: 'running',
  waiting: 'queued',
  delayed: 'delayed',
  completed: 'succeeded',
  failed: 'unsuccessful',
}

export function isTab(status: string): status is Tab {
  return (tabs as readonly string[]).includes(status)
}
