import { read } from './json.js'

/** Any class of errors, also an abstract one and one with a constructor of its own. */
export type ErrorClass = abstract new (...args: never[]) => unknown

/**
 * Which errors are meant: those of a class, those with a `code` (their own, or that of a cause), or those for which a
 * function gives `true`. A class of another installed copy counts as the same, by its name.
 */
export type ErrorMatch = ErrorClass | string | ((error: unknown) => boolean)

/** Whether `thrown` is one of `matches`. Never throws: what was thrown may throw when it is looked at, and so may a function. */
export function isMatch(
  thrown: unknown,
  matches: readonly ErrorMatch[],
  onThrow: (error: unknown) => void,
): boolean {
  return matches.some((match) => {
    if (typeof match === 'string') return hasCode(thrown, match)
    if (isErrorClass(match)) return isOfClass(thrown, match)
    try {
      return match(thrown) === true
    } catch (error) {
      onThrow(error)
      return false
    }
  })
}

/** A class, and no function that is asked. */
export function isErrorClass(value: unknown): value is ErrorClass {
  if (typeof value !== 'function') return false
  return (
    value === Error ||
    value.prototype instanceof Error ||
    /^class\b/.test(Function.prototype.toString.call(value))
  )
}

const deepestCause = 5
/** A name as short as minified ones are tells nothing. */
const shortestName = 3

function isOfClass(thrown: unknown, match: ErrorClass): boolean {
  try {
    if (thrown instanceof match) return true
  } catch {
    return false
  }
  if (typeof thrown !== 'object' || thrown === null || match.name.length < shortestName) return false
  return read(thrown, 'name') === match.name || classNames(thrown).includes(match.name)
}

/** Libraries wrap what the network said: the code of a failed `fetch` stands in its cause. */
function hasCode(thrown: unknown, code: string): boolean {
  let at: unknown = thrown
  for (let depth = 0; typeof at === 'object' && at !== null && depth < deepestCause; depth += 1) {
    if (read(at, 'code') === code) return true
    at = read(at, 'cause')
  }
  return false
}

/** From the class of `thrown` up to `Error`, as it says itself. */
function classNames(thrown: object): unknown[] {
  const names: unknown[] = []
  try {
    for (let at = Object.getPrototypeOf(thrown); at && names.length < 20; at = Object.getPrototypeOf(at))
      names.push(read(Reflect.get(at, 'constructor'), 'name'))
  } catch {
    // A proxy that does not let itself be looked at.
  }
  return names
}
