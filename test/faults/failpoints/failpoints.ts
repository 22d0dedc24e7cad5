/**
 * Ends a process at a chosen `await` of our own code.
 *
 * There are no hooks in `src/`. `prepareFailpoints` reads the built package, puts a failpoint before and after each
 * `await` of the parts that move jobs, and writes the result aside; a process that is started with the given words and
 * environment loads those files instead of the built ones, under the same addresses.
 *
 * ```ts
 * const failpoints = prepareFailpoints({ dist: join(code, 'dist'), folder })
 * failpoints.list                                        // all there are, also those that nobody has thought of
 *
 * const record = join(folder, 'passed')
 * const { nodeArgs, env } = failpoints.start({ record })  // a run without a fault: what does a scenario reach?
 * spawn(process.execPath, [...nodeArgs, 'dist/cli/main.js', 'worker'], { env: { ...process.env, ...env } })
 * readPassed(record)                                     // [{ point, when, passes, fired }]
 *
 * failpoints.start({ armed: [{ point: 'worker/intake:claim#1', when: 'after', pass: 3 }] })   // SIGKILL, by itself
 * ```
 *
 * By hand: `CELERIAC_FAILPOINT="worker/intake:claim#1:after@3"`, more of them with commas, another action than `kill`
 * at the end: `…@3=pause:2000` (the one flow waits, the rest of the process goes on) or `…@3=throw`. What fires is told
 * on stderr, and in the record. The thread that renews leases has no failpoints: its code is one bundled string.
 */
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, realpathSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { type Failpoint, transform } from './transform.js'

export type { Failpoint } from './transform.js'

export interface CodeOptions {
  /** Where the package was built. Default: this checkout's `dist`. */
  readonly dist?: string
  /** Files and folders of it. Default: {@link defaultParts}. */
  readonly parts?: readonly string[]
}

/** Enqueue, dispatch, claim, settle, acknowledge and maintenance, and what wires them. */
export const defaultParts: readonly string[] = [
  'enqueue',
  'worker',
  'maintain',
  'store',
  'broker',
  'app.js',
  'backend.js',
]

export interface Armed {
  readonly point: string
  /** Before the awaited expression is evaluated, or when it has resolved. */
  readonly when: 'before' | 'after'
  /** At which passing of it. Default: the first. */
  readonly pass?: number
  /** Default `kill`. */
  readonly action?: 'kill' | 'throw' | { readonly pauseMs: number }
}

export interface StartOptions {
  readonly armed?: readonly Armed[]
  /** A file to note what is passed. Several processes may share one. */
  readonly record?: string
}

export interface Failpoints {
  readonly list: readonly Failpoint[]
  /**
   * What a process needs to be started with.
   * @throws when a point does not exist: an experiment that can do nothing must not look like one that went well
   */
  start(options?: StartOptions): {
    readonly nodeArgs: readonly string[]
    readonly env: Record<string, string>
  }
}

const defaultDist = fileURLToPath(new URL('../../../dist', import.meta.url))
const register = new URL('register.mjs', import.meta.url).href

/** All failpoints there are, in the order of files and lines. */
export function listFailpoints(options: CodeOptions = {}): Failpoint[] {
  return transformAll(options).flatMap(({ points }) => points)
}

/** @param options.folder where the changed files go; made when it is missing */
export function prepareFailpoints(options: CodeOptions & { readonly folder: string }): Failpoints {
  const { folder } = options
  const files = transformAll(options)
  const manifest: Record<string, { readonly hash: string; readonly file: string }> = {}
  for (const { name, path, source, code } of files) {
    const file = join(folder, name)
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, code)
    manifest[pathToFileURL(path).href] = { hash: createHash('sha256').update(source).digest('hex'), file }
  }
  const manifestFile = join(folder, 'failpoints.json')
  writeFileSync(manifestFile, JSON.stringify(manifest))
  const list = files.flatMap(({ points }) => points)
  const known = new Set(list.map(({ name }) => name))

  return {
    list,
    start({ armed = [], record } = {}) {
      const unknown = armed.find(({ point }) => !known.has(point))
      if (unknown) throw new Error(`There is no failpoint ${unknown.point}.`)
      const env: Record<string, string> = { CELERIAC_FAILPOINT_FILES: manifestFile }
      if (armed.length > 0) env.CELERIAC_FAILPOINT = armed.map(toText).join(',')
      if (record !== undefined) env.CELERIAC_FAILPOINT_RECORD = record
      return { nodeArgs: ['--import', register], env }
    },
  }
}

/** A side of a failpoint that processes passed. */
export interface Passed {
  readonly point: string
  readonly when: 'before' | 'after'
  /** How often one process passed it: at least this, and less than twice this. */
  readonly passes: number
  /** What was armed there happened. */
  readonly fired: boolean
}

/** What a record says, in the order of first passings. */
export function readPassed(record: string): Passed[] {
  const passed = new Map<string, Passed>()
  for (const line of existsSync(record) ? readFileSync(record, 'utf8').split('\n') : []) {
    if (line === '') continue
    const note = JSON.parse(line) as { readonly at: string; readonly pass: number; readonly fired?: true }
    const before = passed.get(note.at)
    passed.set(note.at, {
      ...toSide(note.at),
      passes: Math.max(before?.passes ?? 0, note.pass),
      fired: note.fired === true || before?.fired === true,
    })
  }
  return [...passed.values()]
}

function toSide(at: string): Pick<Passed, 'point' | 'when'> {
  const colon = at.lastIndexOf(':')
  return { point: at.slice(0, colon), when: at.slice(colon + 1) === 'before' ? 'before' : 'after' }
}

function toText({ point, when, pass = 1, action = 'kill' }: Armed): string {
  return `${point}:${when}@${pass}=${typeof action === 'string' ? action : `pause:${action.pauseMs}`}`
}

function transformAll({ dist = defaultDist, parts = defaultParts }: CodeOptions) {
  const root = realpathSync(dist)
  return filesOf(root, parts).map((name) => {
    const path = join(root, name)
    const source = readFileSync(path, 'utf8')
    return { name, path, source, ...transform(source, name.replace(/\.js$/, '')) }
  })
}

/** The lease thread runs from a bundled string; what is generated is not ours. */
function isOurs(name: string): boolean {
  return name.endsWith('.js') && !/(^|\/)generated\//.test(name) && name !== 'worker/lease-thread.js'
}

function filesOf(root: string, parts: readonly string[]): string[] {
  const all = readdirSync(root, { recursive: true, encoding: 'utf8' }).map((name) =>
    name.replaceAll('\\', '/'),
  )
  const missing = parts.find((part) => !all.includes(part))
  if (missing !== undefined) throw new Error(`${root} has no ${missing}.`)
  const isAsked = (name: string) => parts.some((part) => name === part || name.startsWith(`${part}/`))
  return all.filter((name) => isOurs(name) && isAsked(name)).sort()
}
