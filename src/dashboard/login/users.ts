import { type DashboardRole, dashboardRoles, isDashboardRole } from '../../control/access.js'
import { ConfigError } from '../../errors.js'
import { looksHashed, type PasswordHash, readHash } from './password.js'

/** Who may come in by name and password. */
export interface User {
  readonly name: string
  readonly role: DashboardRole
  /** As it was written, or its hash. */
  readonly password: string | PasswordHash
}

/**
 * Of `name:password:role`, one a line in a file, by commas in the environment. Lines that are empty or begin with `#` mean nothing.
 * @param where for messages, which never show what stands there
 * @throws {ConfigError} when one is of another form, or a name stands there twice
 */
export function readUsers(text: string, separator: ',' | '\n', where: string): User[] {
  const users: User[] = []
  for (const [index, line] of text.split(separator).entries()) {
    const entry = line.trim()
    if (entry === '' || entry.startsWith('#')) continue
    const at = separator === ',' ? `Entry ${index + 1} of ${where}` : `${where}, line ${index + 1}:`
    users.push(readUser(entry, at))
  }
  return users
}

/** @throws {ConfigError} when two have one name */
export function assertNamesDiffer(users: readonly User[]): void {
  const seen = new Set<string>()
  for (const { name } of users) {
    if (seen.has(name))
      throw new ConfigError(`Two logins of the dashboard have the name ${JSON.stringify(name)}.`)
    seen.add(name)
  }
}

/** A password may have colons. */
function readUser(entry: string, at: string): User {
  const [first, last] = [entry.indexOf(':'), entry.lastIndexOf(':')]
  const name = entry.slice(0, Math.max(first, 0)).trim()
  if (first === last || name === '' || last === first + 1) throw notOfTheForm(at)
  const role = entry.slice(last + 1).trim()
  if (!isDashboardRole(role))
    throw new ConfigError(`${at} must end in a role: ${dashboardRoles.join(', ')}, as in ann:secret:viewer.`)
  return { name, role, password: toPassword(entry.slice(first + 1, last), at) }
}

function toPassword(text: string, at: string): string | PasswordHash {
  if (!looksHashed(text)) return text
  const hash = readHash(text)
  if (hash) return hash
  throw new ConfigError(`${at} has a hash that cannot be read. Make one: celeriac dashboard --hash-password`)
}

function notOfTheForm(at: string): ConfigError {
  return new ConfigError(`${at} must be name:password:role, as in ann:secret:viewer.`)
}
