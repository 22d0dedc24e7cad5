import type { Request } from 'express'
import type { AskOptions } from '../../control/door.js'
import { ConfigError } from '../../errors.js'
import { toMs } from '../../job/duration.js'
import { checkKeys } from '../../task/check.js'
import { fromOf, type Visitor } from '../access.js'
import type { DashboardDeps } from '../dashboard.js'

/** One request to the management API, by somebody who may. */
export interface ApiCall {
  readonly deps: DashboardDeps
  readonly req: Request
  /** What stands in the place of the `:name` of the route. */
  readonly name: string
  readonly query: Query
  readonly visitor: Visitor
}

/** The parameters that an address may have, each at most once; those in `lists` any number of times. */
export interface Query {
  /** @throws {ConfigError} when there is any other */
  only(names: readonly string[]): void
  get(name: string): string | undefined
  /** Also by commas. */
  list(name: string): readonly string[] | undefined
}

/** Parsed here, because the app chooses how Express does it. */
export function readQuery(url: string): Query {
  const at = url.indexOf('?')
  const given = new URLSearchParams(at === -1 ? '' : url.slice(at + 1))
  return {
    only(names) {
      checkKeys(Object.fromEntries(given), names, 'The address')
    },
    get(name) {
      const [value, second] = given.getAll(name)
      if (second !== undefined) throw new ConfigError(`"${name}" stands twice in the address.`)
      return value
    },
    list: (name) => (given.has(name) ? given.getAll(name).flatMap((text) => text.split(',')) : undefined),
  }
}

/** A body without its place in the protocol: what a verb takes, and how to ask. */
export type Body = Readonly<Record<string, unknown>>

/** @throws {ConfigError} when it is no object */
export async function readBody({ deps, req }: ApiCall): Promise<Body> {
  const body = (await deps.readBody(req)) ?? {}
  if (typeof body === 'object' && !Array.isArray(body)) return body as Body
  throw new ConfigError('The body must be a JSON object.')
}

const longestDeadlineMs = 30_000
const mostNames = 100
const longestName = 300
/** Each makes the comparison of a long name dearer. */
const mostStars = 3

/**
 * How to ask, from what a client says.
 * @throws {ConfigError} when it is not of the usual form
 */
export function toAskOptions({ req, visitor }: ApiCall, workers: unknown, deadline: unknown): AskOptions {
  return {
    ...(workers === undefined ? {} : { workers: toNames(workers) }),
    ...(deadline === undefined ? {} : { deadline: toDeadline(deadline) }),
    ...{ by: visitor.by, from: fromOf(req) },
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

/** A whole number from an address. */
export function toCount(text: string | undefined, where: string, unsaid: number, most: number): number {
  if (text === undefined) return unsaid
  const number = /^\d{1,9}$/.test(text) ? Number(text) : 0
  if (number >= 1 && number <= most) return number
  throw new ConfigError(`${where} must be a whole number from 1 to ${most}.`)
}
