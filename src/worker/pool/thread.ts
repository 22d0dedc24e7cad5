import { Worker as Thread } from 'node:worker_threads'
import { within } from '../../waiting.js'
import type { Child, ChildListener } from './child.js'
import type { FromChild } from './message.js'
import type { Program } from './program.js'

/** A thread that is in native code, such as `execSync`, ends when that returns. It is not waited for. */
const unstoppableMs = 1000

export function startThread(program: Program, { onMessage, onEnd }: ChildListener): Child {
  const thread = program.threadSource
    ? new Thread(program.threadSource, { eval: true, name: 'celeriac-pool' })
    : new Thread(program.url, { name: 'celeriac-pool' })
  let error: Error | undefined
  thread.unref()
  thread.on('message', (message) => onMessage(message as FromChild))
  thread.on('error', (thrown: unknown) => {
    error = thrown instanceof Error ? thrown : new Error(String(thrown))
  })
  thread.once('exit', (exitCode) => onEnd({ exitCode, signal: null, ...(error ? { error } : {}) }))

  return {
    send: (message) => thread.postMessage(message),
    async kill() {
      await within(unstoppableMs, thread.terminate())
    },
  }
}
