import type { AnswerOf, BodyOf, RouteName } from '../../api/contract.js'
import { type Asked, addressOf, urlOf } from './address.js'
import type { Json } from './json.js'

/** What the server, or the way to it, has against a request. */
export class Problem extends Error {
  override readonly name = 'Problem'
  /** 0: no answer came. */
  readonly status: number
  readonly code: string
  /** Of a payload that its task refuses: what is wrong, and where. */
  readonly issues: readonly { readonly path: readonly (string | number)[]; readonly message: string }[]

  constructor(status: number, code: string, message: string, issues: Problem['issues'] = []) {
    super(message)
    this.status = status
    this.code = code
    this.issues = issues
  }
}

type Sent<Name extends RouteName> = Asked<Name> &
  (BodyOf<Name> extends undefined ? { readonly body?: undefined } : { readonly body: BodyOf<Name> })

/** Asks the API by the name of a route. @throws {Problem} */
export async function call<Name extends RouteName>(
  name: Name,
  asked: Sent<Name>,
  signal?: AbortSignal,
): Promise<Json<AnswerOf<Name>>> {
  const method = name.slice(0, name.indexOf(' '))
  const answer = await send(addressOf(name, asked), {
    method,
    ...(method === 'GET'
      ? {}
      : { body: JSON.stringify(asked.body ?? {}), headers: { 'Content-Type': 'application/json' } }),
    ...(signal ? { signal } : {}),
  })
  return (await answer.json()) as Json<AnswerOf<Name>>
}

/** @throws {Problem} for whatever is no success */
export async function send(address: string, init: RequestInit): Promise<Response> {
  const answer = await fetch(urlOf(address), { credentials: 'same-origin', ...init }).catch(
    (error: unknown) => {
      if (error instanceof DOMException && error.name === 'AbortError') throw error
      throw new Problem(0, 'OFFLINE', 'The server does not answer.')
    },
  )
  if (answer.ok || answer.status === 304) return answer
  throw await toProblem(answer)
}

async function toProblem(answer: Response): Promise<Problem> {
  const body: unknown = await answer.json().catch(() => undefined)
  const said = typeof body === 'object' && body !== null ? (body as Readonly<Record<string, unknown>>) : {}
  const issues = Array.isArray(said.issues) ? (said.issues as Problem['issues']) : []
  return new Problem(
    answer.status,
    typeof said.code === 'string' ? said.code : 'UNKNOWN',
    typeof said.detail === 'string' ? said.detail : `The server answered ${answer.status}.`,
    issues,
  )
}
