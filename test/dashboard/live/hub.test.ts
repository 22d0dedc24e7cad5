import { describe, expect, onTestFinished, test } from 'vitest'
import {
  createHub,
  type HubPace,
  largestKept,
  type Rendered,
  type Watcher,
} from '../../../src/dashboard/live/hub.js'
import { gate } from '../../support/lab.js'
import { until } from '../../support/until.js'

const quick: HubPace = { everyMs: 40, mostPerSecond: 1000, mostAtOnce: 2, freshMs: 20 }

function openHub(pace: Partial<HubPace> = {}) {
  const hub = createHub({ ...quick, ...pace })
  onTestFinished(() => hub.close())
  return hub
}

/** Remembers what it was told. */
function watcher(): Watcher & { readonly told: string[] } {
  const told: string[] = []
  return {
    told,
    onChange: ({ body }) => void told.push(body),
    onFailure: (error) => void told.push(String(error)),
  }
}

/** Something that can be asked for, and counts how often it was. */
function source(first = 'one') {
  const state = { body: first, asked: 0, failure: undefined as Error | undefined }
  const load = async (): Promise<Rendered> => {
    state.asked++
    if (state.failure) throw state.failure
    return { body: state.body, tag: state.body }
  }
  return Object.assign(state, { load })
}

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

describe('who watches', () => {
  test('is told at first, and whenever it has changed', async () => {
    const hub = openHub()
    const [queues, ann] = [source(), watcher()]
    hub.watch('/queues', queues.load, ann)
    await until(() => ann.told.length === 1)
    await until(() => queues.asked > 3)
    expect(ann.told).toEqual(['one'])

    queues.body = 'two'
    await until(() => ann.told.length === 2)
    expect(ann.told).toEqual(['one', 'two'])
  })

  test('shares with others, and who comes later is told at once', async () => {
    const hub = openHub({ everyMs: 10_000 })
    const [queues, ann, bob, carol] = [source(), watcher(), watcher(), watcher()]
    hub.watch('/queues', queues.load, ann)
    hub.watch('/queues', queues.load, bob)
    await until(() => ann.told.length === 1 && bob.told.length === 1)
    hub.watch('/queues', queues.load, carol)

    expect(carol.told).toEqual(['one'])
    expect(queues.asked).toBe(1)
  })

  test('is told what is huge, which is not kept for who comes later', async () => {
    const hub = openHub({ freshMs: 10_000 })
    const [jobs, ann] = [source('x'.repeat(largestKept + 1)), watcher()]
    hub.watch('/jobs', jobs.load, ann)
    await until(() => ann.told.length === 1)

    jobs.body = 'one'

    expect((await hub.get('/jobs', jobs.load)).body).toBe('one')
  })

  test('is told of a failure once, and of what comes after it', async () => {
    const hub = openHub()
    const [queues, ann] = [source(), watcher()]
    queues.failure = new Error('away')
    hub.watch('/queues', queues.load, ann)
    await until(() => queues.asked > 2)
    queues.failure = undefined

    await until(() => ann.told.length === 2)
    expect(ann.told).toEqual(['Error: away', 'one'])
  })

  test('is told of changes, too, where he came while somebody asked by himself', async () => {
    const hub = openHub()
    const [queues, ann] = [source(), watcher()]
    const asked = gate()
    const own = hub.get('/queues', () => asked.passed.then(queues.load))
    hub.watch('/queues', queues.load, ann)
    asked.open()
    await own
    await until(() => ann.told.length === 1)

    queues.body = 'two'

    await until(() => ann.told.length === 2)
  })

  test('costs nothing once he has left', async () => {
    const hub = openHub()
    const [queues, ann] = [source(), watcher()]
    const leave = hub.watch('/queues', queues.load, ann)
    await until(() => queues.asked > 1)
    leave()
    await pause(60)

    const { asked } = queues
    await pause(150)
    expect(queues.asked).toBe(asked)
  })

  test('sees what somebody has changed without waiting for the next round', async () => {
    const hub = openHub({ everyMs: 60_000 })
    const [queues, ann] = [source(), watcher()]
    hub.watch('/queues', queues.load, ann)
    await until(() => ann.told.length === 1)

    queues.body = 'two'
    hub.forget()
    await until(() => ann.told.length === 2)
  })
})

describe('however many addresses are watched', () => {
  test('so many are asked for in a second, each in its turn', async () => {
    const hub = openHub({ everyMs: 10, mostPerSecond: 5 })
    const begun: number[] = []
    const order: number[] = []
    const sources = Array.from({ length: 12 }, () => source())
    const watchers = sources.map(() => watcher())
    for (const [at, each] of sources.entries())
      hub.watch(
        `/${at}`,
        async () => {
          begun.push(performance.now())
          order.push(at)
          return each.load()
        },
        watchers[at] as Watcher,
      )
    await until(() => watchers.every(({ told }) => told.length === 1))

    for (const [at, time] of begun.entries())
      expect(time - (begun[at - 5] ?? Number.NEGATIVE_INFINITY)).toBeGreaterThan(990)
    expect(new Set(order.slice(0, 12)).size).toBe(12)
  })

  test('what takes long is asked for less often', async () => {
    const hub = openHub({ everyMs: 10 })
    const begun: number[] = []
    hub.watch(
      '/slow',
      async () => {
        begun.push(performance.now())
        await pause(100)
        return { body: '', tag: '' }
      },
      watcher(),
    )
    await until(() => begun.length === 3)

    const [first = 0, second = 0, third = 0] = begun
    expect(Math.min(second - first, third - second)).toBeGreaterThan(450)
  })

  test('so many are asked for at once', async () => {
    const hub = openHub({ mostAtOnce: 2 })
    const passed = gate()
    const asked: string[] = []
    for (const address of ['/a', '/b', '/c'])
      hub.watch(
        address,
        async () => {
          asked.push(address)
          await passed.passed
          return { body: '', tag: '' }
        },
        watcher(),
      )
    await pause(80)

    expect(asked).toEqual(['/a', '/b'])
    passed.open()
    await until(() => asked.includes('/c'))
  })
})

describe('who asks by himself', () => {
  test('shares what is under way, and what is fresh', async () => {
    const hub = openHub({ freshMs: 10_000 })
    const queues = source()
    const together = await Promise.all([1, 2, 3].map(() => hub.get('/queues', queues.load)))
    await hub.get('/queues', queues.load)

    expect(together.map(({ body }) => body)).toEqual(['one', 'one', 'one'])
    expect(queues.asked).toBe(1)
  })

  test('gets nothing that is older than a change', async () => {
    const hub = openHub({ freshMs: 10_000 })
    const passed = gate()
    const bodies = ['old', 'new']
    const load = async () => {
      const body = bodies.shift() ?? ''
      if (body === 'old') await passed.passed
      return { body, tag: body }
    }
    const before = hub.get('/queues', load)
    hub.forget()
    const after = hub.get('/queues', load)
    passed.open()

    expect((await after).body).toBe('new')
    expect((await before).body).toBe('old')
    expect((await hub.get('/queues', load)).body).toBe('new')
  })

  test('is told why it fails, and the next one tries again', async () => {
    const hub = openHub()
    const queues = source()
    queues.failure = new Error('away')
    await expect(hub.get('/queues', queues.load)).rejects.toThrow('away')
    queues.failure = undefined

    expect((await hub.get('/queues', queues.load)).body).toBe('one')
  })
})
