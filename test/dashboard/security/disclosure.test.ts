import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import type { JobHandle } from '../../../src/job/job.js'
import { defineTask } from '../../../src/task/define.js'
import { listen } from '../../http/event-client.js'
import { freshServers } from '../../support/lab.js'
import { until } from '../../support/until.js'
import { api, get, openWeb, post, type Scene } from '../api/scene.js'
import { ask, fromPage, openShop } from '../shop.js'
import { everyAddress } from './addresses.js'

interface Secrets {
  readonly password: string
  readonly cards: readonly { readonly number: string }[]
  readonly fails?: boolean
}

const shop = {
  login: defineTask({
    redact: ['payload.password', 'payload.cards[*].number', 'result.token', 'progress.code'],
    concurrency: { key: 2 },
    key: ({ password }: Secrets) => password,
    async run({ fails = false }: Secrets, { progress, log }) {
      await progress({ percent: 50, code: 'hidden-progress' })
      log.info({ step: 1 }, 'half of it')
      if (fails) throw new Error('the login server is away')
      return { token: 'hidden-token', user: 'shown-user' }
    },
  }),
  broken: defineTask(() => {
    throw new Error(
      'connect to postgres://app:hidden-password@db.internal:5432/shop and redis://:hidden-redis@cache/0 failed',
      { cause: new Error('mysql://root:hidden-mysql@10.0.0.1/x') },
    )
  }),
}

const payload = { password: 'hidden-payload', cards: [{ number: 'hidden-card' }], user: 'shown-user' }

let scene: Scene
let hidden: JobHandle
let failed: JobHandle
let broken: JobHandle

beforeAll(async () => {
  scene = await openWeb(await freshServers('postgres'), {
    options: { tasks: { shop }, worker: { concurrency: 2 } },
  })
  hidden = await shop.login.enqueue(payload)
  failed = await shop.login.enqueue({ ...payload, fails: true })
  broken = await shop.broken.enqueue(undefined)
  const ended = async (job: JobHandle) => ['succeeded', 'failed'].includes((await job.status()).state)
  await until(async () => (await Promise.all([hidden, failed, broken].map(ended))).every(Boolean), {
    timeoutMs: 60_000,
  })
}, 180_000)

afterAll(() => scene?.close())

/** Everything that an admin is told by asking; nothing is changed. */
async function everything(id: string): Promise<[string, string][]> {
  const addresses = everyAddress(id).filter(({ method }) => method === 'GET')
  const queries = ['?values=full', '?values=short', '?task=shop.login&limit=100', '?query=state%3Afailed']
  const paths = [
    ...addresses.map(({ path }) => path),
    ...queries.map((query) => `/api/jobs${query}`),
    `/board/api/queues?activeQueue=default&status=latest`,
    `/board/api/queues?activeQueue=default&status=failed`,
  ]
  const told: [string, string][] = []
  for (const path of paths) {
    const { body } = await ask(scene, `/jobs/dashboard${path}`, {
      headers: { 'X-User': 'admin', ...fromPage },
    })
    told.push([path, body])
  }
  return told
}

describe('S20: what is under redact', () => {
  test('stands in no answer, also of an admin, whether the job succeeded or failed', async () => {
    for (const { id } of [hidden, failed]) {
      const told = await everything(id)
      for (const [path, body] of told) expect(body, path).not.toMatch(/hidden-(payload|card|token|progress)/)
      expect(told.filter(([, body]) => body.includes('[redacted]')).length).toBeGreaterThan(5)
      expect(told.filter(([, body]) => body.includes('shown-user')).length).toBeGreaterThan(5)
    }
  })

  test('is not in the stream of a page', async () => {
    const watched = [`/jobs/${failed.id}`, '/jobs?values=full', '/tasks/shop.login/errors'].map(
      (address): [string, string] => ['watch', address],
    )
    const page = await listen(`${scene.url}${api}/live?${new URLSearchParams(watched)}`, {
      'X-User': 'admin',
    })
    await page.sees('data', ({ watch }: { watch: string }) => watch === `/jobs/${failed.id}`)
    await page.sees('data', ({ watch }: { watch: string }) => watch === '/jobs?values=full')

    expect(page.text).toContain('[redacted]')
    expect(page.text).not.toMatch(/hidden-(payload|card|token|progress)/)
  })

  test.each([
    'text=hidden-payload',
    'text=hidden-card',
    'text=hidden-pay',
    'query=hidden-payload',
    'query=payload:hidden-payload',
    'query=payload.password:hidden-payload',
    'query=payload.password:hidden*',
    'query=payload:"hidden-card"',
    'query=result:hidden-token',
    'query=result.token:hidden-token',
    'query=not payload.password:something',
  ])('is not guessed by a search: %s', async (said) => {
    const [name = '', value = ''] = said.split(/=(.*)/s)
    const query = new URLSearchParams({ [name]: value, values: 'full' })
    const { status, body } = await get(scene, `/jobs?${query}`)
    const other = new URLSearchParams({ [name]: value.replace(/hidden-?\w*|something/, 'no-such-value') })
    const without = await get(scene, `/jobs?${other}`)

    // The same as for a value that is nowhere, or it would be told by what is found.
    expect([status, body.jobs?.length]).toEqual([without.status, without.body.jobs?.length])
    expect(JSON.stringify(body)).not.toMatch(/"hidden-(payload|card|token)"/)
  })
})

describe('S20: what is hidden is shown', () => {
  const reveal = (user: string, id = failed.id) => post(scene, `/jobs/${id}/reveal`, {}, { 'X-User': user })

  test('to an admin who asks for it, and the audit says so, without what he saw', async () => {
    const { status, headers, body } = await reveal('ann')

    expect([status, headers['cache-control'], headers.etag]).toEqual([200, 'no-store', undefined])
    expect(JSON.stringify(body)).toContain('hidden-payload')
    const { body: audit } = await get(scene, '/commands?verb=reveal&limit=1')
    expect(audit.commands).toMatchObject([
      { verb: 'reveal', by: 'ann@shop', from: 'http 127.0.0.1', affected: 1 },
    ])
    expect(JSON.stringify(audit)).not.toMatch(/hidden-/)
    // The next who asks is told what everybody is told.
    expect(JSON.stringify((await get(scene, `/jobs/${failed.id}`, 'ann')).body)).not.toContain(
      'hidden-payload',
    )
  })

  test.each(['olga', 'vera', 'bob'])('to nobody else: %s', async (user) => {
    const before = (await get(scene, '/commands?verb=reveal')).body.commands.length

    const { status, body } = await reveal(user)

    expect(status).toBe(403)
    expect(JSON.stringify(body)).not.toContain('hidden')
    expect((await get(scene, '/commands?verb=reveal')).body.commands).toHaveLength(before)
  })

  test('by no page of another site, and by no link', async () => {
    expect(
      (await post(scene, `/jobs/${failed.id}/reveal`, {}, { 'Sec-Fetch-Site': 'cross-site' })).status,
    ).toBe(403)
    expect((await get(scene, `/jobs/${failed.id}/reveal`, 'ann')).status).toBe(405)
  })

  test('not to who retries with what stands in its place', async () => {
    const edited = { ...payload, password: '[redacted]', user: 'another-user' }
    expect(
      (await post(scene, `/jobs/${failed.id}/retry`, { payload: edited }, { 'X-User': 'olga' })).status,
    ).toBe(200)
    await until(async () => ['succeeded', 'failed'].includes((await failed.status()).state), {
      timeoutMs: 30_000,
    })

    for (const [path, body] of await everything(failed.id))
      expect(body, path).not.toMatch(/hidden-(payload|card|token|progress)/)
  })
})

describe('S19: what went wrong', () => {
  test('is shown to who may see jobs, without the passwords in it', async () => {
    const { body } = await get(scene, `/jobs/${broken.id}`, 'vera')
    expect(body.job.error.message).toMatch(/postgres:\/\/.*db\.internal.*failed/)

    for (const [path, text] of await everything(broken.id))
      expect(text, path).not.toMatch(/hidden-(password|redis|mysql)/)
  })
})

describe('S19: when the server itself fails', () => {
  const environment = process.env.NODE_ENV

  afterEach(() => {
    process.env.NODE_ENV = environment
  })

  test.each([undefined, 'development', 'production'])(
    'with NODE_ENV %s it names no server, no file and no code',
    async (mode) => {
      const closed = await openShop({ worker: false, authorize: () => 'admin' })
      await closed.jobs.close()
      if (mode === undefined) delete process.env.NODE_ENV
      else process.env.NODE_ENV = mode

      let refused = 0
      for (const { method, path } of everyAddress('018f0000-0000-7000-8000-000000000001'))
        for (const Accept of ['application/json', 'text/html']) {
          const { status, body } = await ask(closed, `/jobs/dashboard${path}`, {
            method,
            headers: { ...fromPage, Accept },
          })
          if (status >= 500) refused += 1
          // Files of the pages, and the API's description, are the same on every server; the latter has examples.
          if (!path.startsWith('/assets/') && path !== '/api/openapi.json')
            expect(body, path).not.toMatch(
              /postgres:|127\.0\.0\.1|localhost|ECONN|node_modules|\bat .*[(/].*:\d+:\d+|\/src\/|\/dist\//,
            )
        }
      expect(refused).toBeGreaterThan(20)
      await closed.close()
    },
  )
})
