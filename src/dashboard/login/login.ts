import { randomBytes } from 'node:crypto'
import type { Request, RequestHandler, Response } from 'express'
import type { OidcConfig } from '../../config/dashboard.js'
import type { DashboardAccess, DashboardRole } from '../../control/access.js'
import { type Refusal, sendProblem, sendRefusal } from '../answer.js'
import { setSecurityHeaders } from '../headers.js'
import { type BasicLogin, createBasicLogin } from './basic.js'
import { type BookParts, createBook } from './book.js'
import { createDoor, type Door } from './door.js'
import { createProvider, type Provider } from './oidc.js'
import { isComplete, roleOf } from './role.js'
import { createSessions, type Sessions } from './session.js'
import type { Tries } from './tries.js'
import type { User } from './users.js'

/** Who may come in where no app says it: by name and password, by OpenID Connect, or by either. */
export interface Login {
  /** Stands before the dashboard, at its mount: answers logins, and whoever is not known. */
  readonly middleware: RequestHandler
  /** Whether people sign out at `POST /logout`. */
  readonly canLogOut: boolean
  /** What the dashboard asks then. */
  authorize(req: Request): Promise<DashboardAccess>
}

export interface LoginSettings {
  /** Of logins by name and password; none: there are no such. */
  readonly users: readonly User[]
  readonly oidc: OidcLogin | undefined
  readonly tries: Tries
  readonly audit: BookParts['audit']
  readonly log: BookParts['log']
}

export interface OidcLogin {
  readonly config: OidcConfig
  readonly clientSecret: string | undefined
  /** What cookies are sealed with. */
  readonly secret: string
  readonly publicUrl: URL
  readonly isGuessed: boolean
}

/** @throws {ConfigError} when the library for OpenID Connect is not installed */
export async function createLogin({ users, oidc, tries, audit, log }: LoginSettings): Promise<Login> {
  const book = createBook({ audit, log, sessionMs: oidc?.config.sessionMs ?? 0 })
  const basic = users.length > 0 ? createBasicLogin(users, tries) : undefined
  const web = oidc && (await openWeb(oidc))
  const known = new WeakMap<Request, () => Promise<DashboardAccess>>()

  return {
    middleware(req, res, next) {
      receive(req, res).then((goesOn) => goesOn && next(), next)
    },
    canLogOut: web !== undefined,
    authorize: async (req) => known.get(req)?.(),
  }

  async function openWeb(settings: OidcLogin): Promise<Web> {
    const { config, secret, publicUrl } = settings
    const { issuer, clientId, scope } = config
    const provider = await createProvider({
      ...{ issuer, clientId, scope, clientSecret: settings.clientSecret },
      says: (claims) => isComplete(claims, config),
    })
    const sessions = createSessions(secret, publicUrl, config)
    tellWhenAway(provider, config)
    return { sessions, config, door: createDoor({ ...settings, provider, sessions, tries, book }) }
  }

  function tellWhenAway(provider: Provider, { issuer }: OidcConfig): void {
    void provider.ready().then((failure) => {
      if (failure) log.warn(`${issuer} does not say how to log in there: ${failure.message}`)
    })
  }

  /** Gives whether the dashboard is to answer. */
  async function receive(req: Request, res: Response): Promise<boolean> {
    const nonce = randomBytes(16).toString('base64url')
    setSecurityHeaders(res, nonce)
    const { authorization } = req.headers
    if (basic && authorization !== undefined) return receiveBasic(basic, authorization, req, res, nonce)
    if (!web) return refuse(req, res, nonce, needsPassword)
    if (await web.door.answer(req, res, nonce)) return false
    const visitor = await visitorOf(web, req)
    if (typeof visitor !== 'object') return sendToLogin(web, req, res, nonce, visitor)
    known.set(req, async () => {
      const now = await visitorOf(web, req)
      return typeof now === 'object' ? now : false
    })
    return true
  }

  /** Asked anew while a page is open: a session may end meanwhile. */
  async function visitorOf(
    { sessions, config }: Web,
    req: Request,
  ): Promise<{ readonly name: string; readonly role: DashboardRole } | 'expired' | 'role' | undefined> {
    const session = sessions.read(req)
    if (typeof session !== 'object') return session
    if (await book.hasLeft(session.id)) return undefined
    const role = roleOf(session.identity, config)
    return typeof role === 'string' ? { name: session.identity.name, role } : 'role'
  }

  async function receiveBasic(
    basic: BasicLogin,
    header: string,
    req: Request,
    res: Response,
    nonce: string,
  ): Promise<boolean> {
    const address = req.ip ?? 'an unknown address'
    const answer = await basic.check(header, address)
    if (answer.kind === 'known') {
      const { name, role, isNew } = answer
      if (isNew) book.came({ name, address, by: 'password', role })
      known.set(req, async () => ({ name, role }))
      return true
    }
    if (answer.kind === 'wait') {
      res.setHeader('Retry-After', String(answer.seconds))
      sendRefusal(req, res, nonce, tooMany(answer.seconds))
      return false
    }
    if (answer.isTry) book.failed({ name: answer.name, address }, 'the name or the password is wrong')
    return refuse(req, res, nonce, wrongPassword)
  }

  function sendToLogin(
    web: Web,
    req: Request,
    res: Response,
    nonce: string,
    why?: 'expired' | 'role',
  ): false {
    if (!isForPage(req)) return refuse(req, res, nonce, needsLogin)
    web.door.sendToLogin(req, res, nonce, why)
    return false
  }

  function refuse(req: Request, res: Response, nonce: string, refusal: Refusal): false {
    res.setHeader('WWW-Authenticate', challengeFor(req))
    if (isForPage(req)) sendRefusal(req, res, nonce, refusal)
    else sendProblem(res, refusal)
    return false
  }

  /** Where pages know a login of their own, a browser is not to ask for a password when one of their requests is refused. */
  function challengeFor({ headers }: Request): string {
    const isOfPage = headers['sec-fetch-mode'] !== undefined && headers['sec-fetch-mode'] !== 'navigate'
    return basic && !(web && isOfPage)
      ? 'Basic realm="Celeriac", charset="UTF-8"'
      : 'Session realm="Celeriac"'
  }
}

interface Web {
  readonly sessions: Sessions
  readonly config: OidcConfig
  readonly door: Door
}

/** Whether a person looks at the answer. */
function isForPage(req: Request): boolean {
  const isRead = req.method === 'GET' || req.method === 'HEAD'
  return isRead && req.accepts(['json', 'html']) === 'html'
}

const needsPassword: Refusal = {
  status: 401,
  code: 'LOGIN_REQUIRED',
  message: 'This dashboard asks for a name and a password.',
}

const wrongPassword: Refusal = {
  status: 401,
  code: 'LOGIN_FAILED',
  message: 'There is no such name with this password.',
}

const needsLogin: Refusal = {
  status: 401,
  code: 'LOGIN_REQUIRED',
  message: 'You are not signed in here, or no longer. Open the dashboard in a browser, and sign in.',
}

function tooMany(seconds: number): Refusal {
  const message = `Too many logins from your address have failed. Wait ${seconds} s.`
  return { status: 429, code: 'TOO_MANY_TRIES', message }
}
