import { hash } from 'node:crypto'
import type { OutgoingHttpHeaders } from 'node:http'
import type { Response } from 'express'
import type { Call } from './http.js'

/** Sends JSON text. Head and body are written as they are: Express's own `res.json` would hash every body. */
export function sendJson(res: Response, status: number, body: string, headers: OutgoingHttpHeaders): void {
  res.writeHead(status, {
    'Content-Type': 'application/json; charset=utf-8',
    'Content-Length': Buffer.byteLength(body),
    'X-Content-Type-Options': 'nosniff',
    ...headers,
  })
  res.end(body)
}

/**
 * Sends JSON text that the client may keep, if it asks each time whether it still holds: 304 when it does.
 *
 * No shared cache may keep it, and one that does so all the same must tell users apart.
 */
export function sendRevalidated({ req, res }: Call, body: string, headers: OutgoingHttpHeaders): void {
  res.vary('Authorization, Cookie')
  res.setHeader('Cache-Control', 'private, no-cache')
  const tag = `"${hash('sha1', body, 'base64url')}"`
  res.setHeader('ETag', `W/${tag}`)
  if (hasTag(req.headers['if-none-match'], tag)) res.writeHead(304, headers).end()
  else sendJson(res, 200, body, headers)
}

/**
 * Whether the client has this version. Not Express's `req.fresh`: that is false for `Cache-Control: no-cache`, which
 * `fetch` adds to each request with an `If-None-Match`. We have asked the store, so the answer is new all the same.
 */
function hasTag(header: string | undefined, tag: string): boolean {
  if (header === undefined) return false
  return header.split(',').some((given) => ['*', tag, `W/${tag}`].includes(given.trim()))
}
