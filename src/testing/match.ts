import { isDeepStrictEqual } from 'node:util'

/** Asymmetric matchers of Vitest and Jest: `expect.any(String)`, `expect.objectContaining({ … })`. */
interface Matcher {
  asymmetricMatch(value: unknown): boolean
}

/**
 * Whether `value`, as it was kept, is what `expected` would be, had it been kept. Matchers may stand anywhere in
 * `expected`.
 */
export function matches(value: unknown, expected: unknown): boolean {
  if (isMatcher(expected)) return expected.asymmetricMatch(value)
  const wanted = toKept(expected)
  const given = toKept(value)
  if (!isPlain(wanted) || !isPlain(given)) return isDeepStrictEqual(given, wanted)
  if (Array.isArray(wanted) !== Array.isArray(given)) return false
  const fields = fieldsOf(wanted)
  const found = new Map(fieldsOf(given))
  return fields.length === found.size && fields.every(([key, each]) => matches(found.get(key), each))
}

/** As `JSON.stringify` takes it, one level deep. */
function toKept(value: unknown): unknown {
  if (typeof value === 'number' && !Number.isFinite(value)) return null
  if (Object.is(value, -0)) return 0
  const isOdd = typeof value === 'object' && value !== null && 'toJSON' in value
  return isOdd && typeof value.toJSON === 'function' ? value.toJSON('') : value
}

function isPlain(value: unknown): value is object {
  if (typeof value !== 'object' || value === null) return false
  return Array.isArray(value) || !(value instanceof Map || value instanceof Set || ArrayBuffer.isView(value))
}

/** What is undefined is not kept, but in a list, where it is `null`. */
function fieldsOf(value: object): [string, unknown][] {
  if (Array.isArray(value)) return value.map((each, at) => [String(at), each ?? null])
  return Object.entries(value).filter(([, each]) => each !== undefined)
}

function isMatcher(value: unknown): value is Matcher {
  const isObject = typeof value === 'object' && value !== null && 'asymmetricMatch' in value
  return isObject && typeof value.asymmetricMatch === 'function'
}
