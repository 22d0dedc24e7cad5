import { spawn } from 'node:child_process'
import type { Account } from './account.js'

export interface Ran {
  readonly ok: boolean
  readonly output: string
}

/** Runs a program to its end as `account`. One that cannot be run is not an exception: `output` says why. */
export function run(program: string, args: readonly string[], account: Account, input = ''): Promise<Ran> {
  return new Promise((resolve) => {
    let output = ''
    const child = spawn(program, args, { ...account.ids, env: {}, windowsHide: true, timeout: 60_000 })
    const gather = (chunk: Buffer) => {
      output += chunk.toString()
    }
    child.stdout.on('data', gather)
    child.stderr.on('data', gather)
    child.on('error', (error) => resolve({ ok: false, output: output + error.message }))
    child.on('close', (code, signal) => {
      const end = signal ? `${program} was ended by ${signal}` : ''
      resolve({ ok: code === 0, output: (output + end).trim() })
    })
    child.stdin.on('error', () => {})
    child.stdin.end(input)
  })
}
