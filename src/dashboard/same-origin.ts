import type { IncomingMessage } from 'node:http'
import type { Refusal } from './answer.js'

/** Methods that change nothing, so that it does not matter who made the browser send them. */
export function isSafe(method: string): boolean {
  return method === 'GET' || method === 'HEAD' || method === 'OPTIONS'
}

/**
 * Whether a page of this very origin sent the request. Browsers say so in `Sec-Fetch-Site`, which no page can forge; on
 * plain HTTP to another machine they send `Origin` only. Who sends neither is no browser of today, and is refused.
 */
export function isSameOrigin({ headers }: Pick<IncomingMessage, 'headers'>): boolean {
  const { origin, host } = headers
  const site = headers['sec-fetch-site']
  if (origin === 'null') return false
  if (site !== undefined) return site === 'same-origin'
  return origin !== undefined && host !== undefined && hostOf(origin) === host.toLowerCase()
}

/** The scheme is left out: behind a proxy that ends TLS, ours is not the browser's. */
function hostOf(origin: string): string | undefined {
  return /^https?:\/\/([^/?#@\s]+)$/i.exec(origin)?.[1]?.toLowerCase()
}

export const crossSite: Refusal = {
  status: 403,
  code: 'CROSS_SITE',
  message: 'This request changes something, and did not come from a page of this dashboard.',
}
