import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process'
import { createServer } from 'node:net'
import { forgetServer, rememberServer } from './scratch.js'

/** A server of a test's own, that it may stop, kill and start again at the same address. */
export interface TestServer {
  readonly url: string
  readonly port: number
  /** The server's process while it runs. */
  readonly pid: number | undefined
  /** Ends it as an administrator would. */
  stop(): Promise<void>
  /** Ends it as a crash would. */
  kill(): Promise<void>
  /** Ends it by a signal of the caller's choice. */
  end(signal: NodeJS.Signals): Promise<void>
  /** Starts it again on the same port, with the data that it had. */
  start(): Promise<void>
}

export interface ServerCommand {
  readonly file: string
  readonly args: readonly string[]
  readonly spawn?: SpawnOptions
  /** What the server prints once it serves. */
  readonly ready: string
  /** A part of its command line that no other process has. */
  readonly mark: string
  readonly stopSignal: NodeJS.Signals
  /** Hears all that it prints. */
  readonly onOutput?: (text: string) => void
}

/** Starts a server and resolves once it serves. */
export async function startServer(url: string, port: number, command: ServerCommand): Promise<TestServer> {
  let child: ChildProcess | undefined
  const start = async () => {
    if (!child) child = await launch(command)
  }
  const end = async (signal: NodeJS.Signals) => {
    const ending = child
    child = undefined
    if (ending) await endChild(ending, signal)
  }

  await start()
  return {
    url,
    port,
    get pid() {
      return child?.pid
    },
    start,
    stop: () => end(command.stopSignal),
    kill: () => end('SIGKILL'),
    end,
  }
}

async function launch(command: ServerCommand): Promise<ChildProcess> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await launchOnce(command)
    } catch (error) {
      // After a kill, the old server's children may hold its memory and its port for a moment.
      if (tries === 20) throw error
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
  }
}

function launchOnce({
  file,
  args,
  spawn: options,
  ready,
  mark,
  onOutput,
}: ServerCommand): Promise<ChildProcess> {
  return new Promise((resolve, reject) => {
    const child = spawn(file, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] })
    let output = ''
    const listen = (chunk: Buffer) => {
      onOutput?.(chunk.toString())
      output = (output + chunk.toString()).slice(-20_000)
      if (!output.includes(ready)) return
      releaseProcess(child)
      resolve(child)
    }
    child.stdout?.on('data', listen)
    child.stderr?.on('data', listen)
    child.once('error', reject)
    child.once('exit', (code, signal) => {
      if (child.pid !== undefined) forgetServer(child.pid)
      reject(new Error(`${file} ended with ${code ?? signal} before it was ready:\n${output}`))
    })
    if (child.pid !== undefined) rememberServer(child.pid, mark)
  })
}

/** A server that a test forgot to stop must not keep the test's process alive. */
function releaseProcess(child: ChildProcess): void {
  child.unref()
  for (const stream of [child.stdout, child.stderr]) (stream as { unref?: () => void } | null)?.unref?.()
}

function endChild(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  return new Promise((resolve) => {
    if (child.exitCode !== null || child.signalCode !== null) return resolve()
    child.ref()
    const insist = setTimeout(() => child.kill('SIGKILL'), 10_000)
    child.once('exit', () => {
      clearTimeout(insist)
      resolve()
    })
    child.kill(signal)
  })
}

export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer()
    probe.once('error', reject)
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address()
      const port = typeof address === 'object' && address ? address.port : 0
      probe.close(() => resolve(port))
    })
  })
}
