import { hash } from 'node:crypto'
import { KeyError } from '../errors.js'
import { toStoredError } from '../job/json.js'
import { isPlain } from '../job/text.js'
import type { ResolvedPolicy } from './policy.js'

/** By what a job takes its turn, and by what it is one of its kind. */
export interface JobKeys {
  /** Of a job with limits: its key, or empty. */
  readonly limitKey: string | null
  /** Of a job that is to be unique. */
  readonly uniqueKey: string | null
}

/** A key as columns hold it: longer ones are hashed where they only need to differ. */
export const longestKey = 255

/**
 * @param value the payload as `run` will get it
 * @param text the payload as given, in JSON
 * @throws {KeyError} when a key function throws or gives no key
 */
export function readKeys(
  name: string,
  { limits, key, uniqueness }: Pick<ResolvedPolicy, 'limits' | 'key' | 'uniqueness'>,
  value: unknown,
  text: string,
): JobKeys {
  return {
    limitKey: limits ? (key ? readLimitKey(name, key, value) : '') : null,
    uniqueKey: uniqueness
      ? uniqueness.key
        ? readUniqueKey(name, uniqueness.key, value)
        : defaultUniqueKey(text)
      : null,
  }
}

/**
 * What `key` says of a payload: a text of 1 to 255 plain characters. A number is taken as text.
 * @throws {KeyError}
 */
export function readLimitKey(name: string, key: (payload: unknown) => unknown, value: unknown): string {
  const found = call(name, '"key"', key, value)
  const text = typeof found === 'number' && Number.isFinite(found) ? String(found) : found
  if (typeof text === 'string' && text !== '' && text.length <= longestKey && isPlain(text)) return text
  throw new KeyError(
    name,
    `"key" of task "${name}" must give a text of 1 to ${longestKey} characters without control characters. It gave ${show(found)}.`,
  )
}

function readUniqueKey(name: string, key: (payload: unknown) => unknown, value: unknown): string {
  const found = call(name, 'The key by which jobs are unique', key, value)
  if (typeof found === 'number' && Number.isFinite(found)) return String(found)
  if (typeof found === 'string') return toStorableKey(found)
  throw new KeyError(
    name,
    `The key by which jobs of task "${name}" are unique must be a text. The function gave ${show(found)}.`,
  )
}

/** The payload as given, whatever the order of its fields. */
export function defaultUniqueKey(text: string): string {
  return toStorableKey(toCanonicalText(JSON.parse(text)))
}

/** What is long, or PostgreSQL could not hold, is told apart by its hash. */
function toStorableKey(key: string): string {
  if (key.length <= longestKey && isPlain(key) && !key.startsWith(hashed)) return key
  return hashed + hash('sha256', JSON.stringify(key), 'base64url')
}

const hashed = 'sha256:'

function toCanonicalText(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) => (isRecord(inner) ? inOrder(inner) : inner))
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function inOrder(record: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(record).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)))
}

function call(name: string, what: string, key: (payload: unknown) => unknown, value: unknown): unknown {
  try {
    return key(value)
  } catch (cause) {
    throw new KeyError(name, `${what} of task "${name}" has thrown: ${messageOf(cause)}`, { cause })
  }
}

function messageOf(thrown: unknown): string {
  return toStoredError(thrown).message
}

function show(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value.slice(0, 80))
  if (value instanceof Promise) return 'a promise: it must answer at once'
  const kind = value === null ? 'null' : typeof value
  return kind === 'object' ? 'an object' : kind === 'number' ? String(value) : kind
}
