import { CeleriacError } from '../../errors.js'
import type { Refusal } from '../answer.js'

/** What the management API refuses by itself. */
export class ApiError extends Error {
  override readonly name = 'ApiError'
  readonly status: number
  readonly code: string
  readonly retryAfterSeconds: number | undefined

  constructor(status: number, code: string, message: string, retryAfterSeconds?: number) {
    super(message)
    this.status = status
    this.code = code
    this.retryAfterSeconds = retryAfterSeconds
  }
}

/** Errors whose message is for whoever asked. */
const asked: ReadonlyMap<string, { readonly status: number; readonly code?: string }> = new Map([
  ['CONFIG', { status: 400, code: 'BAD_REQUEST' }],
  ['BODY_NOT_JSON', { status: 400 }],
  ['UNKNOWN_TASK', { status: 404 }],
  ['UNKNOWN_WORKER', { status: 404 }],
  ['PAYLOAD_TOO_LARGE', { status: 413 }],
  ['MEDIA_TYPE', { status: 415 }],
])

/** `undefined`: it is none of the client's, and its message is for the log. */
export function toApiRefusal(error: unknown): Refusal | undefined {
  if (error instanceof ApiError) {
    const { status, code, message, retryAfterSeconds } = error
    return { status, code, message, ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }) }
  }
  const rule = error instanceof CeleriacError ? asked.get(error.code) : undefined
  if (!rule || !(error instanceof CeleriacError)) return undefined
  const message = error.code === 'PAYLOAD_TOO_LARGE' ? 'The body is too large.' : error.message
  return { status: rule.status, code: rule.code ?? error.code, message }
}
