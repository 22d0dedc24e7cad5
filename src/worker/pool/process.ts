import { fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { Child, ChildListener } from './child.js'
import type { FromChild } from './message.js'
import type { Program } from './program.js'

export function startProcess(program: Program, { onMessage, onEnd }: ChildListener): Child {
  const child = fork(fileURLToPath(program.url), [], {
    serialization: 'advanced',
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    execArgv: [...program.processArguments],
  })
  // Whoever waits for an attempt holds the process by itself.
  child.unref()
  child.channel?.unref()
  const gone = new Promise<void>((resolve) => {
    let hasEnded = false
    const end = (exitCode: number | null, signal: string | null, error?: Error) => {
      if (hasEnded) return
      hasEnded = true
      resolve()
      onEnd({ exitCode, signal, ...(error ? { error } : {}) })
    }
    child.once('exit', (exitCode, signal) => end(exitCode, signal))
    child.on('error', (error) => {
      if (child.pid === undefined) end(null, null, error)
    })
  })
  // In a worker that is watched, Node itself tells of the modules that the child loads.
  child.on('message', (message: object) => void ('type' in message && onMessage(message as FromChild)))

  return {
    send(message) {
      // A message to one that has just ended is an error of its own; the end itself is told.
      if (child.connected) child.send(message, () => {})
    },
    kill() {
      child.kill('SIGKILL')
      return gone
    },
  }
}
