import { describe, expect, test } from 'vitest'
import { hashPassword } from '../../../src/dashboard/login/password.js'
import { until } from '../../support/until.js'
import { ask } from '../shop.js'
import { openGate } from './gate.js'

const basic = (name: string, password: string) => ({
  Authorization: `Basic ${Buffer.from(`${name}:${password}`).toString('base64')}`,
})

describe('by name and password', () => {
  test('comes in who is known, with his role', async () => {
    const gate = await openGate({
      users: `ann:se:cret:admin,bob:${await hashPassword('pässword')}:viewer`,
    })
    const as = async (name: string, password: string) =>
      JSON.parse((await ask(gate, '/api/me', { headers: basic(name, password) })).body)

    expect(await as('ann', 'se:cret')).toEqual({ name: 'ann', role: 'admin' })
    expect(await as('bob', 'pässword')).toEqual({ name: 'bob', role: 'viewer' })
    await as('ann', 'se:cret')
    expect(gate.lines).toEqual([
      '"ann" has signed in from 127.0.0.1, as admin.',
      '"bob" has signed in from 127.0.0.1, as viewer.',
    ])
  })

  test('a browser is asked for them, and a program is told', async () => {
    const gate = await openGate({ users: 'ann:secret:admin' })

    const page = await ask(gate, '/', { headers: { Accept: 'text/html' } })
    const api = await ask(gate, '/api/me', { headers: { Accept: 'application/json' } })

    for (const { status, headers } of [page, api])
      expect([status, headers['www-authenticate']]).toEqual([401, 'Basic realm="Celeriac", charset="UTF-8"'])
    expect(page.headers['content-type']).toBe('text/html; charset=utf-8')
    expect(JSON.parse(api.body)).toMatchObject({ status: 401, code: 'LOGIN_REQUIRED' })
  })

  test.each<[string, Record<string, string>]>([
    ['another password', basic('ann', 'secret2')],
    ['the password and more', basic('ann', 'secret\0')],
    ['no password', basic('ann', '')],
    ['a name that nobody has', basic('zoe', 'secret')],
    ['a name of the prototype', basic('__proto__', 'secret')],
    ['a password of somebody else', basic('ann', 'other')],
    ['another kind of login', { Authorization: 'Bearer secret' }],
    ['no base64', { Authorization: 'Basic ann:secret' }],
    ['no colon', { Authorization: `Basic ${Buffer.from('annsecret').toString('base64')}` }],
    ['50 KB', { Authorization: `Basic ${'A'.repeat(12_000)}` }],
  ])('nobody comes in with %s', async (_what, headers) => {
    const gate = await openGate({ users: 'ann:secret:admin,bob:other:viewer' })

    const answer = await ask(gate, '/', { headers })

    expect([answer.status, JSON.parse(answer.body).code]).toEqual([401, 'LOGIN_FAILED'])
  })

  test('what is logged of a failed login is one line, without the password', async () => {
    const gate = await openGate({ users: 'ann:secret:admin' })

    await ask(gate, '/', { headers: basic('hunter2\r\n\u2028{"level":60}', 'hunter2') })
    await ask(gate, '/', { headers: basic('ann', 'hunter2') })

    expect(gate.lines).toEqual([
      'A login failed: somebody from 127.0.0.1: the name or the password is wrong',
      'A login failed: "ann" from 127.0.0.1: the name or the password is wrong',
    ])
    // Also not what is no name at all: somebody may have typed his password there.
    expect(JSON.stringify(await gate.audit.list())).not.toContain('hunter2')
  })

  test('what is done of logins stands in the audit', async () => {
    const gate = await openGate({ users: 'ann:secret:admin' })

    for (const password of ['wrong', 'secret', 'secret'])
      await ask(gate, '/', { headers: basic('ann', password) })

    await until(async () => (await gate.audit.list()).length === 2)
    expect(await gate.audit.list()).toMatchObject([
      {
        verb: 'login',
        args: '{"by":"password","role":"admin"}',
        askedBy: 'ann',
        askedFrom: 'http 127.0.0.1',
      },
      { verb: 'login-failed', askedBy: 'ann', askedFrom: 'http 127.0.0.1' },
    ])
  })
})

describe('S25: who guesses', () => {
  test('is told to wait after ten tries, and others are not', async () => {
    const gate = await openGate({ users: 'ann:secret:admin,bob:other:viewer', trustProxy: 1 })
    const from = (address: string, name: string, password: string) =>
      ask(gate, '/', { headers: { ...basic(name, password), 'X-Forwarded-For': address } })
    expect((await from('192.0.2.1', 'bob', 'other')).status).toBe(200)

    const answers = []
    for (let at = 0; at < 12; at += 1) answers.push(await from('192.0.2.1', 'ann', `guess ${at}`))

    expect(answers.map(({ status }) => status)).toEqual([...Array(10).fill(401), 429, 429])
    expect(Number(answers.at(-1)?.headers['retry-after'])).toBeGreaterThan(20)
    // Also with the right one, or he would know it by this.
    expect((await from('192.0.2.1', 'ann', 'secret')).status).toBe(429)
    // Who has come in before stays, and so does the rest of the world.
    expect((await from('192.0.2.1', 'bob', 'other')).status).toBe(200)
    expect((await from('192.0.2.2', 'ann', 'secret')).status).toBe(200)
    expect(gate.lines.filter((line) => line.startsWith('A login failed'))).toHaveLength(10)
  }, 60_000)

  test('with many at once gains nothing', async () => {
    const gate = await openGate({ users: 'ann:secret:admin' })

    const answers = await Promise.all(
      Array.from({ length: 40 }, (_, at) => ask(gate, '/', { headers: basic('ann', `guess ${at}`) })),
    )

    const tried = answers.filter(({ status }) => status === 401).length
    expect(tried).toBeLessThanOrEqual(10)
    expect(answers.filter(({ status }) => status === 429)).toHaveLength(40 - tried)
  }, 60_000)
})

test('S24: how long a refusal takes says nothing of whether there is such a name', async () => {
  const gate = await openGate({ users: `ann:secret:admin,bob:${await hashPassword('secret')}:viewer` })
  const took = new Map<string, number>()
  for (let round = 0; round < 3; round += 1) {
    for (const name of ['ann', 'bob', 'zoe']) {
      const from = performance.now()
      expect((await ask(gate, '/', { headers: basic(name, 'wrong') })).status).toBe(401)
      took.set(name, Math.min(took.get(name) ?? Number.POSITIVE_INFINITY, performance.now() - from))
    }
  }

  // Each does the work of one hash, which is most of the time.
  const times = [...took.values()]
  expect(Math.max(...times) / Math.min(...times)).toBeLessThan(2)
  expect(Math.min(...times)).toBeGreaterThan(50)
}, 120_000)
