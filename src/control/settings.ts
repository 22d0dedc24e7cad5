import type { ResolvedTimeLimit } from '../job/time-limit.js'
import type { Setting } from '../store/store.js'
import type { AutoscaleRange } from './verbs.js'

/**
 * What was set while the app ran, as this process knows it. It is kept in the store, one row a name, so that it holds
 * after a restart; limits are rows of the same table (`enqueue/limit-book.ts`).
 */
export interface Settings {
  isPaused(queue: string): boolean
  readonly paused: readonly string[]
  /** By the task's name. `undefined`: as its code says. */
  timeLimitOf(task: string): ResolvedTimeLimit | undefined
  ofWorker(name: string): WorkerSettings
  learn(settings: readonly Setting[]): void
  /** Calls `listener` when something has changed. */
  onChange(listener: () => void): () => void
}

/** What was set for a worker, by its name. What is unsaid is as its configuration and flags say. */
export interface WorkerSettings {
  readonly concurrency?: number
  readonly autoscale?: AutoscaleRange | 'off'
  readonly queues?: readonly string[]
  readonly logLevel?: string
  /** Which commands have set it: workers of one name do each once together. The last ones. */
  readonly commands?: readonly string[]
}

/** The names of the rows. */
export const settingNames = Object.freeze({
  pause: (queue: string) => `pause:${queue}`,
  timeLimit: (task: string) => `time-limit:${task}`,
  worker: (name: string) => `worker:${name}`,
})

export function createSettings(): Settings {
  let known = new Map<string, string>()
  let timeLimits: ReadonlyMap<string, ResolvedTimeLimit> = new Map()
  let text = ''
  const listeners = new Set<() => void>()

  return {
    isPaused: (queue) => known.has(settingNames.pause(queue)),
    get paused() {
      return namesOf(settingNames.pause(''))
    },
    timeLimitOf: (task) => timeLimits.get(task),
    ofWorker: (name) => read<WorkerSettings>(settingNames.worker(name)) ?? {},
    learn(settings) {
      const nextText = JSON.stringify(settings)
      if (nextText === text) return
      text = nextText
      known = new Map(settings.map(({ name, value }) => [name, value]))
      timeLimits = new Map(
        namesOf(settingNames.timeLimit('')).flatMap((task) => {
          const limit = read<ResolvedTimeLimit>(settingNames.timeLimit(task))
          return limit ? [[task, limit] as const] : []
        }),
      )
      for (const listener of listeners) listener()
    },
    onChange(listener) {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
  }

  function namesOf(prefix: string): string[] {
    return [...known.keys()]
      .filter((name) => name.startsWith(prefix))
      .map((name) => name.slice(prefix.length))
  }

  function read<T>(name: string): T | undefined {
    const value = known.get(name)
    return value === undefined ? undefined : (JSON.parse(value) as T)
  }
}
