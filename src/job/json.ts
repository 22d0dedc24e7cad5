import { withoutPasswords } from './address.js'
import type { StoredError } from './job.js'

/** JSON text of `value`, or why JSON cannot carry it. Never throws, whatever `value` does. */
export type JsonText = { readonly json: string } | { readonly reason: string }

const longestMessage = 10_000
const longestStack = 20_000
const unreadable = 'An error that cannot be read'

/** `undefined` becomes `null`: a task that returns nothing has a result. */
export function toJsonText(value: unknown): JsonText {
  if (value === undefined) return { json: 'null' }
  try {
    const json: string | undefined = JSON.stringify(value)
    return json === undefined ? { reason: `JSON cannot carry a ${typeof value}` } : { json }
  } catch (error) {
    return { reason: `JSON cannot carry the value: ${toPlainText(toStoredError(error).message)}` }
  }
}

/** As {@link toJsonText}, refusing what is longer than `maxBytes` of UTF-8. */
export function toLimitedJsonText(value: unknown, maxBytes: number): JsonText {
  return limitText(toJsonText(value), maxBytes)
}

/** The text, or that it has more than `maxBytes` in UTF-8. */
export function limitText(text: JsonText, maxBytes: number): JsonText {
  if ('reason' in text || !isLonger(text.json, maxBytes)) return text
  return {
    reason: `the value has ${Buffer.byteLength(text.json)} bytes of JSON, and the limit is ${maxBytes}`,
  }
}

/** Whether `text` has more than `maxBytes` in UTF-8; counts only when its length leaves a doubt. */
export function isLonger(text: string, maxBytes: number): boolean {
  if (text.length > maxBytes) return true
  return text.length * 3 > maxBytes && Buffer.byteLength(text) > maxBytes
}

/**
 * What was thrown, as plain data. Anything can be thrown: `null`, a string, an error whose `message` getter throws, a
 * revoked proxy. Whatever can be read is kept, capped, and made storable; passwords in addresses are masked.
 */
export function toStoredError(thrown: unknown): StoredError {
  if (typeof thrown !== 'object' || thrown === null) {
    return { name: 'NonError', message: withoutPasswords(cap(`Thrown: ${describe(thrown)}`, longestMessage)) }
  }
  const code = text(read(thrown, 'code'))
  const stack = stackOf(thrown)
  return {
    name: text(read(thrown, 'name')) ?? 'Error',
    message: cap(text(read(thrown, 'message')) ?? messageOf(thrown), longestMessage),
    ...(code === undefined ? {} : { code }),
    ...(stack === undefined ? {} : { stack }),
  }
}

/** Whether an error was thrown. A proxy that has been revoked answers no question. */
export function isError(thrown: unknown): thrown is Error {
  try {
    return thrown instanceof Error
  } catch {
    return false
  }
}

/** What a text column takes: PostgreSQL refuses NUL, and UTF-8 has no lone surrogates. */
export function toPlainText(value: string): string {
  return value.replaceAll('\0', '\ufffd').replace(/\p{Surrogate}/gu, '\ufffd')
}

function stackOf(thrown: object): string | undefined {
  const lines: string[] = []
  for (let at: unknown = thrown, depth = 0; typeof at === 'object' && at !== null && depth < 5; depth += 1) {
    const stack = text(read(at, 'stack'))
    if (stack) lines.push(depth === 0 ? stack : `Caused by: ${stack}`)
    at = read(at, 'cause')
  }
  return lines.length === 0 ? undefined : cap(lines.join('\n'), longestStack)
}

function messageOf(thrown: object): string {
  const json = toJsonText(thrown)
  return 'json' in json && json.json !== '{}' ? withoutPasswords(json.json) : unreadable
}

/** `undefined` where it cannot be read. */
export function read(from: object, key: string): unknown {
  try {
    return Reflect.get(from, key)
  } catch {
    return undefined
  }
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? withoutPasswords(cap(value, longestStack)) : undefined
}

function describe(value: unknown): string {
  return typeof value === 'symbol' ? value.toString() : `${value}`
}

function cap(value: string, length: number): string {
  return value.length <= length
    ? value
    : `${value.slice(0, length)} … (${value.length - length} characters more)`
}
