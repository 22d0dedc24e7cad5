import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { ConfigError } from '../errors.js'

/**
 * Writes the number of this process to a file, which goes with the process.
 * @throws {ConfigError} when a process that lives is named there, or the file cannot be written
 */
export function keepPidfile(file: string): void {
  if (!write(file)) {
    const other = readPid(file)
    if (other !== undefined && other !== process.pid && isAlive(other)) {
      throw new ConfigError(
        `--pidfile ${file} names process ${other}, which lives. Stop it, or name another file.`,
      )
    }
    // It was left by a process that was killed.
    rmSync(file, { force: true })
    if (!write(file)) throw new ConfigError(`--pidfile ${file} was just written by another process.`)
  }
  process.once('exit', () => {
    if (readPid(file) === process.pid) rmSync(file, { force: true })
  })
}

/** `false` when it is there already. */
function write(file: string): boolean {
  try {
    writeFileSync(file, `${process.pid}\n`, { flag: 'wx' })
    return true
  } catch (cause) {
    if (codeOf(cause) === 'EEXIST') return false
    throw new ConfigError(`--pidfile ${file} cannot be written (${codeOf(cause)}).`, { cause })
  }
}

function readPid(file: string): number | undefined {
  try {
    const pid = Number(readFileSync(file, 'utf8').trim())
    return Number.isSafeInteger(pid) && pid > 0 ? pid : undefined
  } catch {
    return undefined
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    // One that belongs to somebody else lives, too.
    return codeOf(error) === 'EPERM'
  }
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined
}
