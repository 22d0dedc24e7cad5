import { once } from 'node:events'
import { request } from 'node:http'
import express, { type Express } from 'express'
import { afterEach, describe, expect, test } from 'vitest'
import { lines } from '../http/app.js'
import { ask, fromPage, openShop, type Shop, tasks } from './shop.js'

const board = '/jobs/dashboard/board'
let shop: Shop | undefined

afterEach(async () => {
  await shop?.close()
  shop = undefined
})

async function openOn(app: Express): Promise<Shop> {
  shop = await openShop({ worker: false }, (outer, jobs) => outer.use(app.use(jobs)))
  return shop
}

describe.each(lines)('in an app on %s', (_line, create) => {
  test('the board is served, however the app reads queries and bodies', async () => {
    const app = create()
    app.set('query parser', false)
    app.use(express.json())
    const shop = await openOn(app)
    const job = await tasks.mail.send.enqueue('ann', { queue: 'mail' })

    const list = await ask(shop, `${board}/api/queues?activeQueue=mail&status=waiting`)
    const paused = await ask(shop, `${board}/api/queues/mail/pause`, {
      method: 'PUT',
      headers: { ...fromPage, 'Content-Type': 'application/json' },
      body: '{}',
    })

    expect(list.body).toContain(job.id)
    expect(list.body).toContain(`../../${job.id}`)
    expect(paused.status).toBe(200)
    expect((await ask(shop, `${board}/queue/mail`)).body).toContain('<base href="../" />')
    const messages = await ask(shop, `${board}/static/locales/en-GB/messages.json`)
    expect([messages.status, messages.body]).toEqual([200, expect.stringContaining('Cancel job')])
    expect(list.headers).not.toHaveProperty('x-powered-by')
  })

  test('the app knows its requests to the end', async () => {
    const seen: unknown[] = []
    const app = create()
    app.set('trust proxy', true)
    app.use((req, res, next) => {
      res.locals = { client: 'ann', debug: true, title: 'not this' }
      res.on('finish', () => seen.push(req.ip))
      next()
    })
    shop = await openShop({ worker: false, authorize: () => true }, (outer, jobs) => outer.use(app.use(jobs)))

    const page = await ask(shop, `${board}/`, { headers: { 'X-Forwarded-For': '192.0.2.1' } })
    await ask(shop, `${board}/api/queues`, { headers: { 'X-Forwarded-For': '192.0.2.2' } })

    expect(page.body).toContain('<title>Celeriac</title>')
    expect(seen).toEqual(['192.0.2.1', '192.0.2.2'])
  })
})

describe('of a request that is refused', () => {
  test('no body is awaited', async () => {
    const { port } = await openOn(express())
    const headers = { ...fromPage, 'Content-Type': 'application/json', 'Content-Length': '1000' }
    const path = `${board}/api/queues/default/empty`
    const sent = request({ host: '127.0.0.1', port, path, method: 'PUT', headers, agent: false })
    sent.flushHeaders()

    const [answer] = await once(sent, 'response')
    answer.resume()

    expect(answer.statusCode).toBe(403)
    sent.on('error', () => {}).destroy()
  })
})

test.each([
  ['a body that is no JSON', 'PUT', '/api/queues/default/pause', '{'],
  ['an address that cannot be decoded', 'GET', '/api/queues/%E0%A4%A/workers', undefined],
])('%s is the mistake of who sent it', async (_what, method, path, body) => {
  const shop = await openOn(express())

  const answer = await ask(shop, board + path, {
    method,
    headers: { ...fromPage, 'Content-Type': 'application/json' },
    ...(body === undefined ? {} : { body }),
  })

  expect([answer.status, JSON.parse(answer.body).code]).toEqual([400, 'BAD_REQUEST'])
})

test.each(['/QUEUE/default', '/queue/default/', '//', '/job-schedulers', '/static', '/api', '/api/else'])(
  'there is nothing at %s',
  async (path) => {
    const shop = await openOn(express())

    expect((await ask(shop, board + path)).status).toBe(404)
  },
)

test('a file that is not there is not remembered as missing', async () => {
  const shop = await openOn(express())

  const { status, headers } = await ask(shop, `${board}/static/js/main.0123456789.js`)

  expect([status, headers['cache-control']]).toEqual([404, 'no-store'])
})
