import { describe, expect, test } from 'vitest'
import type { Schema } from '../../../../../src/dashboard/web/page/tasks/schema.js'
import { schemaRows } from '../../../../../src/dashboard/web/page/tasks/schema-rows.js'
import { constraintsOf, typeWord } from '../../../../../src/dashboard/web/page/tasks/schema-words.js'

describe('a schema as a table', () => {
  test('has a row for each field, those of objects and of listed objects after them', () => {
    const rows = schemaRows({
      type: 'object',
      properties: {
        customer: { $ref: '#/$defs/customer' },
        lines: {
          type: 'array',
          items: { type: 'object', properties: { sku: { type: 'string' } }, required: ['sku'] },
        },
        note: { type: ['string', 'null'], default: null, description: 'For the bill' },
      },
      required: ['customer'],
      $defs: { customer: { type: 'object', properties: { id: { type: 'integer' } }, required: ['id'] } },
    })
    expect(rows.map(({ path, type, isRequired }) => [path, type, isRequired])).toEqual([
      ['customer', 'object', true],
      ['customer.id', 'whole number', true],
      ['lines', 'list of object', false],
      ['lines[].sku', 'text', true],
      ['note', 'text', false],
    ])
    expect(rows.at(-1)).toMatchObject({ isNullable: true, standard: 'null', about: 'For the bill' })
  })

  test('a payload that is no object is a row of its own', () => {
    expect(schemaRows({ type: 'string', minLength: 1 })).toMatchObject([
      { path: '', type: 'text', constraints: 'at least 1 character' },
    ])
  })

  test('a schema that refers to itself ends', () => {
    const tree = {
      type: 'object',
      properties: {
        name: { type: 'string' },
        child: { $ref: '#' },
        all: { type: 'array', items: { $ref: '#' } },
      },
    }
    expect(schemaRows(tree).length).toBeLessThanOrEqual(300)
  })
})

test.each<[Schema, string]>([
  [{ type: 'string' }, 'text'],
  [{ type: ['string', 'number'] }, 'text or number'],
  [{ enum: ['pdf', 'csv'] }, '"pdf" or "csv"'],
  [{ const: 1 }, '1'],
  [{ type: 'array', items: { type: 'integer' } }, 'list of whole number'],
  [{ anyOf: [{ type: 'string' }, { type: 'boolean' }] }, 'text or yes or no'],
  [{}, 'anything'],
  [{ type: 'constructor' }, 'anything'],
])('the type of %j is %s', (schema, word) => {
  expect(typeWord(schema, schema)).toBe(word)
})

test.each<[Schema, string]>([
  [{ minLength: 3, maxLength: 200 }, '3 to 200 characters'],
  [{ maxLength: 200 }, 'at most 200 characters'],
  [{ minItems: 2, maxItems: 2, uniqueItems: true }, 'exactly 2 items, no two alike'],
  [{ minimum: 1 }, 'at least 1'],
  [{ exclusiveMinimum: 0, maximum: 10_000 }, 'more than 0, at most 10,000'],
  [{ minimum: 1, exclusiveMaximum: 5 }, 'at least 1, less than 5'],
  [{ minimum: Number.MIN_SAFE_INTEGER, maximum: Number.MAX_SAFE_INTEGER }, ''],
  [{ multipleOf: 5 }, 'a multiple of 5'],
  [{ format: 'email', pattern: '^.+@.+$' }, 'an e-mail address'],
  [{ pattern: '^\\d+$' }, 'matches ^\\d+$'],
  [{ format: 'iban' }, 'iban'],
])('%j holds: %s', (schema, words) => {
  expect(constraintsOf(schema)).toBe(words)
})
