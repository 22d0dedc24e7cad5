import type { OidcConfig } from '../../config/dashboard.js'
import { type DashboardRole, dashboardRoles } from '../../control/access.js'
import { toPlainText } from '../../job/json.js'

/** What is kept of somebody who has logged in. Of what his groups are, only those that mean something here. */
export interface Identity {
  readonly subject: string
  /** What people call him, and the audit. */
  readonly name: string
  readonly email: string | null
  readonly isEmailVerified: boolean
  readonly values: readonly string[]
}

export type Claims = Readonly<Record<string, unknown>>

/** An address that anybody may claim names nobody. */
export function toIdentity(claims: Claims, config: OidcConfig): Identity {
  const email = textOf(claims.email)?.toLowerCase() ?? null
  const isEmailVerified = claims.email_verified === true || claims.email_verified === 'true'
  const subject = textOf(claims.sub) ?? ''
  return {
    ...{ subject, email, isEmailVerified },
    name: trustedEmail({ email, isEmailVerified }, config) ?? textOf(claims.preferred_username) ?? subject,
    values: valuesOf(claimAt(claims, config.roleClaim)).filter((value) => config.roles.has(value)),
  }
}

function trustedEmail(
  { email, isEmailVerified }: Pick<Identity, 'email' | 'isEmailVerified'>,
  { takesUnverifiedEmails }: OidcConfig,
): string | null {
  return takesUnverifiedEmails || isEmailVerified ? email : null
}

/** Whether they have all that roles may follow from. */
export function isComplete(claims: Claims, { roleClaim, roles }: OidcConfig): boolean {
  return claims.email !== undefined && (roles.size === 0 || claimAt(claims, roleClaim) !== undefined)
}

/** The highest role that anything gives; or why there is none. */
export function roleOf(identity: Identity, config: OidcConfig): DashboardRole | { readonly why: string } {
  const email = trustedEmail(identity, config)
  if (config.allow && !config.allow.some((pattern) => fits(email, pattern)))
    return { why: whyNotAllowed(identity, email) }
  const roles = [
    ...identity.values.map((value) => config.roles.get(value)),
    ...[...config.emails].filter(([pattern]) => fits(email, pattern)).map(([, role]) => role),
    config.defaultRole,
  ]
  const role = dashboardRoles.findLast((each) => roles.includes(each))
  return role ?? { why: 'nobody has given this account a role here' }
}

function whyNotAllowed({ email }: Identity, usable: string | null): string {
  if (email === null) return 'the provider gives no e-mail address for this account'
  if (usable === null) return 'the provider does not say that the e-mail address of this account is verified'
  return 'this account is not among those that are let in'
}

/** Some names of claims have dots in them, and some claims are within others. */
function claimAt(claims: Claims, path: string): unknown {
  if (Object.hasOwn(claims, path)) return claims[path]
  let at: unknown = claims
  for (const part of path.split('.')) {
    if (typeof at !== 'object' || at === null || !Object.hasOwn(at, part)) return undefined
    at = Reflect.get(at, part)
  }
  return at
}

/** One text, a list of them, or an object that has them for names. */
function valuesOf(claim: unknown): string[] {
  if (typeof claim === 'string') return [claim]
  if (Array.isArray(claim)) return claim.filter((value): value is string => typeof value === 'string')
  return typeof claim === 'object' && claim !== null ? Object.keys(claim) : []
}

/** From its first to its last character; the star stands for none that ends a name. */
function fits(email: string | null, pattern: string): boolean {
  if (email === null || !/^[^\s@]+@[^\s@]+$/.test(email)) return false
  const [name = '', host = ''] = pattern.split('@')
  const [ownName = '', ownHost = ''] = email.split('@')
  return ownHost === host && matches(ownName, name.split('*'))
}

function matches(text: string, [first = '', ...rest]: readonly string[]): boolean {
  if (rest.length === 0) return text === first
  const last = rest.at(-1) ?? ''
  if (!text.startsWith(first) || !text.endsWith(last) || text.length < first.length + last.length)
    return false
  let at = first.length
  for (const part of rest.slice(0, -1)) {
    const found = text.indexOf(part, at)
    if (found === -1) return false
    at = found + part.length
  }
  return at <= text.length - last.length
}

const longestText = 255

function textOf(claim: unknown): string | undefined {
  return typeof claim === 'string' && claim !== '' ? toPlainText(claim.slice(0, longestText)) : undefined
}
