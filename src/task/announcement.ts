import type { UniqueRule } from '../job/unique.js'
import { defaultUniqueKey } from './key.js'
import { oneKey, type ResolvedPolicy } from './policy.js'

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
