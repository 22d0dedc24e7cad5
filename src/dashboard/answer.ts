import { STATUS_CODES } from 'node:http'
import type { Request, Response } from 'express'
import { escapeHtml, toCard } from './html.js'

/** What the dashboard answers. */
export interface Answer {
  readonly status: number
  readonly type: string
  readonly body: string
}

export const htmlType = 'text/html; charset=utf-8'
export const jsonType = 'application/json; charset=utf-8'

export function json(status: number, body: unknown): Answer {
  return { status, type: jsonType, body: JSON.stringify(body) }
}

export function send(res: Response, { status, type, body }: Answer): void {
  res.writeHead(status, { 'Content-Type': type, 'Content-Length': Buffer.byteLength(body) })
  res.end(body)
}

/** An answer that tells why not: a page for people, RFC 9457 for programs. */
export interface Refusal {
  readonly status: number
  readonly code: string
  readonly message: string
  /** What to write, for those who run the app. */
  readonly example?: string
  /** Of a payload that its task refuses. */
  readonly issues?: readonly unknown[]
  readonly retryAfterSeconds?: number
}

/** @param nonce as the policy of the answer has it */
export function sendRefusal(req: Request, res: Response, nonce: string, refusal: Refusal): void {
  setRefusalHeaders(res, refusal)
  send(res, req.accepts(['json', 'html']) === 'html' ? toPage(refusal, nonce) : toProblem(refusal))
}

/** The same for programs alone. */
export function sendProblem(res: Response, refusal: Refusal): void {
  setRefusalHeaders(res, refusal)
  send(res, toProblem(refusal))
}

/** What is refused now may be there tomorrow. */
function setRefusalHeaders(res: Response, { retryAfterSeconds }: Refusal): void {
  res.setHeader('Cache-Control', 'no-store')
  if (retryAfterSeconds !== undefined) res.setHeader('Retry-After', String(retryAfterSeconds))
}

/** `message` stands there a second time for the pages, which show it under that name. */
function toProblem({ status, code, message, example, issues }: Refusal): Answer {
  const title = STATUS_CODES[status] ?? 'Error'
  const detail = example === undefined ? message : `${message} ${example}`
  const body = {
    ...{ type: 'about:blank', title, status, detail, code, ...(issues ? { issues } : {}) },
    ...{ error: title, message: detail },
  }
  return { ...json(status, body), type: 'application/problem+json' }
}

function toPage({ status, message, example }: Refusal, nonce: string): Answer {
  const title = `${status} ${STATUS_CODES[status] ?? ''}`.trim()
  const shown = example === undefined ? '' : `\n<pre>${escapeHtml(example)}</pre>`
  const body = toCard({ title, body: `<p>${escapeHtml(message)}</p>${shown}` }, nonce)
  return { status, type: htmlType, body }
}
