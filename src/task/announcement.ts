import type { TaskLimits } from '../job/limit.js'
import type { Retention } from '../job/retain.js'
import type { ToldBackoff } from '../job/retry.js'
import type { ResolvedTimeLimit } from '../job/time-limit.js'
import type { UniqueRule } from '../job/unique.js'
import { defaultUniqueKey } from './key.js'
import { oneKey, type PoolKind, type ResolvedPolicy } from './policy.js'
import type { PayloadSchema } from './schema.js'

/** What a worker tells of a task, so that processes without its code can write its jobs as it would. */
export interface TaskAnnouncement {
  readonly aliases?: readonly string[]
  readonly queue: string
  readonly priority: number
  readonly attempts: number
  readonly expiresInMs?: number
  readonly redact?: readonly string[]
  /** With limits: as a whole, or by a key that only its code knows. The worker adds that when it takes the job. */
  readonly limited?: 'task' | 'key'
  readonly unique?: UniqueRule
  /** What its jobs are unique by. */
  readonly uniqueBy?: 'task' | 'payload' | 'function'
  readonly about?: AboutTask
}

/** What people want to know of a task where its code is not. */
export interface AboutTask {
  readonly timeLimit: ResolvedTimeLimit
  /** `null`: that of the worker. */
  readonly pool: PoolKind | null
  readonly retention: Retention
  readonly backoff: ToldBackoff
  readonly limits: TaskLimits | null
  readonly schema: PayloadSchema
}

/** Characters of the schemas of one task, and of all tasks of a worker. */
const longestSchema = 16_384
const longestTogether = 131_072

/** The same without what would make the worker's row too large to be read every few seconds. */
export function withinBounds(tasks: TaskAnnouncements): TaskAnnouncements {
  let together = 0
  return Object.fromEntries(
    Object.entries(tasks).map(([name, task]) => {
      const length = task.about?.schema.jsonSchema ? JSON.stringify(task.about.schema.jsonSchema).length : 0
      const fits = length <= longestSchema && together + length <= longestTogether
      if (fits) together += length
      return [name, fits || !task.about ? task : { ...task, about: withoutSchema(task.about) }]
    }),
  )
}

function withoutSchema({ schema, ...about }: AboutTask): AboutTask {
  const note = 'Its schema is too large to be announced. It stands in the code of the task.'
  return { ...about, schema: { library: schema.library, jsonSchema: null, note } }
}

/** The part of it that the policy says. */
export function announceKeys({
  limits,
  key,
  uniqueness,
}: Pick<ResolvedPolicy, 'limits' | 'key' | 'uniqueness'>): Pick<
  TaskAnnouncement,
  'limited' | 'unique' | 'uniqueBy'
> {
  const limited = limits ? ({ limited: key ? 'key' : 'task' } as const) : {}
  if (!uniqueness) return limited
  const { key: by, ...unique } = uniqueness
  return { ...limited, unique, uniqueBy: by === undefined ? 'payload' : by === oneKey ? 'task' : 'function' }
}

/** The unique key of a payload, by what was announced. `undefined` where only a function of the task can tell. */
export function announcedUniqueKey({ uniqueBy }: TaskAnnouncement, text: string): string | null | undefined {
  if (uniqueBy === undefined) return null
  if (uniqueBy === 'function') return undefined
  return uniqueBy === 'task' ? '' : defaultUniqueKey(text)
}

/** By name. */
export type TaskAnnouncements = Readonly<Record<string, TaskAnnouncement>>

/** @param text as it stands in a worker's row; one of another version may say less */
export function readAnnouncements(text: string): TaskAnnouncements {
  return JSON.parse(text) as TaskAnnouncements
}
