import { CeleriacError } from '../errors.js'
import type { Refusal } from './answer.js'

const away: ReadonlyMap<string, string> = new Map([
  ['STORE_UNAVAILABLE', 'The store does not answer.'],
  ['BROKER_UNAVAILABLE', 'The broker does not answer.'],
])

const broken: Refusal = {
  status: 500,
  code: 'FAILED',
  message: 'The dashboard could not answer. The log of the app says more.',
}

const notUnderstood: Refusal = {
  status: 400,
  code: 'BAD_REQUEST',
  message: 'The dashboard does not understand this request.',
}

/** What a client is told of an error that is not about what he has asked. */
export function toRefusal(error: unknown): Refusal {
  if (error instanceof CeleriacError) return toUnavailable(error)
  return isOfClient(error) ? notUnderstood : broken
}

function toUnavailable({ code }: CeleriacError): Refusal {
  const what = away.get(code) ?? 'Celeriac cannot answer right now.'
  return { status: 503, code: 'UNAVAILABLE', message: `${what} The log of the app says more.` }
}

/** As Express marks what it could not read of an address or a body. */
function isOfClient(error: unknown): boolean {
  if (!(error instanceof Error && 'status' in error)) return false
  return typeof error.status === 'number' && error.status >= 400 && error.status < 500
}

/** What went wrong names servers, tables and files, which is for the log. */
export function tellFailure(
  log: { error(message: string): void },
  { status }: Refusal,
  error: unknown,
  asked: string,
): void {
  const message = error instanceof Error ? error.message : String(error)
  if (status >= 500) log.error(`The dashboard could not answer ${asked}: ${message}`)
}
