import { describe, expect, test } from 'vitest'
import { type LoadReading, toScale } from '../../src/worker/autoscale.js'

const range = { min: 1, max: 16 }
const calm: LoadReading = {
  concurrency: 4,
  running: 4,
  peak: 4,
  heldMs: 60_000,
  oldestMs: 0,
  loopDelayMs: 2,
  cpu: 0.2,
  isInline: true,
}
const scale = (reading: Partial<LoadReading>, within = range) => toScale(within, { ...calm, ...reading })

describe('a worker that scales itself', () => {
  test('grows to twice as many when the oldest job has waited a second and every place is taken', () => {
    expect(scale({ oldestMs: 1000 })).toBe(8)
    expect(scale({ oldestMs: 999 })).toBe(4)
    expect(scale({ oldestMs: 60_000, concurrency: 12, running: 12 })).toBe(16)
  })

  test('does not grow for jobs that wait for something else than a place, such as a rate', () => {
    expect(scale({ oldestMs: 60_000, running: 3 })).toBe(4)
  })

  test('does not grow where more places would make every job slower', () => {
    expect(scale({ oldestMs: 60_000, cpu: 0.95 })).toBe(4)
    expect(scale({ oldestMs: 60_000, cpu: 0.95, isInline: false })).toBe(8)
    expect(scale({ oldestMs: 60_000, loopDelayMs: 150, isInline: false })).toBe(4)
  })

  test('shrinks by half, and never below what was used, when places were free for 30 s', () => {
    expect(scale({ running: 0, peak: 0, heldMs: 30_000 })).toBe(2)
    expect(scale({ running: 0, peak: 0, heldMs: 29_000 })).toBe(4)
    expect(scale({ running: 0, peak: 3 })).toBe(3)
    expect(scale({ running: 0, peak: 4 })).toBe(4)
    expect(scale({ running: 0, peak: 0, concurrency: 1 })).toBe(1)
  })

  test('shrinks at once, by a quarter, when handlers make the event loop late', () => {
    expect(scale({ concurrency: 16, loopDelayMs: 120, oldestMs: 60_000 })).toBe(12)
    expect(scale({ concurrency: 1, loopDelayMs: 500 })).toBe(1)
    // Nothing of its own makes it late.
    expect(scale({ concurrency: 16, running: 0, peak: 16, loopDelayMs: 500 })).toBe(16)
    expect(scale({ concurrency: 16, running: 16, peak: 16, loopDelayMs: 120, isInline: false })).toBe(16)
  })

  test('stays within its range, which may have changed', () => {
    expect(scale({}, { min: 6, max: 8 })).toBe(6)
    expect(scale({ concurrency: 20, running: 20, peak: 20 })).toBe(16)
  })
})

/** Jobs come at a rate and take their time: what would the rule make of it, second by second? */
function simulate(load: (second: number) => number, jobMs: number, seconds: number) {
  const sizes: number[] = []
  const ran: number[] = []
  /** When each job that waits came, oldest first. */
  const waiting: number[] = []
  let size = 1
  let heldSince = 0
  let since = 0
  for (let second = 0; second < seconds; second += 1) {
    for (let at = 0; at < load(second); at += 1) waiting.push(second)
    const done = Math.min(waiting.length, (size * 1000) / jobMs)
    waiting.splice(0, done)
    const running = waiting.length > 0 ? size : Math.min(size, Math.ceil((load(second) * jobMs) / 1000))
    ran.push(running)
    const [oldest] = waiting
    const next = toScale(range, {
      ...calm,
      ...{ concurrency: size, running, heldMs: (second - heldSince) * 1000 },
      peak: Math.max(...ran.slice(since).slice(-30)),
      oldestMs: oldest === undefined ? 0 : (second - oldest) * 1000,
    })
    if (next !== size) {
      heldSince = second
      since = ran.length
    }
    size = next
    sizes.push(size)
  }
  return { sizes, waiting: waiting.length }
}

describe('by a simulated load', () => {
  test('it follows a wave up within seconds, works it off, and comes down again', () => {
    // 8 jobs a second of a second each need eight places; then nothing comes.
    const { sizes, waiting } = simulate((second) => (second < 60 ? 8 : 0), 1000, 300)

    expect(Math.max(...sizes)).toBeLessThanOrEqual(16)
    expect(sizes.slice(0, 10)).toContain(8)
    expect(waiting).toBe(0)
    expect(sizes.at(-1)).toBe(1)
    // Down in halves, half a minute each, and not up and down.
    const moves = sizes.filter((size, at) => at > 0 && size !== sizes[at - 1])
    expect(moves.length).toBeLessThan(12)
  })

  test('a long queue of quick jobs makes it no larger than it must be', () => {
    const { sizes } = simulate((second) => (second === 0 ? 900 : 0), 1, 20)

    expect(Math.max(...sizes)).toBe(1)
  })
})
