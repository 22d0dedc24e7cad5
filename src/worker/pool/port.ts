import { isMainThread, parentPort } from 'node:worker_threads'
import type { FromChild, ToChild } from './message.js'

/** A child's line to its worker. */
export interface Port {
  send(message: FromChild): void
  listen(hear: (message: ToChild) => void): void
  /** Ends the child when everything was sent. */
  end(code: number): void
  /** What the child uses, in bytes. */
  memory(): number
}

export function openPort(): Port {
  return isMainThread ? processPort() : threadPort()
}

function threadPort(): Port {
  return {
    send: (message) => parentPort?.postMessage(message),
    listen: (hear) => void parentPort?.on('message', hear),
    end: (code) => process.exit(code),
    memory() {
      const { heapUsed, external } = process.memoryUsage()
      return heapUsed + external
    },
  }
}

function processPort(): Port {
  return {
    send: (message) => void process.send?.(message),
    listen(hear) {
      process.on('message', (message) => hear(message as ToChild))
      process.on('disconnect', () => process.exit())
    },
    end(code) {
      if (process.connected) process.send?.({ type: 'heard' }, () => process.exit(code))
      else process.exit(code)
    },
    memory: () => process.memoryUsage.rss(),
  }
}
