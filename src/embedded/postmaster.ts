import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'

/** What PostgreSQL writes about itself into its data folder. */
export interface Postmaster {
  readonly pid: number
  readonly port: number
  readonly ready: boolean
}

const lookAgainMs = 15

/** The server that `postmaster.pid` in `data` names; `undefined` when there is no such file or it is being written. */
export function readPostmaster(data: string): Postmaster | undefined {
  const lines = readLines(join(data, 'postmaster.pid'))
  const pid = Number(lines[0])
  if (!Number.isInteger(pid) || pid <= 0) return undefined
  return { pid, port: Number(lines[3]), ready: lines[7]?.trim() === 'ready' }
}

/**
 * The server that runs on `data`, waited for while it starts or stops. PostgreSQL itself replaces the `postmaster.pid`
 * of a dead server, but takes any process that has the number now, or a zombie, for that server: then it is removed.
 */
export async function awaitPostmaster(data: string, deadline: number): Promise<Postmaster | undefined> {
  while (Date.now() < deadline) {
    const found = readPostmaster(data)
    if (!found || !exists(found.pid)) return undefined
    if (!isPostmaster(found.pid, data)) {
      rmSync(join(data, 'postmaster.pid'), { force: true })
      return undefined
    }
    if (found.ready) return found
    await delay(lookAgainMs)
  }
  return undefined
}

/** Whether process `pid` is a server on `data`, and not another that was given the number of a dead one. */
export function isPostmaster(pid: number, data: string): boolean {
  if (!exists(pid)) return false
  const command = commandOf(pid)
  return command === undefined || command.includes(data)
}

function exists(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

/** `undefined`: this system does not tell. */
function commandOf(pid: number): string | undefined {
  if (process.platform === 'win32') return undefined
  try {
    if (existsSync('/proc/self/cmdline')) return readFileSync(`/proc/${pid}/cmdline`, 'utf8')
    return execFileSync('/bin/ps', ['-o', 'command=', '-p', String(pid)], { encoding: 'utf8' })
  } catch {
    return ''
  }
}

function readLines(file: string): string[] {
  try {
    return readFileSync(file, 'utf8').split('\n')
  } catch {
    return []
  }
}
