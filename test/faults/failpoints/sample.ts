import { spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'

/** A module with every shape of await. It prints what it does, as it does it. */
export const sample = `import { writeSync } from 'node:fs'
const say = (text) => { writeSync(1, text + '\\n'); return text }
const soon = (text) => new Promise((resolve) => setImmediate(resolve, say(text)))

class Crew {
  #fetch = async (text) => await soon('fetch ' + text)
  async go() { return (await this.#fetch('one')) + (await this.#fetch('two')) }
}

const inTurn = {
  async loop() {
    for (let at = 0; at < 3; at += 1) await soon('loop ' + at)
  },
}

async function* letters() {
  try {
    for (const letter of 'abc') yield await soon('letter ' + letter)
  } finally {
    say('letters are closed')
  }
}

async function steps() {
  for await (const letter of letters()) if (letter === 'letter b') break
  for await (const value of [soon('p'), 'q']) say('value ' + value)
}

async function guarded() {
  try {
    await soon('try')
    await Promise.reject(new Error('inside'))
  } catch (error) {
    say(error.message + await soon(' caught'))
  } finally {
    say(await soon('finally'))
  }
}

const order = []
const turns = async (name) => { for (let at = 0; at < 2; at += 1) { order.push(name + at); await null } }

await new Crew().go()
await inTurn.loop()
await steps()
await guarded()
await Promise.all(['x', 'y'].map(async (each) => { await soon(await soon('nested ' + each)) }))
await Promise.all([turns('left '), turns('right ')])
say(order.join())
say(await (async () => await await soon('twice'))())
say(String(globalThis.changed))
const line = await Promise.reject(new Error('where')).catch(() => new Error('here').stack.split('\\n')[1])
say(line.replace(/.*sample.js:(\\d+):.*/, 'line $1'))
`

export interface Ended {
  readonly output: readonly string[]
  readonly errors: string
  /** The exit code, or the signal. */
  readonly how: number | string | null
}

/** A folder of the test's own. */
export function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'celeriac-failpoints-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

/** Writes the sample as if it had been built, and gives its `dist`. */
export function writeSample(folder: string, source = sample): string {
  const dist = join(folder, 'dist')
  mkdirSync(dist)
  writeFileSync(join(folder, 'package.json'), '{"type":"module"}')
  writeFileSync(join(dist, 'sample.js'), source)
  return dist
}

export interface HowToRun {
  readonly nodeArgs: readonly string[]
  readonly env: Readonly<Record<string, string>>
}

export function run(file: string, { nodeArgs, env }: HowToRun = { nodeArgs: [], env: {} }): Promise<Ended> {
  const child = spawn(process.execPath, [...nodeArgs, file], { env: { PATH: process.env.PATH, ...env } })
  let [output, errors] = ['', '']
  child.stdout.on('data', (chunk: Buffer) => {
    output += chunk
  })
  child.stderr.on('data', (chunk: Buffer) => {
    errors += chunk
  })
  return new Promise((resolve) => {
    child.once('close', (code, signal) =>
      resolve({ output: output.split('\n').slice(0, -1), errors, how: code ?? signal }),
    )
  })
}
