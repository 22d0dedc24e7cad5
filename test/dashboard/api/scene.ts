import express, { type Request } from 'express'
import type { CeleriacOptions } from '../../../src/config/options.js'
import type { DashboardAccess } from '../../../src/control/access.js'
import { type Celeriac, celeriac } from '../../../src/plugin.js'
import { serve } from '../../http/app.js'
import type { Servers } from '../../support/lab.js'
import { until } from '../../support/until.js'
import { ask, fromPage, tasks } from '../shop.js'
import { assertDescribed } from './described.js'

export const api = '/jobs/dashboard/api'

export interface Scene {
  readonly jobs: Celeriac
  readonly port: number
  readonly url: string
  close(): Promise<void>
}

/** Who is who, by the header `X-User`. */
export const users = new Map<string, DashboardAccess>([
  ['admin', true],
  ['ann', { name: 'ann@shop', role: 'admin' }],
  ['olga', { name: 'olga@shop', role: 'operator' }],
  ['vera', { name: 'vera@shop', role: 'viewer' }],
  ['bob', false],
])

export interface SceneOptions {
  readonly make?: typeof express
  /** The app has a parser of its own in front. */
  readonly withParser?: boolean
  readonly options?: CeleriacOptions
}

/** A web process that lets in whom a header names. */
export async function openWeb(
  servers: Servers,
  { make = express, withParser = false, options = {} }: SceneOptions = {},
): Promise<Scene> {
  const jobs = celeriac({
    ...servers,
    tasks,
    logger: 'silent',
    authorize: byHeader,
    ...options,
  })
  const app = make()
  if (withParser) app.use(make.json())
  app.use(jobs)
  const { url, close } = await serve(app)
  await until(() => jobs.ready().then(() => true), { timeoutMs: 30_000 })
  return {
    jobs,
    url,
    port: portOf(url),
    async close() {
      await close()
      await jobs.close()
    },
  }
}

export interface ApiReply {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  // biome-ignore lint/suspicious/noExplicitAny: JSON of any shape, which the test looks into
  readonly body: any
}

export async function get(
  scene: Pick<Scene, 'port'>,
  path: string,
  user = 'admin',
  headers: Record<string, string> = {},
): Promise<ApiReply> {
  const answer = await ask(scene, `${api}${path}`, { headers: { 'X-User': user, ...headers } })
  const told = answer.body === '' ? undefined : JSON.parse(answer.body)
  assertDescribed('GET', path, answer.status, told)
  return { ...answer, body: told }
}

export async function post(
  scene: Pick<Scene, 'port'>,
  path: string,
  body?: unknown,
  headers: Record<string, string> = {},
): Promise<ApiReply> {
  const text = body === undefined ? undefined : typeof body === 'string' ? body : JSON.stringify(body)
  const answer = await ask(scene, `${api}${path}`, {
    method: 'POST',
    headers: {
      'X-User': 'ann',
      ...fromPage,
      ...(text === undefined
        ? {}
        : { 'Content-Type': 'application/json', 'Content-Length': String(Buffer.byteLength(text)) }),
      ...headers,
    },
    ...(text === undefined ? {} : { body: text }),
  })
  const told = JSON.parse(answer.body)
  assertDescribed('POST', path, answer.status, told)
  return { ...answer, body: told }
}

/** Lets in whom a header names. */
export const byHeader = (req: Request): DashboardAccess => users.get(req.get('X-User') ?? '')

export function portOf(url: string): number {
  return Number(new URL(url).port)
}
