import { describe, expect, test } from 'vitest'
import { verbs } from '../../../../../src/control/verbs.js'
import type { Operation } from '../../../../../src/dashboard/api/contract.js'
import type { Json } from '../../../../../src/dashboard/web/api/json.js'
import { auditVerbs, sentenceOf, sentenceText } from '../../../../../src/dashboard/web/page/audit/tell.js'
import { bulkStates } from '../../../../../src/job/filter.js'

const id = '01a227b2-d64c-74fb-9a7a-5fec95782ebf'

function line(
  verb: string,
  args: unknown,
  affected: number | null,
  operation: Json<Operation> | null = null,
  outcome: unknown = null,
) {
  return { verb, args, affected, operation, outcome }
}

function operation(done: number): Json<Operation> {
  return {
    state: 'done',
    done,
    matched: done,
    isMore: false,
    counts: {},
    movedAt: '2030-01-31T08:00:00Z',
    rate: null,
    endedAt: null,
    stoppedBy: null,
    error: null,
  }
}

const asked = (...names: readonly (string | null)[]) =>
  names.map((name, at) => ({ id: `0000000${at}-aaaa-7000-8000-00000000000${at}`, name }))

describe('a line names', () => {
  const told = (affected: number, ...names: readonly (string | null)[]) =>
    sentenceOf({ ...line('shutdown', {}, affected), asked: asked(...names) })

  test('the workers, each with its page, up to three of them', () => {
    expect(told(1, 'mail@one')).toEqual([
      'told worker ',
      { text: 'mail@one', to: `/workers/${asked('mail@one')[0]?.id}` },
      ' to shut down',
    ])
    const words = (...args: Parameters<typeof told>) =>
      told(...args)
        .map((part) => (typeof part === 'string' ? part : part.text))
        .join('')
    expect(words(2, 'a', null)).toBe('told workers a and 00000001 to shut down')
    expect(words(3, 'a', 'b', 'c')).toBe('told workers a, b and c to shut down')
    expect(words(1203, 'a', 'b', 'c')).toBe('told workers a, b, c and 1,200 more to shut down')
    expect(words(0)).toBe('told 0 workers to shut down')
  })

  test('two or three jobs by the ends of their ids', () => {
    const ids = [id, id.replace(/ebf$/, 'ebe')]
    expect(sentenceText(line('delete', { ids }, 2))).toBe('deleted jobs 95782ebf and 95782ebe')
    expect(sentenceText(line('delete', { ids }, 1))).toBe('deleted 1 of 2 jobs')
  })
})

/** What is said of a verb, by its arguments. */
const table: Readonly<
  Record<string, readonly (readonly [args: object, affected: number | null, said: string])[]>
> = {
  ping: [[{}, 2, 'asked 2 workers whether they are there']],
  shutdown: [
    [{ now: false }, 1, 'told one worker to shut down'],
    [{ now: true }, 2, 'told 2 workers to end at once'],
  ],
  'pool-grow': [[{ by: 2 }, 1, 'grew the pool of one worker by 2']],
  'pool-shrink': [[{ by: 1 }, 3, 'shrank the pool of 3 workers by 1']],
  autoscale: [
    [{ range: { min: 2, max: 10 } }, 1, 'let one worker scale between 2 and 10 jobs at once'],
    [{ range: null }, 1, 'ended autoscaling of one worker'],
  ],
  'pool-restart': [[{}, 2, 'restarted the pool of 2 workers']],
  'queue-add': [[{ queue: 'mail' }, 1, 'let one worker serve queue mail']],
  'queue-remove': [[{ queue: 'mail' }, 2, 'took queue mail from 2 workers']],
  'log-level': [[{ level: 'debug' }, null, 'set the log level of workers to debug']],
  reset: [[{}, 1, 'took back what was set for one worker']],
  pause: [[{ queue: 'mail' }, 2, 'paused queue mail']],
  resume: [[{ queue: 'mail' }, 0, 'resumed queue mail']],
  'rate-limit': [
    [{ scope: 'task:mail.send', rateLimit: '10/s' }, 2, 'set the rate limit of task mail.send to 10/s'],
    [
      { scope: 'task:mail.send', rateLimit: { task: '10/s', key: '1/s' } },
      2,
      'set the rate limit of task mail.send to 10/s, 1/s for each key',
    ],
    [{ scope: 'queue:mail', rateLimit: null }, 2, 'lifted the rate limit of queue mail'],
    [{ scope: 'queue:a:b' }, 2, 'changed the rate limit of queue a:b'],
  ],
  concurrency: [
    [{ scope: 'queue:mail', concurrency: 3 }, 2, 'set the concurrency of queue mail to 3'],
    [{ scope: 'task:a.b', concurrency: null }, 2, 'lifted the concurrency of task a.b'],
  ],
  'limit-reset': [[{ scope: 'task:a.b' }, 2, 'took back the limits that were set for task a.b']],
  'time-limit': [
    [{ task: 'a.b', timeLimit: '30s' }, 2, 'set the time limit of task a.b to 30s'],
    [
      { task: 'a.b', timeLimit: { soft: 500, hard: '1m' } },
      2,
      'set the time limit of task a.b to 500 ms, hard 1m',
    ],
    [{ task: 'a.b', timeLimit: { hard: '1m' } }, 2, 'set the time limit of task a.b to 1m, hard'],
    [{ task: 'a.b', timeLimit: null }, 2, 'took back the time limit set for task a.b'],
  ],
  active: [[{}, 2, 'asked 2 workers what they run']],
  reserved: [[{}, 2, 'asked 2 workers what they hold']],
  registered: [[{}, 2, 'asked 2 workers which tasks they know']],
  stats: [[{}, 2, 'asked 2 workers how they are']],
  queues: [[{}, 2, 'asked 2 workers which queues they serve']],
  conf: [[{}, 2, 'asked 2 workers for their configuration']],
  report: [[{}, 2, 'asked 2 workers for a report']],
  cancel: [
    [{ ids: [id] }, 1, `cancelled job ${id}`],
    [{ ids: [id], reason: 'by hand' }, 1, `cancelled job ${id}: “by hand”`],
    [{ filter: { queue: 'mail' }, reason: 'old' }, 7, 'cancelled 7 jobs that match queue:mail: “old”'],
  ],
  retry: [
    [{ ids: [id, id] }, 2, 'retried jobs 95782ebf and 95782ebf'],
    [{ ids: [id, id], of: 500 }, 300, 'retried 300 of 500 jobs'],
    [{ filter: {} }, 9, 'retried 9 jobs, of all'],
    [
      { filter: { state: ['failed', 'expired'], task: 'mail.send' } },
      1,
      'retried one job that matches state:failed,expired task:mail.send',
    ],
  ],
  delete: [[{ filter: { owner: null } }, 3, 'deleted 3 jobs that match owner:none']],
  promote: [[{ ids: [id] }, 1, `let job ${id} run now`]],
  move: [
    [{ ids: [id], to: { queue: 'slow' } }, 1, `moved job ${id} to queue slow`],
    [
      { ids: [id, id], to: { queue: 'slow', priority: 5 } },
      2,
      'moved jobs 95782ebf and 95782ebf to queue slow and to priority 5',
    ],
  ],
}

const cases = Object.entries(table).flatMap(([verb, rows]) =>
  rows.map(([args, affected, said]) => ({ verb, args, affected, said })),
)

describe('a line of the audit as a sentence', () => {
  test.each(cases)('$verb $args', ({ verb, args, affected, said }) => {
    expect(sentenceText(line(verb, args, affected))).toBe(said)
  })

  test('there is one for every verb that workers know, and for every action on jobs', () => {
    const known = [...Object.keys(verbs), ...Object.keys(bulkStates)]
    expect(Object.keys(table)).toEqual(expect.arrayContaining(known))
    expect(auditVerbs).toEqual(expect.arrayContaining(known))
  })

  test.each([
    ['enqueue', { task: 'a.b' }, { id, created: true }, `enqueued a job of task a.b: job ${id}`],
    ['enqueue', { task: 'a.b' }, { id, created: false }, `asked for a job of task a.b and found job ${id}`],
    ['enqueue', { task: 'a.b' }, { error: 'PAYLOAD_INVALID' }, 'tried to enqueue a job of task a.b'],
    ['retry-edited', { ids: [id] }, { answer: 'retried' }, `retried job ${id} with an edited payload`],
    ['retry-edited', { ids: [id] }, { answer: 'unfit' }, `tried to retry job ${id} with an edited payload`],
    ['reveal', { ids: [id], task: 'a.b' }, null, `looked at the hidden fields of job ${id}`],
    ['export', { filter: { state: 'failed' } }, null, 'exported 7 jobs that match state:failed'],
    ['operation-stop', { operation: id }, null, 'stopped an action on many jobs'],
    ['operation-resume', { operation: id }, null, 'went on with an action on many jobs'],
    ['login', {}, null, 'logged in'],
    ['login-failed', {}, null, 'could not log in'],
    ['logout', {}, null, 'logged out'],
  ])('%s, %j, %j: %s', (verb, args, outcome, said) => {
    expect(sentenceText(line(verb, args, 7, null, outcome))).toBe(said)
  })

  test('links to what it is about', () => {
    expect(sentenceOf(line('pause', { queue: 'a/b' }, 1))).toEqual([
      'paused ',
      { text: 'queue a/b', to: '/queues/a%2Fb' },
    ])
    expect(sentenceOf(line('retry', { filter: { state: 'failed' } }, null, operation(12)))).toEqual([
      'retried 12 jobs that match ',
      { text: 'state:failed', to: expect.stringMatching(/^\/jobs\?.*state=failed/) },
    ])
  })

  test.each([
    ['a verb that this version does not know', line('teleport', { to: 'mars' }, 1), 'did "teleport"'],
    ['a name of the prototype', line('constructor', null, 1), 'did "constructor"'],
    ['arguments that are none', line('pause', null, 1), 'paused queue ?'],
    ['arguments of another shape', line('cancel', { ids: 'x', filter: 7 }, null), 'cancelled jobs, of all'],
  ])('says what it can of %s', (_, told, said) => {
    expect(sentenceText(told)).toBe(said)
  })
})
