import { request } from 'node:http'
import express, { type Express } from 'express'
import type { CeleriacOptions } from '../../src/config/options.js'
import { type Celeriac, celeriac } from '../../src/plugin.js'
import { defineTask } from '../../src/task/define.js'
import { serve } from '../http/app.js'
import { freshDatabase } from '../support/servers.js'
import { until } from '../support/until.js'

/** What the tests hold open, so that a job is seen while it runs. */
export const gates = new Map<string, () => void>()
/** Whether `mail.moody` works. */
export const mood = { isGood: false }

export const tasks = {
  mail: {
    send: defineTask((to: string, { log }) => {
      log.info({ to }, 'handed to the mail server')
      return `sent to ${to}`
    }),
    moody: defineTask(() => {
      if (!mood.isGood) throw new TypeError('the mail server is in a bad mood')
      return 'sent after all'
    }),
    gated: defineTask(async (gate: string, { progress, signal }) => {
      await progress({ percent: 40 })
      await new Promise<void>((resolve, reject) => {
        gates.set(gate, resolve)
        signal.addEventListener('abort', () => reject(signal.reason))
      })
      return 'through'
    }),
    flaky: defineTask({
      attempts: 2,
      backoff: { type: 'fixed', delay: 10, jitter: 0 },
      run: (message: string) => {
        throw new Error(message)
      },
    }),
  },
}

export interface Shop {
  readonly jobs: Celeriac
  readonly url: string
  readonly port: number
  close(): Promise<void>
}

/** An app with jobs, their worker, and its dashboard at `/jobs/dashboard`. */
export async function openShop(
  options: CeleriacOptions = {},
  mount: (app: Express, jobs: Celeriac) => void = (app, jobs) => app.use(jobs),
): Promise<Shop> {
  const jobs = celeriac({
    database: await freshDatabase(),
    tasks,
    migrate: true,
    worker: { concurrency: 4, queues: ['default', 'mail'] },
    logger: 'silent',
    ...options,
  })
  const app = express()
  mount(app, jobs)
  const running = await serve(app)
  await until(() => jobs.ready().then(() => true))
  return {
    jobs,
    url: running.url,
    port: Number(new URL(running.url).port),
    async close() {
      await running.close()
      await jobs.close()
    },
  }
}

export interface Reply {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly body: string
}

/** A request with exactly these headers; `fetch` would refuse or add some. */
export function ask(
  { port }: Pick<Shop, 'port'>,
  path: string,
  {
    method = 'GET',
    headers = {},
    body,
  }: { method?: string; headers?: Record<string, string>; body?: string } = {},
): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const sent = request({ host: '127.0.0.1', port, path, method, headers, agent: false }, (answer) => {
      const chunks: Buffer[] = []
      answer.on('data', (chunk: Buffer) => chunks.push(chunk))
      answer.on('end', () =>
        resolve({
          status: answer.statusCode ?? 0,
          headers: answer.headers,
          body: Buffer.concat(chunks).toString(),
        }),
      )
    })
    sent.on('error', reject)
    sent.end(body)
  })
}

/** What the pages' own script sends along. */
export const fromPage = { 'Sec-Fetch-Site': 'same-origin', Accept: 'application/json, text/plain, */*' }
