import { expect, test } from 'vitest'
import { censor } from '../../src/job/redact.js'
import { restoreHidden } from '../../src/job/restore.js'

const restore = (paths: readonly string[], edited: unknown, kept: unknown) =>
  restoreHidden(paths, 'payload', edited, kept)

test.each([
  {
    what: 'a field',
    paths: ['payload.card.number'],
    edited: { card: { number: censor, name: 'Bob' }, to: 'new' },
    kept: { card: { number: '4111', name: 'Ann' }, to: 'old' },
    value: { card: { number: '4111', name: 'Bob' }, to: 'new' },
  },
  {
    what: 'a whole object',
    paths: ['payload.card'],
    edited: { card: censor },
    kept: { card: { number: '4111' } },
    value: { card: { number: '4111' } },
  },
  {
    what: 'what was written anew',
    paths: ['payload.card.number'],
    edited: { card: { number: '4222' } },
    kept: { card: { number: '4111' } },
    value: { card: { number: '4222' } },
  },
  {
    what: 'fields of a list, by their places',
    paths: ['payload.items[*].secret'],
    edited: {
      items: [
        { secret: censor, n: 9 },
        { secret: 'c', n: 2 },
      ],
    },
    kept: {
      items: [
        { secret: 'a', n: 1 },
        { secret: 'b', n: 2 },
      ],
    },
    value: {
      items: [
        { secret: 'a', n: 9 },
        { secret: 'c', n: 2 },
      ],
    },
  },
  {
    what: 'one place of a list',
    paths: ['payload.items[1]'],
    edited: { items: [1, censor] },
    kept: { items: [1, 2] },
    value: { items: [1, 2] },
  },
  {
    what: 'all fields of an object',
    paths: ['payload.keys.*'],
    edited: { keys: { a: censor, b: 2 } },
    kept: { keys: { a: null, b: 1 } },
    value: { keys: { a: null, b: 2 } },
  },
  {
    what: 'odd names, and those of an object itself',
    paths: ['payload["odd name"].x', "payload['__proto__']"],
    edited: JSON.parse(`{ "odd name": { "x": "${censor}" }, "__proto__": "${censor}" }`) as unknown,
    kept: JSON.parse('{ "odd name": { "x": 1 }, "__proto__": 2 }') as unknown,
    value: JSON.parse('{ "odd name": { "x": 1 }, "__proto__": 2 }') as unknown,
  },
  {
    what: 'the same text where nothing is hidden',
    paths: ['payload.secret'],
    edited: { note: censor },
    kept: { note: 'x', secret: 1 },
    value: { note: censor },
  },
  {
    what: 'what is hidden of the result',
    paths: ['result.token'],
    edited: { token: censor },
    kept: { token: 1 },
    value: { token: censor },
  },
  { what: 'no object', paths: ['payload.a.b'], edited: { a: 5 }, kept: { a: { b: 1 } }, value: { a: 5 } },
  { what: 'nothing', paths: ['payload.a'], edited: undefined, kept: { a: 1 }, value: undefined },
])('restores $what', ({ paths, edited, kept, value }) => {
  expect(restore(paths, edited, kept)).toEqual({ value, issues: [] })
})

test('what has a class of its own stays as it is', () => {
  const when = new Date()
  expect(restore(['payload.at.x', 'payload.b'], { at: when, b: censor }, { b: 1 }).value).toEqual({
    at: when,
    b: 1,
  })
})

test.each([
  { what: 'there was none', kept: {}, path: ['items', 0, 'secret'] },
  { what: 'it is gone', kept: { items: [{ secret: censor }] }, path: ['items', 0, 'secret'] },
  {
    what: 'the list is another',
    kept: { items: [{ secret: 1 }, { secret: 2 }] },
    path: ['items', 0, 'secret'],
  },
])('the text is never taken for a value: $what', ({ kept, path }) => {
  const edited = { items: [{ secret: censor }] }

  const { issues } = restore(['payload.items[*].secret'], edited, kept)

  expect(issues).toEqual([{ path, message: expect.stringContaining('Write the value itself') }])
})
