import type { Request } from 'express'
import { toPlainText } from '../job/json.js'

/** Who may see the dashboard. A text is a yes, and the name of who it is, which stands with what he asks of workers. */
export type Authorize = (req: Request) => Verdict | Promise<Verdict>
type Verdict = boolean | string | null | undefined

export interface GuardSettings {
  readonly authorize: Authorize | undefined
  readonly isProduction: boolean
}

/** Somebody who may see the dashboard. */
export interface Visitor {
  /** His name, where `authorize` gives it. */
  readonly by: string | null
}

/**
 * Who sent a request, if he may see the dashboard. With `authorize`, it alone decides; whatever it throws is a no. Without it,
 * the dashboard is open to the developer at this very machine, and closed in production.
 */
export async function visitorOf(
  { authorize, isProduction }: GuardSettings,
  req: Request,
): Promise<Visitor | undefined> {
  if (!authorize) return !isProduction && isFromThisMachine(req) ? nobody : undefined
  try {
    const verdict: unknown = await authorize(req)
    if (!verdict) return undefined
    return typeof verdict === 'string' ? { by: toPlainText(verdict.slice(0, longestName)) } : nobody
  } catch {
    return undefined
  }
}

const nobody: Visitor = Object.freeze({ by: null })
const longestName = 255

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
