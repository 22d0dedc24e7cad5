import { mkdirSync, realpathSync, writeFileSync } from 'node:fs'
import { join as joinPath } from 'node:path'
import { EmbeddedError } from '../errors.js'
import { findBinaries } from './binaries.js'
import { type House, join, type Membership, rejoin } from './join.js'

export interface EmbeddedOptions {
  /** The app's folder. Everything is kept in `.celeriac` below it. */
  readonly root: string
  readonly log: { info(message: string): void; warn(message: string): void }
  /** How long the server stays after its last process has gone, so that a watcher may restart the app. Default 30 s. */
  readonly lingerMs?: number
}

/** A process's share in the private PostgreSQL of its app. */
export interface Embedded {
  /** `postgres://…` for the database `celeriac`. */
  readonly url: string
  /** This process leaves. The server stops when it was the last and none has come for `lingerMs`. */
  close(): Promise<void>
}

const defaultLingerMs = 30_000

/**
 * Starts the app's private PostgreSQL, or joins it where another process of the app has started it.
 *
 * A small process of its own, the keeper, prepares, starts and stops the server. Each process of the app holds one
 * socket to it; while this process lives, a server or a keeper that dies is started again, on the same port where
 * that is still free. The socket does not keep this process alive.
 *
 * @throws {EmbeddedError} with the reason, and the end of the server's log where that tells it
 */
export async function openEmbedded(options: EmbeddedOptions): Promise<Embedded> {
  const { log, lingerMs = defaultLingerMs } = options
  const root = realRoot(options.root)
  const house: House = { root, folder: makeFolder(root), binaries: await findBinaries(root), lingerMs, log }
  const first = await join(house)
  let present = first
  let left = false
  void stay()
  return { url: first.url, close: leave }

  async function stay(): Promise<void> {
    while (!left) {
      await present.line.closed
      if (left) return
      const again = await rejoin(house, () => left)
      if (!again) return
      present = again
      if (left) present.line.hangUp()
      else warnOfNewAddress(house, first, present)
    }
  }

  async function leave(): Promise<void> {
    left = true
    present.line.hangUp()
    await present.line.closed
  }
}

function warnOfNewAddress({ log }: House, first: Membership, now: Membership): void {
  if (now.url === first.url) return
  log.warn('The private PostgreSQL has come back at another address. Restart this process to use it.')
}

function realRoot(root: string): string {
  try {
    return realpathSync(root)
  } catch (cause) {
    throw new EmbeddedError(`The app's folder ${root} cannot be read: ${messageOf(cause)}.`, { cause })
  }
}

function makeFolder(root: string): string {
  const folder = joinPath(root, '.celeriac')
  try {
    mkdirSync(folder, { recursive: true, mode: 0o711 })
    writeFileSync(joinPath(folder, '.gitignore'), '*\n')
    return folder
  } catch (cause) {
    throw new EmbeddedError(
      `The private PostgreSQL keeps its data in ${folder}, and this process may not write there: ${messageOf(cause)}. Give it the right to, or delete the folder if another user made it, or set DATABASE_URL to a PostgreSQL of your own.`,
      { cause },
    )
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
