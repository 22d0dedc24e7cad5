import { PoolError, TaskNotRegisteredError } from '../../errors.js'
import { toPath } from '../../task/caller.js'
import { type AnyTask, definitionOf } from '../../task/define.js'
import { importTasksFile } from '../../task/discovering.js'
import { tasksOf } from '../../task/exports.js'
import type { TaskHome } from './message.js'

/** The tasks that a child has loaded, by the files that export them. */
export interface ChildTasks {
  /** @throws {PoolError} when the file does not export it */
  find(name: string, file: string): Promise<AnyTask>
  /** @throws {TaskNotRegisteredError} when the worker knows no such task */
  nameOf(task: AnyTask): Promise<string>
}

export interface ChildTasksOptions {
  readonly homes: readonly TaskHome[]
  readonly root: string
  /** Makes the process ready for a kind of file, before the first one. */
  readonly prepare: (path: string) => Promise<void>
}

export function createChildTasks({ homes, root, prepare }: ChildTasksOptions): ChildTasks {
  const names = new Map<AnyTask, string>()

  return {
    async find(name, file) {
      const path = toPath(file)
      await prepare(path)
      const task = taskIn(await importTasksFile(path, root), name, path)
      if (!task) throw notThere(name, path)
      names.set(task, name)
      return task
    },
    async nameOf(task) {
      const known = names.get(task)
      if (known !== undefined) return known
      for (const home of nearest(homes, task)) await learn(home)
      const found = names.get(task)
      if (found !== undefined) return found
      throw new TaskNotRegisteredError(
        `${task.name ? `Task "${task.name}"` : 'A task'} was enqueued in a pool, and is not registered under this object. Export it from a tasks file.`,
      )
    },
  }

  async function learn({ file, tasks }: TaskHome): Promise<void> {
    const path = toPath(file)
    const exports = await importTasksFile(path, root)
    for (const name of tasks) {
      const task = taskIn(exports, name, path)
      if (task) names.set(task, name)
    }
  }
}

/** A task is at home in the file that defines it, or in one that exports what another file makes. */
function nearest(homes: readonly TaskHome[], task: AnyTask): readonly TaskHome[] {
  const { file } = definitionOf(task)
  const own = homes.filter((home) => home.file === file)
  return own.length > 0 ? own : homes
}

/** A name is `module.export`, unless it was given by hand. */
function taskIn(exports: object, name: string, path: string): AnyTask | undefined {
  const module = name.slice(0, Math.max(0, name.lastIndexOf('.')))
  return tasksOf(module, exports, path).find((named) => named.name === name)?.task
}

function notThere(name: string, path: string): PoolError {
  return new PoolError(
    `Task "${name}" was not found in ${path}. A thread or process of a pool imports that file by itself: let it export the task under that name, as the file that "modules" finds, or run the task with pool: 'inline'.`,
  )
}
