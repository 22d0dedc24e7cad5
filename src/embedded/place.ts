import { createHash } from 'node:crypto'
import { chmodSync, existsSync, lstatSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { EmbeddedError } from '../errors.js'
import type { Account } from './account.js'
import { run } from './run.js'

/** The folder that the server's data is kept in, and why it is not `.celeriac` if so. */
export interface Place {
  readonly folder: string
  readonly reason?: string
}

interface Note {
  readonly about: string
  readonly folder: string
}

/** Where the data of this app is already; else `.celeriac`. */
export function presentPlace(celeriacFolder: string): string {
  const noted = readNote(celeriacFolder)?.folder
  return noted && existsSync(noted) ? noted : celeriacFolder
}

/**
 * Chooses where the data goes: `.celeriac`, or, where the server's user cannot reach that (a checkout below /root), a
 * folder among the temporary ones. A note in `.celeriac` says so, and keeps the choice.
 * @throws {EmbeddedError} when there is no place that the server's user can reach
 */
export async function choosePlace(
  order: { root: string; folder: string; tmp: string },
  account: Account,
): Promise<Place> {
  const present = presentPlace(order.folder)
  if (present !== order.folder) assertOurs(present)
  if (await canReach(account, present)) return withReason(order.folder, present, account)
  for (const parent of [order.tmp, '/var/tmp', '/tmp']) {
    if (!(await canReach(account, parent))) continue
    const folder = makeKeyed(parent, order.root)
    const note: Note = {
      about: `The private PostgreSQL keeps its data there: user "${account.name}" cannot reach this folder.`,
      folder,
    }
    writeFileSync(noteFile(order.folder), `${JSON.stringify(note, null, 2)}\n`)
    return withReason(order.folder, folder, account)
  }
  throw new EmbeddedError(
    `PostgreSQL does not run as root, and user "${account.name}" cannot reach ${order.folder} or a temporary folder. Move the app out of a private folder, or set DATABASE_URL to a PostgreSQL of your own.`,
  )
}

function withReason(celeriacFolder: string, folder: string, account: Account): Place {
  if (folder === celeriacFolder) return { folder }
  return { folder, reason: `user "${account.name}", which it runs as, cannot reach ${celeriacFolder}` }
}

async function canReach(account: Account, folder: string): Promise<boolean> {
  if (!account.ids) return true
  return (await run('/bin/sh', ['-c', 'cd -- "$1"', 'sh', folder], account)).ok
}

/** The name follows from the app's folder, so that another app never finds it. It must not be another user's trap. */
function makeKeyed(parent: string, root: string): string {
  const folder = join(parent, `celeriac-${createHash('sha256').update(root).digest('hex').slice(0, 16)}`)
  mkdirSync(folder, { recursive: true })
  assertOurs(folder)
  chmodSync(folder, 0o711)
  return folder
}

function assertOurs(folder: string): void {
  const found = lstatSync(folder)
  if (!found.isDirectory() || found.uid !== process.getuid?.() || (found.mode & 0o022) !== 0) {
    throw new EmbeddedError(
      `${folder} is needed for the private PostgreSQL and belongs to someone else. Delete it, or set DATABASE_URL to a PostgreSQL of your own.`,
    )
  }
}

function noteFile(celeriacFolder: string): string {
  return join(celeriacFolder, 'location.json')
}

function readNote(celeriacFolder: string): Note | undefined {
  try {
    return JSON.parse(readFileSync(noteFile(celeriacFolder), 'utf8')) as Note
  } catch {
    return undefined
  }
}
