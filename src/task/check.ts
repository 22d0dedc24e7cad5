import { ConfigError } from '../errors.js'
import { toMs } from '../job/duration.js'
import type { SteadyBackoff } from '../job/job.js'
import { createRedactor, redactedParts } from '../job/redact.js'
import type { GivenRetention, RetainOptions } from '../job/retain.js'
import { type ComputedBackoff, defaultBackoff, type ResolvedBackoff, saidByHand } from '../job/retry.js'
import type { EndState } from '../job/state.js'
import { hint } from '../job/suggest.js'

// What tasks and configuration check alike. `where` names the option in messages: `"attempts" of defineTask`.

/** Refuses what is no plain set of options, and every key that is not known. */
export function checkKeys(
  options: unknown,
  known: readonly string[],
  where: string,
): asserts options is Record<string, unknown> {
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    throw new ConfigError(`${where} takes an object with options, and got ${show(options)}.`)
  }
  for (const key of Object.keys(options)) {
    if (known.includes(key)) continue
    throw new ConfigError(
      `${where} has no option "${key.slice(0, 100)}".${hint(key, known)} Known: ${known.join(', ')}.`,
    )
  }
}

export function checkPositiveInteger(value: unknown, where: string): number {
  return checkInteger(value, 1, where, 'a whole number of 1 or more')
}

export function checkInteger(value: unknown, least: number, where: string, expected: string): number {
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= least) return value
  throw wrong(where, expected, value)
}

/** Milliseconds. */
export function checkDuration(value: unknown, where: string, leastMs = 0): number {
  const ms = toMs(value)
  if (ms !== undefined && ms >= leastMs) return ms
  const least = leastMs > 0 ? ` of at least ${leastMs} ms` : ''
  throw wrong(where, `a duration${least}: milliseconds as a number, or text like '30s', '5m', '2h'`, value)
}

export function checkText(value: unknown, where: string): string {
  if (typeof value === 'string' && value.trim() !== '') return value
  throw wrong(where, 'text that is not empty', value)
}

export function checkBoolean(value: unknown, where: string): boolean {
  if (typeof value === 'boolean') return value
  throw wrong(where, 'true or false', value)
}

export function checkFunction(value: unknown, where: string): void {
  if (typeof value !== 'function') throw wrong(where, 'a function', value)
}

const queuePattern = /^[^\s,:\p{Cc}]{1,100}$/u

/** The command line lists queues with commas, and the broker keeps colons for itself. */
export function checkQueue(value: unknown, where: string): string {
  if (typeof value === 'string' && queuePattern.test(value)) return value
  throw wrong(where, 'the name of a queue: 1 to 100 characters, no spaces, commas or colons', value)
}

// PostgreSQL keeps it in 31 bits, and BullMQ in 21.
const largestPriority = 2_097_151

export function checkPriority(value: unknown, where: string): number {
  const expected = `a whole number from 0 (first) to ${largestPriority}`
  const priority = checkInteger(value, 0, where, expected)
  if (priority > largestPriority) throw wrong(where, expected, value)
  return priority
}

const backoffKeys = ['type', 'delay', 'max', 'jitter'] as const satisfies (keyof SteadyBackoff)[]

/** Of a task, or of the configuration: a function may decide. */
export function checkTaskBackoff(value: unknown, where: string): ResolvedBackoff | ComputedBackoff {
  const delay = delayOf(value)
  if (typeof delay !== 'function') return checkBackoff(value, where)
  const { maxMs, jitter } = checkBounds(value, where, saidByHand)
  return Object.freeze({ type: 'function', delayOf: delay as ComputedBackoff['delayOf'], maxMs, jitter })
}

/** Plain data, that a job's row can keep. */
export function checkBackoff(value: unknown, where: string): ResolvedBackoff {
  const delay = delayOf(value)
  if (typeof delay === 'function')
    throw wrong(where, 'an object or a list of delays: a function is for a task or the configuration', delay)
  return Array.isArray(delay) ? toListed(value, delay, where) : toSteady(value, where)
}

function toSteady(value: unknown, where: string): ResolvedBackoff {
  checkKeys(value, backoffKeys, where)
  const { type, delay, max } = value
  if (type !== 'fixed' && type !== 'exponential') {
    throw wrong(`${where}.type`, "'fixed' or 'exponential'", type)
  }
  const delayMs = delay === undefined ? defaultBackoff.delayMs : checkDuration(delay, `${where}.delay`)
  const { jitter, maxMs } = checkBounds(value, where, {
    maxMs: Math.max(defaultBackoff.maxMs, delayMs),
    jitter: defaultBackoff.jitter,
  })
  if (maxMs < delayMs) throw wrong(`${where}.max`, `at least the delay (${delayMs} ms)`, max)
  return Object.freeze({ type, delayMs, maxMs, jitter })
}

/** A row keeps it, so it has an end. */
const mostDelays = 1000

function toListed(value: unknown, delays: readonly unknown[], where: string): ResolvedBackoff {
  const at = Array.isArray(value) ? where : `${where}.delay`
  if (delays.length === 0 || delays.length > mostDelays)
    throw new ConfigError(`${at} takes 1 to ${mostDelays} delays, and got ${delays.length}.`)
  const delaysMs = delays.map((delay, index) => checkDuration(delay, `${at}[${index}]`))
  return Object.freeze({
    type: 'list',
    delaysMs: Object.freeze(delaysMs),
    ...checkBounds(value, where, saidByHand),
  })
}

/** The short forms are the `delay` alone. */
function delayOf(value: unknown): unknown {
  if (typeof value === 'function' || Array.isArray(value)) return value
  return typeof value === 'object' && value !== null ? Reflect.get(value, 'delay') : undefined
}

function checkBounds(
  value: unknown,
  where: string,
  unsaid: { readonly maxMs: number; readonly jitter: number },
): { readonly maxMs: number; readonly jitter: number } {
  if (typeof value === 'function' || Array.isArray(value)) return unsaid
  checkKeys(value, backoffKeys, where)
  const { type, delay, max, jitter } = value
  if (type !== undefined && (typeof delay === 'function' || Array.isArray(delay)))
    throw new ConfigError(`${where} takes no "type" beside a list of delays or a function.`)
  if (jitter !== undefined && !(typeof jitter === 'number' && jitter >= 0 && jitter <= 1)) {
    throw wrong(`${where}.jitter`, 'a number from 0 to 1', jitter)
  }
  return {
    maxMs: max === undefined ? unsaid.maxMs : checkDuration(max, `${where}.max`),
    jitter: jitter ?? unsaid.jitter,
  }
}

/** The paths of fields that are to be hidden. */
export function checkRedact(value: unknown, where: string): readonly string[] {
  if (!Array.isArray(value)) throw wrong(where, "a list of paths such as 'payload.card.number'", value)
  return value.map((path: unknown) => checkRedactedPath(path, where))
}

const redactedStart = new RegExp(`^(?:${redactedParts.join('|')})[.[]`)

function checkRedactedPath(path: unknown, where: string): string {
  const expected = `paths that begin with ${redactedParts.join(', ')}, such as 'payload.card.number'`
  if (typeof path !== 'string' || !redactedStart.test(path)) throw wrong(where, expected, path)
  try {
    createRedactor([path])
    return path
  } catch {
    throw wrong(where, expected, path)
  }
}

const endStates = ['succeeded', 'failed', 'cancelled', 'expired'] as const satisfies EndState[]
const retainKeys = [...endStates, 'count'] as const satisfies (keyof RetainOptions)[]
/** Who waits for a job looks for its end several times a second, over HTTP less often. */
const shortestRetentionMs = 1000

export function checkRetain(value: unknown, where: string): GivenRetention {
  if (value === false) return { ages: ofAll(null), count: null }
  if (typeof value === 'number' || typeof value === 'string') return { ages: ofAll(checkAge(value, where)) }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw wrong(where, "a duration such as '7d', false, or an object with a duration for each end", value)
  }
  checkKeys(value, retainKeys, where)
  const ages: Partial<Record<EndState, number | null>> = {}
  for (const state of endStates) {
    if (value[state] !== undefined) ages[state] = checkAge(value[state], `${where}.${state}`)
  }
  return { ages, ...(value.count === undefined ? {} : { count: checkCount(value.count, `${where}.count`) }) }
}

function ofAll(ageMs: number | null): Record<EndState, number | null> {
  return { succeeded: ageMs, failed: ageMs, cancelled: ageMs, expired: ageMs }
}

function checkAge(value: unknown, where: string): number | null {
  if (value === false) return null
  const ageMs = toMs(value)
  if (ageMs === 0 || (ageMs !== undefined && ageMs >= shortestRetentionMs)) return ageMs
  throw wrong(where, `0, or a duration of at least ${shortestRetentionMs} ms: '30s', '5m', '7d'`, value)
}

function checkCount(value: unknown, where: string): number | null {
  return value === false ? null : checkPositiveInteger(value, where)
}

/** The error for an option of the wrong kind. */
export function wrong(where: string, expected: string, value: unknown): ConfigError {
  return new ConfigError(`${where} must be ${expected}, and is ${show(value)}.`)
}

/** A value in a message: short, on one line, and never what an object holds, which may be a secret. */
export function show(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value.length > 60 ? `${value.slice(0, 60)}…` : value)
  if (typeof value === 'function') return 'a function'
  if (Array.isArray(value)) return 'a list'
  if (typeof value === 'object' && value !== null) return 'an object'
  return String(value)
}
