import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ask, fromPage, openShop, type Shop, tasks } from './shop.js'

let shop: Shop
let own: string
const api = '/jobs/dashboard/board/api'

beforeAll(async () => {
  shop = await openShop({ worker: false })
  own = `127.0.0.1:${shop.port}`
  await tasks.mail.send.enqueue('ann')
})

afterAll(() => shop.close())

async function isPaused(): Promise<boolean> {
  const { body } = await ask(shop, `${api}/queues`)
  const { queues } = JSON.parse(body) as { queues: { name: string; isPaused: boolean }[] }
  return queues.find(({ name }) => name === 'default')?.isPaused ?? false
}

describe('a request that changes something', () => {
  const pause = (headers: Record<string, string>) =>
    ask(shop, `${api}/queues/default/pause`, { method: 'PUT', headers })

  test.each<[string, Record<string, string>]>([
    ['of a page of another site', { 'Sec-Fetch-Site': 'cross-site' }],
    ['of a page of a sister site', { 'Sec-Fetch-Site': 'same-site' }],
    ['that a user typed', { 'Sec-Fetch-Site': 'none' }],
    ['that says it twice', { 'Sec-Fetch-Site': 'same-origin, same-origin' }],
    ['of another origin', { Origin: 'https://evil.example' }],
    ['of another origin that begins like ours', { Origin: 'http://127.0.0.1.evil.example' }],
    ['of another port', { Origin: 'http://127.0.0.1:1' }],
    ['of no origin', { Origin: 'null' }],
    ['of no origin that says it is ours', { Origin: 'null', 'Sec-Fetch-Site': 'same-origin' }],
    ['of an origin that is no web page', { Origin: 'file://' }],
    ['that says nothing of where it comes from', {}],
    [
      'that says it is JSON and nothing more',
      { 'Content-Type': 'application/json', 'X-Requested-With': 'fetch' },
    ],
  ])('%s gets 403, and nothing is changed', async (_, headers) => {
    expect((await pause(headers)).status).toBe(403)
    expect(await isPaused()).toBe(false)
  })

  test('of a page of ours is done', async () => {
    expect((await pause(fromPage)).status).toBe(200)
    expect(await isPaused()).toBe(true)
    const resumed = await ask(shop, `${api}/queues/default/resume`, {
      method: 'PUT',
      headers: { Origin: `http://${own}` },
    })
    expect(resumed.status).toBe(200)
    expect(await isPaused()).toBe(false)
  })

  test('a form of another site that posts text to add a job adds none', async () => {
    const before = await ask(shop, `${api}/queues`)

    const answer = await ask(shop, `${api}/queues/default/add`, {
      method: 'POST',
      headers: {
        'Content-Type': 'text/plain',
        Origin: 'https://evil.example',
        'Sec-Fetch-Site': 'cross-site',
      },
      body: '{"name":"mail.send","data":"mallory"}',
    })

    expect(answer.status).toBe(403)
    expect(JSON.parse((await ask(shop, `${api}/queues`)).body)).toEqual(JSON.parse(before.body))
  })
})

test.each([
  '/jobs/dashboard',
  '/jobs/dashboard/board/',
  '/jobs/dashboard/board/queue/default',
  '/jobs/dashboard/board/api/queues',
  '/jobs/dashboard/board/api/queues/nowhere/1',
  '/jobs/dashboard/board/api/redis/stats',
  '/jobs/dashboard/board/static/locales/en-US/messages.json',
  '/jobs/dashboard/nowhere',
  '/jobs/dashboard/board/static/../../../../package.json',
])('%s says what a browser may do with it', async (path) => {
  const { headers } = await ask(shop, path)

  expect(headers).toMatchObject({
    'content-security-policy': expect.stringMatching(
      /^default-src 'none'; script-src 'nonce-[\w-]{22}' 'strict-dynamic'; style-src 'self' 'nonce-[\w-]{22}'; .*frame-ancestors 'none'$/,
    ),
    'x-content-type-options': 'nosniff',
    'x-frame-options': 'DENY',
    'referrer-policy': 'no-referrer',
    'cache-control': 'no-store',
  })
  expect(headers).not.toHaveProperty('x-powered-by')
  expect(headers).not.toHaveProperty('access-control-allow-origin')
})

test('the page names no other host, and runs nothing without its nonce', async () => {
  const { headers, body } = await ask(shop, '/jobs/dashboard/board/')
  const nonce = /'nonce-([\w-]+)'/.exec(String(headers['content-security-policy']))?.[1]

  expect(body).not.toMatch(/https?:/)
  expect(body).not.toMatch(/\sstyle=/)
  for (const [tag] of body.matchAll(/<(?:script|style)\b[^>]*>/g)) expect(tag).toContain(`nonce="${nonce}"`)
})

test('every page has a nonce of its own', async () => {
  const policies = await Promise.all([1, 2].map(() => ask(shop, '/jobs/dashboard/board/')))

  expect(new Set(policies.map(({ headers }) => headers['content-security-policy'])).size).toBe(2)
})

describe('a redirect stays where it is', () => {
  test.each([
    ['/jobs/dashboard', './dashboard/'],
    ['/jobs/dashboard?to=//evil.example', './dashboard/'],
    ['/jobs/dashboard/board', './board/'],
  ])('%s', async (path, location) => {
    const answer = await ask(shop, path, { headers: { Host: own } })

    expect([answer.status, answer.headers.location]).toEqual([302, location])
  })
})

describe('files', () => {
  test('whose names change with their content may be kept', async () => {
    const page = await ask(shop, '/jobs/dashboard/board/')
    const script = /src="(static\/js\/main\.[^"]*)"/.exec(page.body)?.[1]

    const { status, headers } = await ask(shop, `/jobs/dashboard/board/${script}`)

    expect([status, headers['cache-control']]).toEqual([200, 'private, max-age=31536000, immutable'])
  })

  test.each([
    'static/',
    'static/js',
    'static/..%2findex.ejs',
    'static/%2e%2e/index.ejs',
    'static/js%5cmain.js',
    'index.ejs',
    'static/%00',
  ])('%s is none of them', async (path) => {
    expect((await ask(shop, `/jobs/dashboard/board/${path}`)).status).toBe(404)
  })
})

test('what a client says of its method is not believed', async () => {
  const answer = await ask(shop, `${api}/queues/default/pause`, {
    method: 'POST',
    headers: { ...fromPage, 'X-HTTP-Method-Override': 'PUT' },
  })

  expect(answer.status).toBe(404)
  expect(await isPaused()).toBe(false)
})

test('when the store cannot be asked, the answer names no server', async () => {
  const closed = await openShop({ worker: false })
  await closed.jobs.close()

  const answer = await ask(closed, `${api}/queues`)

  expect(answer.status).toBe(503)
  expect(answer.body).not.toMatch(/postgres|127\.0\.0\.1|stack/)
  await closed.close()
})
