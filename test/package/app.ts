import { type ChildProcess, spawn } from 'node:child_process'
import { cpSync, mkdtempSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { onTestFinished } from 'vitest'
import { until } from '../support/until.js'
import { installedPackage } from './tarball.js'

const fixtures = fileURLToPath(new URL('../fixtures/apps', import.meta.url))

/** A copy of a fixture app in a project that has the package installed. */
export async function makeApp(fixture: string, project = installedPackage()): Promise<string> {
  const folder = mkdtempSync(join(await project, `${fixture}-`))
  cpSync(join(fixtures, fixture), folder, { recursive: true })
  return folder
}

/** An app's process, and where it listens. */
export interface AppProcess {
  readonly url: string
  readonly pid: number
  readonly output: () => string
  /** Its exit code after SIGTERM. */
  stop(): Promise<number | null>
}

/** Starts `node …` in an app's folder, with nothing in its environment but what is given. */
export async function startApp(
  folder: string,
  args: readonly string[],
  variables: Readonly<Record<string, string>>,
): Promise<AppProcess> {
  const child = spawn(process.execPath, args, { cwd: folder, env: bareEnvironment(variables) })
  onTestFinished(() => void child.kill('SIGKILL'))
  const output = outputOf(child)
  const listening = () => /listening on (http:\S+)/.exec(output())?.[1]
  await until(() => listening() ?? child.exitCode !== null, { timeoutMs: 30_000 })
  const url = listening()
  if (url === undefined) throw new Error(`The app ended with ${child.exitCode}:\n${output()}`)
  return { url, pid: child.pid ?? 0, output, stop: () => stop(child) }
}

export function bareEnvironment(variables: Readonly<Record<string, string>>): NodeJS.ProcessEnv {
  const { PATH, HOME } = process.env
  return { PATH, HOME, ...variables }
}

export function outputOf(child: ChildProcess): () => string {
  let output = ''
  const read = (chunk: Buffer) => {
    output += chunk.toString()
  }
  child.stdout?.on('data', read)
  child.stderr?.on('data', read)
  return () => output
}

function stop(child: ChildProcess): Promise<number | null> {
  return new Promise((resolve) => {
    if (child.exitCode !== null) resolve(child.exitCode)
    child.once('exit', (code) => resolve(code))
    child.kill('SIGTERM')
  })
}

/** What a browser would do: post, then follow `Location` until the job has ended. */
export async function postAndFollow(app: AppProcess, body: object): Promise<Ended> {
  const accepted = await fetch(`${app.url}/jobs-to-do`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
  const location = accepted.headers.get('location')
  if (accepted.status !== 202 || location === null) {
    throw new Error(`${accepted.status}: ${await accepted.text()}\n${app.output()}`)
  }
  const status = await fetch(new URL(`${location}?wait=15`, app.url))
  return (await status.json()) as Ended
}

export interface Ended {
  readonly state: string
  readonly result?: Readonly<Record<string, unknown>>
  readonly error?: unknown
}
