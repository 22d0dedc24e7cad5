import { connect } from 'node:net'
import { text } from 'node:stream/consumers'
import type express from 'express'
import { afterEach, describe, expect, test } from 'vitest'
import type { CeleriacOptions } from '../../src/config/options.js'
import { ask, openShop, type Shop } from './shop.js'

let shop: Shop | undefined

afterEach(async () => {
  await shop?.close()
  shop = undefined
})

const board = '/jobs/dashboard/board/'

async function openIn(environment: string, options: CeleriacOptions = {}): Promise<Shop> {
  const before = process.env.NODE_ENV
  process.env.NODE_ENV = environment
  try {
    shop = await openShop({ worker: false, ...options })
    return shop
  } finally {
    process.env.NODE_ENV = before
  }
}

test('outside production it is open to the developer at this machine, and to nobody else', async () => {
  const shop = await openIn('development')
  const local = `localhost:${shop.port}`

  const seen = async (headers: Record<string, string>) => (await ask(shop, board, { headers })).status

  expect(await seen({ Host: local })).toBe(200)
  expect(await seen({ Host: `127.0.0.1:${shop.port}` })).toBe(200)
  expect(await seen({ Host: `[::1]:${shop.port}` })).toBe(200)
  expect(await seen({ Host: 'LOCALHOST' })).toBe(200)

  for (const Host of [
    'shop.example',
    'localhost.evil.example',
    '127.0.0.1.evil.example',
    '192.168.0.7:3000',
    'localhost:3000@evil.example',
  ])
    expect(await seen({ Host }), Host).toBe(403)

  for (const name of [
    'Forwarded',
    'X-Forwarded-For',
    'X-Forwarded-Host',
    'X-Forwarded-Foo',
    'Via',
    'X-Real-IP',
  ])
    expect(await seen({ Host: local, [name]: '127.0.0.1' }), name).toBe(403)
})

test('a proxy that adds no header is known by its HTTP/1.0', async () => {
  const { port } = await openIn('development')
  const socket = connect(port, '127.0.0.1')
  socket.end(`GET ${board} HTTP/1.0\r\nHost: localhost:${port}\r\n\r\n`)

  expect(await text(socket)).toMatch(/^HTTP\/1.1 403 /)
})

describe('S1: in production', () => {
  test('it is closed until the app says who may see it, and the page tells how', async () => {
    const shop = await openIn('production')

    const page = await ask(shop, '/jobs/dashboard', { headers: { Accept: 'text/html,*/*;q=0.8' } })

    expect(page.status).toBe(403)
    expect(page.headers['content-type']).toBe('text/html; charset=utf-8')
    expect(page.body).toContain(
      'celeriac({ authorize: (req) =&#62; (req.user?.isAdmin ? &#39;admin&#39; : false) })',
    )
  })

  test('a program is told the same as a problem', async () => {
    const shop = await openIn('production')

    const answer = await ask(shop, `${board}api/queues`, { headers: { Accept: 'application/json' } })

    expect(answer.headers['content-type']).toBe('application/problem+json')
    expect(JSON.parse(answer.body)).toMatchObject({
      status: 403,
      code: 'DASHBOARD_CLOSED',
      detail: expect.stringContaining('authorize'),
    })
  })
})

test('authorize alone decides, from wherever the request comes; what it throws is a no', async () => {
  const shop = await openIn('production', {
    authorize: async (req) => {
      if (req.get('X-User') === 'broken') throw new Error('secret of the session store')
      return req.get('X-User') === 'admin'
    },
  })
  const as = (user: string) =>
    ask(shop, board, { headers: { 'X-User': user, Host: 'shop.example', Via: '1.1 proxy' } })

  expect((await as('admin')).status).toBe(200)
  for (const user of ['bob', 'broken', '']) {
    const refusal = await as(user)
    expect(refusal.status, user).toBe(403)
    expect(refusal.body).not.toContain('authorize')
    expect(refusal.body).not.toContain('secret')
  }
})

test('authorize is asked on this machine, too', async () => {
  const shop = await openIn('development', { authorize: () => false })

  expect((await ask(shop, board)).status).toBe(403)
})

test('who is refused is told on a page what to do, and a program as a problem', async () => {
  const shop = await openIn('development', { authorize: () => false })

  const page = await ask(shop, '/jobs/dashboard/', { headers: { Accept: 'text/html' } })
  const problem = await ask(shop, '/jobs/dashboard/', { headers: { Accept: 'application/json' } })

  const [, nonce] =
    /style-src 'self' 'nonce-([^']+)'/.exec(String(page.headers['content-security-policy'])) ?? []
  expect(page.body).toContain(`<style nonce="${nonce}">`)
  expect(page.body).toContain('Ask whoever runs this app for the role &#34;viewer&#34;')
  expect(JSON.parse(problem.body)).toMatchObject({ status: 403, code: 'DASHBOARD_CLOSED' })
})

test('mounted by the app behind its own guard, both must agree', async () => {
  shop = await openShop({ worker: false, authorize: (req) => req.get('X-User') === 'admin' }, (app, jobs) => {
    const requireToken: express.RequestHandler = (req, res, next) =>
      req.get('X-Token') === 'ok' ? next() : void res.status(401).end()
    app.use('/admin/jobs', requireToken, jobs.dashboard())
  })
  const running = shop
  const as = async (headers: Record<string, string>) =>
    (await ask(running, '/admin/jobs/board/', { headers })).status

  expect(await as({})).toBe(401)
  expect(await as({ 'X-Token': 'ok' })).toBe(403)
  expect(await as({ 'X-Token': 'ok', 'X-User': 'admin' })).toBe(200)
})
