import slowRedact from '@pinojs/redact'
import type { Values } from './codec.js'

/**
 * A field of a job that nobody is to see: `payload.card.number`, `result.token`, `payload.items[*].secret`,
 * `payload["odd name"]`. It begins with what it is a part of.
 */
export type RedactedPath = `${RedactedPart}${'.' | '['}${string}`

export type RedactedPart = (typeof redactedParts)[number]

export const redactedParts = ['payload', 'result', 'progress', 'context'] as const

/** What stands in the place of a value. */
export const censor = '[redacted]'

/** Gives a copy of what it is given, with the fields hidden. What has none of them is given back as it is. */
export type Redactor = <T extends object>(value: T) => T

/** @throws {Error} when a path cannot be read */
export function createRedactor(paths: readonly string[]): Redactor {
  const redact = slowRedact({ paths: [...paths], censor, serialize: false, strict: false })
  return <T extends object>(value: T): T => {
    const { restore: _, ...redacted } = redact(value) as T & { restore?: unknown }
    return redacted as T
  }
}

const known = new Map<string, Redactor>()
const mostKnown = 1000

/** Tasks are few, and their paths are always the same. */
export function redactorFor(paths: readonly string[]): Redactor {
  const key = JSON.stringify(paths)
  const present = known.get(key)
  if (present) return present
  const redactor = createRedactor(paths)
  if (known.size < mostKnown) known.set(key, redactor)
  return redactor
}

/** JSON text of one part of a job, without what is to be hidden. `undefined` where it has none of that. */
export function redactText(
  values: Values,
  paths: readonly string[],
  part: RedactedPart,
  json: string,
): string | undefined {
  if (!paths.some((path) => path.startsWith(part))) return undefined
  const hidden = values.toText(redactorFor(paths)({ [part]: values.fromText(json) })[part])
  // What cannot be written without them is not written at all.
  return 'json' in hidden ? hidden.json : JSON.stringify(censor)
}
