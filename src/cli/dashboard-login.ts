import { readFileSync, statSync } from 'node:fs'
import { type DashboardConfig, isLoopbackHost } from '../config/dashboard.js'
import type { Environment } from '../config/env.js'
import type { OidcLogin } from '../dashboard/login/login.js'
import { assertNamesDiffer, readUsers, type User } from '../dashboard/login/users.js'
import { ConfigError } from '../errors.js'
import { note } from './kit.js'

/** Who may come in by which login, as configuration and environment say. */
export interface LoginPlan {
  readonly users: readonly User[]
  /** Whose public address may be known only when it listens. */
  readonly oidc: ((listensAt: URL) => OidcLogin) | undefined
}

/** @throws {ConfigError} when something lacks, or makes no sense */
export function planLogin(config: DashboardConfig, environment: Environment): LoginPlan {
  return { users: usersOf(config, environment), oidc: oidcOf(config, environment) }
}

function usersOf({ basicAuthFile }: DashboardConfig, { dashboardBasicAuth }: Environment): User[] {
  const users = [
    ...(dashboardBasicAuth === undefined
      ? []
      : readUsers(dashboardBasicAuth, ',', 'CELERIAC_DASHBOARD_BASIC_AUTH')),
    ...(basicAuthFile === undefined ? [] : readUsersFile(basicAuthFile)),
  ]
  assertNamesDiffer(users)
  if (basicAuthFile !== undefined && users.length === 0)
    throw new ConfigError(`${basicAuthFile} names nobody. Write name:password:role, one a line.`)
  return users
}

function readUsersFile(file: string): User[] {
  const users = readUsers(readText(file), '\n', file)
  const mode = statSync(file).mode
  if ((mode & 0o002) !== 0)
    throw new ConfigError(`${file} can be written by everybody on this machine. Run: chmod 600 ${file}`)
  if ((mode & 0o004) !== 0 && users.some(({ password }) => typeof password === 'string'))
    note(
      `celeriac: ${file} has passwords, and can be read by everybody on this machine. Run: chmod 600 ${file}`,
    )
  return users
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (cause) {
    throw new ConfigError(`--basic-auth-file ${file} cannot be read.`, { cause })
  }
}

const leastSecret = 32

function oidcOf(
  { oidc, publicUrl, host }: DashboardConfig,
  { dashboardClientSecret, dashboardSecret }: Environment,
): LoginPlan['oidc'] {
  if (!oidc) return undefined
  if (dashboardSecret !== undefined && dashboardSecret.length < leastSecret)
    throw new ConfigError(
      `CELERIAC_DASHBOARD_SECRET must have ${leastSecret} characters or more. Make one: openssl rand -base64 32`,
    )
  const secret = dashboardSecret ?? dashboardClientSecret
  if (secret === undefined)
    throw new ConfigError(
      'A login by OpenID Connect needs CELERIAC_DASHBOARD_OIDC_CLIENT_SECRET; or, for a client that has none, CELERIAC_DASHBOARD_SECRET, which logins are sealed with: openssl rand -base64 32',
    )
  if (publicUrl === undefined && !isLoopbackHost(host)) throw noPublicUrl()
  return (listensAt) => ({
    config: oidc,
    clientSecret: dashboardClientSecret,
    secret,
    publicUrl: publicUrl === undefined ? toLocalhost(listensAt) : new URL(publicUrl),
    isGuessed: publicUrl === undefined,
  })
}

/** As people call this machine, and as providers let it be registered. */
function toLocalhost(address: URL): URL {
  const url = new URL(address)
  if (url.hostname === '127.0.0.1' || url.hostname === '[::1]') url.hostname = 'localhost'
  return url
}

function noPublicUrl(): ConfigError {
  return new ConfigError(
    'A login by OpenID Connect comes back to the address that browsers see. Say it by --public-url https://… ("dashboard.publicUrl" in the config), and register it at the provider with /login/callback behind.',
  )
}
