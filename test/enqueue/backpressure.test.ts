import { describe, expect, test } from 'vitest'
import { type Backpressure, createBackpressure, type QueueLimits } from '../../src/enqueue/backpressure.js'
import { QueueFullError, QuotaExceededError, StoreUnavailableError } from '../../src/errors.js'
import type { LoadQuestion, QueueLoad } from '../../src/store/store.js'
import { gate } from '../support/lab.js'

type Asked = Parameters<Backpressure['enter']>[0]

const none: QueueLimits = { waiting: undefined, ageMs: undefined, share: undefined }

/** A store that answers what the test says, and a clock that the test moves. */
function open(limits: Record<string, Partial<QueueLimits>>) {
  const asked: (readonly LoadQuestion[])[] = []
  const state = {
    now: 0,
    loads: [] as Partial<QueueLoad>[],
    answer: undefined as (() => Promise<void>) | undefined,
  }
  const guard = createBackpressure({
    limits: new Map(Object.entries(limits).map(([queue, given]) => [queue, { ...none, ...given }])),
    now: () => state.now,
    async load(questions) {
      asked.push(questions)
      await state.answer?.()
      return questions.map(({ queue }) => ({
        queue,
        waiting: 0,
        ageMs: null,
        owners: [],
        ...state.loads.find((load) => load.queue === queue),
      }))
    },
  })
  const job: Asked = { queue: 'mail', owner: null, delayMs: null, runAt: null }
  return {
    asked,
    state,
    enter: async (change: Partial<Asked> = {}, jobs = 1) => {
      const place = await guard.enter({ ...job, ...change }, jobs)
      place.leave()
    },
  }
}

describe('looks at the store', () => {
  test('one serves all requests of a second, and none is made while nobody asks', async () => {
    const { enter, asked, state } = open({ mail: { waiting: 1000 } })

    await Promise.all(Array.from({ length: 100 }, () => enter()))
    for (let n = 0; n < 100; n += 1) await enter()
    expect(asked).toHaveLength(1)

    state.now = 999
    await enter()
    expect(asked).toHaveLength(1)
    state.now = 1000
    await enter()
    await enter()
    expect(asked).toHaveLength(2)
  })

  test('count one more than the limit, and nothing that has none', async () => {
    const { enter, asked } = open({ mail: { waiting: 7 }, '*': { ageMs: 1000 } })

    await enter()
    await enter({ queue: 'other' })

    expect(asked).toEqual([[{ queue: 'mail', waiting: 8, share: null, owners: [] }]])
  })

  test('are rarer where they are slow', async () => {
    const { enter, asked, state } = open({ mail: { waiting: 5 } })
    state.answer = async () => {
      state.now += 200
    }
    await enter()

    state.now = 3900
    await enter()
    expect(asked).toHaveLength(1)
    state.now = 4100
    await enter()
    expect(asked).toHaveLength(2)
  })

  test('are not made for queues without a limit', async () => {
    const { enter, asked } = open({ mail: {} })

    await enter({ queue: 'other' })

    expect(asked).toEqual([])
  })

  test('that fail leave nothing known, and nothing is refused', async () => {
    const { enter, asked, state } = open({ mail: { waiting: 1 } })
    state.loads = [{ queue: 'mail', waiting: 2 }]
    state.answer = () => Promise.reject(new StoreUnavailableError('away'))

    for (let n = 0; n < 5; n += 1) await enter()
    expect(asked).toHaveLength(1)

    state.answer = undefined
    state.now = 1000
    await expect(enter()).rejects.toBeInstanceOf(QueueFullError)
  })

  test('that do not come back hold nobody up for long', async () => {
    const { enter, state } = open({ mail: { waiting: 1 } })
    const never = gate()
    state.answer = () => never.passed

    await enter()
    state.now = 300
    await enter()
    never.open()
  })
})

describe('limits', () => {
  test('of what waits: what was let in since the look counts', async () => {
    const { enter, state } = open({ mail: { waiting: 3 } })
    state.loads = [{ queue: 'mail', waiting: 1 }]

    await enter()
    await enter()

    await expect(enter()).rejects.toMatchObject({ code: 'QUEUE_FULL', queue: 'mail' })
  })

  test('of what waits: several at once fit together or not at all', async () => {
    const { enter } = open({ mail: { waiting: 3 } })

    await enter({}, 2)

    await expect(enter({}, 2)).rejects.toBeInstanceOf(QueueFullError)
    await enter({}, 1)
  })

  test('of age', async () => {
    const { enter, state } = open({ mail: { ageMs: 5000 } })
    state.loads = [{ queue: 'mail', waiting: 1, ageMs: 4999 }]
    await enter()

    state.loads = [{ queue: 'mail', waiting: 1, ageMs: 5000 }]
    state.now = 1000
    await enter()
    await expect(enter()).rejects.toBeInstanceOf(QueueFullError)
  })

  test('of a share: of each owner for itself, of nobody not at all', async () => {
    const { enter, state, asked } = open({ mail: { share: 2 } })
    state.loads = [{ queue: 'mail', owners: [['ann', 2]] }]

    await expect(enter({ owner: 'ann' })).rejects.toBeInstanceOf(QuotaExceededError)
    await enter({ owner: 'bob' })
    await enter({ owner: 'bob' })
    await expect(enter({ owner: 'bob' })).rejects.toMatchObject({ code: 'QUOTA_EXCEEDED', share: 2 })
    for (let n = 0; n < 5; n += 1) await enter()

    state.now = 1000
    await enter({ owner: 'eve' })
    expect(asked.at(-1)).toMatchObject([{ share: 2, owners: ['ann', 'bob', 'eve'] }])
  })

  test('an owner who is over the share is known before the first request', async () => {
    const { enter, state } = open({ mail: { share: 2 } })
    state.loads = [{ queue: 'mail', owners: [['ann', 2]] }]
    await enter({ owner: 'bob' })

    await expect(enter({ owner: 'ann' })).rejects.toBeInstanceOf(QuotaExceededError)
  })

  test('of what is due do not hold for what is due later; a share does', async () => {
    const { enter, state } = open({ mail: { waiting: 1, ageMs: 1000, share: 2 } })
    state.loads = [{ queue: 'mail', waiting: 2, ageMs: 9000 }]
    const later = { owner: 'ann', delayMs: 60_000 }

    await enter(later)
    await enter(later)

    await expect(enter(later)).rejects.toBeInstanceOf(QuotaExceededError)
  })

  test('of * hold for each queue that is not named', async () => {
    const { enter } = open({ '*': { waiting: 1 }, bulk: {} })

    await enter({ queue: 'a' })
    await enter({ queue: 'b' })
    await expect(enter({ queue: 'a' })).rejects.toMatchObject({ queue: 'a' })
    for (let n = 0; n < 5; n += 1) await enter({ queue: 'bulk' })
  })
})
