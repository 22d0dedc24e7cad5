import { type ChildProcess, spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { createServer } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { EmbeddedError } from '../errors.js'
import type { Account } from './account.js'
import type { Cluster } from './cluster.js'
import { endOfLog, sizeOfLog } from './log-file.js'
import type { Programs } from './mirror.js'
import { awaitPostmaster, isPostmaster, readPostmaster } from './postmaster.js'

/** A PostgreSQL that runs and is ready. */
export interface Server {
  readonly port: number
  /** Resolves when it is no more, with how it ended. */
  readonly ended: Promise<string>
  /** Ends all connections and waits until it is gone. */
  stop(): Promise<void>
}

const settings: Readonly<Record<string, string>> = {
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '',
  max_connections: '200',
  shared_buffers: '64MB',
  max_wal_size: '256MB',
  wal_level: 'minimal',
  max_wal_senders: '0',
  jit: 'off',
  log_checkpoints: 'off',
  log_line_prefix: '%m [%p] ',
}

const lookAgainMs = 15
const watchMs = 500
const startWithinMs = 60_000
const stopWithinMs = 15_000

/**
 * Takes over the server that an earlier keeper left running, else starts one.
 * @throws {EmbeddedError} with the end of the server's log
 */
export async function runServer(
  cluster: Cluster,
  programs: Programs,
  account: Account,
  order: { readonly root: string; readonly folder: string },
): Promise<Server> {
  const deadline = Date.now() + startWithinMs
  const begin = sizeOfLog(order.folder)
  let port = await freePort(cluster.port ?? firstPort(order.root))
  while (Date.now() < deadline) {
    const running = await awaitPostmaster(cluster.data, deadline)
    if (running) return adopt(running, cluster)
    const logStart = sizeOfLog(order.folder)
    const child = start(port, cluster, programs, account)
    if (await becomesReady(child, cluster, deadline)) return own(child, port)
    const log = endOfLog(order.folder, logStart)
    if (isPortTaken(log)) port = await freePort(port + 1)
    else if (!isHeldByOldServer(log)) throw failed(log)
    await delay(lookAgainMs)
  }
  throw failed(` It was not ready within ${startWithinMs / 1000} s.${endOfLog(order.folder, begin)}`)
}

function start(port: number, cluster: Cluster, programs: Programs, account: Account): ChildProcess {
  const args = Object.entries({ port: String(port), ...settings }).flatMap(([name, value]) => [
    '-c',
    `${name}=${value}`,
  ])
  const child = spawn(programs.postgres, ['-D', cluster.data, ...args], {
    ...account.ids,
    env: {},
    windowsHide: true,
    stdio: ['ignore', 'inherit', 'inherit'],
  })
  child.on('error', (error) => console.error(error.message))
  return child
}

async function becomesReady(child: ChildProcess, cluster: Cluster, deadline: number): Promise<boolean> {
  while (!hasEnded(child) && Date.now() < deadline) {
    const postmaster = readPostmaster(cluster.data)
    if (postmaster?.pid === child.pid && postmaster?.ready) return true
    await delay(lookAgainMs)
  }
  child.kill('SIGQUIT')
  return false
}

function own(child: ChildProcess, port: number): Server {
  const ended = new Promise<string>((resolve) => {
    const tell = () => resolve(describeEnd(child.exitCode, child.signalCode))
    if (hasEnded(child)) tell()
    else child.once('exit', tell)
  })
  return { port, ended, stop: () => stop(child.pid ?? 0, ended) }
}

/** It is not this process's child, so that only a look now and then tells that it has ended. */
function adopt({ pid, port }: { pid: number; port: number }, { data }: Cluster): Server {
  const ended = new Promise<string>((resolve) => {
    const timer = setInterval(() => {
      if (isPostmaster(pid, data)) return
      clearInterval(timer)
      resolve(describeEnd(null, null))
    }, watchMs)
  })
  return { port, ended, stop: () => stop(pid, ended) }
}

/** Asks politely, then less so. Whatever is left undone, PostgreSQL mends at its next start. */
async function stop(pid: number, ended: Promise<string>): Promise<void> {
  for (const signal of ['SIGINT', 'SIGQUIT', 'SIGKILL'] as const) {
    try {
      process.kill(pid, signal)
    } catch {
      return
    }
    const timer = delay(stopWithinMs, 'late' as const)
    if ((await Promise.race([ended, timer])) !== 'late') return
  }
}

function hasEnded(child: ChildProcess): boolean {
  return child.pid === undefined || child.exitCode !== null || child.signalCode !== null
}

function describeEnd(code: number | null, signal: string | null): string {
  const how = signal ? ` (${signal})` : code === null ? '' : ` (exit code ${code})`
  return `The private PostgreSQL has ended${how}.`
}

function isPortTaken(log: string): boolean {
  return /could not bind/.test(log)
}

/** Processes of a killed server may outlive it for a moment. */
function isHeldByOldServer(log: string): boolean {
  return /shared memory block|lock file "postmaster\.pid"/.test(log)
}

function failed(log: string): EmbeddedError {
  const disk = /No space left on device/.test(log) ? ' The disk is full.' : ''
  return new EmbeddedError(
    `The private PostgreSQL did not start.${disk}${log || ' It said nothing.'} Set DATABASE_URL to use a PostgreSQL of your own.`,
  )
}

/** Differs from app to app, and lies below the ports that systems give to outgoing connections. */
function firstPort(root: string): number {
  return 20_000 + (createHash('sha256').update(root).digest().readUInt32BE() % 10_000)
}

async function freePort(first: number): Promise<number> {
  for (let port = first; port < first + 100; port++) {
    if (await isFree(port)) return port
  }
  throw new EmbeddedError(
    `The private PostgreSQL found no free port from ${first} to ${first + 99} on 127.0.0.1. Free one, or set DATABASE_URL to a PostgreSQL of your own.`,
  )
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer()
    probe.once('error', () => resolve(false))
    probe.listen(port, '127.0.0.1', () => probe.close(() => resolve(true)))
  })
}
