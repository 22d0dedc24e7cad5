import type { Duration } from './duration.js'

/** How long an attempt may take: the soft limit alone, or both. */
export type TimeLimit = Duration | { readonly soft?: Duration; readonly hard?: Duration }

/** Milliseconds; `null`: no limit. */
export interface ResolvedTimeLimit {
  /** When the attempt's signal aborts. */
  readonly softMs: number | null
  /** When the attempt is ended, whatever it does. */
  readonly hardMs: number | null
}
