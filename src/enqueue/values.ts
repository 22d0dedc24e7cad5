import type { Request } from 'express'
import { EnqueueOptionError } from '../errors.js'
import { isLonger, toJsonText } from '../job/json.js'

/** They are in each row, and read with each claim. */
const mostBytes = 4096

/**
 * Values of the app's own, as they come back from JSON.
 * @throws {EnqueueOptionError} when JSON cannot carry them, or they are many
 */
export function readValues(
  valuesOf: (req: Request) => Readonly<Record<string, unknown>> | undefined,
  req: Request,
): Readonly<Record<string, unknown>> | undefined {
  const given = valuesOf(req) ?? undefined
  if (given === undefined) return undefined
  if (typeof given !== 'object' || Array.isArray(given) || given instanceof Promise)
    throw new EnqueueOptionError(`"context" must give an object of plain values, at once. ${told(given)}`)
  const text = toJsonText(given)
  if ('reason' in text)
    throw new EnqueueOptionError(`"context" gave what a job cannot carry: ${text.reason}.`)
  if (isLonger(text.json, mostBytes))
    throw new EnqueueOptionError(`"context" gave more than ${mostBytes} bytes of JSON.`)
  return JSON.parse(text.json) as Record<string, unknown>
}

function told(given: unknown): string {
  if (given instanceof Promise) return 'It gave a promise.'
  return `It gave ${Array.isArray(given) ? 'a list' : `a ${typeof given}`}.`
}
