import { readFileSync, statSync } from 'node:fs'

/** The user that the server runs as. PostgreSQL refuses to run as root. */
export interface Account {
  readonly name: string
  /** `undefined`: the keeper's own. */
  readonly ids: { readonly uid: number; readonly gid: number } | undefined
}

const unprivileged = ['postgres', '_postgres', 'nobody', 'daemon']

/**
 * Chooses the user for the server. When the keeper is root: whoever has the data already, else the app folder's owner
 * (so that `sudo` once and no `sudo` later share one server), else a user that every system has.
 * @returns `undefined` when the system has no user but root
 */
export function chooseAccount(dataFolder: string, appFolder: string): Account | undefined {
  if (process.getuid?.() !== 0) return { name: 'this user', ids: undefined }
  const users = readUsers()
  const owners = [dataFolder, appFolder].map((folder) => statSync(folder, { throwIfNoEntry: false })?.uid)
  const user =
    owners.map((uid) => users.find((one) => one.ids.uid === uid)).find((one) => one !== undefined) ??
    unprivileged.map((name) => users.find((one) => one.name === name)).find((one) => one !== undefined) ??
    users[0]
  return user
}

/** All but root. `initdb` wants a user that has a name here. */
function readUsers(): (Account & { readonly ids: { uid: number; gid: number } })[] {
  return readPasswd()
    .split('\n')
    .map((line) => line.split(':'))
    .filter(([name, , uid, gid]) => name && !name.startsWith('#') && Number(uid) !== 0 && gid)
    .map(([name = '', , uid, gid]) => ({ name, ids: { uid: Number(uid) >>> 0, gid: Number(gid) >>> 0 } }))
}

function readPasswd(): string {
  try {
    return readFileSync('/etc/passwd', 'utf8')
  } catch {
    return ''
  }
}
