import { execFileSync } from 'node:child_process'
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const prefix = 'celeriac-test-'
const ledger = 'servers.json'

/** A server that runs from a scratch folder. `mark` stands in its command line, so that no stranger is killed. */
interface Running {
  readonly pid: number
  readonly mark: string
}

let folder: string | undefined
const running = new Map<number, Running>()

/** This process's own folder below the system's temporary one. It goes when the process ends. */
export function scratchFolder(): string {
  if (folder !== undefined) return folder
  folder = mkdtempSync(join(tmpdir(), `${prefix}${process.pid}-`))
  chmodSync(folder, 0o755)
  process.on('exit', removeScratch)
  return folder
}

/** Remembers a server, on disk too, so that it ends with this process or at the start of a later run. */
export function rememberServer(pid: number, mark: string): void {
  running.set(pid, { pid, mark })
  writeLedger()
}

export function forgetServer(pid: number): void {
  running.delete(pid)
  writeLedger()
}

/** Ends the servers of this process that still run, and removes its folder. */
export function removeScratch(): void {
  for (const { pid } of running.values()) endNow(pid)
  running.clear()
  if (folder !== undefined) rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
  folder = undefined
}

/** Removes what processes left that were killed before they could clean up. */
export function sweepScratch(): void {
  for (const name of readdirSync(tmpdir())) {
    const owner = name.startsWith(prefix) ? Number(name.slice(prefix.length).split('-')[0]) : Number.NaN
    if (!Number.isNaN(owner) && !isAlive(owner)) sweepFolder(join(tmpdir(), name))
  }
}

function sweepFolder(path: string): void {
  try {
    for (const { pid, mark } of readLedger(path)) if (commandLineOf(pid).includes(mark)) endNow(pid)
    rmSync(path, { recursive: true, force: true, maxRetries: 5 })
  } catch {
    // Another user's, or another run sweeps it at this moment: not ours to insist on.
  }
}

function writeLedger(): void {
  if (folder !== undefined) writeFileSync(join(folder, ledger), JSON.stringify([...running.values()]))
}

function readLedger(path: string): Running[] {
  try {
    return JSON.parse(readFileSync(join(path, ledger), 'utf8')) as Running[]
  } catch {
    return []
  }
}

function commandLineOf(pid: number): string {
  try {
    return execFileSync('ps', ['-o', 'args=', '-p', String(pid)], { encoding: 'utf8' })
  } catch {
    return ''
  }
}

function endNow(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // It has ended already.
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}
