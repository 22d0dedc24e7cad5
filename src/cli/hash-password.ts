import { createInterface } from 'node:readline/promises'
import { Writable } from 'node:stream'
import { readEnvironment } from '../config/env.js'
import { hashPassword } from '../dashboard/login/password.js'
import { ConfigError } from '../errors.js'
import { note, print } from './kit.js'

/** Prints what may stand for a password in a file of `name:password:role` lines. */
export async function printHash(): Promise<void> {
  const password = await readPassword()
  if (password === '') throw new ConfigError('There was no password to read.')
  print(await hashPassword(password))
}

/** The first line of what comes in. A terminal does not show it. */
async function readPassword(): Promise<string> {
  const isTyped = readEnvironment().canAsk
  if (isTyped) process.stderr.write('Password: ')
  const silent = new Writable({ write: (_chunk, _encoding, done) => done() })
  const lines = createInterface({ input: process.stdin, output: silent, terminal: isTyped })
  try {
    for await (const line of lines) return line
    return ''
  } finally {
    lines.close()
    if (isTyped) note('')
  }
}
