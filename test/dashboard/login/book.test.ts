import { describe, expect, test } from 'vitest'
import { createBook } from '../../../src/dashboard/login/book.js'
import { until } from '../../support/until.js'
import { createMemoryAudit } from './gate.js'

const ann = { name: 'ann', address: '192.0.2.1', by: 'openid' } as const

function open({ audit = createMemoryAudit(), now = () => Date.now() } = {}) {
  const lines: string[] = []
  const log = { info: (line: string) => lines.push(line), warn: (line: string) => lines.push(line) }
  return { lines, audit, book: createBook({ audit, log, sessionMs: 8 * 3_600_000, now }) }
}

describe('who has signed out', () => {
  test('is known at once here, and soon elsewhere', async () => {
    const one = open()
    let later = 0
    const two = open({ audit: one.audit, now: () => Date.now() + later })
    expect(await two.book.hasLeft('s1')).toBe(false)

    await one.book.left(ann, 's1')

    expect(await one.book.hasLeft('s1')).toBe(true)
    later = 3001
    expect(await two.book.hasLeft('s1')).toBe(true)
    expect(await two.book.hasLeft('s2')).toBe(false)
  })

  test('is read once for all who ask at once, and not again for a while', async () => {
    const { audit } = open()
    let asked = 0
    const list: typeof audit.list = (query) => {
      asked += 1
      return audit.list(query)
    }
    const { book } = open({ audit: { ...audit, list } })

    await Promise.all(Array.from({ length: 100 }, (_, at) => book.hasLeft(`s${at}`)))
    await book.hasLeft('s1')

    expect(asked).toBe(1)
  })

  test('is read whole, however many they are', async () => {
    const { audit, book } = open()
    await Promise.all(Array.from({ length: 2100 }, (_, at) => audit.note('logout', { session: `s${at}` })))

    expect(await Promise.all(['s0', 's1000', 's2099', 's2100'].map(book.hasLeft))).toEqual([
      ...[true, true, true, false],
    ])
  })

  test('is read from the beginning where a first look has failed', async () => {
    let [later, isAway] = [0, true]
    const { audit } = open()
    await audit.note('logout', { session: 's1' })
    const list: typeof audit.list = async (query) => {
      if (isAway) throw new Error('away')
      return audit.list(query)
    }
    const { book } = open({ audit: { ...audit, list }, now: () => Date.now() + later })
    expect(await book.hasLeft('s1')).toBe(false)

    isAway = false
    later = 120_000

    expect(await book.hasLeft('s1')).toBe(true)
  })

  test('is told to others once the store is back, where it was away', async () => {
    let [later, isAway] = [0, true]
    const { audit } = open()
    const note: typeof audit.note = async (...line) => {
      if (isAway) throw new Error('away')
      return audit.note(...line)
    }
    const here = open({ audit: { ...audit, note }, now: () => Date.now() + later })
    const there = open({ audit, now: () => Date.now() + later })
    await here.book.left(ann, 's1')
    expect(await there.book.hasLeft('s1')).toBe(false)

    isAway = false
    later = 4000
    await here.book.hasLeft('s2')
    later = 8000

    expect(await there.book.hasLeft('s1')).toBe(true)
  })

  test('stays out while the store is away', async () => {
    let later = 0
    const { audit } = open()
    const away: typeof audit.list = async () => {
      throw new Error('away')
    }
    const list: typeof audit.list = (query) => (later === 0 ? audit.list(query) : away())
    const note: typeof audit.note = () => Promise.reject(new Error('away'))
    await audit.note('logout', { session: 's1' })
    const { book, lines } = open({ audit: { ...audit, list, note }, now: () => Date.now() + later })
    expect(await book.hasLeft('s1')).toBe(true)
    later = 10_000

    await book.left(ann, 's2')

    expect(await Promise.all(['s1', 's2', 's3'].map(book.hasLeft))).toEqual([true, true, false])
    expect(lines).toEqual([
      '"ann" has signed out, from 192.0.2.1.',
      'The audit has no line of a logout: away',
    ])
  })
})

test('S25: who guesses from many addresses does not fill the audit', async () => {
  const { audit, book, lines } = open()

  for (let at = 0; at < 300; at += 1) book.failed({ name: null, address: `10.0.${at % 250}.1` }, 'wrong')

  await until(async () => (await audit.list({ limit: 1000 })).length === 100)
  expect(lines).toHaveLength(300)
})
