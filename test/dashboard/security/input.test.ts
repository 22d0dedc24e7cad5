import express from 'express'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { routeNames, routes } from '../../../src/dashboard/api/api.js'
import { orders } from '../../../src/dashboard/api/orders.js'
import type { Rule } from '../../../src/dashboard/api/query.js'
import { freshServers } from '../../support/lab.js'
import { type ApiReply, get, openWeb, post, type Scene } from '../api/scene.js'
import { ask, fromPage, tasks } from '../shop.js'
import { concrete, everyAddress } from './addresses.js'

const unknownId = '018f0000-0000-7000-8000-000000000001'
let scene: Scene
let jobId: string

beforeAll(async () => {
  scene = await openWeb(await freshServers('postgres'), { make: withExtendedQueries as typeof express })
  jobId = (await tasks.mail.send.enqueue('ann', { queue: 'mail', tags: ['first'], priority: 7 })).id
}, 120_000)

afterAll(() => scene?.close())

/** Each parameter of each address that is asked for. */
const parameters = routeNames.flatMap((name) => {
  const [method = '', path = ''] = name.split(' ')
  if (method !== 'GET' || path === '/live') return []
  const rules: Readonly<Record<string, Rule<unknown>>> = routes[name].query
  return Object.entries(rules).map(([key, rule]) => ({ path: concrete(path, unknownId), key, rule }))
})

function expectRefused({ status, body }: ApiReply, what: string): void {
  expect([status, body.code], what).toEqual([400, 'BAD_REQUEST'])
}

/** Never a fault of the server, whatever it is. */
function expectAnswered({ status }: ApiReply, what: string): void {
  expect([200, 400, 404], `${what}: ${status}`).toContain(status)
}

describe('S9: an operator in the place of a value', () => {
  test('is refused in every address, also where the app reads queries its own way', async () => {
    expect(parameters.length).toBeGreaterThan(60)
    for (const { path, key } of parameters)
      for (const query of [
        `${key}[not]=x`,
        `${key}[]=x`,
        `${key}[contains]=`,
        `${key}.not=x`,
        `__proto__[${key}]=x`,
      ])
        expectRefused(await get(scene, `${path}?${query}`), `${path}?${query}`)
  })

  test('is refused where a parameter stands twice that may stand once', async () => {
    for (const { path, key, rule } of parameters.filter((each) => !each.rule.isList))
      expectRefused(await get(scene, `${path}?${key}=${valid(rule)}&${key}=${valid(rule)}`), `${path}?${key}`)
  })

  test.each<[string, unknown]>([
    ['an object', { not: '' }],
    ['an object in a list', [{ contains: 'a' }]],
    ['a list in a list', [['a']]],
    ['a number', 1],
    ['true', true],
  ])('is refused in a filter: %s', async (_what, value) => {
    for (const key of ['id', 'state', 'task', 'queue', 'worker', 'owner', 'tag', 'parent', 'error', 'text'])
      expectRefused(await post(scene, '/jobs/cancel', { filter: { [key]: value } }), key)
    expect((await scene.jobs.job(jobId).status()).state).toBe('queued')
  })

  test('is refused in the place of an id', async () => {
    for (const ids of [[{ not: '' }], [null], [['a']], { not: '' }, '*', [jobId, {}]])
      expectRefused(await post(scene, '/jobs/cancel', { ids }), JSON.stringify(ids))
    expect((await scene.jobs.job(jobId).status()).state).toBe('queued')
  })
})

describe('S26: a number of an address', () => {
  const numbers = parameters.filter(({ rule }) => rule.schema.type === 'integer')

  test.each([
    '1e9',
    '999999999999999999',
    '-1',
    'NaN',
    '1e308',
    'Infinity',
    '',
    '1.5',
    ' 5',
    '0x10',
    '5;',
    '٣',
  ])('is refused as %j', async (text) => {
    expect(numbers.length).toBeGreaterThan(5)
    for (const { path, key } of numbers)
      expectRefused(await get(scene, `${path}?${key}=${encodeURIComponent(text)}`), `${path}?${key}`)
  })

  test('is refused beyond its bounds', async () => {
    for (const { path, key, rule } of numbers) {
      expectRefused(await get(scene, `${path}?${key}=${Number(rule.schema.minimum) - 1}`), `${path}?${key}`)
      expectRefused(await get(scene, `${path}?${key}=${Number(rule.schema.maximum) + 1}`), `${path}?${key}`)
    }
  })
})

test.each(['payload', 'createdAt desc', 'random()', '(select 1)', '', 'newest,oldest'])(
  'S26: jobs are not sorted by %j',
  async (sort) => {
    expectRefused(await get(scene, `/jobs?sort=${encodeURIComponent(sort)}`), sort)
  },
)

test.each(['x', '{}', 'W10', unknownId, 'A'.repeat(5000), '0', '../..', 'eyJpZCI6IngifQ'])(
  'S26: a cursor of nowhere, %j, is refused',
  async (cursor) => {
    expectRefused(await get(scene, `/jobs?cursor=${encodeURIComponent(cursor)}`), cursor)
  },
)

describe('S8: what is not asked for', () => {
  const more = {
    ...{
      jobId: unknownId,
      id: unknownId,
      attempts: 1e9,
      delay: -1,
      backoff: { type: 'fixed' },
      removeOnComplete: true,
    },
    ...{
      parent: unknownId,
      repeat: { every: 1 },
      owner: 'mallory',
      state: 'succeeded',
      result: 1,
      maxAttempts: 9,
    },
    ...{ lifo: true, payload: 'mallory', task: 'mail.moody', delivery: 9, workerId: unknownId },
  }

  test.each(Object.entries(more))(
    '%s is refused beside every action, and nothing is changed',
    async (key, value) => {
      const before = await rowOf(jobId)
      for (const action of ['cancel', 'retry', 'delete', 'promote', 'move'])
        expectRefused(
          await post(scene, `/jobs/${action}`, { ids: [jobId], [key]: value }),
          `${action} ${key}`,
        )
      // Those that are for one job have no other words than its payload, or none at all.
      if (key !== 'payload') expectRefused(await post(scene, `/jobs/${jobId}/retry`, { [key]: value }), key)
      await post(scene, `/jobs/${jobId}/reveal`, { [key]: value })

      expect(await rowOf(jobId)).toEqual(before)
    },
  )

  test.each([
    { priority: -1 },
    { priority: 1e9 },
    { priority: 1.5 },
    { priority: '1' },
    { queue: 'a:b' },
    { queue: '' },
  ])('a job is not moved to %j', async (to) => {
    const before = await rowOf(jobId)

    expectRefused(await post(scene, '/jobs/move', { ids: [jobId], ...to }), JSON.stringify(to))

    expect(await rowOf(jobId)).toEqual(before)
  })

  test('a job that is enqueued by hand has of it what may be said, and nothing else', async () => {
    const said = { payload: 'zoe', queue: 'mail', priority: 3, attempts: 2, tags: ['by hand'], delay: '1h' }
    const sent = await post(scene, '/tasks/mail.send/enqueue', said)
    const { id, createdAt: _, runAt: __, ...job } = await rowOf(sent.body.id)

    expect(id).toBe(sent.body.id)
    expect(job).toMatchObject({
      ...{ task: 'mail.send', payload: 'zoe', queue: 'mail', priority: 3, maxAttempts: 2, tags: ['by hand'] },
      ...{
        state: 'scheduled',
        attempt: 0,
        failures: 0,
        error: null,
        parentId: null,
        owner: null,
      },
      ...{ idempotencyKey: null, requestId: null, cancelledBy: null, startedAt: null, finishedAt: null },
    })
  })

  test.each([
    ...[
      { id: unknownId },
      { jobId: unknownId },
      { state: 'succeeded' },
      { result: 1 },
      { parent: unknownId },
    ],
    ...[
      { idempotencyKey: 'k' },
      { repeat: { every: 1 } },
      { removeOnComplete: true },
      { task: 'mail.moody' },
    ],
    ...[
      { attempts: 0 },
      { attempts: -1 },
      { attempts: '1' },
      { delay: -1 },
      { delay: 'soon' },
      { priority: 1e9 },
    ],
    ...[
      { queue: 'a:b' },
      { queue: {} },
      { tags: 'x' },
      { tags: [{}] },
      { timeLimit: -1 },
      { owner: { not: '' } },
    ],
    ...[
      { backoff: { type: 'fixed' } },
      { maxAttempts: 2 },
      { createdAt: '2020-01-01' },
      { tx: {} },
      { redact: [] },
    ],
  ])('and with %j it is refused', async (more) => {
    const before = (await get(scene, '/job-count')).body.count

    expect((await post(scene, '/tasks/mail.send/enqueue', { payload: 'zoe', ...more })).status).toBe(400)

    expect((await get(scene, '/job-count')).body.count).toBe(before)
  })

  test.each([
    '__proto__',
    'constructor',
    'toString',
    'mail.__proto__',
    '../mail.send',
    'file:///x',
    'mail.*',
    '*',
    'mail.send\0',
  ])('S7: no task is found by %j', async (name) => {
    const before = (await get(scene, '/job-count')).body.count

    const answer = await post(scene, `/tasks/${encodeURIComponent(name)}/enqueue`, { payload: 'zoe' })

    expect([404, 400]).toContain(answer.status)
    expect((await get(scene, '/job-count')).body.count).toBe(before)
  })

  test('the prototype is no place for it either', async () => {
    const before = await rowOf(jobId)
    for (const body of [
      `{"__proto__":{"queue":"slow"},"ids":["${jobId}"]}`,
      `{"constructor":{"prototype":{"queue":"slow"}},"ids":["${jobId}"]}`,
      `{"ids":["${jobId}"],"queue":{"__proto__":{"x":1}}}`,
    ])
      expectRefused(await post(scene, '/jobs/move', body), body)

    expect(await rowOf(jobId)).toEqual(before)
    expect(Reflect.get({}, 'queue')).toBeUndefined()
  })
})

describe('a character that no text in the store can have', () => {
  test('is no fault of the server in an address', async () => {
    for (const { path, key } of parameters)
      expectAnswered(await get(scene, `${path}?${key}=a%00b`), `${path}?${key}`)
    for (const { method, path } of everyAddress('a%00b')) {
      const { status } = await ask(scene, `/jobs/dashboard${path}`, {
        method,
        headers: { 'X-User': 'ann', ...fromPage },
      })
      expect(status, path).toBeLessThan(500)
    }
  })

  test.each(['a\0b', 'a\ud800b', '\u202eb'])('is no fault of the server in a body: %j', async (text) => {
    for (const key of ['state', 'task', 'queue', 'worker', 'owner', 'tag', 'error', 'errorName', 'text'])
      expectAnswered(await post(scene, '/jobs/cancel', { filter: { [key]: text, task: 'x' } }), key)
    expectAnswered(await post(scene, '/jobs/cancel', { ids: [unknownId], reason: text }), 'reason')
    for (const verb of Object.keys(orders))
      for (const key of ['queue', 'task', 'level', 'workers', 'rateLimit'])
        expectAnswered(await post(scene, `/control/${verb}`, { [key]: text }), `${verb} ${key}`)
  })
})

describe('S34: a time', () => {
  const times = [
    'createdAfter',
    'createdBefore',
    'startedAfter',
    'finishedBefore',
    'minDuration',
    'maxDuration',
  ]

  test.each([
    ...['31 Feb', '2026-02-31T25:00:00Z', 'yesterday', '* * * * *', '-5m', 'NaN', '1e9999h', '+275761-01-01'],
    ...['../../etc/passwd', '2026-11-22T10:00:00[Europe/../etc]', "2026-01-01' OR 1=1"],
  ])('that there is not, %j, is refused', async (text) => {
    for (const key of times) expectRefused(await get(scene, `/jobs?${key}=${encodeURIComponent(text)}`), key)
  })

  test.each(['9999-12-31T23:59:59Z', '0001-01-01T00:00:00Z', '0000-01-01', '99999h'])(
    'of the far past or future, %j, is no fault of the server',
    async (text) => {
      for (const key of times)
        expectAnswered(await get(scene, `/jobs?${key}=${encodeURIComponent(text)}`), key)
    },
  )
})

async function rowOf(id: string) {
  const { body } = await get(scene, `/jobs/${id}`)
  return body.job
}

/** Something that the rule takes. */
function valid({ schema }: Rule<unknown>): string {
  if (schema.type === 'integer') return String(schema.minimum)
  return Array.isArray(schema.enum) ? String(schema.enum[0]) : '1m'
}

function withExtendedQueries() {
  const app = express()
  app.set('query parser', 'extended')
  return app
}
