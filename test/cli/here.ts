import { vi } from 'vitest'
import { run } from '../../src/cli/run.js'
import type { Servers } from '../support/lab.js'
import type { Ran } from './command-line.js'

/**
 * `celeriac …` in the process of the test, one after the other: for what a command says and does, once a process of its
 * own has shown that it runs. Not for commands that end their process.
 */
export function celeriacHere(
  { database, broker }: Servers,
  app?: string,
): (...args: string[]) => Promise<Ran> {
  const servers = { CELERIAC_DATABASE_URL: database, CELERIAC_BROKER_URL: broker ?? database }
  const place = app === undefined ? [] : ['-A', app]
  let before: Promise<unknown> = Promise.resolve()

  return (...args) => {
    const ran = before.then(() => runHere([...args, ...place], servers))
    before = ran
    return ran
  }
}

async function runHere(args: readonly string[], servers: Readonly<Record<string, string>>): Promise<Ran> {
  for (const [name, value] of Object.entries(servers)) vi.stubEnv(name, value)
  const [out, err] = [hear(process.stdout), hear(process.stderr)]
  const { exitCode } = process
  process.exitCode = 0
  try {
    await run(args)
    return { code: process.exitCode, out: out.heard(), err: err.heard() }
  } finally {
    process.exitCode = exitCode
    out.end()
    err.end()
    vi.unstubAllEnvs()
  }
}

function hear(stream: NodeJS.WriteStream): { heard(): string; end(): void } {
  let text = ''
  const spy = vi.spyOn(stream, 'write').mockImplementation((chunk, encoding, written) => {
    text += String(chunk)
    const done = typeof encoding === 'function' ? encoding : written
    done?.()
    return true
  })
  return { heard: () => text, end: () => spy.mockRestore() }
}
