import { describe, expect, test } from 'vitest'
import { type Admission, admit, type Line, type Recent, type Scene } from '../../src/job/admission.js'
import type { TaskLimits } from '../../src/job/limit.js'

const now = 1_000_000

/** Jobs by key, each as `priority`; named `<task> <key> <n>`. */
function line(task: string, keys: Record<string, readonly number[]>, more: Partial<Line> = {}): Line {
  return {
    task,
    queue: 'default',
    order: 0,
    nextAt: null,
    keys: Object.entries(keys).map(([key, priorities]) => ({
      key,
      running: 0,
      nextAt: null,
      hasMore: false,
      jobs: priorities.map((priority, at) => ({ jobId: `${task} ${key} ${at}`, priority, since: 0 })),
    })),
    ...more,
  }
}

interface Told extends Partial<TaskLimits> {
  readonly running?: number
  readonly nextAt?: number | null
  readonly recent?: Recent
}

function decide(lines: readonly Line[], tasks: Record<string, Told>, more: Partial<Scene> = {}): Admission {
  return admit({
    now,
    places: 100,
    lines,
    tasks: new Map(
      Object.entries(tasks).map(([name, { task = {}, key = {}, running = 0, nextAt = null, ...known }]) => [
        name,
        { limits: { task, key }, running, nextAt, ...known },
      ]),
    ),
    queues: new Map(),
    ...more,
  })
}

const started = ({ starts }: Admission) => starts.map(({ jobId }) => jobId)
const perSecond = (starts: number) => ({ pace: { starts, perMs: 1000 } })

describe('concurrency', () => {
  test('of a task counts what runs already', () => {
    const decision = decide([line('a', { '': [0, 0, 0] })], { a: { task: { concurrency: 2 }, running: 1 } })

    expect(started(decision)).toEqual(['a  0'])
    expect(decision.nextAt).toBeNull()
  })

  test('of a key leaves other keys alone', () => {
    const decision = decide([line('a', { x: [0, 0], y: [0, 0] })], { a: { key: { concurrency: 1 } } })

    expect(started(decision)).toEqual(['a x 0', 'a y 0'])
    expect(decision.tasks.get('a')?.lastKey).toBe('y')
  })

  test('of a queue is shared by its tasks', () => {
    const decision = decide(
      [line('a', { '': [0, 0] }), line('b', { '': [0, 0] })],
      { a: {}, b: {} },
      {
        queues: new Map([['default', { limit: { concurrency: 3 }, running: 0, nextAt: null }]]),
      },
    )

    expect(started(decision)).toEqual(['a  0', 'b  0', 'a  1'])
  })

  test('of a key is shared by the queues in which the task waits', () => {
    const lines = [line('a', { x: [0] }), line('a', { x: [0] }, { queue: 'other', order: 1 })]

    expect(decide(lines, { a: { key: { concurrency: 1 } } }).starts).toHaveLength(1)
  })
})

describe('turns', () => {
  test('keys take turns in the order in which they come', () => {
    const decision = decide([line('a', { x: [0, 0, 0], y: [0], z: [0, 0] })], { a: {} }, { places: 5 })

    expect(started(decision)).toEqual(['a x 0', 'a y 0', 'a z 0', 'a x 1', 'a z 1'])
  })

  test('tasks take turns, the smaller priority and the first queue first', () => {
    const lines = [
      line('late', { '': [0] }, { order: 1, queue: 'second' }),
      line('low', { '': [5, 5] }),
      line('a', { '': [0, 0] }),
      line('b', { '': [0, 0] }),
    ]

    expect(started(decide(lines, { late: {}, low: {}, a: {}, b: {} }))).toEqual([
      ...['a  0', 'b  0', 'a  1', 'b  1'],
      ...['low  0', 'low  1', 'late  0'],
    ])
  })

  test('a key that may not start loses its turn, and holds up nobody', () => {
    const waiting = line('a', { x: [0], y: [0] })
    const [x, y] = waiting.keys as [Line['keys'][0], Line['keys'][0]]
    const keys = [{ ...x, nextAt: now + 300 }, y]

    const decision = decide([{ ...waiting, keys }], { a: { key: { pace: { starts: 1, perMs: 1000 } } } })

    expect(started(decision)).toEqual(['a y 0'])
    expect(decision.nextAt).toBe(now + 300)
    expect(decision.paced).toEqual([])
  })

  test('nothing more starts than there are places', () => {
    const decision = decide([line('a', { '': [0, 0, 0] })], { a: {} }, { places: 2 })

    expect(decision.starts).toHaveLength(2)
    expect(decision.nextAt).toBe(now)
  })

  test('where more wait than were looked at, another look is due at once', () => {
    const all = line('a', { x: [0] })
    const keys = all.keys.map((key) => ({ ...key, hasMore: true }))

    expect(decide([{ ...all, keys }], { a: {} }).nextAt).toBe(now)
  })
})

describe('rates', () => {
  const many = line('a', { '': Array(1000).fill(0) })

  test.each([
    ['on time', 0, 1, 10],
    ['20 ms late', 20, 3, 10],
    ['50 ms late', 50, 6, 10],
    ['an hour late: what was missed is lost', 3_600_000, 6, 10],
    ['too early', -1, 0, 1],
  ])('100/s, looked at %s', (_, lateMs, starts, nextInMs) => {
    const decision = decide([many], { a: { task: perSecond(100), nextAt: now - lateMs } })

    expect(decision.starts).toHaveLength(starts)
    expect(decision.nextAt).toBe(now + nextInMs)
    expect(decision.paced).toHaveLength(1)
  })

  test('a first job starts at once', () => {
    expect(decide([many], { a: { task: { pace: { starts: 1, perMs: 86_400_000 } } } }).starts).toHaveLength(1)
  })

  test('what a slower rate, or a clock that was put back, has promised is not waited for', () => {
    const decision = decide([many], { a: { task: perSecond(1), nextAt: now + 3_600_000 } })

    expect(decision.nextAt).toBe(now + 1000)
  })

  test('looked at every 25 ms for ten seconds, 100/s is met, and 5 % are never exceeded in a second', () => {
    const starts: number[] = []
    let nextAt: number | null = null
    for (let at = 0; at < 10_000; at += 25) {
      const decision = decide([many], { a: { task: perSecond(100), nextAt } }, { now: now + at })
      starts.push(...decision.starts.map(() => at))
      nextAt = decision.tasks.get('a')?.nextAt ?? nextAt
    }

    expect(starts.length).toBeGreaterThanOrEqual(990)
    expect(starts.length).toBeLessThanOrEqual(1010)
    const inSecond = starts.map((from) => starts.filter((at) => at >= from && at < from + 1000).length)
    expect(Math.max(...inSecond)).toBeLessThanOrEqual(103)
  })

  test('of a key and of its task hold both', () => {
    const decision = decide([line('a', { x: [0, 0], y: [0, 0] })], {
      a: { task: perSecond(1), key: perSecond(1) },
    })

    expect(started(decision)).toEqual(['a x 0'])
    expect(decision.keys).toEqual([{ task: 'a', key: 'x', nextAt: now + 1000 }])
    expect(decision.nextAt).toBe(now + 1000)
  })
})

describe('a rate whose last starts are known', () => {
  const many = Array.from({ length: 500 }, () => 0)

  test('makes up for a look that comes late, by a second at most', () => {
    const at = (lateMs: number) =>
      decide(
        [line('a', { '': many })],
        { a: { task: perSecond(100), nextAt: now - lateMs, recent: [] } },
        { places: 500 },
      )

    expect(at(100).starts).toHaveLength(11)
    expect(at(5000).starts).toHaveLength(101)
  })

  test('makes up for nothing that nobody waited for', () => {
    const waiting = line('a', { '': many })
    const keys = waiting.keys.map((key) => ({
      ...key,
      jobs: key.jobs.map((job) => ({ ...job, since: now - 20 })),
    }))

    const decision = decide([{ ...waiting, keys }], {
      a: { task: perSecond(100), nextAt: now - 5000, recent: [] },
    })

    expect(decision.starts).toHaveLength(3)
  })

  test('never lets more than three in a hundred too many start in any second, however the looks come', () => {
    let nextAt: number | null = null
    let recent: Recent = []
    const times: number[] = []
    let stallAt = now + 5000
    for (let at = now; at < now + 60_000; at += ((at * 7919) % 50) + 10) {
      if (at > stallAt) {
        at += 500
        stallAt += 20_000
      }
      const decision = decide(
        [line('a', { '': many })],
        { a: { task: perSecond(100), nextAt, recent } },
        { now: at, places: 500 },
      )
      times.push(...decision.starts.map(() => at))
      const move = decision.tasks.get('a')
      if (move) ({ nextAt, recent } = move)
    }

    const most = Math.max(...times.map((from) => times.filter((at) => at >= from && at < from + 1000).length))
    expect(most).toBeLessThanOrEqual(103)
    expect(times.length).toBeGreaterThan(60 * 97)
  })

  test('says when the window opens again', () => {
    const recent: Recent = [
      [now - 900, 60],
      [now - 100, 46],
    ]
    const decision = decide([line('a', { '': [0] })], {
      a: { task: perSecond(100), nextAt: now - 10, recent },
    })

    expect(decision.starts).toEqual([])
    expect(decision.nextAt).toBe(now + 100)
  })
})
