import type { Response } from 'express'
import type { DashboardAction, Visitor } from '../access.js'
import type { DashboardDeps } from '../dashboard.js'
import type { AnswerOf, BodyOf, ParamsOf, QueryOf, RouteName } from './contract.js'
import type { QueryRules } from './query.js'

/** A question to an address, checked as far as the contract goes. */
export interface Reading<Name extends RouteName> {
  readonly deps: DashboardDeps
  readonly params: Texts<ParamsOf<Name>>
  readonly query: QueryOf<Name>
}

/** One request, by somebody who may. */
export interface Call<Name extends RouteName> extends Reading<Name> {
  readonly visitor: Visitor
  /** Where it comes from, for the audit. */
  readonly from: string
  /** Where the dashboard is mounted, as the app has it. */
  readonly mount: string
  /** Has no other fields than the contract names. What they hold, the handler checks. */
  readonly body: Unchecked<BodyOf<Name>>
  /** Aborted when nobody waits for the answer any more. */
  readonly signal: AbortSignal
  /** What the API knows of itself. */
  readonly api: ApiSelf
}

export interface ApiSelf {
  /** Tells of these addresses, whenever what stands there has changed. */
  watch(addresses: readonly string[]): void
  /** As OpenAPI has it. */
  describe(): object
}

type Texts<Params> = { readonly [Key in keyof Params]: string }
type Unchecked<Body> = { readonly [Key in keyof Body]?: unknown }

/** One address: what it takes, who may ask it, and who answers. */
export type Route<Name extends RouteName> = RouteRules<Name> &
  (Shared<Name> | Answering<Name> | Streaming<Name>)

interface RouteRules<Name extends RouteName> {
  /**
   * What whoever asks must be allowed to do; by what stands in the address, where that says it. `undefined`: nothing
   * that there is, and the handler says so.
   */
  readonly action: DashboardAction | ((params: Texts<ParamsOf<Name>>) => DashboardAction | undefined)
  /** Of what stands behind the path, all that is understood. */
  readonly query: QueryRules<QueryOf<Name>>
  /** The fields that its body may have; `'any'`: the handler knows. Absent: it has none. */
  readonly body?: 'any' | readonly (keyof BodyOf<Name> & string)[]
  /** It has a payload in it, and may be as large. */
  readonly hasPayload?: boolean
}

interface Shared<Name extends RouteName> {
  /** Changes nothing, and says the same to all who may see it: many get one answer, and it can be watched. */
  readonly read: (reading: Reading<Name>) => Promise<AnswerOf<Name>>
}

interface Answering<Name extends RouteName> {
  /** Gives what JSON says of it. What it throws, the client or the log is told. */
  readonly answer: (call: Call<Name>) => Promise<AnswerOf<Name>>
}

interface Streaming<Name extends RouteName> {
  /** Writes the answer by itself. What it throws before that, the client is told. */
  readonly stream: (call: Call<Name>, res: Response) => Promise<void>
}

/** An address by its parts: names, and places for them. */
export interface Pattern<Name extends RouteName = RouteName> {
  readonly name: Name
  readonly method: string
  readonly path: string
  readonly parts: readonly string[]
}

export function toPattern<Name extends RouteName>(name: Name): Pattern<Name> {
  const [method = '', path = ''] = name.split(' ')
  return { name, method, path, parts: path.slice(1).split('/') }
}

/** What an address says of a route, and what stands in its places. */
export interface Match {
  readonly name: RouteName
  readonly method: string
  readonly params: Readonly<Record<string, string>>
}

/** The routes of all methods that an address may mean; those with more names in it before those with more places. */
export function matching(patterns: readonly Pattern[], path: string): Match[] {
  const given = path.slice(1).split('/')
  const found = patterns.flatMap((pattern) => {
    const params = path.startsWith('/') ? paramsIn(pattern.parts, given) : undefined
    return params ? [{ pattern, params }] : []
  })
  return found
    .sort((a, b) => Object.keys(a.params).length - Object.keys(b.params).length)
    .map(({ pattern: { name, method }, params }) => ({ name, method, params }))
}

/** `undefined`: it is another address. */
function paramsIn(
  parts: readonly string[],
  given: readonly string[],
): Readonly<Record<string, string>> | undefined {
  if (parts.length !== given.length) return undefined
  const params: Record<string, string> = {}
  for (const [at, part] of parts.entries()) {
    const text = given[at] ?? ''
    if (!part.startsWith(':')) {
      if (text !== part) return undefined
      continue
    }
    const name = decoded(text)
    if (!name) return undefined
    params[part.slice(1)] = name
  }
  return params
}

function decoded(text: string): string | undefined {
  try {
    const name = decodeURIComponent(text)
    // No text in the store has that character, so it names nothing.
    return name.includes('\0') ? undefined : name
  } catch {
    return undefined
  }
}
