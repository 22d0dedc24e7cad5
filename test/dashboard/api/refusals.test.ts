import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { patterns } from '../../../src/dashboard/api/api.js'
import { lines } from '../../http/app.js'
import { freshServers } from '../../support/lab.js'
import { ask, fromPage } from '../shop.js'
import { api, get, openWeb, post, type Scene } from './scene.js'

describe.each(lines)('on %s', (_line, make) => {
  describe.each([false, true])('with a parser of the app in front: %s', (withParser) => {
    let scene: Scene

    beforeAll(async () => {
      scene = await openWeb(await freshServers('postgres'), { make, withParser })
    }, 120_000)

    afterAll(() => scene?.close())

    test.each<[string, string, unknown, number, string]>([
      ['a verb that is none', '/control/eval', {}, 404, 'UNKNOWN_VERB'],
      ['a name of the prototype', '/control/constructor', {}, 404, 'UNKNOWN_VERB'],
      ['a question as an order', '/control/ping', {}, 404, 'UNKNOWN_VERB'],
      ['an argument that is none', '/control/pool-grow', { bye: 1 }, 400, 'BAD_REQUEST'],
      ['an argument of the prototype', '/control/pool-grow', '{"__proto__":{"by":9}}', 400, 'BAD_REQUEST'],
      ['a number that is none', '/control/pool-grow', { by: '2' }, 400, 'BAD_REQUEST'],
      ['an operator in the place of a queue', '/control/pause', { queue: { not: '' } }, 400, 'BAD_REQUEST'],
      ['a level that is none', '/control/log-level', { level: 'loud' }, 400, 'BAD_REQUEST'],
      ['a range upside down', '/control/autoscale', { range: { min: 3, max: 1 } }, 400, 'BAD_REQUEST'],
      ['a range that is unsaid', '/control/autoscale', {}, 400, 'BAD_REQUEST'],
      ['a limit that is unsaid', '/control/rate-limit', { task: 'mail.send' }, 400, 'BAD_REQUEST'],
      [
        'a limit for two',
        '/control/rate-limit',
        { task: 'a', queue: 'b', rateLimit: null },
        400,
        'BAD_REQUEST',
      ],
      [
        'a limit that is none',
        '/control/rate-limit',
        { task: 'mail.send', rateLimit: 'x' },
        400,
        'BAD_REQUEST',
      ],
      ['an unknown task', '/control/time-limit', { task: 'mail.sned', timeLimit: '5s' }, 404, 'UNKNOWN_TASK'],
      ['an unknown worker', '/control/reset', { workers: 'nobody' }, 404, 'UNKNOWN_WORKER'],
      ['workers that are no names', '/control/reset', { workers: [{}] }, 400, 'BAD_REQUEST'],
      ['a pattern that is all stars', '/control/reset', { workers: '*a*a*a*a*a' }, 400, 'BAD_REQUEST'],
      ['workers of what holds for all', '/control/pause', { queue: 'q', workers: 'a' }, 400, 'BAD_REQUEST'],
      ['a deadline of hours', '/control/reset', { deadline: '2h' }, 400, 'BAD_REQUEST'],
      ['a body that is a list', '/control/reset', [], 400, 'BAD_REQUEST'],
    ])('%s is refused as a problem', async (_what, path, body, status, code) => {
      const answer = await post(scene, path, body)

      expect([answer.status, answer.body.code, answer.headers['content-type']]).toEqual([
        status,
        code,
        'application/problem+json',
      ])
      expect((await get(scene, '/commands')).body).toEqual({ commands: [], next: null })
    })

    test.each<[string, Record<string, string>, number]>([
      ['text', { 'Content-Type': 'text/plain' }, 415],
      ['a form', { 'Content-Type': 'application/x-www-form-urlencoded' }, 415],
    ])('a body that is %s is refused', async (_what, headers, status) => {
      expect((await post(scene, '/control/pool-grow', '{"by":1}', headers)).status).toBe(status)
    })

    test('without a body, an order has its defaults; without workers, nobody replies', async () => {
      const { status, body } = await post(scene, '/control/pool-grow')

      expect(status).toBe(200)
      expect(body).toMatchObject({ replies: [], refused: [], silent: [] })
    })

    test.each([
      ['/inspect/eval', 404, 'UNKNOWN_QUESTION'],
      ['/inspect/shutdown', 404, 'UNKNOWN_QUESTION'],
      ['/inspect/ping?workers[contains]=a', 400, 'BAD_REQUEST'],
      ['/inspect/ping?deadline=1&deadline=2', 400, 'BAD_REQUEST'],
      ['/inspect/ping?deadline=1e308', 400, 'BAD_REQUEST'],
      ['/inspect/ping?workers=nobody', 404, 'UNKNOWN_WORKER'],
      ['/workers/nobody', 404, 'UNKNOWN_WORKER'],
      ['/jobs/%E0%A4%A', 404, 'NOT_FOUND'],
      ['/tasks?range=2h', 400, 'BAD_REQUEST'],
      ['/tasks?range=1h&range=6h', 400, 'BAD_REQUEST'],
      ['/commands?since=lately', 400, 'BAD_REQUEST'],
      ['/commands?limit=1e9', 400, 'BAD_REQUEST'],
      ['/commands?limit=-1', 400, 'BAD_REQUEST'],
      ['/commands?limit=NaN', 400, 'BAD_REQUEST'],
      ['/commands?before=1', 400, 'BAD_REQUEST'],
      ['/status/', 404, 'NOT_FOUND'],
      ['//status', 404, 'NOT_FOUND'],
      ['/nowhere', 404, 'NOT_FOUND'],
    ])('GET %s is answered %i', async (path, status, code) => {
      const answer = await get(scene, path)

      expect([answer.status, answer.body.code]).toEqual([status, code])
      expect(answer.headers).toMatchObject({
        'cache-control': 'no-store',
        'x-content-type-options': 'nosniff',
      })
    })
  })
})

describe('who may', () => {
  let scene: Scene

  beforeAll(async () => {
    scene = await openWeb(await freshServers('postgres'))
  }, 120_000)

  afterAll(() => scene?.close())

  const addresses = patterns.map(({ method, path }) => [
    method,
    path
      .replace(':verb', 'reset')
      .replace(':question', 'ping')
      .replace(':id', 'x')
      .replace(':action', 'retry'),
  ])

  // Each route of the table, so that a new one is in here, too.
  test.each(addresses)('%s %s is for nobody else', async (method = '', path = '') => {
    for (const user of ['', 'bob', '__proto__', 'constructor']) {
      const answer = await ask(scene, `${api}${path}`, { method, headers: { 'X-User': user, ...fromPage } })
      expect([answer.status, JSON.parse(answer.body).code], user).toEqual([403, 'DASHBOARD_CLOSED'])
    }
    const own = await ask(scene, `${api}${path}`, { method, headers: { 'X-User': 'admin', ...fromPage } })
    expect([200, 400, 404]).toContain(own.status)
  })

  test('knows no other method, whatever a header says', async () => {
    const put = await ask(scene, `${api}/control/reset`, {
      method: 'PUT',
      headers: { 'X-User': 'ann', ...fromPage },
    })
    const overridden = await ask(scene, `${api}/control/reset`, {
      headers: { 'X-User': 'ann', 'X-HTTP-Method-Override': 'POST', ...fromPage },
    })

    expect([put.status, put.headers.allow]).toEqual([405, 'POST'])
    expect([overridden.status, overridden.headers.allow]).toEqual([405, 'POST'])
  })

  test.each<[string, Record<string, string>]>([
    ['of another site', { 'Sec-Fetch-Site': 'cross-site' }],
    ['of a sister site', { 'Sec-Fetch-Site': 'same-site' }],
    ['of another origin', { 'Sec-Fetch-Site': '', Origin: 'https://evil.example' }],
    ['of no origin', { 'Sec-Fetch-Site': '', Origin: 'null' }],
  ])('an order %s is not given', async (_what, headers) => {
    const answer = await post(scene, '/control/reset', {}, headers)

    expect([answer.status, answer.body.code]).toEqual([403, 'CROSS_SITE'])
    expect((await get(scene, '/commands')).body.commands.map(({ by }: { by: string }) => by)).not.toContain(
      'ann@shop',
    )
  })
})

test('when the store is away, it says so and names no server', async () => {
  const scene = await openWeb(await freshServers('postgres'))
  onTestFinished(() => scene.close())
  await scene.jobs.close()

  for (const path of ['/workers', '/queues', '/commands', '/inspect/ping']) {
    const answer = await get(scene, path)
    expect([answer.status, answer.body.code], path).toEqual([503, 'UNAVAILABLE'])
    expect(JSON.stringify(answer.body)).not.toMatch(/postgres:|127\.0\.0\.1|stack/)
  }
  expect((await get(scene, '/status')).body).toMatchObject({ status: 'down', store: 'down' })
})
