import { type Settings, settingNames, type WorkerSettings } from '../control/settings.js'
import type { AutoscaleRange } from '../control/verbs.js'
import type { Store } from '../store/store.js'
import { rest } from '../waiting.js'
import { toServed } from './served.js'
import type { Worker } from './worker.js'

/** What may be changed of a worker while it runs. */
export interface Course {
  readonly concurrency: number
  /** `null`: `concurrency` holds. */
  readonly autoscale: AutoscaleRange | null
  /** In the order in which they are served. */
  readonly queues: readonly string[]
  readonly logLevel: string
}

/** What is set for a worker's name; a member that is `null` goes. */
export type CourseChange = { readonly [Name in keyof WorkerSettings]?: WorkerSettings[Name] | null }

/** Keeps a worker as its configuration says, with what was set for its name laid over it, now and after a restart. */
export interface Steering {
  readonly course: Course
  /**
   * Sets, and applies. What another worker of the name has set by the same command is not set again.
   * @param next what is to be set, by what holds; may throw why it cannot be
   */
  set(command: string, by: string | null, next: (course: Course) => CourseChange): Promise<Course>
  /** Forgets what was set. */
  reset(): Promise<Course>
  /** Within the range of its autoscale. Nothing is set by it. */
  resize(concurrency: number): void
  /** Writes the worker's row, where that could not be done. */
  keepRow(): Promise<void>
  close(): void
}

export interface SteeringDeps {
  readonly worker: Pick<Worker, 'name' | 'id' | 'resize' | 'serve' | 'served' | 'concurrency'>
  /** By configuration and flags. */
  readonly base: Course
  readonly settings: Settings
  readonly store: Pick<Store, 'settings' | 'replaceSetting' | 'setSetting' | 'changeWorker'>
  /** Reads anew what was set. */
  readonly learn: () => Promise<void>
  readonly log: { level: string; info(message: string): void; warn(message: string): void }
}

/** Two that change one setting at once take turns by chance. */
const contendedMs = 20
/** More than anybody gives within the deadline of one. */
const rememberedCommands = 100

/** What holds for a worker of this name. With autoscale it begins with the least. */
export function toCourse(base: Course, set: WorkerSettings): Course {
  const autoscale = set.autoscale === 'off' ? null : (set.autoscale ?? base.autoscale)
  return {
    concurrency: autoscale?.min ?? set.concurrency ?? base.concurrency,
    autoscale,
    queues: set.queues ?? base.queues,
    logLevel: set.logLevel ?? base.logLevel,
  }
}

export function createSteering({ worker, base, settings, store, learn, log }: SteeringDeps): Steering {
  const name = settingNames.worker(worker.name)
  let course = toCourse(base, settings.ofWorker(worker.name))
  let written = rowOf()
  let hasLevel = false
  const unlisten = settings.onChange(apply)
  // What was learnt since the worker was made, and what it is not made with.
  apply()

  return {
    get course() {
      return current()
    },
    async set(command, by, next) {
      while (!(await isSet(command, by, next))) await rest(Math.random() * contendedMs)
      await learn()
      return settled()
    },
    async reset() {
      await store.setSetting(name, null, null)
      await learn()
      return settled()
    },
    resize,
    keepRow,
    close: unlisten,
  }

  /** By what stands in the store, which another worker of the name may change at the same moment. */
  async function isSet(
    command: string,
    by: string | null,
    next: (course: Course) => CourseChange,
  ): Promise<boolean> {
    const value = (await store.settings()).find((setting) => setting.name === name)?.value ?? null
    const set: WorkerSettings = value === null ? {} : JSON.parse(value)
    const { commands = [] } = set
    if (commands.includes(command)) return true
    const known = toCourse(base, set)
    const change = next(known.autoscale ? { ...known, concurrency: worker.concurrency } : known)
    const laid = { ...set, ...change, commands: [...commands, command].slice(-rememberedCommands) }
    const kept = Object.entries(laid).filter(([, each]) => each !== null)
    return store.replaceSetting(name, value, JSON.stringify(Object.fromEntries(kept)), by)
  }

  function apply(): void {
    course = toCourse(base, settings.ofWorker(worker.name))
    const { autoscale, queues } = course
    resize(autoscale ? clamp(worker.concurrency, autoscale) : course.concurrency)
    const served = toServed(queues, settings.isPaused)
    if (JSON.stringify(served) !== JSON.stringify(worker.served)) worker.serve(served)
    applyLevel(settings.ofWorker(worker.name).logLevel)
    void keepRow()
  }

  /** What the app itself makes of its logger stays, where nothing was set. */
  function applyLevel(level: string | undefined): void {
    if (level !== undefined) log.level = level
    else if (hasLevel) log.level = base.logLevel
    hasLevel = level !== undefined
  }

  function resize(concurrency: number): void {
    if (concurrency === worker.concurrency) return
    worker.resize(concurrency)
    void keepRow()
  }

  async function settled(): Promise<Course> {
    await keepRow()
    return current()
  }

  function current(): Course {
    return { ...course, concurrency: worker.concurrency }
  }

  function rowOf(): string {
    return JSON.stringify([worker.id, worker.served.queues, worker.concurrency])
  }

  async function keepRow(): Promise<void> {
    const row = rowOf()
    if (row === written || worker.id === '') return
    try {
      await store.changeWorker(worker.id, {
        queues: worker.served.queues,
        concurrency: worker.concurrency,
      })
      written = row
    } catch {
      // With the next report.
    }
  }
}

function clamp(size: number, { min, max }: AutoscaleRange): number {
  return Math.min(max, Math.max(min, size))
}
