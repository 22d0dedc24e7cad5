import type { Request } from 'express'

export interface GuardSettings {
  readonly authorize: ((req: Request) => boolean | Promise<boolean>) | undefined
  readonly isProduction: boolean
}

/**
 * Whether a request may see the dashboard. With `authorize`, it alone decides; whatever it throws is a no. Without it,
 * the dashboard is open to the developer at this very machine, and closed in production.
 */
export async function isAllowed({ authorize, isProduction }: GuardSettings, req: Request): Promise<boolean> {
  if (!authorize) return !isProduction && isFromThisMachine(req)
  try {
    return Boolean(await authorize(req))
  } catch {
    return false
  }
}

/**
 * A loopback socket alone proves nothing: a proxy on this machine forwards the world through one. The name in `Host`
 * keeps out a page that points its own name at 127.0.0.1. A proxy that adds no header at all, as nginx does unless told
 * to, still gives itself away by speaking HTTP/1.0.
 */
function isFromThisMachine(req: Request): boolean {
  return (
    isLoopback(req.socket.remoteAddress) &&
    isLocalHost(req.headers.host) &&
    req.httpVersion !== '1.0' &&
    !Object.keys(req.headers).some(isProxyHeader)
  )
}

function isLoopback(address: string | undefined): boolean {
  return address !== undefined && /^(::1|(::ffff:)?127\.\d+\.\d+\.\d+)$/.test(address)
}

function isLocalHost(host: string | undefined): boolean {
  return host !== undefined && /^(localhost|127\.0\.0\.1|\[::1\])(:\d+)?$/i.test(host)
}

function isProxyHeader(name: string): boolean {
  return /^(forwarded|via|x-forwarded(-.*)?|x-real-ip)$/.test(name)
}
