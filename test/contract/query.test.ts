import { v7 as uuidv7 } from 'uuid'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { toStoredFilter } from '../../src/control/filter.js'
import type { StoredError } from '../../src/job/job.js'
import { createMemoryStore } from '../../src/store/memory.js'
import type { NewJob, Store } from '../../src/store/store.js'
import { jobRow } from '../support/job-row.js'
import { openStore } from '../support/store.js'
import { workerRow } from '../support/worker-row.js'

const kinds = [
  {
    name: 'memory',
    async open() {
      const store = createMemoryStore()
      return { store, close: () => store.close() }
    },
  },
  { name: 'PostgreSQL', open: openStore },
]

const ids = {
  waiting: uuidv7(),
  later: uuidv7(),
  child: uuidv7(),
  sent: uuidv7(),
  card: uuidv7(),
  broken: uuidv7(),
  odd: uuidv7(),
  coded: uuidv7(),
  large: uuidv7(),
  running: uuidv7(),
} as const

type Name = keyof typeof ids

const worker = uuidv7()

/** One of each kind, oldest first. Those with an end have been run. */
const jobs: readonly (Partial<NewJob> & { id: string; end?: { result?: string; error?: StoredError } })[] = [
  {
    id: ids.waiting,
    task: 'mail.send',
    queue: 'mail',
    owner: '42',
    tags: ['vip', 'a b'],
    priority: 5,
    payload: '{"to":"Ann \\"A\\" 100%","customer":{"id":42},"items":[{"sku":"x1","n":2},{"sku":"y2"}]}',
  },
  {
    id: ids.later,
    task: 'mail.send',
    queue: 'mail',
    delayMs: 3_600_000,
    payload: '{"customer":{"id":"42"},"items":[]}',
  },
  {
    id: ids.child,
    task: 'reports.build',
    queue: 'slow',
    parentId: ids.waiting,
    payload: '["a",["b"],null,true]',
  },
  {
    id: ids.sent,
    task: 'mail.digest',
    queue: 'mail',
    owner: 'none',
    payload: '"Ann"',
    end: { result: '{"pages":120,"note":"sent_it","at":"2026-11-01T10:00:00Z"}' },
  },
  {
    id: ids.card,
    task: 'shop.pay',
    queue: 'default',
    payload: '{"card":"4711"}',
    options: '{"redact":["payload.card"]}',
    end: { result: '{"card":"4711"}' },
  },
  {
    id: ids.broken,
    task: 'mail*',
    queue: 'slow',
    payload: '{"a.b":1.50,"price":-3}',
    end: { error: { name: 'TypeError', message: 'Socket hang up\nat "x"', code: 'ECONNRESET' } },
  },
  {
    id: ids.odd,
    task: 'mail_send',
    queue: 'default',
    payload: '{"nul":"a\\u0000b","half":"\\ud800","name":"Zoe","back":"\\\\u0000","emoji":"😀"}',
    end: { error: { name: 'a"b', message: 'null' } },
  },
  {
    id: ids.coded,
    task: 'other',
    queue: 'default',
    payload: '\t{"json":{"total":"7"},"meta":1}',
    end: { result: 'null' },
  },
  {
    id: ids.large,
    task: 'other',
    queue: 'default',
    payload: `{"name":"Max","fill":"${'x'.repeat(300_000)}","end":"needle"}`,
  },
  { id: ids.running, task: 'other', queue: 'default', payload: '{"name":"Uma"}' },
]

/** What each query means, in both stores. */
const answers: readonly (readonly [query: string, meant: readonly Name[]])[] = [
  ['', Object.keys(ids) as Name[]],
  ['state:failed', ['broken', 'odd']],
  ['-state:failed,succeeded', ['waiting', 'later', 'child', 'large', 'running']],
  ['is:waiting', ['waiting', 'later', 'child', 'large']],
  ['state:scheduled or state:running', ['later', 'running']],
  ['task:mail.send', ['waiting', 'later']],
  ['task:mail.*', ['waiting', 'later', 'sent']],
  ['task:*end', ['waiting', 'later', 'odd']],
  ['task:mail_send', ['odd']],
  ['task:mail?send', []],
  ['task:"mail\\*"', ['broken']],
  ['task:m*l*s*d', ['waiting', 'later', 'odd']],
  ['task:mail.send,other -queue:mail', ['coded', 'large', 'running']],
  ['queue:mail,slow', ['waiting', 'later', 'child', 'sent', 'broken']],
  ['not queue:mail,default', ['child', 'broken']],
  ['owner:42', ['waiting']],
  ['-owner:42 queue:mail', ['later', 'sent']],
  ['owner:none queue:mail', ['later']],
  ['owner:"none"', ['sent']],
  ['owner:*', ['waiting', 'sent']],
  ['tag:vip', ['waiting']],
  ['tag:"a *"', ['waiting']],
  ['-tag:none', ['waiting']],
  ['tag:none queue:mail', ['later', 'sent']],
  ['worker:mail@one', ['sent', 'card', 'broken', 'odd', 'coded', 'running']],
  ['worker:mail@* state:running', ['running']],
  [`worker:${worker} is:failed`, ['broken', 'odd']],
  ['worker:none queue:mail', ['waiting', 'later']],
  [`id:${ids.sent},${ids.child}`, ['child', 'sent']],
  [ids.odd, ['odd']],
  [`parent:${ids.waiting}`, ['child']],
  ['-parent:none', ['child']],
  ['priority:5', ['waiting']],
  ['priority>=5 or attempts:1 state:running', ['waiting', 'running']],
  ['attempts>0 attempts<2 is:failed', ['broken', 'odd']],
  ['failures>=1', ['broken', 'odd']],
  ['error.name:TypeError', ['broken']],
  ['error.name:Type*', ['broken']],
  ['error.name:Type', []],
  ['error.name:"a\\"b"', ['odd']],
  ['error.name:"a\\"*"', ['odd']],
  ['error:*', ['broken', 'odd']],
  ['-error:none', ['broken', 'odd']],
  ['result:none is:ended', ['broken', 'odd']],
  ['result:*', ['sent', 'card', 'coded']],
  ['"socket HANG"', ['broken']],
  ['"hang up\nat \\"x\\""', ['broken']],
  ['error:socket', ['broken']],
  ['error:x payload:x', []],
  ['ann', ['waiting', 'sent']],
  ['"ann \\"a\\""', ['waiting']],
  ['100%', ['waiting']],
  ['10%', []],
  ['sent_it', ['sent']],
  ['sentxit', []],
  ['result:sent_ -payload:x', ['sent']],
  ['4711', []],
  ['-4711 task:shop.pay', ['card']],
  ['payload.card:4711 or result.card:4711', []],
  ['needle', []],
  ['payload.customer.id:42', ['waiting', 'later']],
  ['payload.customer.id:"42"', ['later']],
  ['payload.customer.id>41', ['waiting']],
  ['-payload.customer.id:42 queue:mail', ['sent']],
  ['payload.customer:*', ['waiting', 'later']],
  ['payload.customer.id:*', ['waiting', 'later']],
  ['payload.customer.none:*', []],
  ['payload.items.sku:y2', ['waiting']],
  ['payload.items[0].sku:x1', ['waiting']],
  ['payload.items[1].sku:x1', []],
  ['payload.items[*].n>=2', ['waiting']],
  ['payload.items.sku:x*,z', ['waiting']],
  ['payload[0]:a', ['child']],
  ['payload[*]:b', ['child']],
  ['payload[*]:null', ['child']],
  ['payload[3]:true', ['child']],
  ['payload[0]:Ann', ['sent']],
  ['payload."a.b":1.5', ['broken']],
  ['payload.price<0', ['broken']],
  ['result.pages>100 result.pages<=120', ['sent']],
  ['result.at>=2026-11', ['sent']],
  ['result.at<2026-11', []],
  ['result.note:sent?it', []],
  ['result.note:s*_*t', ['sent']],
  ['payload.name:Zoe', ['odd']],
  ['payload.emoji:😀', ['odd']],
  ['payload.back:"\\\\u0000"', []],
  ['payload.json.total:7', ['coded']],
  ['payload.name:Max', []],
  ['error.code:ECONNRESET', ['broken']],
  ['error.message:*hang*', ['broken']],
  ['error.message:null', ['odd']],
  ['created>1h', Object.keys(ids) as Name[]],
  ['created<1h', []],
  ['-created>1h or state:running', ['running']],
  ['started>1h state:running', ['running']],
  ['not started>1h queue:mail', ['waiting', 'later']],
  ['ended>1h queue:mail', ['sent']],
  ['ended<=2020-01-01', []],
  ['due>now', ['later']],
  ['due<+2h due>+30m', ['later']],
  ['duration<1h queue:mail', ['sent']],
  ['duration>1h', []],
  ['wait<1h queue:mail', ['waiting', 'sent']],
  ['wait>1h', []],
  ['(task:mail.send or task:other) -(state:queued or state:scheduled)', ['coded', 'running']],
]

describe.each(kinds)('the store in $name answers a query', ({ open }) => {
  let store: Store
  let close: () => Promise<void>

  beforeAll(async () => {
    const opened = await open()
    store = opened.store
    close = opened.close
    await store.registerWorker(workerRow({ name: 'mail@one', id: worker }))
    for (const { end, ...job } of jobs) {
      await store.insert([jobRow(job)])
      if (!end && job.id !== ids.running) continue
      const claimed = await store.claim({ jobId: job.id, number: 1 }, worker)
      const key = { jobId: job.id, number: 1, attempt: claimed?.attempt ?? 0, workerId: worker }
      if (end?.error) await store.settle({ ...key, state: 'failed', error: end.error })
      else if (end)
        await store.settle({ ...key, state: 'succeeded', result: end.result ?? 'null', resultError: null })
    }
  })

  afterAll(() => close())

  const nameOf = (id: string) => Object.entries(ids).find(([, each]) => each === id)?.[0]

  test.each(answers)('%s', async (query, meant) => {
    const filter = toStoredFilter({ query })
    const { jobs: found } = await store.searchJobs(filter, { limit: 100, sort: 'oldest' })

    expect(found.map(({ id }) => nameOf(id)).sort()).toEqual([...meant].sort())
    expect(await store.countMatching(filter, 100)).toEqual({ count: meant.length, isMore: false })
  })

  test('beside a filter, of which both must hold', async () => {
    const found = (filter: Parameters<typeof toStoredFilter>[0]) =>
      store.searchIds(toStoredFilter(filter), { limit: 100, sort: 'oldest' })

    expect(
      (await found({ task: ['mail.send', 'other'], query: 'task:mail.send or task:mail.digest' })).ids,
    ).toEqual([ids.waiting, ids.later])
    expect((await found({ state: 'failed', query: 'state:queued' })).ids).toEqual([])
    expect((await found({ id: ids.sent, query: ids.odd })).ids).toEqual([])
    expect((await found({ parent: ids.waiting, query: `parent:${ids.odd}` })).ids).toEqual([])
  })

  test('by end, where it means ended jobs alone, page after page', async () => {
    const filter = toStoredFilter({ query: '-state:open worker:mail@one' })
    const all: string[] = []
    for (let cursor: string | null | undefined; cursor !== null; ) {
      const page = await store.searchIds(filter, { limit: 2, sort: 'oldest', ...(cursor ? { cursor } : {}) })
      all.push(...page.ids)
      cursor = page.cursor
    }

    expect(all.map(nameOf)).toEqual(['sent', 'card', 'broken', 'odd', 'coded'])
  })

  test('with text looks at the last 24 hours, unless a time is said or few are meant, and says so', async () => {
    const since = async (filter: Parameters<typeof toStoredFilter>[0]) =>
      (await store.searchIds(toStoredFilter(filter), { limit: 1, sort: 'newest' })).since

    const dayAgo = Date.now() - 86_400_000
    for (const filter of [
      { query: 'ann' },
      { query: '-payload.a:1 or task:x' },
      { text: 'ann' },
      { error: 'x' },
      { query: 'error:x state:failed' },
      { query: 'x due>now' },
    ])
      expect(Math.abs(((await since(filter))?.getTime() ?? 0) - dayAgo)).toBeLessThan(60_000)
    for (const filter of [
      { query: 'state:failed' },
      { query: 'error.name:x' },
      { query: 'ann created>30d' },
      { query: 'ann or ended<2026-01-01' },
      { query: 'ann', createdAfter: '30d' as const },
      { query: 'ann state:queued' },
      { query: `ann ${ids.sent}` },
      { text: 'ann', parent: ids.sent },
    ])
      expect(await since(filter)).toBeNull()
  })

  test('and knows the names that one may have', async () => {
    const live = workerRow({ name: 'live', id: uuidv7(), queues: ['z-live'], tasks: ['z.live'] })
    await store.registerWorker(live)
    const gone = workerRow({ name: 'a-gone', id: uuidv7(), queues: ['a-gone'], tasks: ['a.gone'] })
    await store.registerWorker(gone)
    await store.stopWorker(gone.id)

    expect(await store.vocabulary()).toEqual({
      tasks: [
        'z.live',
        'a.gone',
        'mail*',
        'mail.digest',
        'mail.send',
        'mail_send',
        'other',
        'reports.build',
        'shop.pay',
      ],
      queues: ['default', 'z-live', 'a-gone', 'mail', 'slow'],
      workers: ['live', 'mail@one', 'a-gone'],
      tags: ['a b', 'vip'],
      owners: ['42', 'none'],
      errors: ['TypeError', 'a"b'],
    })
  })

  test('whatever is written in it, as a value', async () => {
    for (const odd of [
      `'; DROP TABLE celeriac.job; --`,
      '$1',
      '%',
      '_',
      '\\',
      '")',
      '$.a ? (@ == 1)',
      '\u2028',
      '{}',
      '"',
    ])
      for (const field of [
        '',
        'task:',
        'tag:',
        'worker:',
        'error.name:',
        'payload:',
        'payload.a:',
        `payload."${odd.replace(/["\\*]/g, '\\$&')}":`,
        'result.a:',
      ]) {
        const query = `${field}"${odd.replace(/["\\*]/g, '\\$&')}"`
        const { ids: found } = await store.searchIds(toStoredFilter({ query }), { limit: 10, sort: 'newest' })

        expect(Array.isArray(found)).toBe(true)
      }
    expect(await store.countMatching({}, 100)).toEqual({ count: jobs.length, isMore: false })
  })
})
