import type { Request } from 'express'
import type { AskOptions } from '../../control/door.js'
import { ConfigError } from '../../errors.js'
import { toMs } from '../../job/duration.js'
import { checkKeys } from '../../task/check.js'
import type { Visitor } from '../access.js'
import type { DashboardDeps } from '../dashboard.js'

/** A body without its place in the protocol. */
export type Body = Readonly<Record<string, unknown>>

export interface BodyRules {
  readonly body?: 'any' | readonly string[]
  readonly hasPayload?: boolean
}

/** Bytes of what stands beside a payload. */
const besidePayload = 16_384

/**
 * The JSON body of a request; `undefined` where its route has none.
 * @throws {ConfigError} when it is no object, or has another field
 */
export async function readBody(
  { readBody: read, config }: DashboardDeps,
  req: Request,
  { body: fields, hasPayload = false }: BodyRules,
  where: string,
): Promise<Body | undefined> {
  if (fields === undefined) return undefined
  const body = (await (hasPayload ? read(req, config.maxPayload + besidePayload) : read(req))) ?? {}
  if (typeof body !== 'object' || Array.isArray(body))
    throw new ConfigError('The body must be a JSON object.')
  if (fields !== 'any') checkKeys(body, fields, `The body of "${where}"`)
  return body as Body
}

export const longestDeadlineMs = 30_000
const mostNames = 100
const longestName = 300
/** Each makes the comparison of a long name dearer. */
const mostStars = 3

/**
 * How to ask, from what a client says.
 * @throws {ConfigError} when it is not of the usual form
 */
export function toAskOptions(
  { visitor, from }: { readonly visitor: Visitor; readonly from: string },
  { workers, deadline }: { readonly workers?: unknown; readonly deadline?: unknown },
): AskOptions {
  return {
    ...(workers === undefined ? {} : { workers: toNames(workers) }),
    ...(deadline === undefined ? {} : { deadline: toDeadline(deadline) }),
    ...{ by: visitor.by, from },
  }
}

function toNames(value: unknown): readonly string[] {
  const names: readonly unknown[] = Array.isArray(value) ? value : [value]
  if (names.length > 0 && names.length <= mostNames && names.every(isName)) return names
  throw new ConfigError(
    `"workers" must be names or ids, 1 to ${mostNames}, of at most ${longestName} characters and ${mostStars} "*" each.`,
  )
}

function isName(value: unknown): value is string {
  return (
    typeof value === 'string' &&
    value !== '' &&
    value.length <= longestName &&
    value.split('*').length <= mostStars + 1
  )
}

function toDeadline(value: unknown): number {
  const ms = toMs(value)
  if (ms !== undefined && ms >= 1 && ms <= longestDeadlineMs) return ms
  throw new ConfigError(`"deadline" must be milliseconds or a text like "5s", at most 30 s.`)
}
