import { createHash, randomUUID } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { exportJWK, generateKeyPair, type JWTPayload, SignJWT } from 'jose'

/** Somebody who has an account there, by its claims. */
export type Account = JWTPayload & { readonly sub: string }

/** What a provider may do wrong, or a thief in its place. */
export interface Misdeeds {
  /** Changes what is in the token before it is signed. */
  claims?(claims: JWTPayload): JWTPayload
  /** Signs by a key that nobody has published. */
  signsByOtherKey?: boolean
  /** Answers no more. */
  isAway?: boolean
}

/** A provider of OpenID Connect, for tests: accounts without passwords, everything else as the standard has it. */
export interface OpenIdProvider {
  readonly issuer: string
  readonly clientId: string
  readonly clientSecret: string
  /** May be changed at any time. */
  readonly misdeeds: Misdeeds
  /** How often a code was asked to be turned into tokens. */
  readonly exchanges: () => number
  /** Follows a browser's way: from the address that it was sent to, to that it is sent back to. */
  signIn(to: string, account: string): Promise<string>
  close(): Promise<void>
}

interface Grant {
  readonly account: Account
  readonly redirectUri: string
  readonly challenge: string
  readonly nonce: string | null
}

/** @param accounts by the names of the buttons on its page */
export async function openIdProvider(accounts: Readonly<Record<string, Account>>): Promise<OpenIdProvider> {
  const [published, secretKey] = await Promise.all([generateKeyPair('RS256'), generateKeyPair('RS256')])
  const jwk = { ...(await exportJWK(published.publicKey)), kid: 'one', alg: 'RS256', use: 'sig' }
  const [clientId, clientSecret] = ['celeriac-dashboard', `a secret:${randomUUID()}`]
  const grants = new Map<string, Grant>()
  const tokens = new Map<string, Account>()
  const misdeeds: Misdeeds = {}
  let exchanged = 0

  const server = createServer((req, res) => {
    answer(req, res).catch((error: unknown) => res.writeHead(500).end(String(error)))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const issuer = `http://localhost:${(server.address() as AddressInfo).port}`

  return {
    issuer,
    clientId,
    clientSecret,
    misdeeds,
    exchanges: () => exchanged,
    async signIn(to, account) {
      const url = new URL(to)
      url.searchParams.set('as', account)
      const sent = await fetch(url, { redirect: 'manual' })
      const location = sent.headers.get('location')
      if (location === null) throw new Error(`It sent nobody back: ${sent.status} ${await sent.text()}`)
      return location
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }

  async function answer(req: IncomingMessage, res: ServerResponse): Promise<void> {
    if (misdeeds.isAway) return void res.writeHead(503).end('away')
    const { pathname, searchParams } = new URL(req.url ?? '/', issuer)
    switch (pathname) {
      case '/.well-known/openid-configuration':
        return json(res, 200, discovery())
      case '/jwks':
        return json(res, 200, { keys: [jwk] })
      case '/authorize':
        return authorize(res, searchParams)
      case '/token':
        return token(req, res)
      case '/userinfo':
        return userinfo(req, res)
      default:
        res.writeHead(404).end()
    }
  }

  function discovery() {
    return {
      issuer,
      authorization_endpoint: `${issuer}/authorize`,
      token_endpoint: `${issuer}/token`,
      userinfo_endpoint: `${issuer}/userinfo`,
      jwks_uri: `${issuer}/jwks`,
      response_types_supported: ['code'],
      subject_types_supported: ['public'],
      id_token_signing_alg_values_supported: ['RS256'],
      code_challenge_methods_supported: ['S256'],
      authorization_response_iss_parameter_supported: true,
    }
  }

  /** A page with a button for each account; or back at once, where the address says as whom. */
  function authorize(res: ServerResponse, asked: URLSearchParams): void {
    const name = asked.get('as')
    if (name === null) {
      const buttons = Object.keys(accounts).map((each) => {
        const to = new URLSearchParams([...asked, ['as', each]])
        return `<a href="/authorize?${to.toString().replaceAll('&', '&amp;')}">${each}</a>`
      })
      return void res.writeHead(200, { 'Content-Type': 'text/html' }).end(buttons.join(' '))
    }
    const back = new URL(asked.get('redirect_uri') ?? '')
    back.searchParams.set('state', asked.get('state') ?? '')
    back.searchParams.set('iss', issuer)
    const account = accounts[name]
    if (account && asked.get('client_id') === clientId && asked.get('code_challenge_method') === 'S256') {
      const code = randomUUID()
      grants.set(code, {
        account,
        redirectUri: asked.get('redirect_uri') ?? '',
        challenge: asked.get('code_challenge') ?? '',
        nonce: asked.get('nonce'),
      })
      back.searchParams.set('code', code)
    } else back.searchParams.set('error', 'access_denied')
    res.writeHead(302, { Location: back.href }).end()
  }

  async function token(req: IncomingMessage, res: ServerResponse): Promise<void> {
    exchanged += 1
    const body = new URLSearchParams(await text(req))
    if (!isClient(req)) return json(res, 401, { error: 'invalid_client' })
    const code = body.get('code') ?? ''
    const grant = grants.get(code)
    grants.delete(code)
    const challenge = createHash('sha256')
      .update(body.get('code_verifier') ?? '')
      .digest('base64url')
    if (grant?.challenge !== challenge || grant.redirectUri !== body.get('redirect_uri'))
      return json(res, 400, { error: 'invalid_grant' })
    const accessToken = randomUUID()
    tokens.set(accessToken, grant.account)
    json(res, 200, {
      access_token: accessToken,
      token_type: 'Bearer',
      expires_in: 300,
      id_token: await idToken(grant),
    })
  }

  /** As RFC 6749 has it: both parts are encoded as in a form. */
  function isClient({ headers: { authorization = '' } }: IncomingMessage): boolean {
    const [name = '', secret = ''] = Buffer.from(authorization.replace(/^Basic /, ''), 'base64')
      .toString()
      .split(':')
      .map((part) => decodeURIComponent(part.replaceAll('+', ' ')))
    return name === clientId && secret === clientSecret
  }

  /** Says little: the e-mail address and the groups are at `/userinfo`. */
  function idToken({ account, nonce }: Grant): Promise<string> {
    const now = Math.floor(Date.now() / 1000)
    const claims: JWTPayload = {
      ...{ iss: issuer, aud: clientId, sub: account.sub, iat: now, exp: now + 300 },
      ...(nonce === null ? {} : { nonce }),
    }
    const key = misdeeds.signsByOtherKey ? secretKey.privateKey : published.privateKey
    return new SignJWT(misdeeds.claims?.(claims) ?? claims)
      .setProtectedHeader({ alg: 'RS256', kid: 'one' })
      .sign(key)
  }

  function userinfo({ headers: { authorization = '' } }: IncomingMessage, res: ServerResponse): void {
    const account = tokens.get(authorization.replace(/^Bearer /, ''))
    if (account) json(res, 200, account)
    else res.writeHead(401, { 'WWW-Authenticate': 'Bearer error="invalid_token"' }).end()
  }
}

function json(res: ServerResponse, status: number, body: unknown): void {
  res
    .writeHead(status, { 'Content-Type': 'application/json', 'Cache-Control': 'no-store' })
    .end(JSON.stringify(body))
}
