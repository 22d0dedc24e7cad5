import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openIdProvider } from '../../support/openid-provider.js'
import { openGate, signIn, Visitor } from '../login/gate.js'
import { ask, fromPage, openShop, type Shop, tasks } from '../shop.js'
import { everyChange } from './addresses.js'

let shop: Shop
let jobId: string

beforeAll(async () => {
  // Whoever comes is let in, as a browser that is logged in sends its cookie with everything.
  shop = await openShop({ worker: false, authorize: () => 'admin' })
  jobId = (await tasks.mail.send.enqueue('ann', { delay: '1h' })).id
})

afterAll(() => shop?.close())

const foreign: readonly (readonly [string, Record<string, string>])[] = [
  ['of a page of another site', { 'Sec-Fetch-Site': 'cross-site' }],
  ['of a page of a sister site', { 'Sec-Fetch-Site': 'same-site' }],
  ['that a user typed', { 'Sec-Fetch-Site': 'none' }],
  ['that says it twice', { 'Sec-Fetch-Site': 'same-origin, same-origin' }],
  ['of another origin', { Origin: 'https://evil.example' }],
  ['of another origin that begins like ours', { Origin: 'http://127.0.0.1.evil.example' }],
  ['of another origin with our name in it', { Origin: 'http://evil.example/?127.0.0.1' }],
  ['of another port', { Origin: 'http://127.0.0.1:1' }],
  ['of no origin', { Origin: 'null' }],
  ['of no origin that says it is ours', { Origin: 'null', 'Sec-Fetch-Site': 'same-origin' }],
  ['of an origin that is no web page', { Origin: 'file://' }],
  ['that says nothing of where it comes from', {}],
  [
    'that says it is JSON and nothing more',
    { 'Content-Type': 'application/json', 'X-Requested-With': 'fetch' },
  ],
]

async function standing() {
  const [commands, { state }] = await Promise.all([
    shop.jobs.control.commands(1),
    shop.jobs.job(jobId).status(),
  ])
  return { last: commands[0]?.id, state }
}

describe('S15: a request that changes something', () => {
  test.each(foreign)('%s is refused at every address, and nothing is changed', async (_, headers) => {
    const before = await standing()
    const changes = everyChange(jobId)

    for (const cookie of [{}, { Cookie: 'session=ann' }])
      for (const { method, path } of changes) {
        const answer = await ask(shop, `/jobs/dashboard${path}`, {
          method,
          headers: { Accept: 'application/json', ...headers, ...cookie },
        })
        expect([answer.status, JSON.parse(answer.body).code], `${method} ${path}`).toEqual([
          403,
          'CROSS_SITE',
        ])
      }

    expect(changes.length).toBeGreaterThan(20)
    expect(await standing()).toEqual(before)
  })

  test('is not let in by another method either', async () => {
    const before = await standing()
    for (const method of ['PATCH', 'DELETE', 'PROPFIND', 'TRACE', 'LOCK'])
      for (const { path } of everyChange(jobId)) {
        const { status } = await ask(shop, `/jobs/dashboard${path}`, {
          method,
          headers: { 'Sec-Fetch-Site': 'cross-site' },
        })
        expect(status, `${method} ${path}`).toBe(403)
      }
    expect(await standing()).toEqual(before)
  })

  test('of a form of another site that posts text is refused', async () => {
    const before = await standing()
    for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x'])
      for (const path of ['/api/control/pause', '/board/api/queues/default/add']) {
        const answer = await ask(shop, `/jobs/dashboard${path}`, {
          method: 'POST',
          headers: { 'Content-Type': type, Origin: 'https://evil.example', 'Sec-Fetch-Site': 'cross-site' },
          body: '{"name":"mail.send","data":"mallory","queue":"default"}',
        })
        expect(answer.status).toBe(403)
      }
    expect(await standing()).toEqual(before)
  })

  test('of a page of ours is done, as browsers say it, or by its origin', async () => {
    const pause = (headers: Record<string, string>, verb = 'pause') =>
      ask(shop, `/jobs/dashboard/board/api/queues/default/${verb}`, { method: 'PUT', headers })

    expect((await pause(fromPage)).status).toBe(200)
    expect(await shop.jobs.control.commands(1)).toMatchObject([{ verb: 'pause' }])
    expect((await pause({ Origin: `http://127.0.0.1:${shop.port}` }, 'resume')).status).toBe(200)
    expect(await shop.jobs.control.commands(1)).toMatchObject([{ verb: 'resume' }])
  })
})

test('S15: no answer lets pages of other origins read it', async () => {
  for (const Origin of ['https://evil.example', 'null']) {
    for (const method of ['GET', 'OPTIONS']) {
      const { headers } = await ask(shop, '/jobs/dashboard/api/jobs', { method, headers: { Origin } })
      expect(Object.keys(headers).filter((name) => name.startsWith('access-control-'))).toEqual([])
      expect(headers['cross-origin-resource-policy']).toBe('same-origin')
    }
  }
})

test('S15: another site signs nobody out', async () => {
  const provider = await openIdProvider({ ann: { sub: 'a1' } })
  const ann = new Visitor(await openGate({ provider }))
  await signIn(ann, provider, 'ann')

  for (const [, headers] of foreign) expect((await ann.open('/logout', headers, 'POST')).status).toBe(403)
  for (const method of ['GET', 'HEAD', 'PUT'])
    expect((await ann.open('/logout', fromPage, method)).status).toBe(405)
  expect((await ann.open('/')).status).toBe(200)

  expect((await ann.open('/logout', fromPage, 'POST')).headers.location).toBe('/login?why=out')
  expect((await ann.open('/')).status).toBe(302)
  await provider.close()
})
