import { registerGiven } from './given.js'
import type { TaskRegistry } from './registry.js'

/** Where an app's tasks come from: a list by hand, or the file system. */
export interface TaskSource {
  readonly tasks: Readonly<Record<string, object>> | undefined
  readonly modules: readonly string[]
  readonly root: string
  readonly preferTypeScript: boolean
}

/**
 * Loads the tasks of an app.
 * @throws {DiscoveryError} when a file cannot be found or loaded, or two tasks have one name
 * @throws {ConfigError} when something in `tasks` is no module
 */
export async function loadTasks(source: TaskSource): Promise<TaskRegistry> {
  if (source.tasks) return registerGiven(source.tasks)
  // Only here: a bundle that lists its tasks needs nothing of what searches the file system.
  const { discover } = await import('./discover.js')
  return discover(source)
}
