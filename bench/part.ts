import type { Finding } from './finding.js'
import type { Servers } from './servers.js'

/** What one part of the bench is told on the command line. */
export interface Settings {
  /** How often each contender is measured. Each part has its own default. */
  readonly rounds: number | undefined
  /** How long one measurement takes, where time decides. */
  readonly seconds: number | undefined
  /** Small sizes: to see that a part runs to its end. Its figures mean nothing. */
  readonly quick: boolean
  /** Another checkout of this project, built: what it does is measured beside this one. */
  readonly against: string | undefined
  /** Writes a CPU profile of each contender's measured rounds to `bench/profiles/`. */
  readonly profile: boolean
}

/** Measures, alternating between the contenders, and says what was found. */
export type Part = (servers: Servers, settings: Settings) => Promise<Finding[]>
