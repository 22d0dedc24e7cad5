import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, openSync, renameSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join as joinPath } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { EmbeddedError } from '../errors.js'
import type { Binaries } from './binaries.js'
import { callKeeper, type Line, type News } from './control.js'
import { keeperSource } from './generated/keeper.js'
import type { KeeperOrder } from './keeper.js'
import { endOfLog, logFile, sizeOfLog } from './log-file.js'

/** What a process must know of its app's private server to join it. */
export interface House {
  readonly root: string
  /** `.celeriac` below the root. */
  readonly folder: string
  readonly binaries: Binaries
  readonly lingerMs: number
  readonly log: { info(message: string): void; warn(message: string): void }
}

export interface Membership {
  readonly url: string
  readonly line: Line
}

const patienceMs = 90_000
const lookAgainMs = 20
const longestPauseMs = 5000

/**
 * Calls the keeper until it says that the server is ready, and starts one as often as none answers. Many processes may
 * do so at the same moment: of several keepers, one goes on.
 * @param options.background must not keep the process alive
 * @throws {EmbeddedError} when the keeper says why there can be no server, or ends without a word
 */
export async function join(house: House, options = { background: false }): Promise<Membership> {
  const ref = !options.background
  const logStart = sizeOfLog(house.folder)
  const deadline = Date.now() + patienceMs
  let keeper: ChildProcess | undefined
  while (Date.now() < deadline) {
    const membership = await callUntilReady(house, () => keeper?.pid, ref)
    if (membership) return membership
    if (keeper && hasCrashed(keeper)) break
    if (!keeper || hasEnded(keeper)) keeper = startKeeper(house)
    await delay(lookAgainMs, undefined, { ref })
  }
  throw new EmbeddedError(
    `The private PostgreSQL could not be started.${endOfLog(house.folder, logStart)} Set DATABASE_URL to use a PostgreSQL of your own.`,
  )
}

/** Joins again after the line broke, for as long as it takes or until this process has left. */
export async function rejoin(house: House, hasLeft: () => boolean): Promise<Membership | undefined> {
  for (let pauseMs = lookAgainMs; !hasLeft(); pauseMs = Math.min(pauseMs * 2, longestPauseMs)) {
    try {
      return await join(house, { background: true })
    } catch (error) {
      house.log.warn(error instanceof Error ? error.message : String(error))
      await delay(pauseMs, undefined, { ref: false })
    }
  }
  return undefined
}

/** `undefined`: there is no keeper, or it goes away. */
async function callUntilReady(
  house: House,
  ownKeeper: () => number | undefined,
  ref: boolean,
): Promise<Membership | undefined> {
  let hear: (outcome: Extract<News, { state: 'ready' | 'failed' }> | undefined) => void = () => {}
  const outcome = new Promise<Parameters<typeof hear>[0]>((resolve) => {
    hear = resolve
  })
  let wasReady = false
  const line = await callKeeper(
    joinPath(house.folder, 'keeper.json'),
    (news, keeperPid) => {
      if (news.state === 'preparing' && keeperPid === ownKeeper()) house.log.info(preparing(news))
      if (news.state === 'gone' && wasReady) house.log.warn(`${news.message} It is started again.`)
      wasReady ||= news.state === 'ready'
      if (news.state === 'ready' || news.state === 'failed') hear(news)
    },
    { lingerMs: house.lingerMs, ref },
  )
  if (!line) return undefined
  void line.closed.then(() => hear(undefined))
  const heard = await outcome
  if (heard?.state === 'ready') {
    line.unref()
    return { url: heard.url, line }
  }
  line.hangUp()
  if (heard?.state === 'failed') throw new EmbeddedError(heard.message)
  return undefined
}

function preparing({ place, reason }: Extract<News, { state: 'preparing' }>): string {
  return `Preparing a private PostgreSQL in ${place} (no database URL is configured${reason ? `; ${reason}` : ''})`
}

/**
 * The keeper runs from a file below `.celeriac`, so that a bundle of the app needs no file of this package beside it.
 * It gets a session of its own and none of this process's streams, environment or debugger flags.
 */
function startKeeper({ root, folder, binaries, lingerMs }: House): ChildProcess {
  const order: KeeperOrder = { root, folder, binaries, lingerMs, tmp: tmpdir() }
  const log = openSync(joinPath(folder, logFile), 'a', 0o600)
  try {
    const keeper = spawn(process.execPath, [writeSource(folder), JSON.stringify(order)], {
      cwd: folder,
      env: {},
      detached: true,
      windowsHide: true,
      stdio: ['ignore', log, log],
    })
    keeper.on('error', () => {})
    keeper.unref()
    return keeper
  } finally {
    closeSync(log)
  }
}

function writeSource(folder: string): string {
  const file = joinPath(folder, 'keeper.cjs')
  const draft = `${file}.${process.pid}`
  writeFileSync(draft, keeperSource)
  renameSync(draft, file)
  return file
}

function hasEnded(child: ChildProcess): boolean {
  return child.pid === undefined || child.exitCode !== null || child.signalCode !== null
}

/** It ended, and not because another keeper was there first. */
function hasCrashed(child: ChildProcess): boolean {
  return child.pid === undefined || (child.exitCode !== null && child.exitCode !== 0)
}
