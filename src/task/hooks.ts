import type { JobFacts } from '../job/facts.js'
import type { StoredError } from '../job/job.js'
import type { EndState } from '../job/state.js'
import { checkFunction } from './check.js'

/**
 * Functions that are called as a job goes on, in the process that recorded what they tell of, once it is recorded. What
 * they throw is logged; whatever they do changes nothing for the job. They hold no slot. See `docs/events.md`.
 */
export interface TaskHooks<Payload = never, Result = unknown> {
  /** Before the handler is called, in each attempt. The handler does not wait for what it promises. */
  onStart?(event: StartEvent<Payload>): unknown
  onSuccess?(event: SuccessEvent<Payload, Result>): unknown
  /** An attempt has failed, and another one follows. */
  onRetry?(event: RetryEvent<Payload>): unknown
  /** The last attempt has failed, and the job with it. */
  onFailure?(event: FailureEvent<Payload>): unknown
  onCancel?(event: CancelEvent<Payload>): unknown
  /** The job has ended, whichever way. After the hook of that end. */
  onEnd?(event: EndEvent<Payload, Result>): unknown
}

/** The same for all tasks of an app. */
export type JobHooks = TaskHooks<unknown, unknown>

interface HookEvent<Payload> {
  readonly job: JobFacts
  /** Starts so far; 0 when it ended before the first. */
  readonly attempt: number
  /** As the task's schema parses it, anew for the hooks. */
  readonly payload: Payload
}

/** An end may come because the payload cannot be parsed. */
type Uncertain<Payload> = Payload | undefined

export type StartEvent<Payload = unknown> = HookEvent<Payload>

export interface SuccessEvent<Payload = unknown, Result = unknown> extends HookEvent<Payload> {
  /** What the handler returned. */
  readonly result: Result
  /** How long the attempt took. */
  readonly ms: number
}

export interface RetryEvent<Payload = unknown> extends HookEvent<Uncertain<Payload>> {
  readonly error: StoredError
  readonly ms: number
  readonly willRetryAt: Date
}

export interface FailureEvent<Payload = unknown> extends HookEvent<Uncertain<Payload>> {
  readonly error: StoredError
  /** `null` when its worker died. */
  readonly ms: number | null
}

export interface CancelEvent<Payload = unknown> extends HookEvent<Uncertain<Payload>> {
  readonly by: string | null
  readonly reason: string | null
  /** `null` when no attempt ran. */
  readonly ms: number | null
}

/** `result` where it succeeded, `error` where it failed. */
export type EndEvent<Payload = unknown, Result = unknown> = HookEvent<Uncertain<Payload>> &
  (
    | { readonly state: 'succeeded'; readonly result: Result }
    | { readonly state: 'failed'; readonly error: StoredError }
    | { readonly state: Exclude<EndState, 'succeeded' | 'failed'> }
  )

export const hookNames = [
  'onStart',
  'onSuccess',
  'onRetry',
  'onFailure',
  'onCancel',
  'onEnd',
] as const satisfies (keyof TaskHooks)[]

export type HookName = (typeof hookNames)[number]

/** The same, checked. */
export type Hooks = Partial<Readonly<Record<HookName, (event: unknown) => unknown>>>

/** `undefined`: none. */
export function toHooks(
  options: Readonly<Record<string, unknown>>,
  at: (option: string) => string,
): Hooks | undefined {
  const said = hookNames.filter((name) => options[name] !== undefined)
  if (said.length === 0) return undefined
  for (const name of said) checkFunction(options[name], at(name))
  // Called as they were written, on the object that holds them.
  return options
}
