import { hint } from '../../job/suggest.js'
import type { KnownWorker } from '../../store/store.js'
import { readAnnouncements, type TaskAnnouncement } from '../../task/announcement.js'
import type { RegisteredTask, TaskRegistry } from '../../task/registry.js'
import { type PayloadSchema, payloadSchemaOf } from '../../task/schema.js'
import type { DashboardDeps, TaskFacts } from '../dashboard.js'
import { ApiError } from './problem.js'
import { isLive } from './workers.js'

/** A task whose code is here, or that a worker of the last days has announced. */
export interface KnownTask {
  readonly name: string
  /** Whether its code is here. */
  readonly isHere: boolean
  /** The file that exports it; `null`: its code is not here. */
  readonly source: string | null
  readonly facts: KnownFacts
  readonly schema: PayloadSchema
}

/** `backoff` is `null` where only its code, which is not here, can tell. */
type KnownFacts = Omit<TaskFacts, 'backoff'> & { readonly backoff: TaskFacts['backoff'] | null }

/** What is known of tasks, and of who runs them. */
export interface TaskBook {
  /** Names, sorted: of code that is here, of workers of the last days, and of live ones. */
  readonly names: readonly string[]
  /** By name, or by one that it had before. */
  find(name: string): KnownTask | undefined
  /** Of a job's task, the name that it has now. */
  nameOf(task: string): string
  /** Names of live workers that run it: they have its code, and serve its queue at this moment. */
  workersOf(name: string): readonly string[]
}

export async function readTasks(deps: DashboardDeps): Promise<TaskBook> {
  const [registry, { store }] = await Promise.all([deps.tasks(), deps.backend()])
  const [texts, workers] = await Promise.all([store.announcedTasks(), store.workers()])
  const announced = announcedTasks(texts)
  const live = workers.filter(isLive)
  const names = new Set([
    ...registry.names,
    ...[...announced.keys()].filter((name) => !registry.find(name)),
    ...live.flatMap(({ tasks }) => tasks).filter((name) => !registry.find(name)),
  ])
  const former = formerNames(announced)
  const nameOf = (task: string) => registry.find(task)?.name ?? former.get(task) ?? task

  return { names: [...names].sort(), find, nameOf, workersOf: (name) => namesOf(live, name, find(name)) }

  function find(name: string): KnownTask | undefined {
    const registered = registry.find(name)
    if (registered) return fromCode(deps, registered)
    const announcement = announced.get(nameOf(name))
    return announcement && fromWorkers(nameOf(name), announcement)
  }
}

/** @throws {ApiError} when nobody knows it, and it has no jobs */
export function unknownTask(name: string, names: Iterable<string>): ApiError {
  const shown = name.slice(0, 100)
  return new ApiError(
    404,
    'UNKNOWN_TASK',
    `There is no task "${shown}" here, and no worker has announced one.${hint(shown, names)}`,
  )
}

/** Jobs of a renamed task stand in the store under the name of their time. */
export function allNames(registry: TaskRegistry, task: string): readonly string[] {
  const known = registry.find(task)
  return known ? [known.name, ...known.definition.aliases] : [task]
}

/** The newest come first, and say how it is. */
function announcedTasks(texts: readonly string[]): ReadonlyMap<string, TaskAnnouncement> {
  const announced = new Map<string, TaskAnnouncement>()
  for (const text of texts)
    for (const [name, task] of Object.entries(readAnnouncements(text)))
      if (!announced.has(name)) announced.set(name, task)
  return announced
}

function formerNames(announced: ReadonlyMap<string, TaskAnnouncement>): ReadonlyMap<string, string> {
  return new Map(
    [...announced].flatMap(([name, { aliases = [] }]) => aliases.map((alias) => [alias, name] as const)),
  )
}

/** Of a task whose queue nobody tells, those that have its code. */
function namesOf(live: readonly KnownWorker[], name: string, task: KnownTask | undefined): readonly string[] {
  const queue = task?.facts.queue
  const isIts = ({ tasks, queues }: KnownWorker) =>
    tasks.includes(name) && (queue === undefined || queues.includes(queue))
  return live.filter(isIts).map((worker) => worker.name)
}

function fromCode(deps: DashboardDeps, registered: RegisteredTask): KnownTask {
  const { name, source, definition } = registered
  return {
    ...{ name, isHere: true, source, facts: deps.describe(registered) },
    schema: payloadSchemaOf(definition.schema),
  }
}

function fromWorkers(name: string, told: TaskAnnouncement): KnownTask {
  const { aliases = [], queue, priority, attempts, expiresInMs = null, unique, redact = [], about } = told
  return {
    ...{ name, isHere: false, source: null, schema: about?.schema ?? notAnnounced },
    facts: {
      ...{ aliases, queue, priority, attempts, expiresInMs, unique: unique?.mode ?? null, redact },
      ...(about ?? untold),
    },
  }
}

/** One that has jobs, and that nobody knows any more. */
export function unannounced(name: string): KnownTask {
  const facts = { aliases: [], queue: '', priority: 0, attempts: 1, expiresInMs: null, unique: null }
  const note = 'Neither is its code here, nor has a worker announced it in the last days.'
  return {
    ...{ name, isHere: false, source: null, facts: { ...facts, redact: [], ...untold } },
    schema: { library: null, jsonSchema: null, note },
  }
}

const notAnnounced: PayloadSchema = Object.freeze({
  library: null,
  jsonSchema: null,
  note: 'Its worker is of a version that does not announce it.',
})

const untold = Object.freeze({
  timeLimit: { softMs: null, hardMs: null },
  ...{ pool: null, limits: null, backoff: null },
  retention: { ages: { succeeded: null, failed: null, cancelled: null, expired: null }, count: null },
})
