import { describe, expect, test } from 'vitest'
import { placeOf, type TimedJob, toTimeline } from '../../../../../src/dashboard/web/page/job/timeline.js'

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
  [100, 200, 50, 60, { left: 0, width: 10 }],
  [100, 100, 100, 100, { left: 0, width: 0 }],
])('from %i to %i, what lies from %i to %i is at %j', (from, to, start, end, place) => {
  expect(placeOf({ from, to }, start, end)).toEqual(place)
})
