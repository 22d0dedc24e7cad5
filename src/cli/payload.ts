import { readFile } from 'node:fs/promises'
import { text as textFrom } from 'node:stream/consumers'
import { ConfigError, PayloadInvalidError } from '../errors.js'

/**
 * The value of `--payload`: JSON text, `-` for standard input, `@file` for a file. `undefined` when it was not said.
 * @throws {ConfigError} when it cannot be read
 * @throws {PayloadInvalidError} when it is no JSON
 */
export async function readPayload(task: string, said: string | undefined): Promise<unknown> {
  if (said === undefined) return undefined
  const text = await read(said)
  try {
    return JSON.parse(text)
  } catch {
    const short = text.length > 100 ? `${text.slice(0, 100)}…` : text
    const message = `${sourceOf(said)} must be JSON, and is: ${short}\n${howToQuote}`
    throw new PayloadInvalidError(task, [{ path: [], message }])
  }
}

async function read(said: string): Promise<string> {
  if (said === '-') return textFrom(process.stdin)
  if (!said.startsWith('@')) return said
  try {
    return await readFile(said.slice(1), 'utf8')
  } catch (cause) {
    throw new ConfigError(`--payload ${said}: the file cannot be read.`, { cause })
  }
}

function sourceOf(said: string): string {
  if (said === '-') return 'standard input'
  return said.startsWith('@') ? `file ${said.slice(1)}` : '--payload'
}

const howToQuote = `In a shell, quote it: --payload '{"name":"value"}', --payload '"text"', --payload 5.`
