import { CeleriacError, PayloadInvalidError } from '../../errors.js'
import { type DashboardAction, forbidden, type Visitor } from '../access.js'
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
  ['ENQUEUE_OPTION', { status: 400 }],
  ['KEY', { status: 422 }],
  ['PAYLOAD_INVALID', { status: 422 }],
  ['SCHEMA_TIMEOUT', { status: 503 }],
  ['QUOTA_EXCEEDED', { status: 429 }],
  ['QUEUE_FULL', { status: 503 }],
])

/** `undefined`: it is none of the client's, and its message is for the log. */
export function toApiRefusal(error: unknown): Refusal | undefined {
  if (error instanceof ApiError) {
    const { status, code, message, retryAfterSeconds } = error
    return { status, code, message, ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }) }
  }
  const rule = error instanceof CeleriacError ? asked.get(error.code) : undefined
  if (!rule || !(error instanceof CeleriacError)) return undefined
  const refusal = { status: rule.status, code: rule.code ?? error.code, message: error.message }
  return error instanceof PayloadInvalidError ? { ...refusal, issues: error.issues } : refusal
}

/** @throws {ApiError} when he may not, where what he says decides which right it takes */
export function assertMay(visitor: Visitor, action: DashboardAction): void {
  if (visitor.may(action)) return
  const { status, code, message } = forbidden(visitor, action)
  throw new ApiError(status, code, message)
}
