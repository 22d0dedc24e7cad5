import { describe, expect, test } from 'vitest'
import {
  isSameError,
  lastOf,
  placeOf,
  type TimedJob,
  tellFailures,
  tookOf,
  toTimeline,
} from '../../../../../src/dashboard/web/page/job/timeline.js'

const at = (second: number) => new Date(second * 1000).toISOString()
const ms = (second: number) => second * 1000

const job: TimedJob = {
  ...{ state: 'queued', createdAt: at(100), runAt: at(100), startedAt: null, finishedAt: null },
  ...{ attempt: 0, attempts: [], workerId: null, error: null },
}
const error = { name: 'TypeError', message: 'no' }
const failed = (number: number, from: number, to: number) => ({
  ...{ number, worker: 'w1', startedAt: at(from), finishedAt: at(to), outcome: 'failed' as const, error },
})

describe('the time line of a job', () => {
  test('that waits begins when it was enqueued, and goes on', () => {
    expect(toTimeline(job, ms(130))).toEqual({
      ...{ from: ms(100), to: ms(130), rows: [] },
      ahead: { from: ms(100), to: ms(130), why: 'queued' },
    })
  })

  test('that waits for its time reaches up to it', () => {
    expect(toTimeline({ ...job, state: 'scheduled', runAt: at(400) }, ms(130))).toMatchObject({
      ...{ from: ms(100), to: ms(400) },
      ahead: { from: ms(100), to: ms(400), why: 'scheduled' },
    })
  })

  test('that runs has an attempt without an end', () => {
    const running = { ...job, state: 'running', startedAt: at(110), attempt: 1, workerId: 'w1' } as const

    expect(toTimeline(running, ms(130))).toEqual({
      ...{ from: ms(100), to: ms(130), ahead: null },
      rows: [
        {
          ...{ number: 1, worker: 'w1', waitedFrom: ms(100), startedAt: ms(110), endedAt: null },
          ...{ outcome: 'running', error: undefined },
        },
      ],
    })
  })

  test('that has succeeded at the second attempt has both, the second after a wait', () => {
    const { rows, from, to, ahead } = toTimeline(
      {
        ...job,
        ...{ state: 'succeeded', startedAt: at(130), finishedAt: at(140), attempt: 2, workerId: 'w2' },
        attempts: [failed(1, 110, 120)],
      },
      ms(999),
    )

    expect({ from, to, ahead }).toEqual({ from: ms(100), to: ms(140), ahead: null })
    expect(
      rows.map(({ number, outcome, waitedFrom, startedAt, worker }) => [
        ...[number, outcome, waitedFrom, startedAt, worker],
      ]),
    ).toEqual([
      [1, 'failed', ms(100), ms(110), 'w1'],
      [2, 'succeeded', ms(120), ms(130), 'w2'],
    ])
  })

  test('that waits for its next attempt counts the last one once', () => {
    const { rows, ahead } = toTimeline(
      {
        ...{ ...job, state: 'retrying', runAt: at(300), startedAt: at(110), attempt: 1, error },
        attempts: [failed(1, 110, 120)],
      },
      ms(130),
    )

    expect(rows).toHaveLength(1)
    expect(ahead).toEqual({ from: ms(120), to: ms(300), why: 'retrying' })
  })

  test.each([
    ['failed', error, 'failed'],
    ['failed', { name: 'WorkerLostError', message: 'gone' }, 'lost'],
    ['cancelled', null, 'cancelled'],
  ] as const)('that is %s by %j ends with an attempt that was %s', (state, cause, outcome) => {
    const { rows } = toTimeline(
      { ...job, state, startedAt: at(110), finishedAt: at(120), attempt: 1, error: cause },
      ms(999),
    )

    expect(rows.map((row) => row.outcome)).toEqual([outcome])
  })

  test('that was cancelled before it started has none', () => {
    expect(toTimeline({ ...job, state: 'cancelled', finishedAt: at(120) }, ms(999))).toEqual({
      ...{ from: ms(100), to: ms(120), rows: [], ahead: null },
    })
  })

  test('whose clocks disagree never goes back', () => {
    const { rows, from, to } = toTimeline(
      { ...job, state: 'succeeded', startedAt: at(90), finishedAt: at(95), attempt: 1 },
      ms(999),
    )

    expect(rows[0]).toMatchObject({ waitedFrom: ms(90), startedAt: ms(90) })
    expect(to).toBeGreaterThanOrEqual(from)
  })
})

test.each([
  [100, 200, 100, 150, { left: 0, width: 50 }],
  [100, 200, 150, 300, { left: 50, width: 50 }],
  [100, 200, 50, 60, { left: 0, width: 0 }],
  [100, 200, 50, 110, { left: 0, width: 10 }],
  [100, 100, 100, 100, { left: 0, width: 0 }],
])('from %i to %i, what lies from %i to %i is at %j', (from, to, start, end, place) => {
  expect(placeOf({ from, to }, start, end)).toEqual(place)
})

describe('of many attempts', () => {
  const attempts = Array.from({ length: 200 }, (_, n) => failed(n + 1, 110 + n * 10, 111 + n * 10))
  const whole = toTimeline({ ...job, state: 'retrying', runAt: at(2200), attempt: 200, attempts }, ms(2105))

  test('the last ones have the width from the first of them on', () => {
    const { rows, hidden, from, to } = lastOf(whole, 20)

    expect([rows.length, rows[0]?.number, hidden]).toEqual([20, 181, 180])
    expect([from, to]).toEqual([ms(1910), ms(2200)])
    expect(placeOf({ from, to }, rows[10]?.startedAt ?? 0, rows[10]?.endedAt ?? 0).left).toBeCloseTo(34.5, 1)
    expect(placeOf({ from, to }, rows[0]?.waitedFrom ?? 0, rows[0]?.startedAt ?? 0)).toEqual({
      left: 0,
      width: 0,
    })
    expect(lastOf(whole, 500)).toEqual({ ...whole, hidden: 0 })
  })

  test('an error that comes again is known', () => {
    const [one, other] = whole.rows
    if (!one || !other) throw new Error('no rows')

    expect(isSameError(other, one)).toBe(true)
    expect(isSameError(one, undefined)).toBe(false)
    expect(isSameError({ ...other, error: { name: 'TypeError', message: 'yes' } }, one)).toBe(false)
    expect(isSameError({ ...other, error: undefined }, { ...one, error: undefined })).toBe(false)
  })
})

describe('the last attempt took', () => {
  const ended = { ...job, startedAt: at(110), finishedAt: at(120), attempt: 1 }

  test.each<[string, TimedJob, ReturnType<typeof tookOf>]>([
    ['what lies between start and end', { ...ended, state: 'succeeded' }, ms(10)],
    ['as long as it runs', { ...ended, state: 'running', finishedAt: null }, 'running'],
    ['nothing, of a job that never ran', { ...ended, state: 'cancelled', attempt: 0 }, undefined],
    ['nothing, before it began', { ...job, state: 'scheduled' }, undefined],
    [
      'its own time, of a job that was cancelled while it waited for the next',
      { ...ended, state: 'cancelled', attempts: [failed(1, 110, 113)] },
      ms(3),
    ],
  ])('%s', (_what, of, took) => {
    expect(tookOf(of)).toBe(took)
  })
})

test.each([
  [{ state: 'failed', failures: 1, maxAttempts: 1, attempt: 1 }, [], '1 of 1 failed'],
  [{ state: 'failed', failures: 3, maxAttempts: 3, attempt: 3 }, [1, 2, 3], '3 of 3 failed'],
  [
    { state: 'failed', failures: 1, maxAttempts: 1, attempt: 2 },
    [1, 2],
    '1 of 1 failed since the last retry',
  ],
  [
    { state: 'queued', failures: 0, maxAttempts: 3, attempt: 3 },
    [1, 2, 3],
    '0 of 3 failed since the last retry',
  ],
  [{ state: 'retrying', failures: 2, maxAttempts: 5, attempt: 2 }, [1, 2], '2 of 5 failed'],
] as const)('%j after %j', (counts, numbers, said) => {
  expect(tellFailures({ ...counts, attempts: numbers.map((number) => failed(number, 110, 120)) })).toBe(said)
})
