import type pg from 'pg'
import { beforeAll, expect, test } from 'vitest'
import { loadStatement } from '../../src/store/load.js'
import type { LoadQuestion, Store } from '../../src/store/store.js'
import { openStore } from '../support/store.js'

let store: Store
let client: pg.Client

beforeAll(async () => {
  const opened = await openStore()
  store = opened.store
  client = opened.client
  return opened.close
})

/** @param due seconds ago; negative: in so many seconds */
async function rows(count: number, queue: string, { state = 'queued', owner = '', due = 1 } = {}) {
  await client.query(
    `INSERT INTO celeriac.job (id, task, queue, state, payload, owner, run_at, finished_at)
     SELECT gen_random_uuid(), 't', $2, $3::celeriac.job_state, '1', nullif($4, ''), now() - $5 * interval '1 second',
       CASE WHEN $3 IN ('succeeded', 'failed') THEN now() END
     FROM generate_series(1, $1::int)`,
    [count, queue, state, owner, due],
  )
}

const question = (queue: string, change: Partial<LoadQuestion> = {}): LoadQuestion => ({
  queue,
  waiting: 100,
  share: null,
  owners: [],
  ...change,
})

test('what is due and waits is counted up to the limit, with the age of the oldest', async () => {
  await rows(3, 'mail')
  await rows(1, 'mail', { state: 'retrying', due: 90 })
  await rows(2, 'mail', { state: 'running', due: 200 })
  await rows(2, 'mail', { state: 'scheduled', due: -100 })
  await rows(2, 'mail', { state: 'succeeded', due: 300 })
  await rows(9, 'other')

  const [mail, few, empty] = await store.load([
    question('mail'),
    question('other', { waiting: 5 }),
    question('x'),
  ])

  expect(mail).toMatchObject({ queue: 'mail', waiting: 4, owners: [] })
  expect(Math.round((mail?.ageMs ?? 0) / 10_000)).toBe(9)
  expect(few).toMatchObject({ queue: 'other', waiting: 5 })
  expect(empty).toEqual({ queue: 'x', waiting: 0, ageMs: null, owners: [] })
})

test('owners are named whose share is full, and those that were asked for', async () => {
  await rows(3, 'shared', { owner: '__proto__' })
  await rows(2, 'shared', { owner: 'ann', due: -100, state: 'scheduled' })
  await rows(2, 'shared', { owner: 'bob' })
  await rows(1, 'shared', { owner: 'eve' })
  await rows(5, 'shared', { owner: 'done', state: 'succeeded' })
  await rows(5, 'shared')

  const [shared] = await store.load([question('shared', { share: 3, owners: ['ann', 'nobody'] })])

  expect(shared?.owners).toEqual([
    ['__proto__', 3],
    ['ann', 2],
  ])
})

test('a look at a full queue reads no more than its limit, and never sorts', async () => {
  await rows(30_000, 'full', { owner: 'ann' })
  for (const analyzed of [false, true]) {
    if (analyzed) await client.query('VACUUM ANALYZE celeriac.job')
    const { text, values } = loadStatement([question('full', { waiting: 11, share: 5, owners: ['ann'] })])

    const { rows: plan } = await client.query(`EXPLAIN (ANALYZE, FORMAT JSON) ${text}`, values)

    const nodes = scansIn(plan[0]['QUERY PLAN'][0].Plan)
    expect(nodes.map((node) => node['Index Name'])).toEqual(expect.arrayContaining(['job_open', 'job_open']))
    expect(Math.min(...nodes.map((node) => node['Actual Rows'] as number))).toBe(11)
  }
})

type Node = Record<string, unknown> & { readonly Plans?: readonly Node[] }

function scansIn(node: Node): Node[] {
  const own = String(node['Node Type']).includes('Scan') && node['Relation Name'] === 'job' ? [node] : []
  return [...own, ...(node.Plans ?? []).flatMap(scansIn)]
}
