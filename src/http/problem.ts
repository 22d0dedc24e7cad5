import { STATUS_CODES } from 'node:http'
import type { NextFunction, Response } from 'express'
import { CeleriacError, PayloadInvalidError, type PayloadIssue } from '../errors.js'

/** An error as RFC 9457 writes it. `code` is stable and meant for programs. */
export interface Problem {
  readonly type: 'about:blank'
  readonly title: string
  readonly status: number
  readonly detail: string
  readonly code: string
  /** What is wrong with which field of the payload. */
  readonly errors?: readonly ProblemField[]
  /** How a job ended that has no result. */
  readonly state?: string
  /** What came of a cancel. */
  readonly answer?: 'finished'
  readonly error?: { readonly name: string; readonly message: string; readonly code?: string }
}

export interface ProblemField {
  /** The field as a JSON Pointer: `#/items/0/month`. `#` is the whole payload. */
  readonly pointer: string
  readonly detail: string
}

interface Rule {
  readonly status: number
  /** What the client is told, where the error's own message speaks to the developer or names our servers. */
  readonly detail?: string
  /** Seconds. */
  readonly retryAfter?: number
  /** Up to so many seconds more, at random, so that those who were refused together do not come back together. */
  readonly jitter?: number
}

const later: Rule = {
  status: 503,
  detail: 'Jobs cannot be accepted or read right now. Try again.',
  retryAfter: 5,
}

/** The one table of error codes and HTTP statuses. A code that is not here is the app's to answer. */
const rules: ReadonlyMap<string, Rule> = new Map<string, Rule>([
  ['BODY_NOT_JSON', { status: 400 }],
  ['ENQUEUE_OPTION', { status: 400 }],
  ['UNKNOWN_TASK', { status: 400, detail: 'There is no such task.' }],
  ['OWNER_MISSING', { status: 403, detail: 'This request belongs to nobody, and a job needs an owner.' }],
  ['JOB_NOT_FOUND', { status: 404, detail: 'There is no such job.' }],
  ['JOB_ENDED', { status: 409 }],
  ['RESULT_DROPPED', { status: 410 }],
  ['PAYLOAD_TOO_LARGE', { status: 413 }],
  ['MEDIA_TYPE', { status: 415 }],
  ['PAYLOAD_INVALID', { status: 422 }],
  [
    'IDEMPOTENCY_CONFLICT',
    { status: 422, detail: 'This Idempotency-Key was used before with another payload.' },
  ],
  [
    'QUOTA_EXCEEDED',
    {
      status: 429,
      detail: 'Too many of your jobs wait already. Try again when some have started.',
      retryAfter: 3,
      jitter: 3,
    },
  ],
  ['QUEUE_FULL', { status: 503, detail: 'Too many jobs wait already. Try again.', retryAfter: 3, jitter: 3 }],
  ['BAD_REQUEST', { status: 400 }],
  ['STORE_UNAVAILABLE', later],
  ['BROKER_UNAVAILABLE', later],
  ['CLOSED', later],
  ['MIGRATION', later],
  ['EMBEDDED', later],
])

/** The answer for an error of ours; `undefined` for every other, which is the app's. */
export function toProblem(error: unknown): Problem | undefined {
  if (!(error instanceof CeleriacError) || !rules.has(error.code)) return undefined
  const told = problem(error.code, error.message)
  if (!(error instanceof PayloadInvalidError)) return told
  return { ...told, detail: error.detail, errors: error.issues.map(toField) }
}

/** A problem by its code. `detail` is used where the code has no public sentence of its own. */
export function problem(code: string, detail: string): Problem {
  const rule = rules.get(code) ?? { status: 500 }
  return {
    type: 'about:blank',
    title: STATUS_CODES[rule.status] ?? 'Error',
    status: rule.status,
    detail: rule.detail ?? detail,
    code,
  }
}

/** Whether what was asked for is a refusal instead. */
export function isProblem(value: object): value is Problem {
  return 'code' in value && 'title' in value
}

/** Says neither id nor owner, so that a job of somebody else is answered byte for byte like one that never was. */
export const notFound: Problem = problem('JOB_NOT_FOUND', '')

export function sendProblem(res: Response, told: Problem): void {
  const body = JSON.stringify(told)
  const { retryAfter, jitter = 0 } = rules.get(told.code) ?? {}
  res.writeHead(told.status, {
    'Content-Type': 'application/problem+json',
    'Content-Length': Buffer.byteLength(body),
    'Cache-Control': 'no-store',
    'X-Content-Type-Options': 'nosniff',
    ...(retryAfter === undefined ? {} : { 'Retry-After': String(retryAfter + upTo(jitter)) }),
  })
  res.end(body)
}

function upTo(seconds: number): number {
  return Math.floor(Math.random() * (seconds + 1))
}

/** Answers an error of ours, and hands everything else to the app. */
export function answerError(error: unknown, res: Response, next: NextFunction): void {
  const told = res.headersSent ? undefined : toProblem(error)
  if (told) sendProblem(res, told)
  else next(toPassable(error))
}

/** `next(null)` would mean success to Express, and `next('route')` the next route. */
function toPassable(thrown: unknown): unknown {
  if (typeof thrown === 'object' && thrown !== null) return thrown
  return new Error(`Thrown: ${String(thrown)}`, { cause: thrown })
}

function toField({ path, message }: PayloadIssue): ProblemField {
  return { pointer: ['#', ...path.map(toPointerToken)].join('/'), detail: message }
}

function toPointerToken(key: string | number): string {
  return encodeURIComponent(
    String(key)
      .replace(/\p{Surrogate}/gu, '\ufffd')
      .replaceAll('~', '~0')
      .replaceAll('/', '~1'),
  )
}
