import { describe, expect, test } from 'vitest'
import { parseQuery } from '../../../src/job/query/parse.js'
import { fixMoments, type QueryTree } from '../../../src/job/query/query.js'

const treeOf = (text: string) => {
  const parsed = parseQuery(text)
  if ('fault' in parsed) throw new Error(parsed.fault.message)
  return parsed.tree
}

const faultOf = (text: string) => {
  const parsed = parseQuery(text)
  if ('fault' in parsed) return parsed.fault
  throw new Error(`It was read as ${JSON.stringify(parsed.tree)}`)
}

const failed = { kind: 'state', among: ['failed'] } as const
const word = (text: string) => ({ kind: 'text', in: 'any', text }) as const
const named = (field: string, ...among: unknown[]) => ({ kind: 'name', field, among })
const and = (...of: object[]) => ({ kind: 'and', of })
const or = (...of: object[]) => ({ kind: 'or', of })
const not = (of: object) => ({ kind: 'not', of })
const id = '01987a3c-5d1e-7b60-8f11-2c9d6e4ab001'

describe('a query', () => {
  test.each<[text: string, tree: object | null]>([
    ['', null],
    ['  \n ', null],
    ['timeout', word('timeout')],
    ['"socket hang up"', word('socket hang up')],
    ['100*', word('100*')],
    ['"a \\"b\\" \\\\ \\n"', word('a "b" \\ \\n')],
    ['state:failed', failed],
    ['STATE : Failed', failed],
    ['is:failed,FAILED', failed],
    ['state:failure,revoked', { kind: 'state', among: ['failed', 'cancelled'] }],
    ['state:ended', { kind: 'state', among: ['succeeded', 'failed', 'cancelled', 'expired'] }],
    ['task:mail.send', named('task', 'mail.send')],
    ['name:mail.*', named('task', { like: ['mail.', ''] })],
    ['task:"mail.\\*"', named('task', 'mail.*')],
    ['task:a**b', named('task', { like: ['a', 'b'] })],
    ['queue:mail, slow', named('queue', 'mail', 'slow')],
    ['tag:"a b",c', named('tag', 'a b', 'c')],
    ['worker:mail@one', named('worker', 'mail@one')],
    ['owner:none', { kind: 'none', field: 'owner' }],
    ['owner:"none"', named('owner', 'none')],
    ['owner:*', not({ kind: 'none', field: 'owner' })],
    ['error:*', not({ kind: 'none', field: 'error' })],
    ['error.name:TypeError', named('error.name', 'TypeError')],
    ['exception.name:TypeError', named('error.name', 'TypeError')],
    [
      'error.code:E1',
      { kind: 'path', in: 'error', path: ['code'], is: '=', value: { text: 'E1', isText: false } },
    ],
    ['payload:"Ann Lee"', { kind: 'text', in: 'payload', text: 'Ann Lee' }],
    ['args:Ann', { kind: 'text', in: 'payload', text: 'Ann' }],
    [
      'payload.customer.id:42',
      {
        kind: 'path',
        in: 'payload',
        path: ['customer', 'id'],
        is: '=',
        value: { text: '42', isText: false },
      },
    ],
    [
      'result.items[0]."odd name"[*] >= "b"',
      {
        kind: 'path',
        in: 'result',
        path: ['items', 0, 'odd name', null],
        is: '>=',
        value: { text: 'b', isText: true },
      },
    ],
    ['kwargs:to=ann*', { kind: 'path', in: 'payload', path: ['to'], is: '=', value: { like: ['ann', ''] } }],
    [`id:${id.toUpperCase()}`, { kind: 'id', field: 'id', among: [id] }],
    [id, { kind: 'id', field: 'id', among: [id] }],
    [`"${id}"`, word(id)],
    ['parent:none', { kind: 'none', field: 'parent' }],
    ['attempts>=3', { kind: 'number', field: 'attempts', is: '>=', value: 3 }],
    ['priority < 5', { kind: 'number', field: 'priority', is: '<', value: 5 }],
    ['duration>1.5m', { kind: 'duration', field: 'duration', is: '>', ms: 90_000 }],
    ['wait>5m', { kind: 'duration', field: 'wait', is: '>', ms: 300_000 }],
    ['created>1h', { kind: 'time', field: 'created', is: '>', moment: { agoMs: 3_600_000 } }],
    ['created:1h', { kind: 'time', field: 'created', is: '>=', moment: { agoMs: 3_600_000 } }],
    ['due<+1h', { kind: 'time', field: 'due', is: '<', moment: { agoMs: -3_600_000 } }],
    ['started<now', { kind: 'time', field: 'started', is: '<', moment: { agoMs: 0 } }],
    [
      'ended<2026-11-01',
      { kind: 'time', field: 'ended', is: '<', moment: { at: '2026-11-01T00:00:00.000Z' } },
    ],
    [
      'ended<=2026-11-01',
      { kind: 'time', field: 'ended', is: '<', moment: { at: '2026-11-02T00:00:00.000Z' } },
    ],
    [
      'ended>2026-11-01',
      { kind: 'time', field: 'ended', is: '>=', moment: { at: '2026-11-02T00:00:00.000Z' } },
    ],
    [
      'ended>"2026-11-01 10:00+02:00"',
      { kind: 'time', field: 'ended', is: '>', moment: { at: '2026-11-01T08:00:00.000Z' } },
    ],
  ])('%s', (text, tree) => {
    expect(treeOf(text)).toEqual(tree)
  })

  test.each<[text: string, tree: object]>([
    ['a b', and(word('a'), word('b'))],
    ['a AND b', and(word('a'), word('b'))],
    ['a b or c and d', or(and(word('a'), word('b')), and(word('c'), word('d')))],
    ['a (b or c)', and(word('a'), or(word('b'), word('c')))],
    ['a (b (c d))', and(word('a'), word('b'), word('c'), word('d'))],
    ['-a', not(word('a'))],
    ['not a b', and(not(word('a')), word('b'))],
    ['-(a or b)', not(or(word('a'), word('b')))],
    ['not -a', word('a')],
    ['-state:failed', not(failed)],
    ['state!=failed', not(failed)],
    ['"and" a', and(word('and'), word('a'))],
    ['a-b', word('a-b')],
    ['attempts:1,2', or(...[1, 2].map((value) => ({ kind: 'number', field: 'attempts', is: '=', value })))],
    ['owner:none,42', or(named('owner', '42'), { kind: 'none', field: 'owner' })],
  ])('%s: what binds closer', (text, tree) => {
    expect(treeOf(text)).toEqual(tree)
  })
})

describe('a query that makes no sense says what was expected, what came, where, and what to do', () => {
  test.each<[text: string, from: number, to: number, message: string]>([
    ['stat:failed', 0, 4, 'There is no field "stat", at character 1. Did you mean "state"?'],
    ['TypeError: no', 0, 9, 'To look for the text itself, put it into quotes: "TypeError: no"'],
    ['state:faild', 6, 11, '"faild", at character 7, is no state. Did you mean "failed"?'],
    ['a state:', 2, 8, 'Expected a value after "state:", at character 9, and the query ends there.'],
    ['state:(failed)', 0, 7, 'Expected a value after "state:", at character 7, and "(" came.'],
    ['queue:a,', 0, 8, 'Expected a value after "queue:a,", at character 9'],
    ['state>failed', 5, 6, '"state" has no order, so it takes ":" or "!=", and ">" came, at character 6.'],
    ['attempts>x', 9, 10, '"attempts" is compared with a whole number, as attempts>=3. "x", at character 10'],
    ['duration>30', 9, 11, '"duration" is compared with a duration, as duration>30s.'],
    ['duration:30s', 9, 12, 'Write duration>30s or duration<30s.'],
    ['created<soon', 8, 12, '"created" is compared with a moment, as created>1h (within the last hour)'],
    ['created>2026-02-30', 8, 18, '"2026-02-30", at character 9, is none.'],
    ['id:01987a3c', 3, 11, 'is a part of an id. Write all of it'],
    ['id:x', 3, 4, '"x", at character 4, is no id of a job.'],
    ['(a', 0, 1, 'The parenthesis at character 1 is never closed.'],
    ['a)', 1, 2, '")", at character 2, closes nothing.'],
    ['()', 0, 2, 'There is nothing in the parentheses at character 1.'],
    ['"abc', 0, 4, 'The quote at character 1 is never closed.'],
    ['state:"abc', 6, 10, 'The quote at character 7 is never closed.'],
    ['a or', 4, 4, 'Expected a term after "or", at character 5, and the query ends there.'],
    ['or', 0, 2, 'Expected a term, at character 1, and "or" came.'],
    ['- a', 0, 1, 'Write - right before what is to be left out'],
    ['a && b', 2, 4, '"&&", at character 3, joins nothing. Write and.'],
    ['foo(bar)', 0, 4, 'Expected a space at character 4, and "(" came.'],
    ['<3', 0, 1, 'Expected a field before "<", at character 1'],
    ['""', 0, 2, 'Expected text between the quotes at character 1'],
    ['*', 0, 1, 'alone means every job'],
    ['task.x:1', 0, 6, '"task" has no parts'],
    ['payload.:x', 0, 8, '"payload.", at character 1, is no path.'],
    ['error.nam:x', 0, 9, 'Errors have no "nam", at character 1. Did you mean "name"?'],
    ['payload.a>5*', 10, 12, 'Nothing is less or greater than a text with "*"'],
    ['a\0b', 1, 2, 'The character at character 2 is none that a text has.'],
    ['x'.repeat(2001), 2000, 2001, 'A query may have 2,000 characters, and this one has 2,001.'],
    [`${'('.repeat(21)}a`, 20, 21, 'More than 20 parentheses and "not" within each other, at character 21.'],
    ['a '.repeat(101), 200, 201, 'A query may have 100 terms and values'],
    [`queue:${'a,'.repeat(101)}a`, 206, 207, 'A query may have 100 terms and values'],
  ])('%s', (text, from, to, message) => {
    const fault = faultOf(text)

    expect(fault.message).toContain(message)
    expect(fault).toMatchObject({ from, to })
  })
})

test('moments are fixed when the query is asked', () => {
  const now = new Date('2026-11-22T10:00:00Z')
  const tree: QueryTree | null = treeOf('-created>1h or due<+1d a')

  expect(tree && fixMoments(tree, now)).toEqual(
    or(
      not({ kind: 'time', field: 'created', is: '>', moment: { at: '2026-11-22T09:00:00.000Z' } }),
      and({ kind: 'time', field: 'due', is: '<', moment: { at: '2026-11-23T10:00:00.000Z' } }, word('a')),
    ),
  )
})

/** Row S33 of the list of attacks: nobody keeps a process busy with a text. */
describe('hostile text of 50 KB is refused at once, and what is as long as it may be is read at once', () => {
  const parts = [
    '(',
    ')',
    '"',
    '\\',
    '"\\',
    '*',
    'a*',
    '-',
    'not ',
    'a or ',
    'state:',
    ',',
    'queue:a,',
    '[0',
    'payload.',
    'payload."',
    '.',
    '>',
    '!=',
    ' ',
    '\u0000',
    '\ud800',
    '0',
    '1h,',
    'created>9',
  ]

  test.each(parts)('%j', (part) => {
    for (const length of [50_000, 2000])
      for (const before of ['', 'payload', 'id:', 'created>', '"']) {
        const text = (before + part.repeat(length)).slice(0, length)
        // The quickest of three: others have the processor, too.
        const took = [1, 2, 3].map(() => {
          const begun = performance.now()
          parseQuery(text)
          return performance.now() - begun
        })

        expect(Math.min(...took)).toBeLessThan(50)
      }
  })
})
