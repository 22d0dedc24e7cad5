import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import type { JobStatus } from '../../src/index.js'
import { freshDatabase, freshRedis } from '../support/servers.js'
import { until } from '../support/until.js'
import { copyExample, endProcesses, run, runWorker } from './example.js'

// Whole processes start here, on machines that may be busy.
vi.setConfig({ testTimeout: 60_000 })

let app: string

beforeAll(() => {
  app = copyExample('shop')
})

afterEach(endProcesses)

describe.each([
  ['on PostgreSQL alone', async () => ({})],
  ['on Redis and PostgreSQL', async () => ({ REDIS_URL: await freshRedis() })],
])('the shop with a worker of its own, %s', (_where, broker) => {
  test('a picture, a report and a letter go through', async () => {
    const env = { DATABASE_URL: await freshDatabase(), ...(await broker()) }
    const url = await openShop(env)
    await runWorker(app, env).says(/is ready/)

    const [picture, report, letter] = await Promise.all([
      ended(url, post(`${url}/pictures`, 'image/jpeg', harbour())),
      ended<Report>(url, post(`${url}/reports`, 'application/json', '{"by":"product"}')),
      ended(url, post(`${url}/mail`, 'application/json', '{"to":"ada@example.com"}')),
    ])

    expect(picture).toMatchObject({ state: 'succeeded', result: { thumbnails: [{ width: 160 }, {}, {}] } })
    expect(report).toMatchObject({ state: 'succeeded', result: { orders: 20_000 } })
    expect(ordersIn(report.result?.rows)).toBe(20_000)
    expect(letter).toMatchObject({ state: 'succeeded', result: { to: 'ada@example.com' } })
    expect(letter.attempts.length).toBeGreaterThan(0)
    expect(letter.attempts[0]).toMatchObject({
      outcome: 'failed',
      error: { message: expect.stringContaining('451') },
    })
  })
})

test('without a worker, the log and the status say so, and the job waits', async () => {
  const shop = run(app, 'app.ts', [], { DATABASE_URL: await freshDatabase() })
  const url = await shop.says(/The shop is open: (\S+)/)

  const location = await locationOf(post(`${url}/reports`, 'application/json', '{"by":"month"}'))
  const status = await until(async () => {
    const now = (await (await fetch(url + location)).json()) as JobStatus
    return now.waitingFor && now
  })

  expect(status).toMatchObject({ state: 'queued', waitingFor: 'worker' })
  await shop.says(/Jobs wait in queue .*"default.*celeriac worker/)
})

test('what is no picture is refused, and so is what is no picture of ours', async () => {
  const url = await openShop({ DATABASE_URL: await freshDatabase() })
  const svg = '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>'

  expect(await refusal(post(`${url}/pictures`, 'text/plain', 'hello'))).toEqual([
    415,
    'A picture is expected, and text/plain came.',
  ])
  expect(await refusal(post(`${url}/pictures`, 'image/png', ''))).toEqual([400, 'The picture is empty.'])
  expect(await refusal(post(`${url}/pictures`, 'image/png', 'hello'))).toEqual([
    422,
    expect.stringContaining('This is no picture that can be read.'),
  ])
  expect(await refusal(post(`${url}/pictures`, 'image/svg+xml', svg))).toEqual([
    422,
    expect.stringContaining('This is a picture of the kind svg.'),
  ])
  expect(await refusal(post(`${url}/pictures`, 'image/png', Buffer.alloc(10 * 1024 * 1024 + 1)))).toEqual([
    413,
    'The picture is larger than 10 MB.',
  ])
  for (const path of [
    '..%2f..%2fsamples/small.webp',
    `${'0'.repeat(36)}/small.webp`,
    `${unknown}/small.webp`,
  ])
    expect(await refusal(fetch(`${url}/pictures/${path}`))).toEqual([404, 'There is nothing here.'])
  expect(await refusal(post(`${url}/mail`, 'application/json', '{"to":"nobody"}'))).toEqual([
    422,
    expect.stringContaining('Invalid email address'),
  ])
})

const unknown = '00000000-0000-4000-8000-000000000000'

function harbour(): Buffer {
  return readFileSync(join(app, 'samples/harbour.jpg'))
}

function openShop(env: NodeJS.ProcessEnv): Promise<string> {
  return run(app, 'app.ts', [], env).says(/The shop is open: (\S+)/)
}

function post(url: string, type: string, body: string | Buffer): Promise<Response> {
  return fetch(url, {
    method: 'POST',
    headers: { 'Content-Type': type },
    body: typeof body === 'string' ? body : new Uint8Array(body),
  })
}

async function locationOf(accepted: Promise<Response>): Promise<string> {
  const answer = await accepted
  expect(answer.status).toBe(202)
  return answer.headers.get('Location') ?? ''
}

async function ended<Result>(url: string, accepted: Promise<Response>): Promise<JobStatus<Result>> {
  const answer = await fetch(`${url}${await locationOf(accepted)}?wait=15`)
  return (await answer.json()) as JobStatus<Result>
}

async function refusal(refused: Promise<Response>): Promise<[status: number, detail: string]> {
  const answer = await refused
  expect(answer.headers.get('Content-Type')).toContain('application/problem+json')
  return [answer.status, ((await answer.json()) as { detail: string }).detail]
}

interface Report {
  readonly rows: readonly { readonly orders: number }[]
}

function ordersIn(rows: Report['rows'] = []): number {
  return rows.reduce((sum, row) => sum + row.orders, 0)
}
