import type { DashboardRole } from '../control/access.js'
import type { Duration } from '../job/duration.js'

/** What the dashboard goes by, most of it `celeriac dashboard` alone. Its flags go before. Secrets are in no file: see `docs/dashboard.md`. */
export interface DashboardOptions {
  /** 0: any that is free. Default 5555. */
  port?: number
  /** On which address it listens. Default `'127.0.0.1'`. Any but this machine needs a login, or `authorize`. */
  host?: string
  /** Where its pages are, such as `'/jobs'`, where a proxy passes whole paths on. Default `'/'`. */
  urlPrefix?: string
  /**
   * The address of its first page as browsers see it, such as `'https://jobs.example.com'`. A login by OpenID Connect needs
   * it, unless it is `http://localhost`.
   */
  publicUrl?: string
  /**
   * Whose `X-Forwarded-For` is believed: how many proxies stand in front, or their addresses, as Express's `trust proxy`
   * takes them. Without it, all that comes through a proxy has the proxy's address. Default: nobody's.
   */
  trustProxy?: number | string
  /** The files of a certificate and its key, in PEM. Default: plain HTTP. */
  tls?: { readonly cert: string; readonly key: string }
  /** A file of `name:password:role` lines. Names and passwords may be in `CELERIAC_DASHBOARD_BASIC_AUTH` as well. */
  basicAuthFile?: string
  /** A login by OpenID Connect. Its client secret is in `CELERIAC_DASHBOARD_OIDC_CLIENT_SECRET`. */
  oidc?: OidcOptions
  /**
   * Where a trace is shown, with `{traceId}` in its place: `'https://traces.example.com/trace/{traceId}'`. Pages of jobs link
   * there, also where the app has mounted them. Default: no link.
   */
  traceUrl?: string
}

/** Who comes in is what `roles`, `emails` and `defaultRole` say together: of several roles the highest. */
export interface OidcOptions {
  /** The provider's address, below which `.well-known/openid-configuration` is. */
  issuer: string
  clientId: string
  /** Asked for at the login. Some providers give groups only where `groups` is among them. Default `'openid email profile'`. */
  scope?: string
  /** Where the values of `roles` stand: a claim, or a path such as `'realm_access.roles'`. Default `'groups'`. */
  roleClaim?: string
  /** Roles by values of that claim: `{ 'jobs-admins': 'admin' }`. Default: none. */
  roles?: Readonly<Record<string, DashboardRole>>
  /** Roles by e-mail address, where `*` stands for any characters but `@`: `{ '*@example.com': 'viewer' }`. Default: none. */
  emails?: Readonly<Record<string, DashboardRole>>
  /** Nobody else comes in, whatever else says so: `['*@example.com']`. Default: no such bound. */
  allow?: readonly string[]
  /** Of everybody who can log in at the provider. Default `false`: none. */
  defaultRole?: DashboardRole | false
  /**
   * Whether an e-mail address counts that the provider does not say it has verified. Only where it gives no others than its
   * own. Default `false`.
   */
  unverifiedEmails?: boolean
  /** How long a login lasts. Default `'8h'`. */
  session?: Duration
}
