import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import {
  emptyDraft,
  placeFault,
  readDraft,
  toDraft,
  unsaid,
} from '../../../../../src/dashboard/web/page/tasks/draft.js'
import { type Field, formOf } from '../../../../../src/dashboard/web/page/tasks/form.js'
import type { Schema } from '../../../../../src/dashboard/web/page/tasks/schema.js'
import { payloadSchemaOf } from '../../../../../src/task/schema.js'

function schemaOf(schema: z.ZodType): Schema {
  const { jsonSchema } = payloadSchemaOf(schema)
  if (!jsonSchema) throw new Error('zod gives a JSON Schema of this')
  return jsonSchema
}

const report = z.object({
  month: z.string().regex(/^\d{4}-\d{2}$/),
  format: z.enum(['pdf', 'csv']).default('pdf'),
  pages: z.int().min(1).max(10_000).default(20),
  scale: z.number().positive().optional(),
  isDraft: z.boolean().optional(),
  isFinal: z.boolean(),
  note: z.string().nullable(),
  recipients: z.array(z.email()).default([]),
  customer: z.object({ id: z.int(), name: z.string().describe('As on the bill') }),
  extra: z.record(z.string(), z.number()).optional(),
  anything: z.unknown().optional(),
  either: z.union([z.string(), z.number()]).optional(),
})

/** Kinds by name. */
function kinds(field: Field): unknown {
  if (field.kind === 'object') return Object.fromEntries(field.fields.map((each) => [each.name, kinds(each)]))
  return field.kind === 'list' ? [kinds(field.item)] : field.kind
}

describe('a form of a schema', () => {
  test('asks for each field by what it is; what it cannot ask for becomes JSON', () => {
    expect(kinds(formOf(schemaOf(report)))).toEqual({
      ...{ month: 'text', format: 'choice', pages: 'number', scale: 'number' },
      ...{ isDraft: 'flag', isFinal: 'flag', note: 'text', recipients: ['text'] },
      customer: { id: 'number', name: 'text' },
      ...{ extra: 'json', anything: 'json', either: 'json' },
    })
  })

  test.each<[string, Schema, unknown]>([
    ['a text alone', { type: 'string' }, 'text'],
    ['nothing said', {}, 'json'],
    ['a reference', { $ref: '#/$defs/a', $defs: { a: { type: 'integer' } } }, 'number'],
    [
      'a reference to itself',
      { type: 'object', properties: { child: { $ref: '#' } } },
      { child: expect.anything() },
    ],
    ['a reference to nowhere', { $ref: '#/$defs/none' }, 'json'],
    ['references in a circle', { $ref: '#/$defs/a', $defs: { a: { $ref: '#/$defs/a' } } }, 'json'],
    ['a name of the prototype', { $ref: '#/constructor' }, 'json'],
    ['one or null', { anyOf: [{ type: 'string' }, { type: 'null' }] }, 'text'],
    ['types with null', { type: ['integer', 'null'] }, 'number'],
    ['constants as choices', { oneOf: [{ const: 'a', title: 'A' }, { const: 'b' }] }, 'choice'],
    ['objects that are no scalars', { enum: [{ a: 1 }] }, 'json'],
    [
      'parts of an object',
      {
        allOf: [
          { properties: { a: { type: 'string' } }, type: 'object' },
          { properties: { b: { type: 'number' } } },
        ],
      },
      { a: 'text', b: 'number' },
    ],
    ['a list of objects', { type: 'array', items: { type: 'object', properties: { a: {} } } }, 'json'],
    ['a tuple', { type: 'array', prefixItems: [{ type: 'string' }], items: {} }, 'json'],
    ['an object of any names', { type: 'object' }, 'json'],
  ])('%s', (_, schema, kind) => {
    expect(kinds(formOf(schema))).toEqual(kind)
  })

  test('says what is required, nullable, standard and bounded', () => {
    const form = formOf(schemaOf(report))
    const fields = form.kind === 'object' ? form.fields : []
    const facts = (name: string) => fields.find((field) => field.name === name)
    expect(facts('month')).toMatchObject({ isRequired: true, constraints: 'matches ^\\d{4}-\\d{2}$' })
    expect(facts('format')).toMatchObject({ isRequired: false, standard: 'pdf', values: ['pdf', 'csv'] })
    expect(facts('pages')).toMatchObject({ isWhole: true, constraints: '1 to 10,000' })
    expect(facts('scale')).toMatchObject({ constraints: 'more than 0' })
    expect(facts('note')).toMatchObject({ isNullable: true })
  })

  test('is of no endless size', () => {
    const wide = {
      type: 'object',
      properties: Object.fromEntries(Array.from({ length: 500 }, (_, at) => [`f${at}`, { type: 'string' }])),
    }
    const form = formOf(wide)
    expect(form.kind === 'object' && form.fields.filter(({ kind }) => kind === 'text').length).toBeLessThan(
      100,
    )
  })
})

describe('what is filled in', () => {
  const form = formOf(schemaOf(report))
  const empty = emptyDraft(form)

  test('an empty form asks for what must be there, and leaves out the rest', () => {
    expect(readDraft(form, empty)).toEqual({
      faults: [{ path: ['customer', 'id'], message: 'This must be said.' }],
    })
  })

  test('becomes the payload, and the payload becomes it again', () => {
    const payload = {
      ...{ month: '2026-11', format: 'csv', pages: 3, isFinal: true, note: null },
      recipients: ['ada@example.com'],
      customer: { id: 7, name: '' },
      extra: { a: 1 },
    }
    const draft = toDraft(form, payload)
    expect(draft && readDraft(form, draft)).toEqual({ value: payload })
    expect(report.safeParse(payload).success).toBe(true)
  })

  test.each([
    ['a field of no name here', { month: '2026-11', moth: 1 }],
    ['a text for a number', { pages: 'three' }],
    ['a choice that is none', { format: 'doc' }],
    ['null where none may be', { pages: null }],
    ['a list of something else', { recipients: [1] }],
    ['no object at all', [1]],
  ])('a payload with %s has no form', (_, payload) => {
    expect(toDraft(form, payload)).toBeUndefined()
  })

  const number = (isWhole: boolean, text: string) =>
    readDraft(formOf({ type: isWhole ? 'integer' : 'number' }), { is: 'typed', text })
  test.each([
    [false, '1.5', { value: 1.5 }],
    [false, ' -2e3 ', { value: -2000 }],
    [true, '7', { value: 7 }],
    [true, '1.5', { faults: [{ path: [], message: 'This must be a whole number.' }] }],
    [
      true,
      '9007199254740993',
      { faults: [{ path: [], message: 'This number is larger than JSON can say exactly.' }] },
    ],
    [false, '0x10', { faults: [{ path: [], message: 'This is no number.' }] }],
    [false, 'Infinity', { faults: [{ path: [], message: 'This is no number.' }] }],
    [false, '', { faults: [{ path: [], message: 'This must be said.' }] }],
  ])('of numbers (whole: %s) %j', (isWhole, text, read) => {
    expect(number(isWhole, text)).toEqual(read)
  })

  test('JSON that is none is told at its place', () => {
    const field = formOf({ type: 'object', properties: { a: {} }, required: ['a'] })
    expect(readDraft(field, { is: 'fields', of: { a: { is: 'typed', text: '{' } } })).toMatchObject({
      faults: [{ path: ['a'], message: expect.stringContaining('This is no JSON') }],
    })
  })

  test('names of the prototype are names like others', () => {
    const properties = JSON.parse('{"__proto__":{"type":"string"},"constructor":{"type":"string"}}') as object
    const field = formOf({ type: 'object', properties })
    const payload: unknown = JSON.parse('{"__proto__":"a","constructor":"b"}')
    const draft = toDraft(field, payload)
    expect(JSON.stringify(draft && readDraft(field, draft))).toBe(
      '{"value":{"__proto__":"a","constructor":"b"}}',
    )
    expect(readDraft(field, unsaid)).toHaveProperty('faults')
  })
})

describe('what is wrong stands at its field', () => {
  const form = formOf(schemaOf(report))
  test.each<[string, (string | number)[], (string | number)[], string]>([
    ['a field', ['month'], ['month'], 'bad'],
    ['a field of an object', ['customer', 'id'], ['customer', 'id'], 'bad'],
    ['an item', ['recipients', 2], ['recipients', 2], 'bad'],
    ['inside of JSON', ['extra', 'a', 1], ['extra'], 'a.1: bad'],
    ['a field that there is not', ['moth'], [], 'moth: bad'],
    ['the payload', [], [], 'bad'],
  ])('%s', (_, path, at, message) => {
    expect(placeFault(form, { path, message: 'bad' })).toEqual({ path: at, message })
  })
})
