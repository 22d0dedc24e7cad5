import type { PayloadIssue } from '../errors.js'
import { toStoredError } from '../job/json.js'

/** Deeper than any honest payload, and shallow enough for every recursion that will walk it. */
const deepest = 1000

type Path = (string | number)[]

/**
 * What keeps JSON from carrying `value` whole, and where; `'too large'` when its text is sure to pass `maxBytes`;
 * `undefined` when nothing does.
 *
 * `JSON.stringify` alone throws on some of it, drops a function without a word, turns `NaN` into `null` and a `Map`
 * into `{}`, and never ends on a small graph that repeats itself often. The walk stops at the first obstacle, and at
 * the size limit, whatever the graph.
 */
export function findObstacle(value: unknown, maxBytes: number): PayloadIssue | 'too large' | undefined {
  const walk: Walk = { path: [], ancestors: [], bytesLeft: maxBytes }
  try {
    visit(walk, '', value)
    return undefined
  } catch (thrown) {
    if (thrown === tooLarge) return 'too large'
    const message =
      thrown instanceof Obstacle ? thrown.message : `cannot be read: ${toStoredError(thrown).message}`
    return { path: walk.path.slice(0, longestPath), message }
  }
}

const longestPath = 20

interface Walk {
  /** Left as it was at an obstacle, so that it says where. */
  readonly path: Path
  readonly ancestors: object[]
  /** A lower bound: escapes and multi-byte letters are not counted. */
  bytesLeft: number
}

class Obstacle extends Error {}
const tooLarge = new Error('too large')

function visit(walk: Walk, key: string | number, given: unknown): void {
  const value = hasToJson(given) ? given.toJSON(String(key)) : given
  if (typeof value === 'object' && value !== null) visitObject(walk, value)
  else visitPrimitive(walk, value)
}

function hasToJson(value: unknown): value is { toJSON(key: string): unknown } {
  return (
    typeof value === 'object' && value !== null && 'toJSON' in value && typeof value.toJSON === 'function'
  )
}

function visitPrimitive(walk: Walk, value: unknown): void {
  const reason = reasonAgainst(value)
  if (reason) throw new Obstacle(reason)
  spend(walk, typeof value === 'string' ? value.length + 2 : 1)
}

function reasonAgainst(value: unknown): string | undefined {
  if (typeof value === 'number' && !Number.isFinite(value)) return `is ${value}, which JSON does not have`
  if (typeof value === 'bigint') return 'is a BigInt, which JSON does not have: pass a string or a number'
  if (typeof value === 'function') return 'is a function, which JSON cannot carry'
  if (typeof value === 'symbol') return 'is a symbol, which JSON cannot carry'
  return undefined
}

function visitObject(walk: Walk, value: object): void {
  const reason = reasonAgainstObject(value)
  if (reason) throw new Obstacle(reason)
  if (walk.ancestors.length >= deepest) throw new Obstacle(depthReason(walk.ancestors))
  walk.ancestors.push(value)
  spend(walk, 2)
  if (Array.isArray(value)) visitItems(walk, value)
  else visitProperties(walk, value)
  walk.ancestors.pop()
}

/** Without a `toJSON` of their own, these would arrive as `{}`. */
function reasonAgainstObject(value: object): string | undefined {
  if (value instanceof Promise) return 'is a promise: await it first'
  if (value instanceof Map || value instanceof Set) {
    return `is a ${value.constructor.name}, which JSON turns into {}: pass an object or an array`
  }
  if (value instanceof RegExp || value instanceof Error) {
    return 'is a RegExp or an Error, which JSON turns into {}: pass its text'
  }
  if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer) {
    return 'is binary data, which JSON cannot carry: pass base64 text, or store it and pass a reference'
  }
  return undefined
}

/** A cycle is looked for only here: it always leads here, and most payloads never do. */
function depthReason(ancestors: readonly object[]): string {
  const isCycle = new Set(ancestors).size < ancestors.length
  return isCycle
    ? 'refers back to itself, which JSON cannot carry'
    : `is nested more than ${deepest} levels deep`
}

function visitItems(walk: Walk, items: readonly unknown[]): void {
  for (let index = 0; index < items.length; index += 1) {
    walk.path.push(index)
    visit(walk, index, items[index])
    walk.path.pop()
  }
}

function visitProperties(walk: Walk, value: object): void {
  for (const [key, property] of Object.entries(value)) {
    if (property === undefined) continue
    walk.path.push(key)
    spend(walk, key.length + 3)
    visit(walk, key, property)
    walk.path.pop()
  }
}

function spend(walk: Walk, bytes: number): void {
  walk.bytesLeft -= bytes
  if (walk.bytesLeft < 0) throw tooLarge
}
