import type { Concurrency, RateLimit } from '../job/limit.js'
import type { TimeLimit } from '../job/time-limit.js'
import type { LogLevel } from '../telemetry/log.js'
import type { HealthReason } from '../telemetry/readiness.js'

/** What workers can be asked, and what they answer: the whole list, and nothing else is ever done for a command. */
export interface Verbs {
  ping: { args: object; reply: 'pong' }
  /** Lets running jobs finish, or with `now` gives them back at once; then the process ends. */
  shutdown: {
    args: { readonly now: boolean }
    /** `stays`: a worker inside another process, which goes on without it. */
    reply: { readonly running: number; readonly process: 'ends' | 'stays' }
  }
  'pool-grow': { args: { readonly by: number }; reply: PoolReply }
  'pool-shrink': { args: { readonly by: number }; reply: PoolReply }
  autoscale: { args: { readonly range: AutoscaleRange | null }; reply: PoolReply }
  /** Threads and processes of the pool are replaced, each when its job has ended. */
  'pool-restart': { args: object; reply: { readonly replaced: number } }
  'queue-add': { args: { readonly queue: string }; reply: { readonly queues: readonly string[] } }
  'queue-remove': { args: { readonly queue: string }; reply: { readonly queues: readonly string[] } }
  'log-level': { args: { readonly level: LogLevel }; reply: { readonly level: LogLevel } }
  /** Forgets what was set for this worker: its configuration and flags hold again. */
  reset: { args: object; reply: PoolReply & { readonly queues: readonly string[] } }
  /** Learns what was set for all, and says so. What it is stands in the store, and here for the audit alone. */
  pause: { args: { readonly queue: string }; reply: { readonly paused: readonly string[] } }
  resume: { args: { readonly queue: string }; reply: { readonly paused: readonly string[] } }
  'rate-limit': { args: { readonly scope: string; readonly rateLimit: RateLimit | null }; reply: 'set' }
  concurrency: { args: { readonly scope: string; readonly concurrency: Concurrency | null }; reply: 'set' }
  'limit-reset': { args: { readonly scope: string }; reply: 'set' }
  'time-limit': { args: { readonly task: string; readonly timeLimit: TimeLimit | null }; reply: 'set' }

  active: { args: object; reply: readonly ActiveJob[] }
  reserved: { args: object; reply: readonly ReservedJob[] }
  registered: { args: object; reply: readonly string[] }
  stats: { args: object; reply: WorkerStats }
  queues: { args: object; reply: readonly ServedQueue[] }
  conf: { args: object; reply: Readonly<Record<string, unknown>> }
  report: { args: object; reply: WorkerReport }
}

export type Verb = keyof Verbs
export type ArgsOf<V extends Verb> = Verbs[V]['args']
export type ReplyOf<V extends Verb> = Verbs[V]['reply']

/** Whether a verb only asks. Everything else changes something. */
export const verbs: Readonly<Record<Verb, 'question' | 'order'>> = Object.freeze({
  ping: 'question',
  shutdown: 'order',
  'pool-grow': 'order',
  'pool-shrink': 'order',
  autoscale: 'order',
  'pool-restart': 'order',
  'queue-add': 'order',
  'queue-remove': 'order',
  'log-level': 'order',
  reset: 'order',
  pause: 'order',
  resume: 'order',
  'rate-limit': 'order',
  concurrency: 'order',
  'limit-reset': 'order',
  'time-limit': 'order',
  active: 'question',
  reserved: 'question',
  registered: 'question',
  stats: 'question',
  queues: 'question',
  conf: 'question',
  report: 'question',
})

export function isVerb(text: string): text is Verb {
  return Object.hasOwn(verbs, text)
}

/** How many jobs a worker may run at once, at least and at most. */
export interface AutoscaleRange {
  readonly min: number
  readonly max: number
}

export interface PoolReply {
  readonly concurrency: number
  /** `null`: it stays as it is. */
  readonly autoscale: AutoscaleRange | null
}

export interface ActiveJob {
  readonly id: string
  readonly task: string
  readonly queue: string
  readonly attempt: number
  readonly owner: string | null
  readonly pool: string
  readonly runningMs: number
  readonly isCancelling: boolean
}

/** Claimed, and not begun. */
export interface ReservedJob {
  readonly id: string
  readonly task: string
  readonly queue: string
  readonly waitingMs: number
}

export interface ServedQueue {
  readonly queue: string
  readonly isPaused: boolean
}

/** What a worker says of itself, every few seconds, in its row. */
export interface WorkerStats {
  /** Milliseconds since it started. */
  readonly uptimeMs: number
  readonly concurrency: number
  readonly autoscale: AutoscaleRange | null
  readonly running: number
  /** Claimed, and not begun. */
  readonly reserved: number
  /** Ends that the store has not yet recorded. */
  readonly unsettled: number
  /** Attempts that have ended since the start, and how. */
  readonly processed: number
  readonly outcomes: Readonly<Record<string, number>>
  /** Threads and processes of its pool. */
  readonly children: number
  /** Bytes. */
  readonly memory: { readonly rss: number; readonly heapUsed: number; readonly heapTotal: number }
  /** Milliseconds of the last seconds: p99 of what the event loop was late. */
  readonly loopDelayMs: number
  /** Part of one core that the process used in the last seconds. */
  readonly cpu: number
  /** Of the machine, over one, five and fifteen minutes. */
  readonly load: readonly number[]
  readonly paused: readonly string[]
  readonly logLevel: string
  /** What keeps it from its work. Empty when nothing does. */
  readonly reasons: readonly HealthReason[]
}

/** What a worker says of itself every few seconds, as its row keeps it. */
export interface WorkerWord extends WorkerStats {
  /** Ids of jobs that it runs, longest first, of the first hundred. */
  readonly active: readonly string[]
}

export interface WorkerReport {
  readonly celeriac: string
  readonly node: string
  readonly platform: string
  readonly app: string | null
  readonly packages: Readonly<Record<string, string>>
  readonly broker: string
  readonly store: string
  readonly conf: Readonly<Record<string, unknown>>
}
