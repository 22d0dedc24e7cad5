import * as errors from '../../errors.js'
import { isError, toJsonText, toStoredError } from '../../job/json.js'

/** An error on its way between a worker and its child: of its own class again on the other side, where it is one of ours. */
export interface ErrorRecord {
  readonly name: string
  readonly message: string
  readonly stack?: string
  /** Its own fields, as far as JSON carries them: `code`, `issues`, … */
  readonly facts: Readonly<Record<string, unknown>>
}

export function toErrorRecord(thrown: unknown): ErrorRecord {
  const { name, message, code, stack } = toStoredError(thrown)
  return {
    name,
    message,
    ...(stack === undefined ? {} : { stack }),
    facts: { ...factsOf(thrown), ...(code === undefined ? {} : { code }) },
  }
}

export function fromErrorRecord({ name, message, stack, facts }: ErrorRecord): Error {
  const error = new Error(message)
  const prototype = prototypeOf(name)
  if (prototype) Object.setPrototypeOf(error, prototype)
  define(error, 'name', name)
  if (stack !== undefined) define(error, 'stack', stack)
  return Object.assign(error, facts)
}

function define(error: Error, key: string, value: string): void {
  Object.defineProperty(error, key, { value, configurable: true, writable: true })
}

function factsOf(thrown: unknown): Record<string, unknown> {
  if (!isError(thrown)) return {}
  const text = toJsonText({ ...thrown, name: undefined, message: undefined, stack: undefined })
  return 'json' in text ? (JSON.parse(text.json) as Record<string, unknown>) : {}
}

function prototypeOf(name: string): object | undefined {
  const found = new Map<string, unknown>(Object.entries(errors)).get(name)
  if (typeof found !== 'function') return undefined
  return found.prototype instanceof errors.CeleriacError ? found.prototype : undefined
}
