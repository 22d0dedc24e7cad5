import { ConfigError } from '../errors.js'
import { type GivenLimits, type Limit, type LimitsOptions, tellPace } from '../job/limit.js'
import { checkKeys } from './check.js'
import { checkConcurrency, checkRateLimit } from './policy.js'

/**
 * What is said of limits while the app runs: `null` lifts one, what is unsaid stays.
 * @throws {ConfigError}
 */
export function checkLimits(value: unknown, where: string, scopes: readonly ('task' | 'key')[]): GivenLimits {
  checkKeys(value, ['rateLimit', 'concurrency'], where)
  const { rateLimit, concurrency } = value
  if (rateLimit === undefined && concurrency === undefined)
    throw new ConfigError(`${where} must say "rateLimit", "concurrency" or both; null lifts a limit.`)
  const given: GivenLimits = {
    ...(rateLimit === undefined
      ? {}
      : { pace: rateLimit === null ? null : checkRateLimit(rateLimit, `${where}.rateLimit`) }),
    ...(concurrency === undefined
      ? {}
      : { concurrency: concurrency === null ? null : checkConcurrency(concurrency, `${where}.concurrency`) }),
  }
  const isByKey = given.pace?.key !== undefined || given.concurrency?.key !== undefined
  if (isByKey && !scopes.includes('key')) throw new ConfigError(`${where} has no limits by key.`)
  return given
}

/** A stored rule; `undefined` for one that this version does not understand. */
export function readRule(text: string): GivenLimits | undefined {
  try {
    return checkLimits(JSON.parse(text), 'A limit that was set', ['task', 'key'])
  } catch {
    return undefined
  }
}

/** A stored rule as it was given. */
export function parseRule(text: string): LimitsOptions {
  return JSON.parse(text) as LimitsOptions
}

/** As options say it. */
export function tellLimit({ pace, concurrency }: Limit): {
  rateLimit: string | null
  concurrency: number | null
} {
  return { rateLimit: pace ? tellPace(pace) : null, concurrency: concurrency ?? null }
}
