import { closeSync, fstatSync, openSync, readSync, statSync } from 'node:fs'
import { join } from 'node:path'

/** What the server and its keeper say, below `.celeriac`. */
export const logFile = 'postgres.log'

const lines = 12
const bytes = 8192

export function sizeOfLog(folder: string): number {
  return statSync(join(folder, logFile), { throwIfNoEntry: false })?.size ?? 0
}

/** The last lines that were written after `start`, as the end of an error message; empty when there are none. */
export function endOfLog(folder: string, start: number): string {
  const text = readEnd(join(folder, logFile), start).trimEnd()
  if (text === '') return ''
  return `\nThe end of ${join(folder, logFile)}:\n${text.split('\n').slice(-lines).join('\n')}\n`
}

function readEnd(file: string, start: number): string {
  if (!statSync(file, { throwIfNoEntry: false })) return ''
  const fd = openSync(file, 'r')
  try {
    const { size } = fstatSync(fd)
    const buffer = Buffer.alloc(Math.max(0, Math.min(size - start, bytes)))
    return buffer.toString('utf8', 0, readSync(fd, buffer, 0, buffer.length, size - buffer.length))
  } finally {
    closeSync(fd)
  }
}
