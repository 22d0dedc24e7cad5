import { chmodSync, chownSync, readdirSync, statSync, truncateSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { EmbeddedError } from '../errors.js'
import { type Account, chooseAccount } from './account.js'
import type { Binaries } from './binaries.js'
import * as clusters from './cluster.js'
import { Desk } from './desk.js'
import { logFile, sizeOfLog } from './log-file.js'
import { findPrograms } from './mirror.js'
import { choosePlace, presentPlace } from './place.js'
import { runServer, type Server } from './server.js'

/** What a keeper is told by the process that starts it. */
export interface KeeperOrder {
  readonly root: string
  /** `.celeriac` below the root. */
  readonly folder: string
  readonly binaries: Binaries
  readonly lingerMs: number
  /** Where temporary folders go on this system. */
  readonly tmp: string
}

const failedLingerMs = 2000
const longestLog = 5_000_000

/**
 * The one process that prepares, starts and stops the private server of an app. It lives as long as the server does.
 * It gives way at once where another keeper lives.
 */
export async function keep(order: KeeperOrder): Promise<void> {
  process.umask(0o077)
  const desk = await Desk.open(join(order.folder, 'keeper.json'), order.lingerMs)
  if (!desk) return
  try {
    const server = await openServer(order, desk)
    const end = await Promise.race([server.ended, desk.deserted, desk.replaced(), askedToStop(desk)])
    if (typeof end === 'string') desk.tell({ state: 'gone', message: end })
    else if (desk.holder() !== 'other') await server.stop()
  } catch (error) {
    desk.tell({ state: 'failed', message: describe(error) })
    await Promise.race([desk.allLeft(), delay(failedLingerMs)])
  } finally {
    desk.close()
  }
}

async function openServer(order: KeeperOrder, desk: Desk): Promise<Server> {
  shortenLog(order.folder)
  const account = findAccount(order)
  if (account.ids) chmodSync(order.folder, 0o711)
  const place = await choosePlace(order, account)
  clusters.removeHalfMade(place.folder)
  const programs = await findPrograms(order.binaries, place.folder, account)
  if (!clusters.openCluster(place.folder)) {
    desk.tell({ state: 'preparing', place: place.reason ? place.folder : '.celeriac', reason: place.reason })
    await clusters.makeCluster(place.folder, programs, account)
  }
  const cluster = clusters.openCluster(place.folder)
  if (!cluster)
    throw new EmbeddedError(`${place.folder} was deleted while the private PostgreSQL was prepared in it.`)
  clusters.assertSameVersion(cluster, programs)
  const server = await runServer(cluster, programs, account, order)
  clusters.rememberPort(cluster, server.port)
  shareWithOwner(order, cluster.folder, account)
  desk.tell({ state: 'ready', url: clusters.urlOf(cluster, server.port) })
  return server
}

function findAccount({ root, folder }: KeeperOrder): Account {
  const account = chooseAccount(clusters.clusterFolder(presentPlace(folder)), root)
  if (account) return account
  throw new EmbeddedError(
    'PostgreSQL does not run as root, and this system has no other user. Add one, or set DATABASE_URL to a PostgreSQL of your own.',
  )
}

/** What root made in another user's app is that user's, so that both can use it. */
function shareWithOwner({ root, folder }: KeeperOrder, cluster: string, { ids }: Account): void {
  if (!ids || statSync(root).uid !== ids.uid) return
  const files = readdirSync(folder, { withFileTypes: true }).map((entry) => join(folder, entry.name))
  for (const path of [folder, ...files, join(cluster, 'server.json')]) chownSync(path, ids.uid, ids.gid)
}

function shortenLog(folder: string): void {
  if (sizeOfLog(folder) > longestLog) truncateSync(join(folder, logFile))
}

function askedToStop(desk: Desk): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) {
      process.on(signal, () => {
        desk.tell({ state: 'gone', message: `The private PostgreSQL stops: its keeper got ${signal}.` })
        resolve()
      })
    }
  })
}

function describe(error: unknown): string {
  if (error instanceof EmbeddedError) return error.message
  const reason = error instanceof Error ? error.message : String(error)
  return `The private PostgreSQL could not be started: ${reason}. Set DATABASE_URL to use a PostgreSQL of your own.`
}
