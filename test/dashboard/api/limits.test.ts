import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { limitsOf, limitsOfQueue } from '../../../src/dashboard/api/limits.js'
import { defineTask } from '../../../src/task/define.js'
import { ask, fromPage, openShop, type Shop } from '../shop.js'

const none = { rateLimit: null, concurrency: null }
const at = new Date('2030-01-31T08:00:00Z')
const code = { task: { pace: { starts: 10, perMs: 1000 }, concurrency: 4 }, key: { concurrency: 1 } }
const row = (name: string, value: object) => ({ name, value: JSON.stringify(value), setBy: 'ann', setAt: at })

describe('the limits of a task', () => {
  test('are what its code says where nobody has set another', () => {
    expect(limitsOf('task:a', code, [row('task:b', { concurrency: 9 })])).toEqual({
      ...{ rateLimit: '10/s', concurrency: 4, perKey: { rateLimit: null, concurrency: 1 } },
      code: { rateLimit: '10/s', concurrency: 4 },
      set: null,
    })
  })

  test.each([
    ['another rate', { rateLimit: '5/m' }, { rateLimit: '5/m', concurrency: 4 }],
    ['no rate', { rateLimit: null }, { rateLimit: null, concurrency: 4 }],
    ['both', { rateLimit: '5/m', concurrency: 1 }, { rateLimit: '5/m', concurrency: 1 }],
    ['what a later version understands', { rateLimit: 'fast' }, { rateLimit: '10/s', concurrency: 4 }],
  ])('with %s set', (_, set, holds) => {
    expect(limitsOf('task:a', code, [row('task:a', set)])).toMatchObject({
      ...holds,
      code: { rateLimit: '10/s', concurrency: 4 },
      set: { by: 'ann', at },
    })
  })

  test('a queue has those of the configuration, and none by a name of the prototype', () => {
    const limits = { mail: { concurrency: 2 } }
    expect(limitsOfQueue('mail', limits, [])).toMatchObject({ rateLimit: null, concurrency: 2, set: null })
    expect(limitsOfQueue('constructor', limits, [])).toMatchObject({ ...none, code: none })
  })
})

describe('over HTTP', () => {
  let shop: Shop

  beforeAll(async () => {
    const send = defineTask({ rateLimit: '10/s', run: () => 'sent' })
    shop = await openShop({ tasks: { mail: { send } } })
  })
  afterAll(() => shop?.close())

  const order = async (verb: string, body: object) => {
    const headers = { ...fromPage, 'Content-Type': 'application/json' }
    const path = `/jobs/dashboard/api/control/${verb}`
    const answer = await ask(shop, path, { method: 'POST', headers, body: JSON.stringify(body) })
    expect(answer.status, answer.body).toBe(200)
  }
  const rateOf = async () =>
    (await shop.jobs.limits.list()).find(({ scope }) => 'task' in scope && scope.task === 'mail.send')

  test('what was set is taken back: again what the code says', async () => {
    await order('rate-limit', { task: 'mail.send', rateLimit: '1/h' })
    expect(await rateOf()).toMatchObject({ rateLimit: '1/h', set: { rateLimit: '1/h' } })

    await order('limit-reset', { task: 'mail.send' })
    expect(await rateOf()).toMatchObject({ rateLimit: '10/s', set: null })
  })

  test.each([
    ['rate-limit', { rateLimit: '1/h' }, { scope: 'task:mail.send', rateLimit: '1/h' }],
    ['concurrency', { concurrency: null }, { scope: 'task:mail.send', concurrency: null }],
    ['time-limit', { timeLimit: '30s' }, { task: 'mail.send', timeLimit: '30s' }],
    ['limit-reset', {}, { scope: 'task:mail.send' }],
  ])('the audit keeps what %s set', async (verb, body, kept) => {
    await order(verb, { task: 'mail.send', ...body })
    const [last] = await shop.jobs.control.commands(1)
    expect({ verb: last?.verb, args: JSON.parse(last?.args ?? '') }).toEqual({ verb, args: kept })
  })

  test('a queue says its limits, and who has set them', async () => {
    await order('concurrency', { queue: 'mail', concurrency: 3 })
    const { body } = await ask(shop, '/jobs/dashboard/api/queues', { headers: fromPage })
    const { queues } = JSON.parse(body) as { queues: { name: string; limits: object }[] }
    expect(queues.find(({ name }) => name === 'mail')?.limits).toMatchObject({
      ...{ rateLimit: null, concurrency: 3, code: none },
      set: { by: null, at: expect.any(String) },
    })
  })
})
