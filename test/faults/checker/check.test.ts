import { describe, expect, test } from 'vitest'
import { checkHistory, type Limits } from './check.js'
import { bend, emptyHistory, type Forged, kill, pids, rowOf, tell, workerOf } from './forge.js'

const [one, other] = pids

/** The rules that were broken, each once. */
function broken(history: Forged, limits: Partial<Limits> = {}): string[] {
  return [...new Set(checkHistory(history, limits).violations.map(({ rule }) => rule))]
}

function historyOf(...stories: Parameters<typeof tell>[2][]): Forged {
  const history = emptyHistory()
  stories.forEach((story, number) => void tell(history, number, story))
  return history
}

describe('a history without a fault passes', () => {
  test('jobs that work the first time', () => {
    const history = historyOf({ seen: true }, {}, { wish: { once: true } })

    const { counts, violations } = checkHistory(history)

    expect(violations).toEqual([])
    expect(counts).toMatchObject({ asked: 3, accepted: 3, rows: 3, succeeded: 3, starts: 3, extraStarts: 0 })
  })

  test('retries that a task asked for', () => {
    const history = historyOf(
      { runs: [{ how: 'threw' }, { how: 'threw', pid: other }, { how: 'returned' }] },
      { runs: [{ how: 'threw' }, { how: 'threw' }] },
    )

    const { counts, violations } = checkHistory(history)

    expect(violations).toEqual([])
    expect(counts).toMatchObject({ askedRetries: 3, extraStarts: 0, failed: 1 })
  })

  test('a retry after a time limit, which leaves no last act', () => {
    expect(broken(historyOf({ runs: [{ how: 'silent', outcome: 'failed' }, { how: 'returned' }] }))).toEqual(
      [],
    )
  })

  test('a second start after its worker was killed', () => {
    const history = historyOf({
      runs: [
        { how: 'silent', outcome: 'lost' },
        { how: 'returned', pid: other },
      ],
    })
    history.faults.push(kill(one, 30))

    const { counts, violations } = checkHistory(history)

    expect(violations).toEqual([])
    expect(counts).toMatchObject({ extraStarts: 1, disturbedAttempts: 1, 'kill worker': 1 })
    expect(counts).toMatchObject({ 'kill to next start, measured': 1, 'kill to next start, p99 ms': 980 })
  })

  test('a second start of what had returned, and was not settled yet when its worker was killed', () => {
    const history = historyOf({
      runs: [
        { how: 'returned', outcome: 'lost' },
        { how: 'returned', pid: other },
      ],
    })
    history.faults.push(kill(one, 62))

    expect(broken(history)).toEqual([])
  })

  test('a second start after a cut of all connections, felt until a while after it', () => {
    const history = historyOf({
      runs: [
        { how: 'silent', outcome: 'lost', at: 4000 },
        { how: 'returned', pid: other, at: 9000 },
      ],
    })
    history.faults.push({ at: 1000, until: 3000, kind: 'cut', target: 'network' })

    expect(broken(history, { recoveryMs: 500 })).toEqual(['I5'])
    // Near enough to be a reason for this job, but not for the figure of the whole run.
    expect(checkHistory(history).violations).toMatchObject([{ rule: 'I5', id: null }])
    history.faults.push({ at: 4500, until: 4600, kind: 'cut', target: 'network' })
    expect(broken(history)).toEqual([])
  })

  test('an end that an operator had begun anew', () => {
    const history = historyOf({ runs: [{ how: 'threw' }, { how: 'returned' }], seen: true })
    const id = 'job-0'
    history.client.splice(-3, 3)
    history.client.push(
      { at: 100, kind: 'seen', id, state: 'failed' },
      { at: 200, kind: 'retried', id },
      { at: 300, kind: 'seen', id, state: 'queued' },
      { at: 2000, kind: 'seen', id, state: 'succeeded' },
    )

    expect(broken(history)).toEqual([])
  })

  test('a cancel before the start, one that came too late, and one of a running job', () => {
    const history = historyOf(
      { runs: [], state: 'cancelled', cancelled: 'cancelled', seen: true },
      { cancelled: 'cancelling', runs: [{ how: 'threw' }], state: 'cancelled', seen: true },
    )
    tell(history, 2)
    history.client.push({ at: 500, kind: 'cancelled', id: 'job-2', answer: 'finished' })
    // A request that was answered while the job's end was under way.
    history.client = history.client.filter((event) => event.kind !== 'seen' || event.state !== 'queued')

    expect(broken(history)).toEqual([])
  })

  test('a wish that was answered at the third time, and one that never was', () => {
    const history = historyOf({})
    const wish = { key: 'key-0', task: 'work.quick' }
    history.client.unshift(
      { at: 0, kind: 'asked', ...wish },
      { at: 1, kind: 'unsure', key: 'key-0', status: 503 },
      { at: 2, kind: 'asked', ...wish },
      { at: 3, kind: 'refused', key: 'key-0', status: 429 },
    )
    history.client.push(
      { at: 9, kind: 'asked', key: 'never', task: 'work.quick' },
      { at: 9, kind: 'unsure', key: 'never' },
    )

    expect(broken(history)).toEqual([])
    expect(checkHistory(history).counts).toMatchObject({ asked: 2, accepted: 1, unsure: 1 })
  })

  test('a job whose client died before it noted the answer, after an earlier refusal', () => {
    const history = historyOf({})
    history.client = [
      { at: 0, kind: 'asked', key: 'key-0', task: 'work.quick' },
      { at: 1, kind: 'refused', key: 'key-0', status: 429 },
      { at: 2, kind: 'asked', key: 'key-0', task: 'work.quick' },
    ]

    expect(broken(history)).toEqual([])
  })

  test('an attempt that was claimed before a pause, and began after it', () => {
    const history = historyOf({
      runs: [{ how: 'returned', pid: other }],
    })
    const late = { id: 'job-0', attempt: 1, pid: one, key: 'key-0', ok: null }
    history.effects.push({ ...late, at: 70_010, kind: 'start' })
    history.faults.push({ at: 5, until: 70_000, kind: 'pause', target: 'worker', pid: one })

    const { counts, violations } = checkHistory(history)

    expect(violations).toEqual([])
    expect(counts).toMatchObject({ startsAfterEnd: 0, startsAfterEndPaused: 1 })
  })

  test('a job that gave up its workers until it was given up itself', () => {
    const runs = [other, one, other].map((pid) => ({ how: 'silent', outcome: 'lost', pid }) as const)
    const history = historyOf({ runs, errorName: 'WorkerLostError' })
    history.faults.push(kill(other, 40), kill(one, 1040), kill(other, 2040))

    expect(broken(history)).toEqual([])
  })

  test('a job that is due after the run', () => {
    const history = historyOf({ wish: { later: true }, runs: [], state: 'scheduled' })
    bend(history, 'job-0', { finishedAt: null })

    expect(broken(history)).toEqual([])
  })
})

describe('every job ends (I1)', () => {
  test('a lost job', () => {
    const history = historyOf({}, { seen: true })
    history.jobs.pop()

    expect(broken(history)).toEqual(['I1'])
    expect(checkHistory(history).counts).toMatchObject({ lost: 1 })
  })

  test('a job without an end', () => {
    const history = historyOf({}, {})
    bend(history, 'job-1', { state: 'running', finishedAt: null, result: null })

    expect(broken(history)).toEqual(['I1'])
    expect(checkHistory(history).counts).toMatchObject({ withoutEnd: 1 })
  })

  test('an unsure job without an end', () => {
    const history = historyOf({})
    history.client = [
      { at: 0, kind: 'asked', key: 'key-0', task: 'work.quick' },
      { at: 1, kind: 'unsure', key: 'key-0' },
    ]
    bend(history, 'job-0', { state: 'queued', finishedAt: null, result: null })

    expect(broken(history)).toEqual(['I1'])
  })

  test('an end that the job must not reach', () => {
    expect(broken(historyOf({ wish: { ends: ['succeeded'] }, runs: [{ how: 'threw' }] }))).toEqual(['I1'])
  })

  test('an accepted job that could not be found', () => {
    const history = historyOf({})
    history.client.push({ at: 90, kind: 'seen', id: 'job-0', state: 'missing' })

    expect(broken(history)).toEqual(['I1'])
  })

  test('an end that came too late after the last fault', () => {
    const history = historyOf({ runs: [{ how: 'returned', at: 200_000 }] })
    history.faults.push({ at: 10, until: 20, kind: 'wipe', target: 'redis' })

    expect(broken(history)).toEqual(['I1'])
    bend(history, 'job-0', { runAt: 199_000 })
    expect(broken(history)).toEqual([])
  })
})

describe('one wish makes at most one job (I2)', () => {
  test('a refused wish that ran', () => {
    const history = historyOf({})
    history.client = [
      { at: 0, kind: 'asked', key: 'key-0', task: 'work.quick' },
      { at: 1, kind: 'refused', key: 'key-0', status: 400 },
    ]

    expect(broken(history)).toEqual(['I2'])
    history.jobs = []
    expect(broken(history)).toEqual(['I2'])
    history.effects = []
    expect(broken(history)).toEqual([])
  })

  test('an unsure wish that became two jobs', () => {
    const history = historyOf({}, {})
    history.client = [
      { at: 0, kind: 'asked', key: 'key-0', task: 'work.quick' },
      { at: 1, kind: 'unsure', key: 'key-0', status: 503 },
      { at: 2, kind: 'asked', key: 'key-0', task: 'work.quick' },
      { at: 3, kind: 'accepted', key: 'key-0', id: 'job-0' },
    ]
    bend(history, 'job-1', { key: 'key-0' })

    expect(broken(history)).toEqual(['I2'])
  })

  test('a wish that was answered with two ids', () => {
    const history = historyOf({}, {})
    history.client = history.client.map((event) => ('key' in event ? { ...event, key: 'key-0' } : event))
    bend(history, 'job-1', { key: 'key-0' })

    expect(broken(history)).toEqual(['I2'])
  })

  test('a transaction that was rolled back, and left a job or an effect', () => {
    const history = historyOf({})
    history.client = [
      { at: 0, kind: 'asked', key: 'key-0', task: 'work.quick' },
      { at: 1, kind: 'rolledback', key: 'key-0', id: 'job-0' },
    ]

    expect(broken(history)).toEqual(['I2'])
    history.jobs = []
    expect(broken(history)).toEqual(['I2'])
    history.effects = history.effects.map((effect) => ({ ...effect, key: null }))
    expect(broken(history)).toEqual(['I2'])
    history.effects = []
    expect(broken(history)).toEqual([])
  })

  test('a row that nobody asked for', () => {
    const history = historyOf({})
    history.client = []

    expect(broken(history)).toEqual(['I2'])
  })

  test('an effect of a job that never was', () => {
    const history = historyOf({})
    history.effects.push({ at: 5, kind: 'start', id: 'nobody', attempt: 1, pid: one, key: null, ok: null })

    expect(broken(history)).toEqual(['I2'])
  })
})

describe('nothing starts after an end (I3)', () => {
  test('a reordered end', () => {
    const history = historyOf({ runs: [{ how: 'returned', at: 5000 }] })
    bend(history, 'job-0', { finishedAt: 1000 })

    expect(broken(history)).toEqual(['I3'])
    expect(checkHistory(history).counts).toMatchObject({ startsAfterEnd: 1 })
  })

  test('one more start after the end, even when a fault would explain it', () => {
    const history = historyOf({})
    history.effects.push({
      at: 3000,
      kind: 'start',
      id: 'job-0',
      attempt: 2,
      pid: other,
      key: 'key-0',
      ok: null,
    })
    history.faults.push(kill(one, 30))

    expect(broken(history)).toEqual(['I3'])
  })

  test('a start of a process that had been awake for long', () => {
    const history = historyOf({ runs: [{ how: 'returned', pid: other }] })
    const late = { id: 'job-0', attempt: 1, pid: one, key: 'key-0', ok: null }
    history.effects.push({ ...late, at: 70_010, kind: 'start' })
    history.faults.push({ at: 5, until: 8000, kind: 'pause', target: 'worker', pid: one })

    expect(broken(history)).toEqual(['I3'])
  })
})

describe('a row is what its last attempt did (I4)', () => {
  const lostThenDone = () => {
    const history = historyOf({
      runs: [
        { how: 'returned', outcome: 'lost' },
        { how: 'returned', pid: other },
      ],
    })
    history.faults.push(kill(one, 62))
    return history
  }

  test.each([
    ['the result of an earlier attempt', { result: JSON.stringify({ attempt: 1, pid: one }) }],
    ["another process's result", { result: JSON.stringify({ attempt: 2, pid: one }) }],
    ['no result', { result: null }],
    ['a result that is not JSON', { result: '{' }],
    ["an earlier attempt's number", { attempt: 1 }],
    ["an earlier attempt's worker", { worker: workerOf(one) }],
    ['no worker', { worker: null }],
    [
      "an earlier attempt's result, number and worker",
      {
        attempt: 1,
        worker: workerOf(one),
        result: JSON.stringify({ attempt: 1, pid: one }),
      },
    ],
    [
      'an attempt that never was',
      {
        attempt: 3,
        result: JSON.stringify({ attempt: 3, pid: other }),
      },
    ],
  ])('%s', (_, changes) => {
    const history = lostThenDone()
    expect(broken(history)).toEqual([])

    bend(history, 'job-0', changes)

    expect(broken(history)).toEqual(['I4'])
  })

  test('an attempt that succeeded before its task was done', () => {
    const history = historyOf({})
    history.effects = history.effects.filter((effect) => effect.kind !== 'finish')

    expect(broken(history)).toEqual(['I4'])
  })

  test('a failure of an attempt whose task returned', () => {
    const history = historyOf({})
    bend(history, 'job-0', { state: 'failed', result: null, errorName: 'Error' })

    expect(broken(history)).toEqual(['I4'])
    bend(history, 'job-0', { errorName: 'TimeLimitError' })
    expect(broken(history)).toEqual([])
  })
})

describe('nothing starts again without a reason (I5)', () => {
  const twice = () =>
    historyOf({
      runs: [
        { how: 'silent', outcome: 'lost' },
        { how: 'returned', pid: other },
      ],
    })

  test('a second start without a fault', () => {
    const history = twice()

    expect(broken(history)).toEqual(['I5'])
    expect(checkHistory(history).counts).toMatchObject({ extraStarts: 1, disturbedAttempts: 0 })
  })

  test.each([
    ['a kill of another worker', kill(other, 30)],
    ['a kill before it began', kill(one, 5)],
    ['a kill after the second start', kill(one, 1900)],
    ['a kill of a web process', { at: 30, kind: 'kill', target: 'web', pid: 7 }],
    ['a wipe', { at: 30, kind: 'wipe', target: 'redis' }],
    ['a slow network', { at: 0, until: 5000, kind: 'slow', target: 'network' }],
  ] as const)('%s is no reason', (_, fault) => {
    const history = twice()
    history.faults.push(fault)

    expect(broken(history)).toEqual(['I5'])
  })

  test('two starts of one attempt', () => {
    const history = historyOf({ runs: [{ how: 'threw' }, { how: 'returned' }] })
    const again = history.effects.filter(({ attempt }) => attempt === 1)
    history.effects.push(...again.map((effect) => ({ ...effect, at: effect.at + 200, pid: other })))

    expect(broken(history)).toEqual(['I5'])
  })

  test('a second start without a fault, however many others were explained', () => {
    const lost = {
      runs: [
        { how: 'silent', outcome: 'lost' },
        { how: 'returned', pid: other },
      ],
    } as const
    const history = historyOf(lost, { at: 5000 }, { at: 5000 }, { ...lost, at: 9000 })
    history.faults.push(kill(one, 30), kill(one, 5030))

    expect(checkHistory(history).counts).toMatchObject({ extraStarts: 2, disturbedAttempts: 3 })
    expect(checkHistory(history).violations).toMatchObject([{ rule: 'I5', id: 'job-3' }])
  })

  test('more starts than kills', () => {
    const history = historyOf({
      runs: [
        { how: 'silent', outcome: 'lost' },
        { how: 'silent', outcome: 'lost', pid: other },
        { how: 'returned' },
      ],
    })
    history.faults.push(kill(one, 30))

    expect(broken(history)).toEqual(['I5'])
    expect(checkHistory(history).counts).toMatchObject({ extraStarts: 2, disturbedAttempts: 1 })
  })
})

describe('one attempt commits (I6)', () => {
  const exactlyOnce = () => historyOf({ wish: { once: true } })

  test('a doubled effect', () => {
    const history = exactlyOnce()
    history.effects.push(...history.effects.filter(({ kind }) => kind === 'commit'))

    expect(broken(history)).toEqual(['I6'])
  })

  test('a missing effect', () => {
    const history = exactlyOnce()
    history.effects = history.effects.filter(({ kind }) => kind !== 'commit')

    expect(broken(history)).toEqual(['I6'])
  })

  test('an effect of an attempt that did not end the job', () => {
    const history = exactlyOnce()
    history.effects = history.effects.map((effect) =>
      effect.kind === 'commit' ? { ...effect, pid: other } : effect,
    )

    expect(broken(history)).toEqual(['I6'])
  })

  test('an effect without the end', () => {
    const history = historyOf({ wish: { once: true }, runs: [{ how: 'threw' }] })
    const { id, key } = rowOf(history, 'job-0')
    history.effects.push({ at: 60, kind: 'commit', id, key, attempt: 1, pid: one, ok: null })

    expect(broken(history)).toEqual(['I6'])
  })

  test('an attempt that failed, and then succeeded', () => {
    const history = historyOf({})
    bend(history, 'job-0', { attempts: [{ number: 1, worker: workerOf(one), outcome: 'failed' }] })

    expect(broken(history)).toEqual(['I6'])
  })

  test('an attempt that failed twice', () => {
    const history = historyOf({ runs: [{ how: 'threw' }, { how: 'returned' }] })
    const { attempts } = rowOf(history, 'job-0')
    bend(history, 'job-0', { attempts: [...attempts, ...attempts] })

    expect(broken(history)).toEqual(['I6'])
  })
})

describe('an end that was seen stays (I7)', () => {
  test.each([
    ['a status that goes back', 'running'],
    ['another end', 'failed'],
  ] as const)('%s', (_, state) => {
    const history = historyOf({ seen: true })
    history.client.splice(-1, 0, { at: 80, kind: 'seen', id: 'job-0', state })

    expect(broken(history)).toEqual(['I7'])
  })

  test('an end that the row does not have', () => {
    const history = historyOf({})
    history.client.push({ at: 80, kind: 'seen', id: 'job-0', state: 'failed' })

    expect(broken(history)).toEqual(['I7'])
  })

  test('a job that was cancelled, and succeeded', () => {
    const history = historyOf({ cancelled: 'cancelled' })

    expect(broken(history)).toEqual(['I7'])
  })

  test('a job that had ended when it was cancelled, and was running after that', () => {
    const history = historyOf({})
    history.client.push(
      { at: 80, kind: 'cancelled', id: 'job-0', answer: 'finished' },
      { at: 90, kind: 'seen', id: 'job-0', state: 'running' },
    )

    expect(broken(history)).toEqual(['I7'])
  })
})

test('a job that was seen ended, and running when it was cancelled after that (I7)', () => {
  const history = historyOf({ seen: true })
  history.client.push({ at: 80, kind: 'cancelled', id: 'job-0', answer: 'cancelling' })

  expect(broken(history)).toEqual(['I7'])
})

describe('times (I9, I10)', () => {
  test('a job that waited too long after a kill', () => {
    const history = historyOf({
      runs: [
        { how: 'silent', outcome: 'lost' },
        { how: 'returned', pid: other, at: 30_000 },
      ],
    })
    history.faults.push(kill(one, 30))

    expect(broken(history)).toEqual([])
    expect(broken(history, { killRecoveryMs: 15_000 })).toEqual(['I9'])
    history.faults.push({ at: 1000, until: 9000, kind: 'kill', target: 'postgres' })
    expect(broken(history, { killRecoveryMs: 15_000 })).toEqual([])
    expect(checkHistory(history).counts).toMatchObject({ 'kill to next start, hindered': 1 })
  })

  test('an answer that came late', () => {
    const history = historyOf({})

    expect(broken(history, { answerWithinMs: 2000 })).toEqual([])
    history.client.push({ at: 90, kind: 'seen', id: 'job-0', state: 'succeeded', tookMs: 2500 })
    expect(broken(history, { answerWithinMs: 2000 })).toEqual(['I10'])
  })
})

describe('an id is one job (I12)', () => {
  test('an id that answered two wishes', () => {
    const history = historyOf({})
    history.client.push(
      { at: 70, kind: 'asked', key: 'key-9', task: 'work.quick' },
      { at: 75, kind: 'accepted', key: 'key-9', id: 'job-0' },
    )

    expect(broken(history)).toEqual(['I12'])
  })

  test("an id whose row is another wish's", () => {
    const history = historyOf({}, {})
    history.jobs.pop()
    bend(history, 'job-0', { key: 'key-1' })
    history.effects = history.effects.filter(({ id }) => id !== 'job-1')
    history.client = history.client.filter((event) => !('id' in event) || event.id !== 'job-1')

    expect(broken(history)).toEqual(['I12'])
  })

  test('an id that two rows have', () => {
    const history = historyOf({})
    history.jobs.push(rowOf(history, 'job-0'))

    expect(broken(history)).toEqual(['I12'])
  })

  test('a row of another task', () => {
    const history = historyOf({})
    bend(history, 'job-0', { task: 'work.slow' })

    expect(broken(history)).toEqual(['I12'])
  })
})
