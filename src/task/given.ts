import { ConfigError } from '../errors.js'
import { isTask } from './define.js'
import { tasksOf } from './exports.js'
import { createRegistry, type TaskRegistry } from './registry.js'

/**
 * The tasks that the option `tasks` lists by hand, `{ reports }` with `import * as reports`: named as discovery would
 * name them, without a file system.
 * @throws {ConfigError} when something in it is no module
 * @throws {DiscoveryError} when two tasks have one name, or one task two
 */
export function registerGiven(tasks: Readonly<Record<string, object>>): TaskRegistry {
  return createRegistry(
    Object.entries(tasks).flatMap(([module, exports]) => {
      assertModule(module, exports)
      return tasksOf(module, exports, `tasks.${module}`)
    }),
  )
}

function assertModule(module: string, exports: unknown): void {
  if (isTask(exports)) {
    throw new ConfigError(
      `tasks.${module} is a task, and must be a module that holds tasks: write tasks: { app: { ${module} } } for the name "app.${module}".`,
    )
  }
  if (typeof exports !== 'object' || exports === null) {
    throw new ConfigError(
      `tasks.${module} must be a module that holds tasks, such as what "import * as ${module} from './${module}/tasks.js'" gives.`,
    )
  }
}
