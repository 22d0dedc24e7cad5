import type { Duration } from './duration.js'

/** Which jobs of a task count as the same, and for how long there is only one of them. */
export interface UniqueOptions<Payload = never> {
  /** What makes two jobs the same. Default: the whole payload. */
  key?(payload: Payload): string
  /**
   * `queued`: while one waits; when it has started, another may be enqueued. `running`: until it has ended. `window`:
   * for `window` from the first call on, whatever becomes of it. Default `running`.
   */
  readonly while?: 'queued' | 'running' | 'window'
  /** Needed for `while: 'window'`, and for that alone. */
  readonly window?: Duration
}

/** At most one job in each `window`, the first; `unique` with `while: 'window'`. */
export type ThrottleOptions<Payload = never> =
  | Duration
  | { readonly window: Duration; key?(payload: Payload): string }

/** One job for a burst of calls: each call puts it off, and its payload is that of the last call. */
export interface DebounceOptions<Payload = never> {
  /** How long it must have been quiet. */
  readonly delay: Duration
  /** It is not put off for longer than this, from the first call on. Default: no end. */
  readonly max?: Duration
  /** What makes two calls the same. Default: the task alone, whatever the payload. */
  key?(payload: Payload): string
}

/** The same, resolved. `key` is `undefined` for the whole payload. */
export type Uniqueness = { readonly key: ((payload: unknown) => unknown) | undefined } & UniqueRule

/** For how long there is only one. */
export type UniqueRule =
  | { readonly mode: 'queued' | 'running' }
  | { readonly mode: 'window'; readonly windowMs: number }
  | { readonly mode: 'debounce'; readonly delayMs: number; readonly maxMs: number | null }
