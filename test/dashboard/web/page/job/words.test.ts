import { describe, expect, test } from 'vitest'
import { callOf } from '../../../../../src/dashboard/web/page/job/call-of.js'
import { tellBackoff, tellTimeLimit } from '../../../../../src/dashboard/web/page/job/options.js'
import { traceLink } from '../../../../../src/dashboard/web/page/job/trace.js'
import { tellWaiting } from '../../../../../src/dashboard/web/page/job/waiting-for.js'

const traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01'

test.each([
  [
    traceparent,
    'https://traces.example/t/{traceId}',
    'https://traces.example/t/4bf92f3577b34da6a3ce929d0e0e4736',
  ],
  [traceparent, 'javascript:alert("{traceId}")', undefined],
  [traceparent, 'traces/{traceId}', undefined],
  [traceparent, null, undefined],
  ['00-odd', 'https://traces.example/t/{traceId}', undefined],
  [null, 'https://traces.example/t/{traceId}', undefined],
])('the trace of %s is shown by %s at %s', (parent, url, link) => {
  expect(traceLink(parent, url)).toBe(link)
})

test.each([
  [undefined, undefined],
  [{ type: 'fixed', delayMs: 2000, maxMs: 2000, jitter: 0 }, '2.0 s each time'],
  [
    { type: 'exponential', delayMs: 1000, maxMs: 600_000, jitter: 1 },
    '1.0 s, doubled each time up to 10 min',
  ],
  [{ type: 'list', delaysMs: [1000, 10_000], maxMs: 0, jitter: 0 }, '1.0 s, 10 s'],
] as const)('the backoff %j is told as %s', (backoff, told) => {
  expect(tellBackoff(backoff)).toBe(told)
})

test.each([
  [undefined, undefined],
  [{ softMs: null, hardMs: null }, 'none'],
  [{ softMs: 60_000, hardMs: 90_000 }, 'asked to stop after 1 min, ended after 1 min 30 s'],
] as const)('the time limit %j is told as %s', (limit, told) => {
  expect(tellTimeLimit(limit)).toBe(told)
})

describe('why a job waits', () => {
  const job: Parameters<typeof tellWaiting>[0]['job'] = {
    ...{ state: 'queued', task: 'mail.send', queue: 'slow mail', priority: 0, error: null, limitKey: null },
  }
  const queue: Parameters<typeof tellWaiting>[1] = {
    ...{ isPaused: false, waiting: 3, running: 1, limits: { rateLimit: null, concurrency: null } },
  }

  test('for a worker, with the command that starts one', () => {
    expect(tellWaiting({ job, waitingFor: 'worker' }, queue)).toMatchObject({
      kind: 'warning',
      command: "npx celeriac worker -Q 'slow mail'",
    })
  })

  test('for a queue that is paused, first of all', () => {
    expect(tellWaiting({ job, waitingFor: 'worker' }, { ...queue, isPaused: true })?.title).toBe(
      'The queue "slow mail" is paused.',
    )
  })

  test('for its turn, where it has limits', () => {
    expect(tellWaiting({ job: { ...job, limitKey: '' }, waitingFor: null }, queue)?.text).toBe(
      'Its task has limits.',
    )
  })

  test('for those before it', () => {
    expect(tellWaiting({ job: { ...job, priority: 5 }, waitingFor: null }, queue)?.text).toBe(
      '2 other jobs wait in its queue, and 1 runs. Its priority is 5: smaller ones go first.',
    )
  })

  test('is not asked of one that does not', () => {
    expect(tellWaiting({ job: { ...job, state: 'running' }, waitingFor: null }, queue)).toBeUndefined()
    expect(tellWaiting({ job, waitingFor: null }, undefined)).toBeUndefined()
  })
})

describe('the call that repeats a job', () => {
  const job = {
    ...{ task: 'mail.send', payload: { to: 'a' }, queue: 'mail', priority: 0, maxAttempts: 3 },
    ...{ owner: null, tags: [] },
  }

  test('leaves out what its task says by itself', () => {
    expect(callOf(job, { queue: 'mail', priority: 0, attempts: 3 })).toEqual({
      ...{ task: 'mail.send', payload: { to: 'a' }, owner: null },
    })
  })

  test('says all where the task is not known', () => {
    expect(callOf({ ...job, priority: 2, tags: ['vip'] }, undefined)).toEqual({
      ...{ task: 'mail.send', payload: { to: 'a' }, queue: 'mail', priority: 2, attempts: 3 },
      ...{ owner: null, tags: ['vip'] },
    })
  })
})
