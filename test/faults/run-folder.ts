import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** All that a run needs to go on after an interruption, and all that is left to look at after a violation. */
export interface RunFolder {
  readonly path: string
  readonly code: string
  readonly logs: string
  readonly clients: string
  readonly faults: string
  /** What was done so far. */
  read(): Progress
  write(progress: Progress): void
  remove(): void
}

export interface Progress {
  readonly roundsDone: number
  /** The next key's number. */
  readonly nextJob: number
  /** When this was written. */
  readonly at: number
}

const begin: Progress = { roundsDone: 0, nextJob: 0, at: 0 }

/** Where a run is found again by its name. */
export function defaultFolder(name: string): string {
  return join(tmpdir(), `celeriac-faults-${name}`)
}

/** @param resume goes on with what is there, which is an error when nothing is; otherwise what is there goes */
export function openRunFolder(path: string, resume: boolean): RunFolder {
  const progress = join(path, 'progress.json')
  if (resume && !existsSync(progress)) throw new Error(`There is no run to go on with in ${path}.`)
  if (!resume) rmSync(path, { recursive: true, force: true })
  mkdirSync(path, { recursive: true })
  // PostgreSQL runs as another user, and must reach its data.
  chmodSync(path, 0o755)
  return {
    path,
    code: join(path, 'code'),
    logs: join(path, 'logs'),
    clients: join(path, 'clients.jsonl'),
    faults: join(path, 'faults.jsonl'),
    read: () => (existsSync(progress) ? (JSON.parse(readFileSync(progress, 'utf8')) as Progress) : begin),
    write: (next) => writeFileSync(progress, JSON.stringify(next)),
    remove: () => rmSync(path, { recursive: true, force: true, maxRetries: 5 }),
  }
}
