import type { Request } from 'express'
import type { DashboardAccess } from '../control/access.js'
import { type Fault, type TellFault, toVisitor, type Visitor } from './access.js'

export interface GuardSettings {
  readonly authorize: ((req: Request) => DashboardAccess | Promise<DashboardAccess>) | undefined
  readonly isProduction: boolean
}

/** Says who sent a request; `undefined` for nobody who may see anything. */
export type Guard = (req: Request) => Promise<Visitor | undefined>

/**
 * With `authorize`, it alone decides; whatever it throws is a no. Without it, the dashboard is open to the developer at
 * this very machine, and closed in production.
 */
export function createGuard(
  { authorize, isProduction }: GuardSettings,
  log: { warn(message: string): void },
): Guard {
  const tell = createTeller(log)

  return async (req) => {
    if (!authorize) return !isProduction && isFromThisMachine(req) ? toVisitor(true, tell) : undefined
    try {
      return toVisitor(await authorize(req), tell)
    } catch (error) {
      tell({ kind: 'threw', error })
      return undefined
    }
  }
}

/** What throws may do so for a while, at each request of each page. */
const toldAgainMs = 60_000

/** A wrong answer is a mistake in the code of the app, and told once. */
function createTeller(log: { warn(message: string): void }): TellFault {
  const toldAt = new Map<Fault['kind'], number>()

  return (fault) => {
    const before = toldAt.get(fault.kind)
    if (before !== undefined && (fault.kind !== 'threw' || performance.now() - before < toldAgainMs)) return
    toldAt.set(fault.kind, performance.now())
    log.warn(describe(fault))
  }
}

function describe(fault: Fault): string {
  switch (fault.kind) {
    case 'verdict':
      return `"authorize" gave ${fault.got}, which counts as no. It may give false, 'viewer', 'operator', 'admin', true, a function (action) => boolean, { name, role } or { name, may }.`
    case 'may':
      return `What "authorize" gave to decide by action answered ${fault.got}, which counts as no. It must answer true or false, at once.`
    case 'threw':
      return `"authorize" threw, which counts as no: ${fault.error instanceof Error ? fault.error.message : String(fault.error)}`
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
