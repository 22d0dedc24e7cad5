import type { StandardSchemaV1 } from '@standard-schema/spec'
import { PayloadInvalidError, type PayloadIssue, PayloadTooLargeError } from '../errors.js'
import { plainValues, type Values } from '../job/codec.js'
import { isLonger } from '../job/json.js'
import { type AnyTask, definitionOf } from './define.js'
import { type JobKeys, readKeys } from './key.js'
import { findObstacle } from './obstacle.js'

/** What a job's row takes from its payload: JSON text, and keys where its task has some. */
export type CheckedPayload = string | KeyedPayload

export interface KeyedPayload extends JobKeys {
  readonly text: string
}

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
  values = plainValues,
): string | Promise<string> {
  const text = toText(name, payload, maxBytes, values)
  const { schema } = definitionOf(task)
  const checked = schema?.['~standard'].validate(fromText(text, values))
  if (checked instanceof Promise) return checked.then((result) => checkedText(name, result, text))
  return checked ? checkedText(name, checked, text) : text
}

/**
 * The same for a task whose jobs have keys: they are made of the value that `run` will get.
 * @throws {KeyError} when a key function throws or gives no key
 */
export function toKeyedPayload(
  name: string,
  task: AnyTask,
  payload: unknown,
  maxBytes: number,
  values = plainValues,
): KeyedPayload | Promise<KeyedPayload> {
  const text = toText(name, payload, maxBytes, values)
  const { schema, ...rules } = definitionOf(task)
  const given = fromText(text, values)
  const keyed = (value: unknown) => ({ text, ...readKeys(name, rules, value, text) })
  const checked = schema?.['~standard'].validate(given)
  if (checked instanceof Promise) return checked.then((result) => keyed(checkedValue(name, result)))
  return keyed(checked ? checkedValue(name, checked) : given)
}

/**
 * A stored payload as `run` gets it, parsed anew through the schema.
 * @throws {PayloadInvalidError} when the schema refuses it by now
 */
export function fromPayloadText(name: string, task: AnyTask, text: string, values = plainValues): unknown {
  const { schema } = definitionOf(task)
  if (!schema) return fromText(text, values)
  const checked = schema['~standard'].validate(fromText(text, values))
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

/** A stored payload as a value, unchecked. */
export function fromText(text: string, values: Values): unknown {
  return text === absent ? undefined : values.fromText(text)
}

/**
 * The JSON text of a payload, unchecked but for what JSON can carry.
 * @throws {PayloadInvalidError} when JSON cannot carry it
 * @throws {PayloadTooLargeError} when its text has more than `maxBytes`
 */
export function toText(name: string, payload: unknown, maxBytes: number, values: Values): string {
  if (payload === undefined) return absent
  if (values === plainValues) assertPlain(name, payload, maxBytes)
  const text = stringify(name, payload, values)
  if (isLonger(text, maxBytes)) throw new PayloadTooLargeError(maxBytes, Buffer.byteLength(text))
  return text
}

function assertPlain(name: string, payload: unknown, maxBytes: number): void {
  const obstacle = findObstacle(payload, maxBytes)
  if (obstacle === 'too large') throw new PayloadTooLargeError(maxBytes)
  if (obstacle) throw new PayloadInvalidError(name, [obstacle])
}

/** Reading it once went well, but a getter or a `toJSON` may answer otherwise the second time. */
function stringify(name: string, payload: unknown, values: Values): string {
  const text = values.toText(payload)
  if ('json' in text) return text.json
  throw new PayloadInvalidError(name, [{ path: [], message: text.reason }])
}

function toIssue(issue: StandardSchemaV1.Issue): PayloadIssue {
  // Not `map`: some libraries bring an array class of their own, and it would make another of those.
  return { path: Array.from(issue.path ?? [], toStep), message: issue.message }
}

function toStep(step: PropertyKey | StandardSchemaV1.PathSegment): string | number {
  const key = typeof step === 'object' ? step.key : step
  return typeof key === 'symbol' ? String(key) : key
}
