import type { Request, Response } from 'express'
import type { OidcConfig } from '../../config/dashboard.js'
import { sendProblem } from '../answer.js'
import { crossSite, isSameOrigin } from '../same-origin.js'
import type { Book } from './book.js'
import { createCookie } from './cookie.js'
import { toNext } from './next.js'
import type { Checks, Failure, Provider } from './oidc.js'
import { type LoginPage, sendPage } from './page.js'
import { roleOf, toIdentity } from './role.js'
import { createSeal } from './seal.js'
import type { Session, Sessions } from './session.js'
import type { Tries } from './tries.js'

/** The addresses of a login by OpenID Connect: where people sign in, come back, and sign out. */
export interface Door {
  /** Answers what is its own; `false`: the address is none of these. */
  answer(req: Request, res: Response, nonce: string): Promise<boolean>
  /** Sends somebody who is not known to the page where he can change that. */
  sendToLogin(req: Request, res: Response, nonce: string, why?: Why): void
}

export interface DoorParts {
  readonly config: OidcConfig
  readonly provider: Provider
  readonly sessions: Sessions
  readonly tries: Tries
  readonly secret: string
  /** The address of the first page, as browsers see it. */
  readonly publicUrl: URL
  /** Whether it is not said in the configuration, so that a page may have been opened by another name of this machine. */
  readonly isGuessed: boolean
  readonly book: Book
}

/** Why somebody stands at the door. */
const reasons = {
  expired: 'Your login has ended, as it does after a while. Sign in again to go on where you were.',
  out: 'You are signed out here. The provider may still know you.',
  role: 'Your account has no role here, or no longer. Sign in with another one, or ask whoever runs this dashboard.',
  back: 'This login was finished before, or it took too long. Begin anew.',
} as const
type Why = keyof typeof reasons

/** How long somebody may take at the provider. */
const loginMs = 10 * 60_000

export function createDoor(parts: DoorParts): Door {
  const { config, provider, sessions, tries, secret, publicUrl, book } = parts
  const base = publicUrl.pathname.replace(/\/$/, '')
  const host = new URL(config.issuer).host
  const cookie = createCookie('login', publicUrl, 'Lax')
  const seal = createSeal(secret, JSON.stringify(['login', publicUrl.href, config.issuer, config.clientId]))
  const back = new URL(`${publicUrl.href.replace(/\/$/, '')}/login/callback`)

  const answers: Readonly<
    Record<string, { readonly method: string; answer(visit: Visit): Promise<void> | void }>
  > = {
    '/login': { method: 'GET', answer: showLogin },
    '/login/start': { method: 'GET', answer: begin },
    '/login/callback': { method: 'GET', answer: finish },
    '/logout': { method: 'POST', answer: signOut },
  }

  return {
    async answer(req, res, nonce) {
      const [path = '/', query = ''] = req.url.split('?', 2)
      const found = Object.hasOwn(answers, path) ? answers[path] : undefined
      if (!found) return false
      const method = req.method === 'HEAD' ? 'GET' : req.method
      if (method === found.method) await found.answer({ req, res, nonce, query: new URLSearchParams(query) })
      else res.writeHead(405, { Allow: found.method, 'Content-Length': 0 }).end()
      return true
    },
    sendToLogin(req, res, nonce, why) {
      const next = toNext(req.url)
      // What another site begins comes without the cookie. Our own page asks once more, and then it is sent.
      if (isFromOtherSite(req) && why === undefined) return sendPage(res, nonce, goingOn(base + next))
      redirect(res, `${base}/login?${new URLSearchParams({ next, ...(why ? { why } : {}) })}`)
    },
  }

  interface Visit {
    readonly req: Request
    readonly res: Response
    readonly nonce: string
    readonly query: URLSearchParams
  }

  function showLogin({ res, nonce, query }: Visit): void {
    const [next, why] = [toNext(query.get('next')), query.get('why') ?? '']
    sendPage(res, nonce, {
      status: 200,
      title: why === 'out' ? 'Signed out' : 'Sign in',
      text: isReason(why) ? reasons[why] : askedFor(next),
      links: [{ to: startAt(next, why === 'role'), label: `Sign in with ${host}` }],
    })
  }

  async function begin({ req, res, nonce, query }: Visit): Promise<void> {
    const next = toNext(query.get('next'))
    const anew = query.has('anew')
    // The cookie must be set for the host to which the provider sends back.
    if (parts.isGuessed && req.headers.host !== publicUrl.host)
      return redirect(res, `${publicUrl.origin}${startAt(next, anew)}`)
    const begun = await provider.begin(back, { anew })
    if ('kind' in begun) return sendFailure(req, res, nonce, begun, next)
    cookie.set(res, seal.close({ next, checks: begun.checks } satisfies Login, loginMs), loginMs)
    redirect(res, begun.to.href)
  }

  async function finish({ req, res, nonce, query }: Visit): Promise<void> {
    const text = cookie.read(req)
    const opened = text === undefined ? undefined : seal.open(text)
    cookie.clear(res)
    if (opened === undefined || opened === 'expired') return refuse(req, res, nonce)
    const { next, checks } = opened.value as Login
    const address = addressOf(req)
    const seconds = tries.take(address)
    if (seconds > 0) return sendWait(res, nonce, seconds, next)
    const finished = await provider.finish(new URL(`${back.href}?${query}`), checks)
    if ('kind' in finished) return sendFailure(req, res, nonce, finished, next)
    tries.giveBack(address)
    const identity = toIdentity(finished.claims, config)
    const role = roleOf(identity, config)
    if (typeof role !== 'string') {
      book.failed({ name: identity.name, address }, role.why)
      return sendPage(res, nonce, noRole(identity.name, role.why, next))
    }
    sessions.begin(res, identity)
    book.came({ name: identity.name, address, by: 'openid', role, subject: identity.subject })
    sendPage(res, nonce, goingOn(base + next))
  }

  function refuse(req: Request, res: Response, nonce: string): void {
    book.failed(stranger(req), 'it was finished before, took too long, or began elsewhere')
    sendPage(res, nonce, {
      status: 400,
      title: 'This login is over',
      text: reasons.back,
      links: [{ to: startAt('/'), label: 'Sign in' }],
    })
  }

  async function signOut({ req, res }: Visit): Promise<void> {
    if (!isSameOrigin(req)) {
      sendProblem(res, crossSite)
      return
    }
    const session = sessions.read(req)
    sessions.end(res)
    if (isSession(session))
      await book.left({ name: session.identity.name, address: addressOf(req), by: 'openid' }, session.id)
    redirect(res, `${base}/login?why=out`, 303)
  }

  function sendFailure(req: Request, res: Response, nonce: string, failure: Failure, next: string): void {
    book.failed(stranger(req), failure.message)
    const { status, text } = failures[failure.kind]
    const links = [
      { to: startAt(next), label: 'Try again' },
      { to: startAt(next, true), label: 'Use another account' },
    ]
    sendPage(res, nonce, { status, title: 'That did not work', text: text(host), links })
  }

  function sendWait(res: Response, nonce: string, seconds: number, next: string): void {
    res.setHeader('Retry-After', String(seconds))
    sendPage(res, nonce, {
      status: 429,
      title: 'Too many tries',
      text: `Too many logins from your address have failed. Wait ${seconds} seconds.`,
      links: [{ to: startAt(next), label: 'Try again' }],
    })
  }

  function noRole(name: string, why: string, next: string): LoginPage {
    return {
      status: 403,
      title: 'You may not come in',
      text: `You have signed in at ${host} as ${name}, but ${why}. Ask whoever runs this dashboard.`,
      links: [{ to: startAt(next, true), label: 'Use another account' }],
    }
  }

  function startAt(next: string, anew = false): string {
    return `${base}/login/start?${new URLSearchParams({ next, ...(anew ? { anew: '' } : {}) })}`
  }
}

/** What a browser carries while its user is at the provider. */
interface Login {
  readonly next: string
  readonly checks: Checks
}

const failures: Readonly<Record<Failure['kind'], { status: number; text: (host: string) => string }>> = {
  denied: { status: 403, text: (host) => `${host} did not confirm the login, or you went back.` },
  away: { status: 502, text: (host) => `${host} does not answer as it should right now. The log says more.` },
  invalid: {
    status: 400,
    text: (host) => `What came back from ${host} cannot be trusted. The log says more.`,
  },
}

function askedFor(next: string): string {
  return next === '/'
    ? 'This is where the background jobs of an app are watched and steered. Sign in to see them.'
    : 'The page that you asked for shows background jobs of an app. Sign in to see it.'
}

function goingOn(to: string): LoginPage {
  return {
    status: 200,
    title: 'One moment',
    text: 'The page is about to open.',
    links: [{ to, label: 'Open it' }],
    onward: to,
  }
}

function isReason(text: string): text is Why {
  return Object.hasOwn(reasons, text)
}

function isSession(session: Session | 'expired' | undefined): session is Session {
  return typeof session === 'object'
}

function isFromOtherSite({ headers }: Request): boolean {
  return headers['sec-fetch-site'] === 'cross-site' || headers['sec-fetch-site'] === 'same-site'
}

function addressOf({ ip }: Request): string {
  return ip ?? 'an unknown address'
}

function stranger(req: Request): { readonly name: null; readonly address: string } {
  return { name: null, address: addressOf(req) }
}

function redirect(res: Response, to: string, status: 302 | 303 = 302): void {
  res.writeHead(status, { Location: to, 'Content-Length': 0 }).end()
}
