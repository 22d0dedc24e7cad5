import { v7 as uuidv7 } from 'uuid'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createMemoryStore } from '../../src/store/memory.js'
import type { Store, WorkerPoint } from '../../src/store/store.js'
import { openStore } from '../support/store.js'
import { workerLoad } from '../support/worker-load.js'
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

const minute = 60_000
const hour = 60 * minute

describe.each(kinds)('of a worker, the store in $name', ({ open }) => {
  let store: Store
  let close: () => Promise<void>
  let id: string

  beforeEach(async () => {
    const opened = await open()
    store = opened.store
    close = opened.close
    id = uuidv7()
    await store.registerWorker(workerRow({ id, name: 'w' }))
  })

  afterEach(() => close())

  /** What it said, in steps in which it said something. */
  async function said(rangeMs: number, stepMs: number, workerId = id): Promise<Omit<WorkerPoint, 'at'>[]> {
    const to = new Date(Date.now() + 1000)
    const { points } = await store.workerChart({
      workerId,
      from: new Date(to.getTime() - rangeMs),
      to,
      stepMs,
    })
    expect(points.length).toBeGreaterThanOrEqual(rangeMs / stepMs)
    expect(points.every(({ at }) => at.getTime() % stepMs === 0)).toBe(true)
    return points.filter(({ running }) => running !== null).map(({ at: _, ...load }) => load)
  }

  test('shows the most of what it said, and the sum of its attempts, however long ago one looks', async () => {
    await store.reportWorker(id, '{}', workerLoad({ running: 3, memory: 5e9, cpu: 0.25, processed: 40 }))
    await store.reportWorker(
      id,
      '{}',
      workerLoad({ running: 1, concurrency: 8, loopDelayMs: 12.5, processed: 2 }),
    )
    const both = { running: 3, concurrency: 8, memory: 5e9, loopDelayMs: 12.5, cpu: 0.25, processed: 42 }

    // A minute may have begun between the two.
    const minutes = await said(15 * minute, minute)
    expect(minutes.reduce((sum, { processed }) => sum + (processed ?? 0), 0)).toBe(42)
    expect(Math.max(...minutes.map(({ running }) => running ?? 0))).toBe(3)
    for (const [range, step] of [
      [7 * 24 * hour, 2 * hour],
      [30 * 24 * hour, 12 * hour],
    ] as const)
      expect(await said(range, step)).toEqual([both])
  })

  test('tells silence from idleness', async () => {
    expect(await said(hour, minute)).toEqual([])
    await store.reportWorker(id, '{}', workerLoad())

    expect(await said(hour, minute)).toEqual([workerLoad()])
  })

  test('keeps it apart from others', async () => {
    await store.reportWorker(id, '{}', workerLoad({ running: 3 }))

    expect(await said(hour, minute, uuidv7())).toEqual([])
  })

  test('keeps nothing of one that it does not know, or has forgotten', async () => {
    const unknown = uuidv7()
    await store.reportWorker(unknown, '{}', workerLoad({ running: 3 }))
    await store.reportWorker(id, '{}', workerLoad({ running: 3 }))
    await store.stopWorker(id)
    await store.forgetWorker(id)

    expect(await said(hour, minute, unknown)).toEqual([])
    expect(await said(hour, minute)).toEqual([])
  })

  test('refuses a chart that it cannot make', async () => {
    const query = { workerId: id, from: new Date(Date.now() - hour), to: new Date(), stepMs: 1000 }
    await expect(store.workerChart(query)).rejects.toThrow(/whole minutes/)
  })
})
