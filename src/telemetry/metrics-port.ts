import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { ConfigError } from '../errors.js'
import type { Exposition } from './metrics/exposition.js'

/** A port where Prometheus asks a worker: `/metrics` of this process, `/metrics/cluster` of the whole installation. */
export interface MetricsPort {
  readonly port: number
  close(): Promise<void>
}

export interface MetricsPortOptions {
  /** 0: any that is free. */
  readonly port: number
  /** Default: all addresses of the machine. */
  readonly host?: string
  readonly ofProcess: () => Promise<Exposition>
  readonly ofCluster: () => Promise<Exposition>
  readonly log: { warn(message: string): void }
}

const requestMs = 10_000

/** @throws {ConfigError} when the port cannot be had */
export async function openMetricsPort(options: MetricsPortOptions): Promise<MetricsPort> {
  const { port, host, log } = options
  const server = createServer(
    { requestTimeout: requestMs, headersTimeout: requestMs },
    (request, response) => {
      answer(options, request, response).catch((error: unknown) => {
        log.warn(`Metrics could not be given: ${error instanceof Error ? error.message : String(error)}`)
        if (response.headersSent) response.destroy()
        else refuse(response, 503, 'The store cannot be reached right now. The log of the worker says more.')
      })
    },
  )
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => reject(portTaken(port, error)))
    server.listen(port, host, resolve)
  })
  // A worker ends when it has no more to do, whoever still asks.
  server.unref()
  const address = server.address()

  return {
    port: typeof address === 'object' && address ? address.port : port,
    async close() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()))
      server.closeAllConnections()
      await closed
    },
  }
}

async function answer(
  { ofProcess, ofCluster }: MetricsPortOptions,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const [path] = (request.url ?? '').split('?', 1)
  if (request.method !== 'GET' && request.method !== 'HEAD') return refuse(response, 405, 'Ask with GET.')
  if (path === '/metrics') return give(response, await ofProcess())
  if (path === '/metrics/cluster') return give(response, await ofCluster())
  refuse(response, 404, 'There are /metrics and /metrics/cluster here.')
}

function give(response: ServerResponse, { contentType, body }: Exposition): void {
  response.writeHead(200, {
    'Content-Type': contentType,
    'Content-Length': Buffer.byteLength(body),
    'Cache-Control': 'no-store',
  })
  response.end(body)
}

function refuse(response: ServerResponse, status: number, message: string): void {
  response.writeHead(status, { 'Content-Type': 'text/plain; charset=utf-8', 'Cache-Control': 'no-store' })
  response.end(`${message}\n`)
}

function portTaken(port: number, error: NodeJS.ErrnoException): ConfigError {
  const why = error.code === 'EADDRINUSE' ? 'another process has it' : error.message
  return new ConfigError(
    `Port ${port} of "worker.metricsPort" (--metrics-port) cannot be opened: ${why}. Give another one.`,
  )
}
