import type { DurationUnit } from './duration.js'

/** So many starts in each unit of time: `'100/s'`, `'30/m'`, `'1000/h'`, `'5/d'`, or `'10/30s'` for another length. */
export type Rate = `${number}/${DurationUnit}` | `${number}/${number}${DurationUnit}`

/** One limit for all jobs of the task, or one for the task and one for each of its keys. */
export type RateLimit = Rate | { readonly task?: Rate; readonly key?: Rate }

/** How many jobs run at once in the whole cluster: of the task, or of the task and of each of its keys. */
export type Concurrency = number | { readonly task?: number; readonly key?: number }

/** A rate, resolved. */
export interface Pace {
  readonly starts: number
  readonly perMs: number
}

/** What holds for one scope: a task, a key of a task, or a queue. Unsaid: no limit. */
export interface Limit {
  readonly pace?: Pace
  readonly concurrency?: number
}

/** The limits of a task, resolved. A task with neither but with a key is fair between its keys. */
export interface TaskLimits {
  readonly task: Limit
  readonly key: Limit
}

const pattern = /^(\d+(?:\.\d+)?)\/(\d+(?:\.\d+)?)?(ms|s|m|h|d)$/
const unitMs: Readonly<Record<DurationUnit, number>> = {
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
}
const longestMs = 31 * unitMs.d
const mostPerSecond = 100_000

/** `undefined` when `rate` is none: it must let at least one job start in 31 days, and at most 100,000 in a second. */
export function toPace(rate: unknown): Pace | undefined {
  const match = typeof rate === 'string' ? pattern.exec(rate.trim()) : null
  if (!match) return undefined
  const starts = Number(match[1])
  const perMs = Number(match[2] ?? 1) * unitMs[match[3] as DurationUnit]
  const isSane =
    starts > 0 && perMs > 0 && perMs / starts <= longestMs && starts / perMs <= mostPerSecond / 1000
  return isSane ? { starts, perMs } : undefined
}

/** For people, and as it was given: `100/s`, `10/30s`. */
export function tellPace({ starts, perMs }: Pace): string {
  const units = Object.entries(unitMs).sort(([, a], [, b]) => b - a)
  const [name, ms] = units.find(([, ms]) => perMs % ms === 0) ?? ['ms', 1]
  const length = perMs / ms
  return `${starts}/${length === 1 ? '' : length}${name}`
}

/** Limits as they are set while the app runs. `null` lifts one; what is unsaid stays as it was. */
export interface LimitsOptions {
  readonly rateLimit?: RateLimit | null
  readonly concurrency?: Concurrency | null
}

interface Scoped<T> {
  readonly task?: T
  readonly key?: T
}

/** The same, checked. */
export interface GivenLimits {
  readonly pace?: Scoped<Pace> | null
  readonly concurrency?: Scoped<number> | null
}

/** What was set goes before what code or configuration say, each limit by itself. */
export function withRule({ task, key }: TaskLimits, given: GivenLimits): TaskLimits {
  return { task: withGiven(task, given, 'task'), key: withGiven(key, given, 'key') }
}

function withGiven(limit: Limit, given: GivenLimits, scope: 'task' | 'key'): Limit {
  const pace = given.pace === null ? undefined : (given.pace?.[scope] ?? limit.pace)
  const concurrency =
    given.concurrency === null ? undefined : (given.concurrency?.[scope] ?? limit.concurrency)
  return { ...(pace ? { pace } : {}), ...(concurrency === undefined ? {} : { concurrency }) }
}
