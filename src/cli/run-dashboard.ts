import { createServer, type RequestListener, type Server } from 'node:http'
import { createRequire } from 'node:module'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import type { RequestHandler } from 'express'
import type { Config } from '../config/resolve.js'
import { ConfigError } from '../errors.js'
import { toCeleriac } from '../plugin.js'
import { within } from '../waiting.js'
import type { DashboardFlags } from './dashboard.js'
import { note, print, printJson } from './kit.js'
import { openForCommand, readConfig } from './open.js'

/** How long open pages have, when it ends. */
const closeMs = 2000

/** Serves the dashboard until it is told to stop. */
export async function runDashboard(flags: DashboardFlags, port: number): Promise<void> {
  const config = await readConfig(flags)
  assertGuarded(config, flags.host)
  const express = loadExpress(config.root)
  let fail: (error: unknown) => void = () => {}
  const failed = new Promise<never>((_, reject) => {
    fail = reject
  })
  const app = openForCommand(config, fail)
  const server = createServer(express().use(toCeleriac(app, config, () => {}).dashboard()) as RequestListener)
  try {
    const url = await Promise.race([listen(server, port, flags.host), failed])
    if (flags.json) printJson({ url })
    else print(`The dashboard is at ${url}`)
    await Promise.race([stopSignal(), failed])
  } finally {
    const closed = new Promise((resolve) => server.close(resolve))
    server.closeIdleConnections()
    await within(closeMs, closed)
    server.closeAllConnections()
    await app.close()
  }
  // What a tasks file opened when it was loaded may keep the process alive.
  process.exit(0)
}

/** @throws {ConfigError} when others could see it, and nobody has said who may */
function assertGuarded({ authorize, isProduction }: Config, host: string): void {
  if (authorize) return
  const example = 'Say in the config who may: authorize: (req) => …'
  if (!/^(localhost|127\.\d+\.\d+\.\d+|::1)$/.test(host))
    throw new ConfigError(
      `--host ${host} would show the dashboard to whoever reaches this machine. ${example}`,
    )
  if (isProduction)
    throw new ConfigError(
      `In production the dashboard is closed until it is known who may see it. ${example}`,
    )
}

type Express = () => { use(handler: RequestHandler): unknown }

/**
 * The app's own, else ours.
 * @throws {ConfigError} when there is none
 */
function loadExpress(root: string): Express {
  for (const from of [join(root, 'package.json'), import.meta.url]) {
    try {
      return createRequire(from)('express') as Express
    } catch {
      // Not there.
    }
  }
  throw new ConfigError('The dashboard is served by Express, which is not installed here. Run: npm i express')
}

function listen(server: Server, port: number, host: string): Promise<string> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => reject(toConfigError(error, port, host)))
    server.listen(port, host, () => {
      const { port: taken } = server.address() as AddressInfo
      resolve(`http://${host.includes(':') ? `[${host}]` : host}:${taken}/`)
    })
  })
}

function toConfigError(error: NodeJS.ErrnoException, port: number, host: string): Error {
  if (error.code === 'EADDRINUSE')
    return new ConfigError(`Port ${port} is taken. Say another: --port ${port + 1}`, { cause: error })
  return new ConfigError(`${host}:${port} cannot be listened on (${error.code ?? error.message}).`, {
    cause: error,
  })
}

function stopSignal(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) {
      process.once(signal, () => {
        note('celeriac: Stopped.')
        resolve()
      })
    }
  })
}
