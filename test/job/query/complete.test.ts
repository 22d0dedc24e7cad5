import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { completeQuery, type QueryVocabulary } from '../../../src/job/query/complete.js'
import { describeFields } from '../../../src/job/query/fields.js'
import { parseQuery } from '../../../src/job/query/parse.js'

const vocabulary: QueryVocabulary = {
  tasks: ['mail.send', 'mail.digest', 'reports.build'],
  queues: ['default', 'mail', 'slow'],
  workers: ['mail@one'],
  tags: ['vip', 'odd tag', 'none'],
  owners: ['42'],
  errors: ['TypeError', 'RangeError'],
}

/** `|` is the caret. */
function offered(marked: string) {
  const caret = marked.indexOf('|')
  const text = marked.replace('|', '')
  return completeQuery(text, caret, vocabulary).map((each) => ({
    ...each,
    becomes: `${text.slice(0, each.from)}${each.text}${text.slice(each.to)}`,
  }))
}

const texts = (marked: string) => offered(marked).map(({ text }) => text)

describe('at the caret may stand', () => {
  test('a field, where a term begins', () => {
    for (const place of ['|', '(|', 'a and |', 'not |', '-|'])
      expect(texts(place)).toEqual(
        expect.arrayContaining(['state:', 'attempts>=', 'created>', 'payload.', 'not']),
      )
    expect(texts('|')).not.toContain('or')
    expect(texts('|')[0]).toBe('state:')
    expect(new Set(texts('|')).size).toBe(texts('|').length)
  })

  test('also what joins it to another, behind a term', () => {
    expect(texts('state:failed |')).toEqual(expect.arrayContaining(['task:', 'and', 'or', 'not']))
    expect(texts('(a) |')).toContain('or')
  })

  test('the fields that begin with the letters that are there, or have another word that does', () => {
    expect(offered('ta|')[0]).toMatchObject({
      kind: 'field',
      text: 'task:',
      from: 0,
      to: 2,
      becomes: 'task:',
    })
    expect(texts('a -runt|')).toEqual(['duration>'])
    expect(texts('kwar|')).toEqual(['payload:'])
    expect(texts('error.|')).toEqual(['error.name:', 'error.code:', 'error.message:'])
    expect(offered('a ta| b')[0]?.becomes).toBe('a task: b')
  })

  test('the operators, behind the whole name of a field', () => {
    expect(
      offered('attempts|')
        .filter(({ kind }) => kind === 'operator')
        .map(({ text }) => text),
    ).toEqual(['>=', '>', '<', '<=', ':', '!='].map((each) => `attempts${each}`))
  })

  test('the values of a field', () => {
    expect(texts('queue:|')).toEqual(['default', 'mail', 'slow'])
    expect(texts('queue: |')).toEqual(['default', 'mail', 'slow'])
    expect(texts('-task:|')).toEqual(vocabulary.tasks)
    expect(texts('worker:|')).toEqual(['mail@one', 'none'])
    expect(texts('owner:|')).toEqual(['42', 'none'])
    expect(texts('error.name:|')).toEqual(vocabulary.errors)
    expect(texts('is:wai|')).toEqual(['waiting'])
    expect(texts('created>|')).toContain('24h')
    expect(texts('runtime>|')).toContain('1m')
    expect(texts('payload:|')).toEqual([])
    expect(texts('payload.a:|')).toEqual([])
  })

  test('values that begin with the letters, then those that have them within', () => {
    expect(texts('task:ma|')).toEqual(['mail.send', 'mail.digest'])
    expect(texts('task:d|')).toEqual(['mail.digest', 'mail.send', 'reports.build'])
    expect(offered('task:ma|il state:failed')[0]?.becomes).toBe('task:mail.send state:failed')
  })

  test('a value that is not there yet, in a list', () => {
    expect(texts('queue:mail,|')).toEqual(['default', 'slow'])
    expect(texts('queue:mail, |')).toEqual(['default', 'slow'])
    expect(offered('queue:sl|,mail').map(({ becomes }) => becomes)).toEqual(['queue:slow,mail'])
  })

  test('a value in quotes, where it needs them', () => {
    expect(texts('tag:od|')).toEqual(['"odd tag"'])
    expect(offered('tag:"od|').map(({ becomes }) => becomes)).toEqual(['tag:"odd tag"'])
    expect(texts('tag:|')).toEqual(['vip', '"odd tag"', '"none"', 'none'])
  })

  test('a whole term, for a word that is the beginning of a value', () => {
    expect(texts('fail|')).toEqual(expect.arrayContaining(['failures>=', 'state:failed']))
    expect(texts('mai|')).toEqual(
      expect.arrayContaining(['task:mail.send', 'task:mail.digest', 'queue:mail', 'worker:mail@one']),
    )
  })

  test('nothing, within quotes, an operator or a number', () => {
    expect(texts('"sta|')).toEqual([])
    expect(texts('attempts>|=3')).toEqual([])
    expect(texts('attempts>3|')).toEqual([])
  })
})

test('whatever is offered makes sense where it comes', () => {
  const pieces = [
    'a',
    ' ',
    '(',
    ')',
    'or ',
    '-',
    'state',
    ':',
    'fa',
    'queue:',
    'ma',
    ',',
    '"',
    'tag:',
    'created>',
    'err',
  ]
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...pieces), { maxLength: 8 }), fc.nat(), (parts, somewhere) => {
      const text = parts.join('')
      const caret = somewhere % (text.length + 1)
      for (const { from, to, text: insert } of completeQuery(text, caret, vocabulary)) {
        expect(from).toBeLessThanOrEqual(caret)
        expect(to).toBeGreaterThanOrEqual(caret)
        const isWhole = from === 0 && to === text.length
        const needsMore = /([:=<>.]|^(not|and|or))$/.test(insert)
        if (isWhole && !needsMore) expect(parseQuery(insert)).toHaveProperty('tree')
      }
    }),
    { numRuns: 2000 },
  )
})

test('every example of a field is a query', () => {
  for (const { examples } of describeFields())
    for (const example of examples) expect(parseQuery(example)).toHaveProperty('tree')
})
