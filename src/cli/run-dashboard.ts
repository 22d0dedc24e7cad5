import { readFileSync } from 'node:fs'
import { createServer, type RequestListener, type Server } from 'node:http'
import { createServer as createSecureServer } from 'node:https'
import { createRequire } from 'node:module'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import type { RequestHandler } from 'express'
import type { App } from '../app.js'
import { type DashboardConfig, isLoopbackHost } from '../config/dashboard.js'
import { readEnvironment } from '../config/env.js'
import type { Config } from '../config/resolve.js'
import { createLogin, type Login } from '../dashboard/login/login.js'
import { createTries } from '../dashboard/login/tries.js'
import { ConfigError } from '../errors.js'
import { toDashboard } from '../plugin.js'
import { within } from '../waiting.js'
import type { DashboardFlags } from './dashboard.js'
import { type LoginPlan, planLogin } from './dashboard-login.js'
import { dashboardOptionsOf } from './dashboard-options.js'
import { note, print, printJson } from './kit.js'
import { openForCommand, readConfig } from './open.js'

/** How long open pages have, when it ends. */
const closeMs = 2000

/** Serves the dashboard until it is told to stop. */
export async function runDashboard(flags: DashboardFlags): Promise<void> {
  const config = await readConfig(flags, { dashboard: dashboardOptionsOf(flags) })
  const { dashboard } = config
  const plan = planLogin(dashboard, readEnvironment())
  assertGuarded(config, plan)
  const express = loadExpress(config.root)
  let fail: (error: unknown) => void = () => {}
  const failed = new Promise<never>((_, reject) => {
    fail = reject
  })
  const app = openForCommand(config, fail)
  let handler: RequestListener = () => {}
  const server = openServer(dashboard, (req, res) => handler(req, res))
  try {
    const address = await Promise.race([listen(server, dashboard), failed])
    const login = await openLogin(plan, address, app)
    handler = serve(express, config, app, login)
    tell(flags, config, plan, address)
    await Promise.race([stopSignal(), failed])
  } finally {
    const closed = new Promise((resolve) => server.close(resolve))
    server.closeIdleConnections()
    await within(closeMs, closed)
    server.closeAllConnections()
    await app.close()
  }
  // What a tasks file opened when it was loaded may keep the process alive.
  process.exit(0)
}

/** @throws {ConfigError} when others could see it, and nobody has said who may */
function assertGuarded({ authorize, dashboard, isProduction }: Config, { users, oidc }: LoginPlan): void {
  if (authorize || users.length > 0 || oidc) return
  const example =
    'Say who may: CELERIAC_DASHBOARD_BASIC_AUTH="ann:secret:admin", --basic-auth-file, --oidc-issuer, or "authorize" in the config.'
  if (!isLoopbackHost(dashboard.host))
    throw new ConfigError(
      `--host ${dashboard.host} would show the dashboard to whoever reaches this machine. ${example}`,
    )
  if (isProduction)
    throw new ConfigError(
      `In production the dashboard is closed until it is known who may see it. ${example}`,
    )
}

/** What is used of Express. */
type Express = () => {
  use(path: string, ...handlers: RequestHandler[]): unknown
  set(name: string, value: unknown): unknown
} & RequestListener

/**
 * The app's own, else ours.
 * @throws {ConfigError} when there is none
 */
function loadExpress(root: string): Express {
  for (const from of [join(root, 'package.json'), import.meta.url]) {
    try {
      return createRequire(from)('express') as Express
    } catch {
      // Not there.
    }
  }
  throw new ConfigError('The dashboard is served by Express, which is not installed here. Run: npm i express')
}

async function openLogin(
  { users, oidc }: LoginPlan,
  address: URL,
  { audit, log }: Pick<App, 'audit' | 'log'>,
): Promise<Login | undefined> {
  if (users.length === 0 && !oidc) return undefined
  return createLogin({ users, oidc: oidc?.(address), tries: createTries(), audit, log })
}

/** A login says who may come in; without one, the config does. */
function serve(express: Express, config: Config, app: App, login: Login | undefined): RequestListener {
  const { urlPrefix, trustProxy } = config.dashboard
  const pages = login
    ? toDashboard(app, { ...config, authorize: login.authorize }, login.canLogOut)
    : toDashboard(app, config)
  const server = express()
  server.set('x-powered-by', false)
  if (trustProxy !== undefined) server.set('trust proxy', trustProxy)
  const mount = urlPrefix || '/'
  server.use(`${urlPrefix}/healthcheck`, sayOk)
  server.use(mount, ...(login ? [login.middleware] : []), pages)
  if (urlPrefix !== '') server.use('/', toPrefix(`${urlPrefix}/`))
  return server
}

/** That this process answers, for whoever restarts it when it does not. */
const sayOk: RequestHandler = (_req, res) => {
  res.writeHead(200, { 'Content-Type': 'text/plain; charset=utf-8', 'Cache-Control': 'no-store' }).end('OK')
}

function toPrefix(prefix: string): RequestHandler {
  return ({ url }, res) => {
    if (url === '/') res.writeHead(302, { Location: prefix, 'Content-Length': 0 }).end()
    else
      res.writeHead(404, { 'Content-Type': 'text/plain; charset=utf-8' }).end(`The dashboard is at ${prefix}`)
  }
}

function openServer({ tls }: DashboardConfig, listener: RequestListener): Server {
  if (!tls) return createServer(listener)
  try {
    const [cert, key] = [readFileSync(tls.cert), readFileSync(tls.key)]
    return createSecureServer({ cert, key }, listener)
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new ConfigError(`The certificate or its key cannot be used: ${reason}`, { cause })
  }
}

function listen(server: Server, { port, host, urlPrefix, tls }: DashboardConfig): Promise<URL> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => reject(toConfigError(error, port, host)))
    server.listen(port, host, () => {
      const { port: taken } = server.address() as AddressInfo
      const name = host.includes(':') ? `[${host}]` : host
      resolve(new URL(`${tls ? 'https' : 'http'}://${name}:${taken}${urlPrefix}/`))
    })
  })
}

function toConfigError(error: NodeJS.ErrnoException, port: number, host: string): Error {
  if (error.code === 'EADDRINUSE')
    return new ConfigError(`Port ${port} is taken. Say another: --port ${port + 1}`, { cause: error })
  return new ConfigError(`${host}:${port} cannot be listened on (${error.code ?? error.message}).`, {
    cause: error,
  })
}

/** Where it is for browsers, and who may come in. */
function tell({ json }: DashboardFlags, config: Config, plan: LoginPlan, address: URL): void {
  const { publicUrl = address } = config.dashboard
  const url = plan.oidc?.(address).publicUrl ?? new URL(publicUrl)
  const access = accessOf(config, plan)
  if (json) {
    printJson({ url: url.href, listensAt: address.href, access: access.map(({ kind }) => kind) })
    return
  }
  const behind = config.dashboard.publicUrl === undefined ? '' : `, and listens at ${address.href}`
  print([`The dashboard is at ${url.href}${behind}`, ...access.map(({ text }) => text)].join('\n'))
}

function accessOf(
  { authorize, dashboard }: Config,
  { users, oidc }: LoginPlan,
): { readonly kind: string; readonly text: string }[] {
  const names = users.map(({ name, role }) => `${name} (${role})`).join(', ')
  const logins = [
    ...(users.length > 0 ? [{ kind: 'password', text: `By name and password come in: ${names}` }] : []),
    ...(oidc && dashboard.oidc ? [{ kind: 'oidc', text: `People sign in at ${dashboard.oidc.issuer}` }] : []),
  ]
  if (logins.length > 0) return logins
  if (authorize) return [{ kind: 'authorize', text: '"authorize" in the config says who comes in.' }]
  return [{ kind: 'machine', text: 'Whoever is at this machine may come in, and do everything.' }]
}

function stopSignal(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) {
      process.once(signal, () => {
        note('celeriac: Stopped.')
        resolve()
      })
    }
  })
}
