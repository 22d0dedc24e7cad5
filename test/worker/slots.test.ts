import { afterEach, describe, expect, test, vi } from 'vitest'
import { createSlots, type Slots } from '../../src/worker/slots.js'

interface Scene {
  readonly slots: Slots<string>
  readonly started: string[]
  /** A claim that brought a job; whether it may start here. */
  bring(queue: string, job: string): Promise<boolean>
}

function open(concurrency: number, queues: readonly string[] = ['first', 'second']): Scene {
  const started: string[] = []
  const slots = createSlots<string>({
    ...{ concurrency, queues },
    start: (job) => started.push(job),
    full: () => false,
    onChange: () => {},
  })
  // Quick ones at first, so that some are taken ahead.
  for (let at = 0; at < 80; at += 1) {
    slots.reserveNow(1)
    slots.fill('first', 'warm')
    slots.resize(concurrency)
    slots.finish('warm')
  }
  started.length = 0
  return {
    ...{ slots, started },
    async bring(queue, job) {
      if (!(await slots.reserve(queue))) return false
      const isHere = slots.fill(queue, job)
      await Promise.resolve()
      return isHere
    },
  }
}

describe('slots', () => {
  afterEach(() => {
    vi.useRealTimers()
  })

  test('take nothing ahead of handlers that run for long, and for those beside them what they are worth', () => {
    vi.useFakeTimers({ toFake: ['performance'] })
    const slots = createSlots<string>({
      ...{ concurrency: 4, queues: ['q'] },
      ...{ start: () => {}, full: () => false, onChange: () => {} },
    })
    const take = (job: string) => {
      expect(slots.reserveNow(1)).toBe(1)
      slots.fill('q', job)
      slots.resize(4)
    }
    for (const job of ['a', 'b', 'c', 'd']) take(job)
    expect(slots.limit()).toBeGreaterThan(0)

    vi.advanceTimersByTime(3_600_000)
    expect(slots.limit()).toBe(0)

    slots.finish('d')
    for (let at = 0; at < 500; at += 1) {
      take('quick')
      vi.advanceTimersByTime(1)
      slots.finish('quick')
    }
    // One handler in four does what takes 1 ms: 25 in 25 ms.
    expect(slots.limit()).toBeGreaterThanOrEqual(4 + 24)
    expect(slots.limit()).toBeLessThanOrEqual(4 + 25)
  })

  test('start jobs of the first queue first', async () => {
    const { slots, started, bring } = open(2)
    for (const job of ['a', 'b']) await bring('second', job)
    await bring('second', 'late')
    await bring('first', 'first')

    slots.finish('a')
    slots.finish('b')

    expect(started).toEqual(['a', 'b', 'first', 'late'])
  })

  test('begin more at once when they grow, and disturb nothing when they shrink', async () => {
    const { slots, started, bring } = open(2)
    for (const job of ['a', 'b', 'c']) expect(await bring('first', job)).toBe(true)
    expect(started).toEqual(['a', 'b'])

    slots.resize(3)
    expect(started).toEqual(['a', 'b', 'c'])

    slots.resize(1)
    expect([slots.running, slots.reserveNow(5)]).toEqual([3, 0])
    slots.finish('a')
    slots.finish('b')
    slots.finish('c')
    expect(slots.reserveNow(5)).toBe(1)
  })

  test('give back what waits of a queue that is no longer served, and refuse what comes of it', async () => {
    const { slots, started, bring } = open(1)
    await bring('first', 'running')
    await bring('second', 'waiting')
    const late = slots.reserve('second')
    expect(await late).toBe(true)

    expect(slots.serve(['first'])).toEqual(['waiting'])
    expect(slots.waiting).toBe(0)
    expect(slots.fill('second', 'claimed meanwhile')).toBe(false)
    expect(await bring('second', 'again')).toBe(false)

    expect(slots.serve(['second', 'first'])).toEqual([])
    slots.finish('running')
    expect(await bring('second', 'now')).toBe(true)
    expect(started).toEqual(['running', 'now'])
  })

  test('do not let those wait for a place who ask for a queue that has gone', async () => {
    const { slots, bring } = open(1)
    for (let at = 0; at < 300 && slots.reserveNow(1) === 0; at += 1);
    slots.fill('first', 'running')
    while (slots.limit() > slots.running + slots.waiting && (await bring('first', 'ahead')));
    const asking = slots.reserve('second')
    slots.serve(['first'])

    expect(await asking).toBe(false)
  })
})
