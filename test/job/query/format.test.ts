import fc from 'fast-check'
import { expect, test } from 'vitest'
import { formatQuery } from '../../../src/job/query/format.js'
import { parseQuery } from '../../../src/job/query/parse.js'
import { tree } from './trees.js'

test('what is written is read as the same query', () => {
  fc.assert(
    fc.property(tree, (query) => {
      const text = formatQuery(query)
      fc.pre(text.length <= 2000)

      expect(parseQuery(text)).toEqual({ tree: query })
    }),
    { numRuns: 3000 },
  )
})

test('and written once more it is the same text', () => {
  fc.assert(
    fc.property(
      fc.string({
        unit: fc.constantFrom(...'ab .*"\\,()-:=<>!1', ' or ', ' not ', 'state:failed', 'created>1h'),
      }),
      (text) => {
        const once = parseQuery(text)
        fc.pre('tree' in once)
        const written = formatQuery(once.tree)

        expect(parseQuery(written)).toEqual(once)
        expect(formatQuery(once.tree)).toBe(written)
      },
    ),
    { numRuns: 3000 },
  )
})

test.each([
  ['state:FAILED task:mail.send', 'state:failed task:mail.send'],
  ['a and b or c', '(a b) or c'],
  ['not (a or b)', 'not (a or b)'],
  ['not not a', 'a'],
  ['name:mail.* is:open', 'task:mail.* state:scheduled,queued,running,retrying'],
  ['owner:none,42', 'owner:42 or owner:none'],
  ['owner:"none"', 'owner:"none"'],
  ['created:2026-11-01', 'created>=2026-11-01 created<2026-11-02'],
  ['created>2026-11-01T10:30', 'created>2026-11-01T10:30:00Z'],
  ['runtime>90s received:1h', 'duration>90s created>=1h'],
  ['payload."odd name"[0].x:42', 'payload."odd name"[0].x:42'],
  ['kwargs:key=val', 'payload.key:val'],
  ['attempts:1,2', 'attempts:1 or attempts:2'],
])('%s is written as %s', (text, written) => {
  const parsed = parseQuery(text)

  expect('tree' in parsed && formatQuery(parsed.tree)).toBe(written)
})
