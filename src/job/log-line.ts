import { withoutPasswords } from './address.js'
import { isLonger, toPlainText, toStoredError } from './json.js'

/** What was logged, as it can be kept: plain and capped. */
export interface PlainLine {
  readonly message: string
  /** JSON text; `null` when there was nothing beside the message. */
  readonly details: string | null
}

/** Gives a copy without what nobody is to see. */
export type Hide = (details: object) => object

const asItIs: Hide = (details) => details

const longestMessage = 4096
const mostDetailBytes = 8192
const deepest = 6
const mostEntries = 100
/** Values that are looked at for one line, however they are nested. */
const mostValues = 1000
const longestText = 2048

/**
 * One line from the arguments of a log method: `(message)`, `(details, message)` or `(error)`. Never throws, whatever is
 * in them, and takes no longer for what is huge.
 *
 * @param hide called with the plain details
 */
export function toPlainLine(first: unknown, second?: unknown, hide: Hide = asItIs): PlainLine {
  if (typeof first !== 'object' || first === null) {
    const message = second === undefined ? toText(first) : `${toText(first)} ${toText(second)}`
    return { message: capped(message, longestMessage), details: null }
  }
  const details = isError(first) ? { err: first } : first
  const message = second === undefined ? messageIn(first) : toText(second)
  return { message: capped(message, longestMessage), details: toDetails(details, hide) }
}

function messageIn(value: object): string {
  if (isError(value)) return toStoredError(value).message
  const message = read(value, 'msg')
  return typeof message === 'string' ? message : ''
}

function toDetails(value: object, hide: Hide): string | null {
  const plain = toPlain(value)
  const json = JSON.stringify(typeof plain === 'object' && plain !== null ? hide(plain) : plain)
  if (json === '{}') return null
  if (!isLonger(json, mostDetailBytes)) return json
  return JSON.stringify({
    omitted: `The details have ${Buffer.byteLength(json)} bytes of JSON, and ${mostDetailBytes} are kept.`,
  })
}

/** A copy that JSON can carry. */
function toPlain(value: object): unknown {
  let left = mostValues
  const above: object[] = []
  return copy(value)

  function copy(from: unknown): unknown {
    left -= 1
    if (left < 0) return '[more]'
    if (typeof from === 'string') return capped(from, longestText)
    if (typeof from === 'object' && from !== null) return copyObject(from)
    if (typeof from === 'boolean' || from === null) return from
    if (typeof from === 'number') return Number.isFinite(from) ? from : String(from)
    return from === undefined ? undefined : toText(from)
  }

  function copyObject(from: object): unknown {
    if (above.includes(from)) return '[circular]'
    if (above.length >= deepest) return '[deep]'
    if (isError(from)) return toStoredError(from)
    above.push(from)
    try {
      if (from instanceof Date) return Number.isNaN(from.getTime()) ? 'Invalid Date' : from.toISOString()
      if (ArrayBuffer.isView(from)) return `[${from.byteLength} bytes]`
      if (Array.isArray(from)) return entriesOf(from.length).map((index) => copy(read(from, String(index))))
      return Object.fromEntries(
        Object.keys(from)
          .slice(0, mostEntries)
          .map((key) => [toPlainText(key), copy(read(from, key))]),
      )
    } catch {
      return '[unreadable]'
    } finally {
      above.pop()
    }
  }
}

function entriesOf(length: number): number[] {
  return Array.from({ length: Math.min(length, mostEntries) }, (_, index) => index)
}

function isError(value: object): boolean {
  try {
    return value instanceof Error
  } catch {
    return false
  }
}

function read(from: object, key: string): unknown {
  try {
    return Reflect.get(from, key)
  } catch {
    return '[unreadable]'
  }
}

function toText(value: unknown): string {
  try {
    return String(value)
  } catch {
    return '[unreadable]'
  }
}

function capped(text: string, length: number): string {
  if (text.length <= length) return toKept(text)
  return `${toKept(text.slice(0, length))} … (${text.length - length} characters more)`
}

function toKept(text: string): string {
  return toPlainText(withoutPasswords(text))
}
