import type { AddressInfo } from 'node:net'
import express from 'express'
import { onTestFinished } from 'vitest'
import { checkDashboard } from '../../../src/config/dashboard.js'
import type { OidcOptions } from '../../../src/config/dashboard-options.js'
import { type Audit, createAudit } from '../../../src/control/audit.js'
import { createLogin } from '../../../src/dashboard/login/login.js'
import { createTries } from '../../../src/dashboard/login/tries.js'
import { readUsers } from '../../../src/dashboard/login/users.js'
import { createMemoryStore } from '../../../src/store/memory.js'
import type { OpenIdProvider } from '../../support/openid-provider.js'
import { ask, type Reply } from '../shop.js'

/** A server with a login, behind which stands a page that says who has come in. */
export interface Gate {
  readonly port: number
  readonly lines: readonly string[]
  readonly audit: Audit
  close(): Promise<void>
}

export interface GateOptions {
  readonly users?: string
  readonly provider?: OpenIdProvider
  readonly oidc?: Partial<OidcOptions>
  readonly secret?: string
  /** Default: http://localhost and its port. */
  readonly publicUrl?: string
  readonly prefix?: string
  readonly trustProxy?: number
  /** Shared by instances. Default: one of its own, in memory. */
  readonly audit?: Audit
}

export async function openGate({
  users = '',
  provider,
  oidc,
  secret = 'a secret of 32 characters or more',
  publicUrl,
  prefix = '',
  trustProxy,
  audit,
}: GateOptions): Promise<Gate> {
  const lines: string[] = []
  const written = audit ?? createMemoryAudit()
  const app = express()
  if (trustProxy !== undefined) app.set('trust proxy', trustProxy)
  const server = app.listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  const { port } = server.address() as AddressInfo
  const config =
    provider &&
    checkDashboard(
      { oidc: { issuer: provider.issuer, clientId: provider.clientId, defaultRole: 'viewer', ...oidc } },
      '/',
    ).oidc
  const login = await createLogin({
    users: readUsers(users, ',', 'the users'),
    oidc: config && {
      config,
      secret,
      clientSecret: provider.clientSecret,
      publicUrl: new URL(publicUrl ?? `http://localhost:${port}${prefix}/`),
      isGuessed: publicUrl === undefined,
    },
    // No time passes: a busy machine takes long for a hash.
    tries: createTries(() => 0),
    audit: written,
    log: { info: (line) => lines.push(line), warn: (line) => lines.push(line) },
  })
  app.use(prefix || '/', login.middleware, async (req, res) => {
    res.json((await login.authorize(req)) ?? null)
  })
  const close = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve())
      server.closeAllConnections()
    })
  onTestFinished(close)
  return { port, lines, audit: written, close }
}

/** Of a store that is gone with the test. */
export function createMemoryAudit(): Audit {
  const store = createMemoryStore()
  return createAudit(async () => store)
}

/** A browser, as far as cookies go: one that knows hosts by their ports. */
export class Visitor {
  readonly cookies = new Map<string, string>()
  readonly #gate: Pick<Gate, 'port'>
  readonly #host: string

  constructor(gate: Pick<Gate, 'port'>, host = `localhost:${gate.port}`) {
    this.#gate = gate
    this.#host = host
  }

  /** At another instance, with the same cookies. */
  at(gate: Pick<Gate, 'port'>): Visitor {
    const there = new Visitor(gate, this.#host)
    for (const [name, value] of this.cookies) there.cookies.set(name, value)
    return there
  }

  async open(path: string, headers: Record<string, string> = {}, method = 'GET'): Promise<Reply> {
    const cookie = [...this.cookies].map(([name, value]) => `${name}=${value}`).join('; ')
    const reply = await ask(this.#gate, path, {
      method,
      headers: {
        Host: this.#host,
        Accept: 'text/html,application/xhtml+xml,*/*;q=0.8',
        ...(cookie === '' ? {} : { Cookie: cookie }),
        ...headers,
      },
    })
    for (const line of [reply.headers['set-cookie'] ?? []].flat()) this.#take(line)
    return reply
  }

  #take(line: string): void {
    const [pair = '', ...attributes] = line.split(/; ?/)
    const [name = '', value = ''] = pair.split('=')
    if (attributes.includes('Max-Age=0')) this.cookies.delete(name)
    else this.cookies.set(name, value)
  }
}

/** The whole way of a browser: to the provider, and back. Gives the last answer. */
export async function signIn(
  visitor: Visitor,
  provider: OpenIdProvider,
  account: string,
  next = '/',
  prefix = '',
): Promise<Reply> {
  const back = await comeBack(visitor, provider, account, next, prefix)
  return visitor.open(back)
}

/** As far as the address that the provider sends back to, without its host. */
export async function comeBack(
  visitor: Visitor,
  provider: OpenIdProvider,
  account: string,
  next = '/',
  prefix = '',
): Promise<string> {
  const sent = await visitor.open(`${prefix}/login/start?${new URLSearchParams({ next })}`)
  const back = new URL(await provider.signIn(String(sent.headers.location), account))
  return back.pathname + back.search
}
