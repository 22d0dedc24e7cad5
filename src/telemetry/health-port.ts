import { Worker as Thread } from 'node:worker_threads'
import { ConfigError } from '../errors.js'
import { rest, within } from '../waiting.js'
import { healthThreadSource } from './generated/health-thread.js'
import type { FromHealthThread, HealthThreadData, ToHealthThread } from './health-thread.js'
import type { Readiness } from './readiness.js'

/** A port where probes ask how this process is: `/health/live` and `/health/ready`. */
export interface HealthPort {
  readonly port: number
  close(): Promise<void>
}

export interface HealthPortOptions {
  /** 0: any that is free. */
  readonly port: number
  /** Default: all addresses of the machine, for a probe comes from outside. */
  readonly host?: string
  /** Never rejects. */
  readonly readiness: () => Promise<Readiness>
  readonly log: { warn(message: string): void }
  /** An event loop that stands still for so long is told. Default 10 s. */
  readonly stillAfterMs?: number
}

const beatMs = 1000
const restartPauseMs = 1000
const endMs = 2000

/**
 * Opens the port, on a thread that answers also while the event loop of this process does not turn.
 * @throws {ConfigError} when the port cannot be had
 */
export async function openHealthPort(options: HealthPortOptions): Promise<HealthPort> {
  const { readiness, log } = options
  let closed = false
  let asking = false
  let { thread, port } = await startThread(options)
  watch()
  const timer = setInterval(beat, beatMs)
  timer.unref()
  beat()

  return {
    port,
    async close() {
      closed = true
      clearInterval(timer)
      const exited = new Promise((resolve) => thread.once('exit', resolve))
      send({ stop: true })
      await within(endMs, exited)
      await thread.terminate()
    },
  }

  /** The pulse goes out each second, however long the answer of a server takes. */
  function beat(): void {
    send({ beat: true })
    if (asking) return
    asking = true
    readiness()
      .then((found) => send({ readiness: found }))
      .finally(() => {
        asking = false
      })
  }

  function send(message: ToHealthThread): void {
    thread.postMessage(message)
  }

  function watch(): void {
    thread.on('error', (error) => log.warn(`The thread of the health port failed: ${error.message}`))
    thread.once('exit', () => void restart())
  }

  async function restart(): Promise<void> {
    while (!closed) {
      await rest(restartPauseMs)
      const next = await startThread({ ...options, port }).catch(() => undefined)
      if (!next) continue
      thread = next.thread
      port = next.port
      return watch()
    }
  }
}

function startThread({ port, host, stillAfterMs = 10_000 }: HealthPortOptions) {
  const data: HealthThreadData = { port, host, stillAfterMs }
  const thread = new Thread(healthThreadSource, {
    eval: true,
    workerData: data,
    name: 'celeriac-health',
    execArgv: [],
  })
  thread.unref()
  return new Promise<{ thread: Thread; port: number }>((resolve, reject) => {
    thread.once('error', reject)
    thread.once('message', (message: FromHealthThread) => {
      thread.removeListener('error', reject)
      if ('listening' in message) resolve({ thread, port: message.listening })
      else reject(portTaken(port, message))
    })
  })
}

function portTaken(port: number, { failed, code }: { failed: string; code: string }): ConfigError {
  const why = code === 'EADDRINUSE' ? 'another process has it' : failed
  return new ConfigError(
    `Port ${port} of "worker.healthPort" (--health-port) cannot be opened: ${why}. Give another one.`,
  )
}
