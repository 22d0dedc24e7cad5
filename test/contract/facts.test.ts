import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createMemoryStore } from '../../src/store/memory.js'
import type { Store } from '../../src/store/store.js'
import { jobRow } from '../support/job-row.js'
import { openStore } from '../support/store.js'

const kinds = [
  {
    name: 'memory',
    kind: 'memory',
    async open() {
      const store = createMemoryStore()
      return { store, close: () => store.close() }
    },
  },
  { name: 'PostgreSQL', kind: 'postgres', open: openStore },
]

describe.each(kinds)('the store in $name', ({ kind, open }) => {
  let store: Store
  let close: () => Promise<void>

  beforeEach(async () => {
    const opened = await open()
    store = opened.store
    close = opened.close
  })

  afterEach(() => close())

  test('tells what it is and what it holds', async () => {
    await store.insert([jobRow()])
    const facts = await store.facts()

    expect(facts).toMatchObject({ kind, address: store.address })
    expect(facts.upMs).toBeGreaterThanOrEqual(0)
    expect(facts.tables?.map(({ name }) => name)).toEqual(expect.arrayContaining(['job', 'worker']))
  })

  test('tells when each pass ran, also one that was given back, and what it has repaired', async () => {
    const began = Date.now() - 1000
    await store.beginRound([
      { pass: 'lost', everyMs: 60_000 },
      { pass: 'dispatch', everyMs: 60_000 },
    ])
    await store.noteRepairs('lost', 3)
    await store.returnTicket('lost')

    const passes = await store.passes()
    expect(passes.map(({ name, repaired }) => [name, repaired])).toEqual([
      ['dispatch', 0],
      ['lost', 3],
    ])
    for (const { ranAt } of passes) expect(ranAt.getTime()).toBeGreaterThan(began)

    const again = await store.beginRound([
      { pass: 'lost', everyMs: 60_000 },
      { pass: 'dispatch', everyMs: 60_000 },
    ])
    expect(again.due).toEqual(['lost'])
    const third = await store.beginRound([{ pass: 'lost', everyMs: 60_000 }])
    expect(third.due).toEqual([])
  })
})
