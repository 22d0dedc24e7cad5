import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openIdProvider } from '../../support/openid-provider.js'
import { openGate, Visitor } from '../login/gate.js'
import { ask, fromPage, openShop, type Reply, type Shop, tasks } from '../shop.js'
import { everyAddress } from './addresses.js'

let shop: Shop
let jobId: string

beforeAll(async () => {
  shop = await openShop({
    worker: false,
    authorize: (req) => req.get('X-User') === 'ann' && { name: 'ann', role: 'admin' },
  })
  jobId = (await tasks.mail.send.enqueue('ann')).id
})

afterAll(() => shop?.close())

const policy =
  /^default-src 'none'; script-src 'nonce-[\w-]{22}' 'strict-dynamic'; style-src 'self' 'nonce-[\w-]{22}'; img-src 'self' data:; font-src 'self'; connect-src 'self'; base-uri 'self'; form-action 'none'; frame-ancestors 'none'$/

function expectGuarded({ headers }: Reply, what: string): void {
  expect(headers, what).toMatchObject({
    'content-security-policy': expect.stringMatching(policy),
    'x-content-type-options': 'nosniff',
    'x-frame-options': 'DENY',
    'referrer-policy': 'no-referrer',
    'cross-origin-opener-policy': 'same-origin',
    'cross-origin-resource-policy': 'same-origin',
  })
  expect(headers).not.toHaveProperty('x-powered-by')
  expect(headers).not.toHaveProperty('server')
}

const open = (path: string, headers: Record<string, string> = {}, method = 'GET') =>
  ask(shop, `/jobs/dashboard${path}`, { method, headers: { 'X-User': 'ann', ...headers } })

describe('S16: every answer', () => {
  test.each(['text/html', 'application/json'])(
    'tells browsers what they may do with it, as %s',
    async (Accept) => {
      for (const user of ['ann', 'nobody'])
        for (const { method, path } of everyAddress(jobId)) {
          const answer = await open(path, { ...fromPage, Accept, 'X-User': user }, method)
          expectGuarded(answer, `${method} ${path} as ${user}`)
        }
    },
  )

  test('of a login does, too', async () => {
    const provider = await openIdProvider({ ann: { sub: 'a1' } })
    const visitor = new Visitor(await openGate({ provider, users: 'bob:secret:viewer' }))

    for (const path of ['/', '/login', '/login?why=out', '/login/start', '/login/callback?code=x', '/api/me'])
      expectGuarded(await visitor.open(path), path)
    expectGuarded(await visitor.open('/', { Authorization: 'Basic eDp5' }), 'a wrong password')
    expectGuarded(await visitor.open('/logout', {}, 'POST'), '/logout')
    await provider.close()
  })

  test('has a nonce of its own', async () => {
    const answers = await Promise.all([1, 2, 3].map(() => open('/')))

    expect(new Set(answers.map(({ headers }) => headers['content-security-policy'])).size).toBe(3)
  })
})

describe.each(['/', '/jobs', '/board/', '/nowhere'])('S16: the page %s', (path) => {
  test('names no other host, and runs nothing without its nonce', async () => {
    const { headers, body } = await open(path, { Accept: 'text/html' })
    const nonce = /'nonce-([\w-]+)'/.exec(String(headers['content-security-policy']))?.[1]

    expect(body).toContain('<html')
    expect(body).not.toMatch(/(src|href|action)\s*=\s*["']?(https?:)?\/\//i)
    expect(body).not.toMatch(/\sstyle=|\son\w+\s*=|javascript:/i)
    for (const [tag] of body.matchAll(/<(?:script|style)\b[^>]*>/g)) expect(tag).toContain(`nonce="${nonce}"`)
  })
})

describe('S36: a cache in between', () => {
  test('keeps nothing but files whose names say what is in them, and these for one browser', async () => {
    for (const { method, path } of everyAddress(jobId)) {
      const { status, headers } = await open(path, fromPage, method)
      const isFile = path.startsWith('/assets/')
      expect(headers['cache-control'], path).toBe(
        isFile && status === 200 ? 'private, max-age=31536000, immutable' : 'no-store',
      )
    }
  })

  test('that keeps one all the same gives it to nobody: each request is looked at', async () => {
    const { headers } = await open('/api/jobs')
    const known = { 'If-None-Match': String(headers.etag) }

    expect((await open('/api/jobs', known)).status).toBe(304)
    expect((await open('/api/jobs', { ...known, 'X-User': 'bob' })).status).toBe(403)
    expect((await open('/api/jobs', { 'If-None-Match': '*', 'X-User': 'bob' })).status).toBe(403)
  })

  test('knows that a packed file is not for all', async () => {
    const { path = '' } = everyAddress(jobId).find((each) => each.path.startsWith('/assets/')) ?? {}

    expect((await open(path)).headers.vary).toBe('Accept-Encoding')
  })
})

describe('S22: a redirect stays where it is, whatever a client says of hosts', () => {
  test.each([
    ['/jobs/dashboard', './dashboard/'],
    ['/jobs/dashboard?to=//evil.example', './dashboard/'],
    ['/jobs/dashboard/board', './board/'],
    ['/jobs/dashboard/board?//evil.example', './board/'],
  ])('%s', async (path, location) => {
    for (const headers of [{}, { Host: 'evil.example' }, { 'X-Forwarded-Host': 'evil.example' }] as Record<
      string,
      string
    >[]) {
      const answer = await ask(shop, path, { headers: { 'X-User': 'ann', ...headers } })
      expect([answer.status, answer.headers.location]).toEqual([302, location])
    }
  })
})
