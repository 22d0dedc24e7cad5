import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type OpenIdProvider, openIdProvider } from '../../support/openid-provider.js'
import { until } from '../../support/until.js'
import { comeBack, createMemoryAudit, openGate, signIn, Visitor } from './gate.js'

let provider: OpenIdProvider

const verified = { email_verified: true }

beforeAll(async () => {
  provider = await openIdProvider({
    ann: { sub: 'a1', email: 'Ann@Example.com', ...verified, groups: ['jobs-admins', 'everybody'] },
    bob: { sub: 'b2', email: 'bob@example.com', ...verified, groups: ['everybody'] },
    eve: { sub: 'e3', email: 'eve@example.com.evil.test', ...verified },
    mallory: { sub: 'm4', email: 'ann@example.com', email_verified: false },
    nemo: { sub: 'n5' },
  })
})

afterAll(() => provider?.close())

beforeEach(() => {
  for (const key of Object.keys(provider.misdeeds)) Reflect.deleteProperty(provider.misdeeds, key)
})

const byGroups = { roles: { 'jobs-admins': 'admin' }, defaultRole: false } as const

describe('a login', () => {
  test('leads to the provider and back to the page that was asked for', async () => {
    const gate = await openGate({ provider, oidc: byGroups })
    const ann = new Visitor(gate)

    const first = await ann.open('/workers?state=lost')
    expect([first.status, first.headers.location]).toEqual([302, '/login?next=%2Fworkers%3Fstate%3Dlost'])
    const login = await ann.open(String(first.headers.location))
    expect(login.body).toContain('Sign in with localhost')
    expect(login.body).toContain('href="/login/start?next=%2Fworkers%3Fstate%3Dlost"')
    const last = await signIn(ann, provider, 'ann', '/workers?state=lost')

    expect(last.status).toBe(200)
    expect(last.body).toContain('<meta http-equiv="refresh" content="0; url=/workers?state=lost">')
    expect(JSON.parse((await ann.open('/workers?state=lost')).body)).toEqual({
      name: 'ann@example.com',
      role: 'admin',
    })
    expect(gate.lines).toEqual(['"ann@example.com" has signed in from 127.0.0.1, as admin.'])
  })

  test('asks for a code with a challenge, a state and a nonce of its own each time', async () => {
    const gate = await openGate({ provider })
    const sent = await Promise.all([1, 2].map(() => new Visitor(gate).open('/login/start')))
    const [one, two] = sent.map(({ headers }) => new URL(String(headers.location)).searchParams)

    expect(Object.fromEntries(one ?? [])).toMatchObject({
      response_type: 'code',
      client_id: provider.clientId,
      redirect_uri: `http://localhost:${gate.port}/login/callback`,
      scope: 'openid email profile',
      code_challenge_method: 'S256',
    })
    for (const name of ['state', 'nonce', 'code_challenge']) {
      expect(one?.get(name)).toMatch(/^[\w-]{43}$/)
      expect(one?.get(name)).not.toBe(two?.get(name))
    }
  })

  test('works below a prefix', async () => {
    const gate = await openGate({ provider, prefix: '/jobs' })
    const ann = new Visitor(gate)

    expect((await ann.open('/jobs/queues')).headers.location).toBe('/jobs/login?next=%2Fqueues')
    const last = await signIn(ann, provider, 'ann', '/queues', '/jobs')

    expect(last.body).toContain('url=/jobs/queues"')
    expect((await ann.open('/jobs/queues')).body).toContain('viewer')
  })

  test('begun at another name of this machine goes on where its cookie will be', async () => {
    const gate = await openGate({ provider })

    const sent = await new Visitor(gate, `127.0.0.1:${gate.port}`).open('/login/start?next=/jobs')

    expect(sent.headers.location).toBe(`http://localhost:${gate.port}/login/start?next=%2Fjobs`)
  })

  test('gives what roles, addresses and the default say, and the highest of these', async () => {
    const gate = await openGate({
      provider,
      oidc: { ...byGroups, emails: { '*@example.com': 'operator' }, defaultRole: 'viewer' },
    })
    const roleAs = async (account: string) => {
      const visitor = new Visitor(gate)
      await signIn(visitor, provider, account)
      return JSON.parse((await visitor.open('/')).body)
    }

    expect(await roleAs('ann')).toMatchObject({ role: 'admin' })
    expect(await roleAs('bob')).toEqual({ name: 'bob@example.com', role: 'operator' })
    expect(await roleAs('eve')).toMatchObject({ role: 'viewer' })
    expect(await roleAs('mallory')).toMatchObject({ role: 'viewer' })
    expect(await roleAs('nemo')).toEqual({ name: 'n5', role: 'viewer' })
  })

  test.each([
    ['eve', 'this account is not among those that are let in'],
    ['mallory', 'the provider does not say that the e-mail address of this account is verified'],
    ['nemo', 'the provider gives no e-mail address for this account'],
  ])('of %s, who is not let in, says why', async (account, why) => {
    const gate = await openGate({ provider, oidc: { allow: ['*@example.com'] } })
    const visitor = new Visitor(gate)

    const last = await signIn(visitor, provider, account)

    expect([last.status, visitor.cookies.size]).toEqual([403, 0])
    expect(last.body).toContain(why)
    expect(last.body).toContain('Use another account')
    expect(gate.lines.join()).toContain('A login failed')
    expect((await visitor.open('/')).status).toBe(302)
  })

  test('that somebody breaks off says so, and can be begun again', async () => {
    const gate = await openGate({ provider })
    const visitor = new Visitor(gate)

    const last = await signIn(visitor, provider, 'nobody at all', '/jobs')

    expect(last.status).toBe(403)
    expect(last.body).toContain('did not confirm the login')
    expect(last.body).toContain('/login/start?next=%2Fjobs')
  })
})

describe('nobody comes in', () => {
  const now = () => Math.floor(Date.now() / 1000)

  test.each<[string, NonNullable<OpenIdProvider['misdeeds']['claims']>]>([
    ['of another login', (claims) => ({ ...claims, nonce: 'n'.repeat(43) })],
    ['without a nonce', ({ nonce: _, ...claims }) => claims],
    ['that is over', (claims) => ({ ...claims, iat: now() - 600, exp: now() - 60 })],
    ['for another client', (claims) => ({ ...claims, aud: 'somebody-else' })],
    [
      'for several, and given to another',
      (claims) => ({ ...claims, aud: [String(claims.aud), 'x'], azp: 'x' }),
    ],
    ['of another provider', (claims) => ({ ...claims, iss: 'https://evil.example' })],
    ['without a subject', ({ sub: _, ...claims }) => claims],
    ['of the future', (claims) => ({ ...claims, nbf: now() + 600 })],
  ])('by a token %s', async (_what, claims) => {
    const gate = await openGate({ provider })
    const visitor = new Visitor(gate)
    provider.misdeeds.claims = claims

    const last = await signIn(visitor, provider, 'ann')

    expect([last.status, visitor.cookies.size]).toEqual([400, 0])
    expect(last.body).toContain('cannot be trusted')
    expect(gate.lines.join()).toContain('A login failed')
    expect((await visitor.open('/')).status).toBe(302)
  })

  test('by a token that another key has signed', async () => {
    const visitor = new Visitor(await openGate({ provider }))
    provider.misdeeds.signsByOtherKey = true

    expect((await signIn(visitor, provider, 'ann')).status).toBe(400)
    expect(visitor.cookies.size).toBe(0)
  })

  test('with the state of another login', async () => {
    const gate = await openGate({ provider })
    const [ann, mallory] = [new Visitor(gate), new Visitor(gate)]
    await ann.open('/login/start')
    const before = provider.exchanges()
    const back = await comeBack(mallory, provider, 'mallory')

    const last = await ann.open(back)

    expect([last.status, ann.cookies.size, provider.exchanges()]).toEqual([400, 0, before])
  })

  test.each(['state=', 'state=x', 'iss=https://evil.example', 'code='])('with %s', async (change) => {
    const visitor = new Visitor(await openGate({ provider }))
    const back = new URL(await comeBack(visitor, provider, 'ann'), 'http://x')
    const [name = '', value = ''] = change.split('=')
    back.searchParams.set(name, value)

    expect((await visitor.open(back.pathname + back.search)).status).toBe(400)
    expect(visitor.cookies.size).toBe(0)
  })

  test('without the cookie of the login that it ends', async () => {
    const gate = await openGate({ provider })
    const back = await comeBack(new Visitor(gate), provider, 'ann')
    const before = provider.exchanges()
    const other = new Visitor(gate)

    const last = await other.open(back)

    expect([last.status, other.cookies.size, provider.exchanges()]).toEqual([400, 0, before])
    expect(last.body).toContain('This login was finished before, or it took too long.')
  })

  test('a second time by the same way', async () => {
    const visitor = new Visitor(await openGate({ provider }))
    const back = await comeBack(visitor, provider, 'ann')
    const kept = new Map(visitor.cookies)
    await visitor.open(back)

    expect((await visitor.open(back)).status).toBe(400)
    // Also not whoever has kept the cookie: the provider takes each code once.
    visitor.cookies.clear()
    for (const [name, value] of kept) visitor.cookies.set(name, value)
    expect((await visitor.open(back)).status).toBe(400)
    expect(visitor.cookies.size).toBe(0)
  })

  test('when the provider is away, which is told', async () => {
    const gate = await openGate({ provider })
    provider.misdeeds.isAway = true
    const visitor = new Visitor(gate)
    const before = await openGate({ provider })

    const last = await new Visitor(before).open('/login/start')
    expect(last.status).toBe(502)
    expect(last.body).toContain('does not answer as it should')

    provider.misdeeds.isAway = false
    expect((await new Visitor(before).open('/login/start')).status).toBe(302)
    const back = await comeBack(visitor, provider, 'ann')
    provider.misdeeds.isAway = true
    expect((await visitor.open(back)).status).toBe(502)
  })
})

describe('a session', () => {
  test('is known to every instance that has the secret, and after a restart', async () => {
    const [one, two] = [
      await openGate({ provider, publicUrl: 'https://jobs.test' }),
      await openGate({ provider, publicUrl: 'https://jobs.test' }),
    ]
    const ann = new Visitor(one, 'jobs.test')

    // A proxy in front gives each request to another of them.
    const back = await comeBack(ann, provider, 'ann')
    const atTwo = ann.at(two)
    await atTwo.open(back)
    await Promise.all([one.close(), two.close()])
    const three = await openGate({ provider, publicUrl: 'https://jobs.test' })

    expect((await atTwo.at(three).open('/')).body).toContain('ann@example.com')
  })

  test('of another secret, client or address is none', async () => {
    const ann = new Visitor(await openGate({ provider, publicUrl: 'https://jobs.test' }), 'jobs.test')
    await signIn(ann, provider, 'ann')
    expect((await ann.open('/')).status).toBe(200)

    const others = [
      { provider, publicUrl: 'https://jobs.test', secret: 'another secret of 32 characters or so' },
      { provider: { ...provider, clientId: 'other' }, publicUrl: 'https://jobs.test' },
    ]
    for (const other of others) expect((await ann.at(await openGate(other)).open('/')).status).toBe(302)
  })

  test('that was changed anywhere is none', async () => {
    const ann = new Visitor(await openGate({ provider }))
    await signIn(ann, provider, 'ann')
    const [[name = '', value = ''] = []] = ann.cookies

    for (const at of [0, 10, Math.floor(value.length / 2), value.length - 2]) {
      const letter = value[at] === 'A' ? 'B' : 'A'
      ann.cookies.set(name, value.slice(0, at) + letter + value.slice(at + 1))
      expect((await ann.open('/')).status, `at ${at}`).toBe(302)
    }
    for (const other of ['', 'x', value.slice(1), value + value, 'a'.repeat(8000)]) {
      ann.cookies.set(name, other)
      expect((await ann.open('/')).status).toBe(302)
    }
    ann.cookies.set(name, value)
    expect((await ann.open('/')).status).toBe(200)
  })

  test('is no login that is under way, and the other way round', async () => {
    const ann = new Visitor(await openGate({ provider }))
    await ann.open('/login/start')
    const [[loginName = '', loginValue = ''] = []] = ann.cookies

    ann.cookies.set(loginName.replace('login', 'session'), loginValue)

    expect((await ann.open('/')).status).toBe(302)
  })

  test('ends after its time, and the page says so', async () => {
    const gate = await openGate({ provider, oidc: { session: '60s' } })
    const ann = new Visitor(gate)
    await signIn(ann, provider, 'ann')
    const later = Date.now() + 61_000
    const now = Date.now
    Date.now = () => later
    try {
      const sent = await ann.open('/jobs')
      expect(sent.headers.location).toBe('/login?next=%2Fjobs&why=expired')
      expect((await ann.open(String(sent.headers.location))).body).toContain('Your login has ended')
    } finally {
      Date.now = now
    }
  })

  test('that somebody has ended is ended at every instance, also for who has kept the cookie', async () => {
    const shared = { provider, publicUrl: 'https://jobs.test', audit: createMemoryAudit() }
    const [one, two] = [await openGate(shared), await openGate(shared)]
    const ann = new Visitor(one, 'jobs.test')
    await signIn(ann, provider, 'ann')
    const [thief, other] = [ann.at(one), new Visitor(two, 'jobs.test')]
    await signIn(other, provider, 'ann')
    expect((await thief.at(two).open('/')).status).toBe(200)

    expect((await ann.open('/logout', { 'Sec-Fetch-Site': 'same-origin' }, 'POST')).status).toBe(303)

    expect((await thief.open('/')).status).toBe(302)
    await until(async () => (await thief.at(two).open('/')).status === 302)
    // One that has begun since, or before, is no worse for it.
    expect((await other.open('/')).status).toBe(200)
    // Nor does it help to start anew.
    expect((await thief.at(await openGate(shared)).open('/')).status).toBe(302)
    expect((await shared.audit.list()).map(({ verb, askedBy }) => [verb, askedBy])).toEqual([
      ['logout', 'ann@example.com'],
      ['login', 'ann@example.com'],
      ['login', 'ann@example.com'],
    ])
    // Whatever she calls herself there.
    const [, line] = await shared.audit.list()
    expect(JSON.parse(line?.args ?? '')).toMatchObject({ by: 'openid', subject: 'a1' })
  })

  test('goes by the roles of today', async () => {
    const before = await openGate({ provider, oidc: byGroups, publicUrl: 'https://jobs.test' })
    const ann = new Visitor(before, 'jobs.test')
    await signIn(ann, provider, 'ann')

    const demoted = await openGate({
      ...{ provider, publicUrl: 'https://jobs.test' },
      oidc: { roles: { 'jobs-admins': 'viewer' } },
    })
    const closed = await openGate({
      ...{ provider, publicUrl: 'https://jobs.test' },
      oidc: { roles: { others: 'viewer' }, defaultRole: false },
    })

    expect((await ann.at(demoted).open('/')).body).toContain('viewer')
    const sent = await ann.at(closed).open('/jobs')
    expect(sent.headers.location).toBe('/login?next=%2Fjobs&why=role')
    expect((await ann.at(closed).open(String(sent.headers.location))).body).toContain('has no role here')
  })
})

describe('what is no page', () => {
  test('is told to sign in by a problem', async () => {
    const visitor = new Visitor(await openGate({ provider }))

    for (const [method, accept] of [
      ['GET', 'application/json'],
      ['GET', 'text/event-stream'],
      ['POST', 'text/html'],
      ['GET', '*/*'],
    ] as const) {
      const answer = await visitor.open('/api/jobs', { Accept: accept }, method)
      expect([answer.status, answer.headers['content-type'], JSON.parse(answer.body).code]).toEqual([
        ...[401, 'application/problem+json', 'LOGIN_REQUIRED'],
      ])
      expect(answer.headers['www-authenticate']).toBe('Session realm="Celeriac"')
    }
  })
})

describe('what another site begins', () => {
  test('is asked for once more, with the cookie', async () => {
    const ann = new Visitor(await openGate({ provider }))
    const link = { 'Sec-Fetch-Site': 'cross-site', 'Sec-Fetch-Mode': 'navigate' }

    const answer = await ann.open('/jobs?state=failed', link)

    expect([answer.status, answer.headers.location]).toEqual([200, undefined])
    expect(answer.body).toContain('content="0; url=/jobs?state=failed"')
  })
})

describe('with names and passwords beside it', () => {
  test('programs come in by these, and pages are never asked for them', async () => {
    const gate = await openGate({ provider, users: 'ci:pass:operator' })
    const visitor = new Visitor(gate)
    const json = { Accept: 'application/json' }
    const authorization = `Basic ${Buffer.from('ci:pass').toString('base64')}`

    expect((await visitor.open('/api/me', json)).headers['www-authenticate']).toContain('Basic')
    const ofPage = await visitor.open('/api/me', { ...json, 'Sec-Fetch-Mode': 'cors' })
    expect(ofPage.headers['www-authenticate']).not.toContain('Basic')
    expect((await visitor.open('/jobs')).status).toBe(302)
    expect((await visitor.open('/api/me', { ...json, authorization })).body).toContain('operator')
  })
})
