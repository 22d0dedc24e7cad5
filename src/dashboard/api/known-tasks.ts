import { readAnnouncements, type TaskAnnouncement } from '../../task/announcement.js'
import type { RegisteredTask } from '../../task/registry.js'
import type { DashboardDeps } from '../dashboard.js'

/** A task whose code is here, or that a worker of the last days has announced. */
export interface KnownTask {
  readonly name: string
  readonly queue: string
  /** Its code is here. */
  readonly registered?: RegisteredTask
  readonly announced?: TaskAnnouncement
}

/** By name. */
export async function knownTasks(deps: DashboardDeps): Promise<ReadonlyMap<string, KnownTask>> {
  const [registry, { store }] = await Promise.all([deps.tasks(), deps.backend()])
  const known = new Map<string, KnownTask>()
  for (const name of registry.names) {
    const registered = registry.get(name)
    known.set(name, { name, queue: deps.describe(registered).queue, registered })
  }
  // The newest come first, and say how it is.
  for (const text of await store.announcedTasks())
    for (const [name, announced] of Object.entries(readAnnouncements(text)))
      if (!registry.find(name) && !known.has(name))
        known.set(name, { name, queue: announced.queue, announced })
  return known
}
