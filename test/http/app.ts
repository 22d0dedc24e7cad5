import { once } from 'node:events'
import { createServer } from 'node:http'
import { createRequire } from 'node:module'
import type { AddressInfo } from 'node:net'
import express, { type Express } from 'express'

/** Express 4 has no types of its own here; ours are written for both. */
const express4 = createRequire(import.meta.url)('express4') as typeof express

/** The two lines of Express that must behave alike. */
export const lines = [
  ['Express 5', express],
  ['Express 4', express4],
] as const

export interface RunningApp {
  readonly url: string
  close(): Promise<void>
}

/** Serves an app on a free port. */
export async function serve(app: Express): Promise<RunningApp> {
  const server = createServer(app)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}`,
    async close() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}
