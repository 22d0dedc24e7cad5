import { resolve } from 'node:path'
import { type DashboardRole, dashboardRoles, isDashboardRole } from '../control/access.js'
import { ConfigError } from '../errors.js'
import { checkBoolean, checkDuration, checkKeys, checkText, show, wrong } from '../task/check.js'
import type { DashboardOptions, OidcOptions } from './dashboard-options.js'
import { checkPort } from './port.js'

/** What the dashboard goes by. No secrets are in it. */
export interface DashboardConfig {
  readonly port: number
  readonly host: string
  /** Begins with a slash and does not end with one; empty for none. */
  readonly urlPrefix: string
  /** Does not end with a slash. */
  readonly publicUrl: string | undefined
  readonly trustProxy: number | string | undefined
  readonly tls: { readonly cert: string; readonly key: string } | undefined
  readonly basicAuthFile: string | undefined
  readonly oidc: OidcConfig | undefined
  /** With `{traceId}` in it. */
  readonly traceUrl: string | undefined
}

export interface OidcConfig {
  readonly issuer: string
  readonly clientId: string
  readonly scope: string
  readonly roleClaim: string
  readonly roles: ReadonlyMap<string, DashboardRole>
  readonly emails: ReadonlyMap<string, DashboardRole>
  /** `undefined`: no such bound. */
  readonly allow: readonly string[] | undefined
  readonly defaultRole: DashboardRole | undefined
  readonly takesUnverifiedEmails: boolean
  readonly sessionMs: number
}

export const dashboardDefaults = Object.freeze({
  port: 5555,
  host: '127.0.0.1',
  scope: 'openid email profile',
  roleClaim: 'groups',
  sessionMs: 8 * 3_600_000,
})

const optionNames = {
  port: true,
  host: true,
  urlPrefix: true,
  publicUrl: true,
  trustProxy: true,
  tls: true,
  basicAuthFile: true,
  oidc: true,
  traceUrl: true,
} satisfies Record<keyof DashboardOptions, true>

const oidcNames = {
  issuer: true,
  clientId: true,
  scope: true,
  roleClaim: true,
  roles: true,
  emails: true,
  allow: true,
  defaultRole: true,
  unverifiedEmails: true,
  session: true,
} satisfies Record<keyof OidcOptions, true>

/**
 * @param root what names of files are relative to
 * @throws {ConfigError} when an option is unknown, wrong, or in conflict with another
 */
export function checkDashboard(value: unknown, root: string): DashboardConfig {
  const options = value ?? {}
  checkKeys(options, Object.keys(optionNames), '"dashboard"')
  const read = readerOf(options, 'dashboard')
  return Object.freeze({
    host: read('host', checkText) ?? dashboardDefaults.host,
    publicUrl: read('publicUrl', checkPublicUrl),
    oidc: read('oidc', checkOidc),
    port: read('port', checkPort) ?? dashboardDefaults.port,
    urlPrefix: read('urlPrefix', checkPrefix) ?? '',
    trustProxy: read('trustProxy', checkTrustProxy),
    tls: read('tls', (tls, where) => checkTls(tls, where, root)),
    basicAuthFile: read('basicAuthFile', (path, where) => resolve(root, checkText(path, where))),
    traceUrl: read('traceUrl', checkTraceUrl),
  })
}

const tracePlace = '{traceId}'

function checkTraceUrl(value: unknown, where: string): string {
  if (typeof value === 'string' && value.includes(tracePlace) && /^https?:$/.test(protocolOf(value)))
    return value
  throw wrong(where, `an address such as 'https://traces.example.com/trace/${tracePlace}'`, value)
}

function protocolOf(url: string): string {
  return URL.canParse(url) ? new URL(url).protocol : ''
}

export function isLoopbackHost(host: string): boolean {
  return /^(localhost|127\.\d+\.\d+\.\d+|\[?::1\]?)$/i.test(host)
}

function readerOf(options: Record<string, unknown>, part: string) {
  return <T>(name: string, check: (value: unknown, where: string) => T): T | undefined =>
    options[name] === undefined ? undefined : check(options[name], `"${part}.${name}"`)
}

function checkPrefix(value: unknown, where: string): string {
  if (typeof value === 'string' && /^(?:\/|(?:\/?[\w.~-]{1,200}(?:\/[\w.~-]{1,200}){0,20}\/?))$/.test(value))
    return value.replace(/^\/?/, '/').replace(/\/$/, '')
  throw wrong(where, "a path such as '/jobs'", value)
}

/** Cookies are for one host and one scheme, so the address must be whole; and plain HTTP would show them to the network. */
function checkPublicUrl(value: unknown, where: string): string {
  const url = typeof value === 'string' ? toUrl(value) : undefined
  const isWhole = url && url.search === '' && url.hash === '' && url.username === '' && url.password === ''
  if (!isWhole || !isSecure(url))
    throw wrong(
      where,
      'an https:// address such as https://jobs.example.com, or http://localhost:5555',
      value,
    )
  return url.href.replace(/\/$/, '')
}

function checkTrustProxy(value: unknown, where: string): number | string {
  if (typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= 20) return value
  if (typeof value === 'string' && /^[\w.:/, ]+$/.test(value))
    return /^\d+$/.test(value) ? Number(value) : value
  throw wrong(where, "how many proxies there are, or their addresses, such as 'loopback, 10.0.0.0/8'", value)
}

function checkTls(value: unknown, where: string, root: string): { cert: string; key: string } {
  checkKeys(value, ['cert', 'key'], where)
  const file = (name: 'cert' | 'key') =>
    resolve(root, checkText(value[name], `${where.slice(0, -1)}.${name}"`))
  return { cert: file('cert'), key: file('key') }
}

function checkOidc(value: unknown, where: string): OidcConfig {
  checkKeys(value, Object.keys(oidcNames), where)
  const read = readerOf(value, 'dashboard.oidc')
  const config = {
    issuer: checkIssuer(value.issuer, '"dashboard.oidc.issuer"'),
    clientId: checkText(value.clientId, '"dashboard.oidc.clientId"'),
    scope: read('scope', checkScope) ?? dashboardDefaults.scope,
    roleClaim: read('roleClaim', checkText) ?? dashboardDefaults.roleClaim,
    roles: read('roles', checkRoles) ?? new Map(),
    emails: read('emails', checkEmailRoles) ?? new Map(),
    allow: read('allow', checkAllowed),
    defaultRole: read('defaultRole', (role, at) => (role === false ? undefined : checkRole(role, at))),
    takesUnverifiedEmails: read('unverifiedEmails', checkBoolean) ?? false,
    sessionMs: read('session', checkSession) ?? dashboardDefaults.sessionMs,
  }
  if (config.roles.size > 0 || config.emails.size > 0 || config.defaultRole) return Object.freeze(config)
  throw new ConfigError(
    `${where} would let nobody in: say "roles", "emails" or "defaultRole", such as emails: { '*@example.com': 'viewer' }.`,
  )
}

const leastSessionMs = 60_000
/** Who has signed out is remembered for so long, at the least. */
const longestSessionMs = 30 * 86_400_000

function checkSession(value: unknown, where: string): number {
  const ms = checkDuration(value, where, leastSessionMs)
  if (ms <= longestSessionMs) return ms
  throw wrong(where, 'at most 30 days', value)
}

function checkIssuer(value: unknown, where: string): string {
  const url = typeof value === 'string' ? toUrl(value) : undefined
  if (url && isSecure(url)) return url.href
  throw wrong(where, 'the https:// address of the provider', value)
}

function checkScope(value: unknown, where: string): string {
  if (typeof value === 'string' && value.split(' ').includes('openid')) return value
  throw wrong(where, "scopes with spaces between, one of them 'openid'", value)
}

function checkRoles(value: unknown, where: string): Map<string, DashboardRole> {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw wrong(where, "roles by value, such as { 'jobs-admins': 'admin' }", value)
  return new Map(
    Object.entries(value).map(([name, role]) => [name, checkRole(role, `${where} of ${show(name)}`)]),
  )
}

function checkEmailRoles(value: unknown, where: string): Map<string, DashboardRole> {
  const roles = checkRoles(value, where)
  return new Map([...roles].map(([pattern, role]) => [checkPattern(pattern, where), role]))
}

function checkAllowed(value: unknown, where: string): readonly string[] {
  if (!Array.isArray(value) || value.length === 0)
    throw wrong(where, "a list of e-mail addresses, such as ['*@example.com']", value)
  return value.map((pattern: unknown) => checkPattern(pattern, where))
}

/** The whole address, and its host in plain: a pattern that begins or ends somewhere within lets strangers in. */
function checkPattern(value: unknown, where: string): string {
  if (typeof value === 'string' && /^[^\s@]{1,100}@[^\s@*]{1,200}$/.test(value)) return value.toLowerCase()
  throw wrong(`An address in ${where}`, 'an e-mail address, or one such as *@example.com', value)
}

function checkRole(value: unknown, where: string): DashboardRole {
  if (isDashboardRole(value)) return value
  throw wrong(where, `one of ${dashboardRoles.join(', ')}`, value)
}

function toUrl(text: string): URL | undefined {
  return URL.canParse(text) ? new URL(text) : undefined
}

function isSecure({ protocol, hostname }: URL): boolean {
  return protocol === 'https:' || (protocol === 'http:' && isLoopbackHost(hostname))
}
