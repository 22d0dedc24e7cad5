import { describe, expect, test } from 'vitest'
import {
  isIndexed,
  looksIntoText,
  orderOf,
  readView,
  strangeIn,
  toFilter,
  withoutStrange,
} from '../../../../../src/dashboard/web/page/jobs/view.js'
import { jobsLink } from '../../../../../src/dashboard/web/ui/jobs-link.js'

const addressOf = (search: string) => {
  const params = new URLSearchParams(search)
  return {
    get: (name: string) => params.get(name) ?? '',
    all: (name: string) => params.getAll(name),
    names: [...new Set(params.keys())],
  }
}
const viewOf = (search: string) => readView(addressOf(search))

describe('what the page does not understand of its address', () => {
  const told = (search: string) => strangeIn(addressOf(search)).map(({ name, value }) => `${name}=${value}`)

  test.each([
    ['', []],
    ['state=failed,running&range=7d&sort=oldest&size=100&columns=id&selected=all&operation=x&cursor=y', []],
    ['query=a&id=b&task=c&queue=d&worker=e&owner=f&tag=g&parent=h&minDuration=1s&maxDuration=2s', []],
    ['state=bogus&range=99y', ['state=bogus', 'range=99y']],
    ['state=failed,faild&state=', ['state=faild']],
    ['sort=newset&size=7', ['sort=newset', 'size=7']],
    ['stat=failed&stat=queued&task=a', ['stat=failed', 'stat=queued']],
  ])('%s', (search, strange) => {
    expect(told(search)).toEqual(strange)
  })

  test('can be left out', () => {
    const address = addressOf('state=failed,faild&range=99y&stat=a&task=b')

    expect(withoutStrange(address, strangeIn(address))).toEqual({ state: ['failed'], range: [], stat: [] })
  })
})

describe('the address of the page of jobs', () => {
  test('says nothing, and means all jobs there are, the newest first', () => {
    const view = viewOf('')

    expect(view).toMatchObject({ range: 'all', isRangeSaid: false, sort: 'newest', size: 50, cursor: '' })
    expect(toFilter(view)).toEqual({})
  })

  test.each([
    ['state=failed,running', { state: ['running', 'failed'] }],
    ['state=failed&range=1h', { state: ['failed'], finishedAfter: '1h' }],
    ['state=failed&state=queued&range=1h', { state: ['queued', 'failed'], createdAfter: '1h' }],
    ['state=odd', {}],
    ['task=mail.send&queue=a,b', { task: ['mail.send'], queue: ['a,b'] }],
    ['worker=mail@one', { worker: ['mail@one'], createdAfter: '24h' }],
    ['owner=42&range=all', { owner: ['42'] }],
    ['query=task:mail.*', { query: 'task:mail.*', createdAfter: '24h' }],
    ['query=timeout&range=all', { query: 'timeout', createdAfter: '1970-01-01T00:00:00Z' }],
    ['query=timeout+created>7d', { query: 'timeout created>7d', createdAfter: '1970-01-01T00:00:00Z' }],
    ['query=state:failed+ended>7d', { query: 'state:failed ended>7d' }],
    ['parent=x&minDuration=1s', { parent: 'x', minDuration: '1s' }],
    ['id=a,b', { id: ['a', 'b'] }],
    ['size=7&range=never', {}],
  ])('%s', (search, filter) => {
    expect(toFilter(viewOf(search))).toEqual(filter)
  })

  test('is what a link says', () => {
    const link = jobsLink({ state: ['failed'], task: ['mail.send'], query: 'error.name:"A B"', range: '7d' })

    expect(toFilter(viewOf(link.slice('/jobs?'.length)))).toEqual({
      state: ['failed'],
      task: ['mail.send'],
      query: 'error.name:"A B"',
      finishedAfter: '7d',
    })
    expect(jobsLink({})).toBe('/jobs')
  })
})

test.each([
  ['timeout', true],
  ['payload.to:ann', true],
  ['state:failed', false],
  ['error.name:TypeError', false],
  ['state:', false],
])('whether "%s" looks into what jobs carry: %s', (query, isText) => {
  expect(looksIntoText(query)).toBe(isText)
})

test.each([
  ['', true],
  ['state=failed&range=1h', true],
  ['task=a&queue=b', true],
  ['parent=x', true],
  ['id=x', true],
  ['owner=42', false],
  ['query=state:failed', false],
  ['parent=x&query=timeout', false],
  ['minDuration=5s', false],
])('whether an index leads to "%s": %s', (search, isOnIndex) => {
  expect(isIndexed(viewOf(search))).toBe(isOnIndex)
})

test.each([
  ['', true],
  ['sort=oldest', false],
  ['state=failed', false],
  ['state=failed&sort=oldest', true],
  ['state=failed&query=socket', false],
  ['state=failed,queued', true],
  ['state=failed&parent=x', true],
  ['query=state:failed', undefined],
])(
  'whether a job that was enqueued later and ended earlier is listed first with "%s": %s',
  (search, expected) => {
    const [early, late] = [
      { id: '01', finishedAt: '2026-11-30T10:00:00.000Z' },
      { id: '02', finishedAt: '2026-11-30T09:00:00.000Z' },
    ]

    expect(orderOf(viewOf(search))?.(late, early)).toBe(expected)
  },
)
