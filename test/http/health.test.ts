import { afterEach, describe, expect, test } from 'vitest'
import type { HttpDeps } from '../../src/http/middleware.js'
import { createHttp } from '../../src/http/middleware.js'
import type { Health } from '../../src/telemetry/health.js'
import { lines, type RunningApp, serve } from './app.js'
import { createLedger } from './ledger.js'

const ok = { status: 'ok', store: 'up', broker: 'up' } as const
const running: RunningApp[] = []
afterEach(async () => {
  for (const app of running.splice(0)) await app.close()
})

describe.each(lines)('health on %s', (_line, express) => {
  async function open(health: Health, settings: Partial<HttpDeps> = {}, mount = '/') {
    const app = express()
    app.use(mount, createHttp(createLedger({ health: async () => health, ...settings })).middleware)
    app.use((_req, res) => {
      res.status(418).end()
    })
    const server = await serve(app)
    running.push(server)
    return server.url
  }

  test.each([
    ['ok', 200],
    ['degraded', 200],
    ['down', 503],
  ] as const)('%s is a %i', async (status, code) => {
    const health = { status, store: 'up', broker: 'up' } as const
    const url = await open(health)

    const answer = await fetch(`${url}/jobs/health`)

    expect(answer.status).toBe(code)
    expect(answer.headers.get('cache-control')).toBe('no-store')
    expect(answer.headers.get('content-type')).toMatch('application/json')
    expect(await answer.json()).toEqual(health)
  })

  test('HEAD has the same head and no body', async () => {
    const url = await open({ status: 'down', store: 'down', broker: 'up' })

    const answer = await fetch(`${url}/jobs/health`, { method: 'HEAD' })

    expect(answer.status).toBe(503)
    expect(await answer.text()).toBe('')
  })

  test('it stands below the mount and the path', async () => {
    const below = await open(ok, { path: '/work/jobs' }, '/api')
    const bare = await open(ok, { path: '' }, '/queue')

    expect((await fetch(`${below}/api/work/jobs/health?x=1`)).status).toBe(200)
    expect((await fetch(`${bare}/queue/health/`)).status).toBe(200)
  })

  test('nothing else is taken from the app', async () => {
    const url = await open({ status: 'ok', store: 'up', broker: 'up' })

    expect((await fetch(`${url}/jobs/health`, { method: 'POST' })).status).toBe(418)
    expect((await fetch(`${url}/jobs/healthy`)).status).toBe(418)
    expect((await fetch(`${url}/jobs/health/x`)).status).toBe(418)
    expect((await fetch(`${url}/health`)).status).toBe(418)
  })

  test('whoever answers is live', async () => {
    const url = await open({ status: 'down', store: 'down', broker: 'down' })

    const answer = await fetch(`${url}/jobs/health/live`)

    expect([answer.status, await answer.json()]).toEqual([200, { live: true }])
  })

  test('who cannot do all of its work is not ready, and says why', async () => {
    const reasons = [
      { code: 'broker-away', message: 'The broker does not answer.' },
      { code: 'queue-unserved', message: 'Jobs wait in queue "mail", and no live worker serves it.' },
    ] as const
    const url = await open(ok, { readiness: async () => ({ ready: false, reasons }) })
    const ask = async (query: string) => {
      const answer = await fetch(`${url}/jobs/health/ready${query}`)
      return [answer.status, await answer.json()]
    }

    expect(await ask('')).toEqual([503, { ready: false, reasons }])
    expect(await ask('?exclude=broker-away')).toEqual([503, { ready: false, reasons: [reasons[1]] }])
    expect(await ask('?exclude=broker-away,queue-unserved')).toEqual([200, { ready: true, reasons: [] }])
  })

  test('a reason that there is not is told', async () => {
    const url = await open(ok)

    const answer = await fetch(`${url}/jobs/health/ready?exclude=broker`)

    expect(answer.status).toBe(400)
    expect(await answer.text()).toContain('broker-away')
  })

  test('it needs no owner', async () => {
    const url = await open({ status: 'ok', store: 'up', broker: 'up' }, { ownerOf: () => null })

    expect((await fetch(`${url}/jobs/health`)).status).toBe(200)
  })
})
