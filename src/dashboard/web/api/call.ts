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

/** Is of no address alone: it ends by itself, and until then what was heard stands. A proxy says 502 and 504. */
export function isOutage({ status }: Problem): boolean {
  return status === 0 || (status >= 502 && status <= 504)
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
  const { body } = await sendForJson(addressOf(name, asked), {
    method,
    ...(method === 'GET'
      ? {}
      : { body: JSON.stringify(asked.body ?? {}), headers: { 'Content-Type': 'application/json' } }),
    ...(signal ? { signal } : {}),
  })
  return body as Json<AnswerOf<Name>>
}

/** @throws {Problem} for whatever is no success, and no JSON */
export async function sendForJson(
  address: string,
  init: RequestInit,
): Promise<{ readonly body: unknown; readonly answer: Response }> {
  const answer = await send(address, init)
  if (answer.status === 304) return { body: undefined, answer }
  if (!/\bjson\b/.test(answer.headers.get('Content-Type') ?? '')) throw loginRequired()
  const body: unknown = await answer.json().catch(() => {
    throw offline()
  })
  return { body, answer }
}

/** @throws {Problem} for whatever is no success */
export async function send(address: string, init: RequestInit): Promise<Response> {
  const answer = await fetch(urlOf(address), { credentials: 'same-origin', ...init }).catch(
    (error: unknown) => {
      if (error instanceof DOMException && error.name === 'AbortError') throw error
      throw offline()
    },
  )
  // The API sends nobody elsewhere: the app does, to where one logs in.
  if (answer.redirected) throw loginRequired()
  if (answer.ok || answer.status === 304) return answer
  throw await toProblem(answer)
}

function offline(): Problem {
  return new Problem(0, 'OFFLINE', 'The server does not answer.')
}

function loginRequired(): Problem {
  return new Problem(401, 'LOGIN_REQUIRED', 'Log in to the app again.')
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
