import { describe, expect, test } from 'vitest'
import { failingTasks, latelySpans, toAttention } from '../../src/control/attention.js'
import type { ClusterProblem, WorkerStatus } from '../../src/control/status.js'
import { noTally } from '../../src/job/tally.js'
import type { NamedTally } from '../../src/store/store.js'

type Counts = readonly [succeeded: number, failed: number, retried: number]

function tallyOf([succeeded, failed, retried]: Counts, name = 'mail.send'): NamedTally {
  return { ...noTally, name, succeeded, failed, retried }
}

test('the last 15 minutes are held against 24 whole hours before them', () => {
  const spans = latelySpans(new Date('2026-11-29T14:00:00Z'))

  expect(spans.recent).toEqual({
    from: new Date('2026-11-29T13:45:00Z'),
    to: new Date('2026-11-29T14:00:00Z'),
  })
  expect(spans.before).toEqual({
    from: new Date('2026-11-28T13:00:00Z'),
    to: new Date('2026-11-29T13:00:00Z'),
  })
})

describe('a task', () => {
  test.each<[string, Counts, Counts | undefined, boolean]>([
    ['that fails and did not', [20, 10, 0], [5000, 10, 0], true],
    ['whose attempts fail, though its jobs may succeed yet', [20, 0, 10], [5000, 0, 10], true],
    ['that fails and is new', [0, 5, 0], undefined, true],
    ['that fails and had nothing to do before', [0, 2, 3], [0, 0, 0], true],
    ['of which too few failed to tell', [0, 4, 0], [5000, 0, 0], false],
    ['of which hardly any failed', [951, 49, 0], [5000, 0, 0], false],
    ['of which a tenth failed', [90, 10, 0], [5000, 0, 0], true],
    ['that fails more than three times as often', [69, 31, 0], [90, 10, 0], true],
    ['that fails twice as often', [80, 20, 0], [90, 10, 0], false],
    ['that fails as it always does', [0, 50, 50], [0, 500, 500], false],
    ['that is well', [5000, 0, 0], [5000, 0, 0], false],
    ['that did nothing', [0, 0, 0], [5000, 100, 0], false],
  ])('%s', (_, recent, before, isTold) => {
    const problems = failingTasks({ recent: [tallyOf(recent)], before: before ? [tallyOf(before)] : [] })

    expect(problems.map(({ code, task }) => [code, task])).toEqual(
      isTold ? [['task-failing', 'mail.send']] : [],
    )
  })

  test('is told with its numbers, and with what to do', () => {
    const recent = [tallyOf([30, 4, 6]), tallyOf([0, 20, 0], 'new.one')]
    const [second, first] = [...failingTasks({ recent, before: [tallyOf([995, 5, 0])] })].reverse()

    expect(first?.message).toBe(
      'Task new.one began to fail: in the last 15 minutes 20 of 20 attempts failed, 100 %; it had not run the day before.',
    )
    expect(second?.message).toBe(
      'Task mail.send began to fail: in the last 15 minutes 10 of 40 attempts failed, 25 %; 0.5 % in the day before.',
    )
    expect(second?.cure).toContain('npx celeriac jobs list --task mail.send --state failed,retrying')
    expect(second?.cure).toContain('npx celeriac jobs retry --task mail.send --state failed')
  })
})

test('what is most urgent comes first', () => {
  const problem = (code: ClusterProblem['code']): ClusterProblem => ({ code, message: '', cure: '' })
  const lost: WorkerStatus = {
    ...{ id: '1', name: 'w@a', host: 'a', pid: 7, state: 'lost', queues: [], concurrency: 1, running: null },
    ...{ startedAt: new Date(0), seenMs: 60_000, reportedMs: null },
  }
  const attention = toAttention(
    {
      problems: ['worker-silent', 'queue-unserved', 'broker-away'].map((code) =>
        problem(code as 'broker-away'),
      ),
      workers: [lost],
    },
    { recent: [tallyOf([0, 9, 0])], before: [] },
  )

  expect(attention.map(({ code }) => code)).toEqual([
    ...['broker-away', 'queue-unserved', 'worker-silent', 'worker-lost', 'task-failing'],
  ])
  expect(attention[3]).toMatchObject({ worker: 'w@a', message: expect.stringContaining('was lost') })
})

test('where all is well there is nothing to see to', () => {
  expect(toAttention({ problems: [], workers: [] }, { recent: [tallyOf([9, 0, 0])], before: [] })).toEqual([])
})
