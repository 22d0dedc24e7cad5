import { TaskNotRegisteredError } from '../errors.js'
import type { EnqueuedStream, EnqueueOptions, EnqueueStreamOptions, JobHandle } from '../job/job.js'
import type { AnyTask } from './define.js'

/** Payloads one after the other, however many. */
export type PayloadSource<Input = unknown> = Iterable<Input> | AsyncIterable<Input>

/** What an open `celeriac()` does for the tasks that are enqueued by their own method. */
export interface Enqueuer {
  enqueue(task: AnyTask, payload: unknown, options?: EnqueueOptions): Promise<JobHandle>
  enqueueMany(task: AnyTask, payloads: readonly unknown[], options?: EnqueueOptions): Promise<JobHandle[]>
  enqueueStream(task: AnyTask, source: PayloadSource, options?: EnqueueStreamOptions): Promise<EnqueuedStream>
}

// The one piece of module state. It hangs on the global object, so that a task made by one installed copy of the
// package is enqueued by the app that another copy opened.
const key: unique symbol = Symbol.for('celeriac.bindings')
const host = globalThis as { [key]?: readonly Enqueuer[] }

/** Makes `enqueuer` the one that tasks use, until the returned function is called or a newer one is bound. */
export function bind(enqueuer: Enqueuer): () => void {
  host[key] = [...open(), enqueuer]
  return () => {
    host[key] = open().filter((bound) => bound !== enqueuer)
  }
}

/** A list in one transaction, anything else as a stream. */
export function enqueueEach(
  enqueuer: Enqueuer,
  task: AnyTask,
  payloads: readonly unknown[] | PayloadSource,
  options?: EnqueueOptions | EnqueueStreamOptions,
): Promise<JobHandle[] | EnqueuedStream> {
  return Array.isArray(payloads)
    ? enqueuer.enqueueMany(task, payloads, options)
    : enqueuer.enqueueStream(task, payloads, options)
}

/**
 * The newest one that is open.
 * @throws {TaskNotRegisteredError} when none is
 */
export function boundEnqueuer(task: AnyTask): Enqueuer {
  const newest = open().at(-1)
  if (newest) return newest
  throw new TaskNotRegisteredError(
    `${task.name ? `Task "${task.name}"` : 'A task'} was enqueued, and no celeriac() is open. Call celeriac() before, in the file that makes the Express app; a script may import that file.`,
  )
}

function open(): readonly Enqueuer[] {
  return host[key] ?? []
}
