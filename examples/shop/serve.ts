import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Shop } from './shop.js'

export interface Address {
  /** `PORT` and `HOST`, as hosting platforms set them. */
  readonly port: string | undefined
  readonly host: string | undefined
}

export interface RunningShop {
  readonly url: string
  /** Takes no more requests, then lets running jobs finish. */
  close(): Promise<void>
}

const usualPort = 3000

/** Serves the shop on the port that is asked for; without one on 3000, or any free one when that is taken. */
export async function serve(
  { app, jobs }: Shop,
  { port, host = '127.0.0.1' }: Address,
): Promise<RunningShop> {
  const server = createServer(app)
  if (port !== undefined) await listen(server, Number(port), host)
  else await listen(server, usualPort, host).catch((error) => listenElsewhere(server, host, error))
  const { port: given } = server.address() as AddressInfo
  return {
    url: `http://${host.includes(':') ? `[${host}]` : host}:${given}`,
    async close() {
      const closed = once(server, 'close')
      server.close()
      await jobs.close()
      server.closeAllConnections()
      await closed
    },
  }
}

async function listen(server: Server, port: number, host: string): Promise<void> {
  server.listen(port, host)
  await once(server, 'listening')
}

async function listenElsewhere(server: Server, host: string, error: unknown): Promise<void> {
  const isTaken = error instanceof Error && 'code' in error && error.code === 'EADDRINUSE'
  if (!isTaken) throw error
  await listen(server, 0, host)
}
