import type { StandardSchemaV1 } from '@standard-schema/spec'
import { PayloadInvalidError, type PayloadIssue, PayloadTooLargeError } from '../errors.js'
import { isLonger } from '../job/json.js'
import { type AnyTask, definitionOf } from './define.js'
import { findObstacle } from './obstacle.js'

/**
 * JSON for no payload at all. It reads as `null` everywhere, and differs from a `null` that was given by its space,
 * so that an attempt gets `undefined` back and defaults of parameters and schemas apply.
 */
const absent = ' null'

/**
 * The JSON text of a payload, as the row keeps it, once it has passed the task's schema.
 *
 * What is checked is the text read back, the same that each attempt will check: a `Date` given for `z.date()` is
 * refused here and not later. Gives a promise only where the schema does: most are at once.
 *
 * @param name the task's name, for messages
 * @throws {PayloadInvalidError} when JSON cannot carry it or the schema refuses it
 * @throws {PayloadTooLargeError} when its text has more than `maxBytes`
 */
export function toPayloadText(
  name: string,
  task: AnyTask,
  payload: unknown,
  maxBytes: number,
): string | Promise<string> {
  const text = toText(name, payload, maxBytes)
  const { schema } = definitionOf(task)
  const checked = schema?.['~standard'].validate(fromText(text))
  if (checked instanceof Promise) return checked.then((result) => checkedText(name, result, text))
  return checked ? checkedText(name, checked, text) : text
}

/**
 * A stored payload as `run` gets it, parsed anew through the schema.
 * @throws {PayloadInvalidError} when the schema refuses it by now
 */
export function fromPayloadText(name: string, task: AnyTask, text: string): unknown {
  const { schema } = definitionOf(task)
  if (!schema) return fromText(text)
  const checked = schema['~standard'].validate(fromText(text))
  return checked instanceof Promise
    ? checked.then((result) => checkedValue(name, result))
    : checkedValue(name, checked)
}

function checkedText(name: string, result: StandardSchemaV1.Result<unknown>, text: string): string {
  checkedValue(name, result)
  return text
}

function checkedValue(name: string, result: StandardSchemaV1.Result<unknown>): unknown {
  if (result.issues) throw new PayloadInvalidError(name, result.issues.map(toIssue))
  return result.value
}

function fromText(text: string): unknown {
  return text === absent ? undefined : JSON.parse(text)
}

function toText(name: string, payload: unknown, maxBytes: number): string {
  if (payload === undefined) return absent
  const obstacle = findObstacle(payload, maxBytes)
  if (obstacle === 'too large') throw new PayloadTooLargeError(maxBytes)
  if (obstacle) throw new PayloadInvalidError(name, [obstacle])
  const text = stringify(name, payload)
  if (isLonger(text, maxBytes)) throw new PayloadTooLargeError(maxBytes, Buffer.byteLength(text))
  return text
}

/** Reading it once went well, but a getter or a `toJSON` may answer otherwise the second time. */
function stringify(name: string, payload: unknown): string {
  let text: string | undefined
  try {
    text = JSON.stringify(payload)
  } catch {
    text = undefined
  }
  if (text !== undefined) return text
  throw new PayloadInvalidError(name, [{ path: [], message: 'JSON cannot carry it' }])
}

function toIssue(issue: StandardSchemaV1.Issue): PayloadIssue {
  // Not `map`: some libraries bring an array class of their own, and it would make another of those.
  return { path: Array.from(issue.path ?? [], toStep), message: issue.message }
}

function toStep(step: PropertyKey | StandardSchemaV1.PathSegment): string | number {
  const key = typeof step === 'object' ? step.key : step
  return typeof key === 'symbol' ? String(key) : key
}
