import type { Config } from './config/resolve.js'
import type { EnqueueTarget } from './enqueue/enqueue.js'
import { withRetention } from './job/retain.js'
import type { RetentionBook } from './maintain/maintain.js'
import { fromPayloadText, toPayloadText } from './task/payload.js'
import type { RegisteredTask, TaskRegistry } from './task/registry.js'
import type { RunnableTask } from './worker/attempt.js'

/**
 * A task as the write path and the worker need it. Here, and nowhere else, the order of precedence stands: what the
 * task says, else what the configuration says. A call's own options come before both, in `enqueue/job-row.ts`.
 */
export function toTarget({ name, task, definition }: RegisteredTask, config: Config): EnqueueTarget {
  return {
    task: name,
    queue: definition.queue ?? config.queue,
    priority: definition.priority ?? 0,
    attempts: definition.attempts ?? config.attempts,
    toPayloadText: (payload) => toPayloadText(name, task, payload, config.maxPayload),
  }
}

/** The queues that jobs of these tasks wait in, the default queue first. */
export function queuesOf(registry: TaskRegistry, config: Config): readonly string[] {
  const named = registry.names.flatMap((name) => registry.get(name).definition.queue ?? [])
  return [...new Set([config.queue, ...named])]
}

/** How long finished jobs are kept, by task. `registry` gives none until the tasks are found. */
export function toRetentionBook(registry: () => TaskRegistry | undefined, config: Config): RetentionBook {
  return {
    isKnown: () => registry() !== undefined,
    ofTask(name) {
      const registered = registry()?.find(name)
      return registered && withRetention(config.retention, registered.definition.retain)
    },
    ofOthers: config.retention,
  }
}

/** All tasks of a registry, each made ready at its first use. */
export function toRunnable(registry: TaskRegistry, config: Config) {
  const ready = new Map<string, RunnableTask>()

  return {
    names: () => registry.names,
    get(name: string): RunnableTask | undefined {
      const present = ready.get(name)
      if (present) return present
      const registered = registry.find(name)
      if (!registered) return undefined
      const runnable = toRunnableTask(registered, config)
      ready.set(name, runnable)
      return runnable
    },
  }
}

function toRunnableTask({ name, task, definition }: RegisteredTask, config: Config): RunnableTask {
  return {
    name,
    backoff: definition.backoff ?? config.backoff,
    timeLimitMs: definition.timeLimitMs ?? config.timeLimitMs,
    parsePayload: (text) => fromPayloadText(name, task, text),
    run: definition.run,
  }
}
