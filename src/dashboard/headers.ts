import type { Response } from 'express'

/**
 * What every answer of the dashboard says to browsers: run nothing and load nothing that is not ours, show this in
 * nobody's frame, keep no copy. Scripts and styles run by the nonce of their page.
 */
export function setSecurityHeaders(res: Response, nonce: string): void {
  res.removeHeader('X-Powered-By')
  res.setHeader('Content-Security-Policy', contentPolicy(nonce))
  res.setHeader('X-Content-Type-Options', 'nosniff')
  res.setHeader('X-Frame-Options', 'DENY')
  res.setHeader('Referrer-Policy', 'no-referrer')
  res.setHeader('Cross-Origin-Resource-Policy', 'same-origin')
  res.setHeader('Cross-Origin-Opener-Policy', 'same-origin')
  res.setHeader('Cache-Control', 'no-store')
}

function contentPolicy(nonce: string): string {
  return [
    `default-src 'none'`,
    // Scripts load their parts by name; those parts inherit the trust of the script that carries the nonce.
    `script-src 'nonce-${nonce}' 'strict-dynamic'`,
    `style-src 'self' 'nonce-${nonce}'`,
    `img-src 'self' data:`,
    `font-src 'self'`,
    `connect-src 'self'`,
    `base-uri 'self'`,
    `form-action 'none'`,
    `frame-ancestors 'none'`,
  ].join('; ')
}
