import express from 'express'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { z } from 'zod'
import { type Celeriac, celeriac } from '../../src/plugin.js'
import { defineTask } from '../../src/task/define.js'
import { startPostgres, type TestServer } from '../support/servers.js'
import { until } from '../support/until.js'
import { type RunningApp, serve } from './app.js'

const build = defineTask({ payload: z.object({ month: z.string() }), run: ({ month }) => month })

let postgres: TestServer
let jobs: Celeriac
let app: RunningApp

beforeAll(async () => {
  postgres = await startPostgres()
  jobs = celeriac({
    database: postgres.url,
    tasks: { reports: { build } },
    worker: true,
    deadline: '1s',
    logger: 'silent',
  })
  const made = express()
  made.use(jobs)
  made.post('/reports', jobs.accept(build))
  app = await serve(made)
  await until(() => jobs.ready().then(() => true))
})

afterAll(async () => {
  await app.close()
  await jobs.close()
  await postgres.stop()
})

function post(month: string, headers: Record<string, string> = {}) {
  return fetch(`${app.url}/reports`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', ...headers },
    body: JSON.stringify({ month }),
  })
}

test('while the store is away every answer is a 503 in time, and afterwards all goes on by itself', async () => {
  const before = await post('2026-01', { Prefer: 'wait=20' })
  const self = before.headers.get('location') ?? ''
  expect(before.status).toBe(200)

  await postgres.kill()
  const began = performance.now()
  const away = await Promise.all([
    post('2026-02'),
    fetch(app.url + self),
    fetch(`${app.url}${self}/result`),
    fetch(app.url + self, { method: 'DELETE' }),
  ])
  expect(away.map(({ status }) => status)).toEqual([503, 503, 503, 503])
  expect(away.map(({ headers }) => headers.get('retry-after'))).toEqual(['5', '5', '5', '5'])
  expect(await away[0].json()).toMatchObject({ code: 'STORE_UNAVAILABLE' })
  expect(performance.now() - began).toBeLessThan(3000)

  await postgres.start()
  const after = await until(async () => {
    const answer = await post('2026-03', { Prefer: 'wait=20' })
    if (answer.status !== 200) throw new Error(`Still ${answer.status}`)
    return answer
  })
  expect(await after.json()).toMatchObject({ state: 'succeeded', result: '2026-03' })
  expect(await (await fetch(app.url + self)).json()).toMatchObject({ state: 'succeeded', result: '2026-01' })
})
