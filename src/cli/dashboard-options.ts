import { resolve } from 'node:path'
import type { DashboardOptions, OidcOptions } from '../config/dashboard-options.js'
import type { DashboardRole } from '../control/access.js'
import { ConfigError } from '../errors.js'
import type { DashboardFlags } from './dashboard.js'
import { refuseFlowerFlags } from './flower-flags.js'
import { wholeNumber } from './kit.js'

/**
 * What the flags of the dashboard say, as options.
 * @throws {ConfigError} when one makes no sense, or is Flower's
 */
export function dashboardOptionsOf(flags: DashboardFlags): DashboardOptions {
  refuseFlowerFlags(flags)
  const { host, urlPrefix, publicUrl, trustProxy, basicAuthFile } = flags
  const oidc = oidcOptionsOf(flags)
  return said<DashboardOptions>({
    host,
    urlPrefix,
    publicUrl,
    trustProxy,
    port: flags.port === undefined ? undefined : wholeNumber(flags.port, '--port', 0),
    tls: tlsOf(flags),
    basicAuthFile: basicAuthFile === undefined ? undefined : resolve(basicAuthFile),
    oidc: Object.keys(oidc).length === 0 ? undefined : (oidc as OidcOptions),
  })
}

function tlsOf({ tlsCert, tlsKey }: DashboardFlags): DashboardOptions['tls'] {
  if (tlsCert === undefined && tlsKey === undefined) return undefined
  if (tlsCert === undefined || tlsKey === undefined)
    throw new ConfigError('--tls-cert and --tls-key belong together: say both.')
  return { cert: resolve(tlsCert), key: resolve(tlsKey) }
}

/** What lacks may be in the config. */
function oidcOptionsOf(flags: DashboardFlags): Partial<OidcOptions> {
  return said<Partial<OidcOptions>>({
    issuer: flags.oidcIssuer,
    clientId: flags.oidcClientId,
    scope: flags.oidcScope,
    roleClaim: flags.oidcRoleClaim,
    roles: flags.oidcRole && toRoles(flags.oidcRole, '--oidc-role'),
    emails: flags.oidcEmail && toRoles(flags.oidcEmail, '--oidc-email'),
    allow: flags.oidcAllow,
    defaultRole: flags.oidcDefaultRole as DashboardRole | undefined,
  })
}

/** Whether it is a role is looked at where the config is. */
function toRoles(pairs: readonly string[], flag: string): Record<string, DashboardRole> {
  return Object.fromEntries(
    pairs.map((pair) => {
      const at = pair.lastIndexOf('=')
      if (at < 1)
        throw new ConfigError(`${flag} takes value=role, such as jobs-admins=admin, and got "${pair}".`)
      return [pair.slice(0, at), pair.slice(at + 1) as DashboardRole]
    }),
  )
}

function said<T extends object>(options: { [Name in keyof T]: T[Name] | undefined }): T {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as T
}
