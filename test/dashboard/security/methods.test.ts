import { connect } from 'node:net'
import { text } from 'node:stream/consumers'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { DashboardAccess } from '../../../src/control/access.js'
import { lines } from '../../http/app.js'
import { freshServers } from '../../support/lab.js'
import { openWeb, type Scene } from '../api/scene.js'
import { ask, fromPage } from '../shop.js'

const accesses: Readonly<Record<string, DashboardAccess>> = {
  vera: 'viewer',
  olga: 'operator',
  nobody: false,
}

describe.each(lines)('S6: on %s, another way to say the same', (_line, make) => {
  let scene: Scene

  beforeAll(async () => {
    scene = await openWeb(await freshServers('postgres'), {
      make,
      options: { authorize: (req) => accesses[req.get('X-User') ?? 'nobody'] },
    })
  }, 120_000)

  afterAll(() => scene?.close())

  const asked = (user: string, method: string, path: string, headers: Record<string, string> = {}) =>
    ask(scene, `/jobs/dashboard${path}`, { method, headers: { 'X-User': user, ...fromPage, ...headers } })

  const lastCommand = async () => (await scene.jobs.control.commands(1))[0]?.id

  const ways = [
    ...['//api/control/pause', '/api//control/pause', '/api/control//pause', '/API/control/pause'],
    ...['/api/CONTROL/pause', '/api/control/pause/', '/api/control/pause;x=1', '/api/control/pause.json'],
    ...['/api/%63ontrol/pause', '/api/control/%70ause', '/%61pi/control/pause', '/api%2fcontrol%2fpause'],
    ...['/api/control%2fpause', '/./api/control/pause', '/x/../api/control/pause', '/api/x/../control/pause'],
    ...[
      '/%2e%2e/dashboard/api/control/pause',
      '/api/control/pause%00',
      '/api/control/pause%20',
      '/api\\control\\pause',
    ],
    ...[
      '/board/../api/control/pause',
      '/assets/../api/control/pause',
      '/api/control/pause#x',
      '/api/control/pause?x',
    ],
  ]

  test.each(ways)('%s is for nobody who may not', async (path) => {
    const before = await lastCommand()

    expect([403, 404]).toContain((await asked('nobody', 'POST', path)).status)
    expect([400, 403, 404, 405]).toContain((await asked('vera', 'POST', path)).status)

    expect(await lastCommand()).toBe(before)
  })

  test.each(['X-HTTP-Method-Override', 'X-HTTP-Method', 'X-Method-Override', '_method'])(
    '%s is not believed',
    async (name) => {
      const before = await lastCommand()

      const asGet = await asked('olga', 'GET', '/api/control/pause', { [name]: 'POST' })
      const onBoard = await asked('olga', 'POST', '/board/api/queues/default/pause', { [name]: 'PUT' })
      const inQuery = await asked('olga', 'GET', '/api/control/pause?_method=POST')
      // And what only asks is not made of what changes something.
      const asPost = await asked('vera', 'POST', '/api/control/pause', { [name]: 'GET' })

      expect([asGet.status, onBoard.status, inQuery.status, asPost.status]).toEqual([405, 404, 405, 403])
      expect(await lastCommand()).toBe(before)
    },
  )

  test.each(['X-Original-URL', 'X-Rewrite-URL', 'X-Forwarded-Prefix', 'X-Forwarded-Path'])(
    '%s leads nowhere else',
    async (name) => {
      expect((await asked('vera', 'GET', '/api/me', { [name]: '/api/control/pause' })).body).toContain(
        'viewer',
      )
      expect((await asked('nobody', 'GET', '/api/control/pause', { [name]: '/api/me' })).status).toBe(403)
    },
  )

  test('HEAD is GET without a body, and OPTIONS changes nothing', async () => {
    const head = await asked('vera', 'HEAD', '/api/jobs')
    expect([head.status, head.body]).toEqual([200, ''])
    expect((await asked('nobody', 'HEAD', '/api/jobs')).status).toBe(403)

    const before = await lastCommand()
    for (const method of ['HEAD', 'OPTIONS', 'GET'])
      expect((await asked('olga', method, '/api/control/pause')).status, method).toBe(405)
    expect((await asked('nobody', 'OPTIONS', '/api/control/pause')).status).toBe(403)
    expect(await lastCommand()).toBe(before)
  })

  test('TRACE gives nothing back of what was sent', async () => {
    const { status, body } = await asked('olga', 'TRACE', '/api/me', { Cookie: 'session=secret' })

    expect(status).toBeGreaterThanOrEqual(400)
    expect(body).not.toContain('secret')
  })

  test('an address with a host in it is looked at as any other', async () => {
    const { port } = scene
    const send = async (line: string) => {
      const socket = connect(port, '127.0.0.1')
      socket.end(`${line} HTTP/1.1\r\nHost: localhost:${port}\r\nConnection: close\r\n\r\n`)
      return text(socket)
    }

    expect(await send(`GET http://localhost:${port}/jobs/dashboard/api/me`)).not.toMatch(/^HTTP\/1.1 200/)
    expect(await send('GET //jobs/dashboard/api/me')).not.toMatch(/^HTTP\/1.1 200/)
    expect(await send('GET /jobs/dashboard/../dashboard/api/me')).not.toMatch(/^HTTP\/1.1 200/)
  })
})
