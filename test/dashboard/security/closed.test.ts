import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { CeleriacOptions } from '../../../src/config/options.js'
import { ask, fromPage, openShop, type Reply, type Shop, tasks } from '../shop.js'
import { everyAddress } from './addresses.js'

const unknownId = '018f0000-0000-7000-8000-000000000001'

/** As the environment has it while the app opens. */
async function openIn(environment: string | undefined, options: CeleriacOptions = {}): Promise<Shop> {
  const before = process.env.NODE_ENV
  if (environment === undefined) delete process.env.NODE_ENV
  else process.env.NODE_ENV = environment
  try {
    return await openShop({ worker: false, ...options })
  } finally {
    process.env.NODE_ENV = before
  }
}

function asked(shop: Shop, method: string, path: string, headers: Record<string, string> = {}) {
  return ask(shop, `/jobs/dashboard${path}`, {
    method,
    headers: { ...fromPage, Accept: 'application/json', ...headers },
  })
}

/** What is another with each answer, and says nothing. */
function withoutChance({ status, headers, body }: Reply) {
  const { date: _, 'content-security-policy': policy, ...rest } = headers
  return { status, body, headers: { ...rest, policy: String(policy).replace(/'nonce-[^']*'/g, '') } }
}

describe('S1: without a word of who may', () => {
  let shop: Shop
  let jobId: string

  beforeAll(async () => {
    shop = await openIn('production')
    jobId = (await tasks.mail.send.enqueue('ann')).id
  })

  afterAll(() => shop?.close())

  test('in production every address is closed, known or not, and all alike', async () => {
    const addresses = [...everyAddress(jobId), ...['//', '/%2e%2e', '/api', '/api/', '/api/nowhere'].map(get)]
    const answers = []
    for (const { method, path } of addresses) answers.push(await asked(shop, method, path))

    expect(addresses.length).toBeGreaterThan(50)
    expect(answers.map(({ status }) => status)).toEqual(addresses.map(() => 403))
    expect(new Set(answers.map(({ body }) => body)).size).toBe(1)
  })

  test('the reason is a line that says what to write', async () => {
    const { body } = await asked(shop, 'GET', '/api/me')

    expect(JSON.parse(body).detail).toMatch(
      /^In production the dashboard is closed until .*authorize: \(req\) => /,
    )
  })
})

describe.each<[string, unknown]>([
  ['undefined', undefined],
  ['null', null],
  ['false', false],
  ['an empty text', ''],
  ['an object', {}],
  ['a user of the app', { id: 1, name: 'ann', role: 'admin' }],
  ['a name', 'ann'],
  ['a list', ['admin']],
  ['an error', new Error('no session')],
])('S3: when authorize gives %s', (_what, verdict) => {
  let shop: Shop

  beforeAll(async () => {
    shop = await openIn('development', {
      authorize: async () => {
        if (verdict instanceof Error) throw verdict
        return verdict as boolean
      },
    })
  })

  afterAll(() => shop?.close())

  test('nobody sees anything', async () => {
    for (const { method, path } of everyAddress(unknownId)) {
      const { status, body } = await asked(shop, method, path)
      expect([status, JSON.parse(body).code], `${method} ${path}`).toEqual([403, 'DASHBOARD_CLOSED'])
    }
  })
})

describe('S2, S35: nobody', () => {
  let shop: Shop
  let known: string

  beforeAll(async () => {
    shop = await openIn('development', { authorize: (req) => req.get('X-User') === 'ann' })
    known = (await tasks.mail.send.enqueue('to-a-secret-address', { owner: 'ann', tags: ['a-secret-tag'] }))
      .id
  })

  afterAll(() => shop?.close())

  test('learns nothing of whether there is a job: the answers are equal, byte for byte', async () => {
    const [of, ofUnknown] = [everyAddress(known), everyAddress(unknownId)]
    const withId = of.flatMap((address, at) => {
      const other = ofUnknown[at]
      return other && address.path.includes(known) ? [[address, other] as const] : []
    })

    expect(withId.length).toBeGreaterThan(8)
    for (const [address, other] of withId) {
      const [here, there] = [
        await asked(shop, address.method, address.path),
        await asked(shop, other.method, other.path),
      ]
      expect(withoutChance(here), address.path).toEqual(withoutChance(there))
    }
  })

  test('learns no counts, no names of queues or workers, and no metrics', async () => {
    for (const { method, path } of everyAddress(known)) {
      const { status, body } = await asked(shop, method, path)
      expect(status, path).toBe(403)
      expect(body).not.toMatch(/secret|mail|default|celeriac_|@/)
    }
  })

  test('of somebody else, who may, no answer is kept for him', async () => {
    const mine = await asked(shop, 'GET', `/api/jobs/${known}`, { 'X-User': 'ann' })
    const etag = String(mine.headers.etag)

    expect(mine.status).toBe(200)
    const his = await asked(shop, 'GET', `/api/jobs/${known}`, { 'If-None-Match': etag })
    expect([his.status, his.headers.etag]).toEqual([403, undefined])
  })
})

describe('S3: an owner that is lost', () => {
  let shop: Shop

  beforeAll(async () => {
    shop = await openIn('development')
    await tasks.mail.send.enqueue('ann', { owner: 'ann' })
    await tasks.mail.send.enqueue('nobody')
  })

  afterAll(() => shop?.close())

  test.each(['owner=', 'owner', 'owner=undefined', 'owner=null', 'owner=%00', 'owner=,'])(
    'GET /jobs?%s gives no row',
    async (query) => {
      const { status, body } = await asked(shop, 'GET', `/api/jobs?${query}`)

      if (status === 200) expect(JSON.parse(body).jobs).toEqual([])
      else expect(status).toBe(400)
    },
  )

  test.each([{ owner: '' }, { owner: [] }, { owner: {} }, { owner: [null] }, { owner: { not: '' } }])(
    'an action for %j changes nothing',
    async (filter) => {
      const body = JSON.stringify({ filter })
      const answer = await ask(shop, '/jobs/dashboard/api/jobs/cancel', {
        method: 'POST',
        headers: {
          ...fromPage,
          ...{ 'Content-Type': 'application/json', 'Content-Length': String(body.length) },
        },
        body,
      })

      if (answer.status === 200) expect(JSON.parse(answer.body).done).toBe(0)
      else expect(answer.status).toBe(400)
      expect((await shop.jobs.count({ state: 'queued' })).count).toBe(2)
    },
  )
})

function get(path: string) {
  return { method: 'GET', path }
}
