import { fieldsOf, isSchema, type Schema, shapeOf, valuesOf } from './schema.js'
import { constraintsOf } from './schema-words.js'

/** What a form asks for: made from a schema, and pure. */
export type Field = FieldFacts &
  (
    | { readonly kind: 'text'; readonly input: TextInput; readonly isLong: boolean }
    | { readonly kind: 'number'; readonly isWhole: boolean }
    | { readonly kind: 'flag' }
    | { readonly kind: 'choice'; readonly values: readonly Scalar[] }
    | { readonly kind: 'object'; readonly fields: readonly Field[] }
    | { readonly kind: 'list'; readonly item: Field }
    /** What a form cannot ask for otherwise. */
    | { readonly kind: 'json' }
  )

export type TextInput = 'text' | 'email' | 'url'
export type Scalar = string | number | boolean

export interface FieldFacts {
  /** In its object; empty for the payload itself, and for the items of a list. */
  readonly name: string
  readonly label: string
  readonly about: string
  /** What may stand here, in words. */
  readonly constraints: string
  readonly isRequired: boolean
  readonly isNullable: boolean
  /** What holds when nothing is said. */
  readonly standard: unknown
}

const deepest = 5
const mostFields = 80

/** A form for payloads of this schema. */
export function formOf(root: Schema): Field {
  let left = mostFields
  return make(root, '', true, 0)

  function make(given: unknown, name: string, isRequired: boolean, depth: number): Field {
    left -= 1
    const { schema, isNullable } = shapeOf(given, root)
    const facts = factsOf(schema, name, isRequired, isNullable)
    if (left < 0 || depth > deepest) return { ...facts, kind: 'json' }
    return toField(schema, facts, depth)
  }

  function toField(schema: Schema, facts: FieldFacts, depth: number): Field {
    const values = valuesOf(schema)
    if (values)
      return values.every(isScalar) ? { ...facts, kind: 'choice', values } : { ...facts, kind: 'json' }
    if (schema.anyOf !== undefined || schema.oneOf !== undefined || schema.allOf !== undefined)
      return { ...facts, kind: 'json' }
    switch (schema.type) {
      case 'string':
        return { ...facts, kind: 'text', input: inputOf(schema.format), isLong: isLong(schema) }
      case 'number':
      case 'integer':
        return { ...facts, kind: 'number', isWhole: schema.type === 'integer' }
      case 'boolean':
        return { ...facts, kind: 'flag' }
      case 'object':
        return toObject(schema, facts, depth)
      case 'array':
        return toList(schema, facts, depth)
      default:
        return { ...facts, kind: 'json' }
    }
  }

  function toObject(schema: Schema, facts: FieldFacts, depth: number): Field {
    const fields = fieldsOf(schema)
    // Names that are not known beforehand would have no field.
    if (
      isSchema(schema.additionalProperties) ||
      (fields.length === 0 && schema.additionalProperties !== false)
    )
      return { ...facts, kind: 'json' }
    return {
      ...facts,
      kind: 'object',
      fields: fields.map((field) => make(field.schema, field.name, field.isRequired, depth + 1)),
    }
  }

  /** Of simple values alone: a list of objects is written sooner than clicked. */
  function toList(schema: Schema, facts: FieldFacts, depth: number): Field {
    if (!isSchema(schema.items) || schema.prefixItems !== undefined) return { ...facts, kind: 'json' }
    const item = make(schema.items, '', true, depth + 1)
    const isSimple = item.kind === 'text' || item.kind === 'number' || item.kind === 'choice'
    return isSimple && !item.isNullable ? { ...facts, kind: 'list', item } : { ...facts, kind: 'json' }
  }
}

function factsOf(schema: Schema, name: string, isRequired: boolean, isNullable: boolean): FieldFacts {
  return {
    ...{ name, isRequired, isNullable },
    label: name === '' ? 'payload' : name,
    about: [schema.title, schema.description].filter((each) => typeof each === 'string').join(': '),
    constraints: constraintsOf(schema),
    standard: schema.default,
  }
}

function isScalar(value: unknown): value is Scalar {
  return typeof value === 'string' || typeof value === 'boolean' || Number.isFinite(value)
}

function inputOf(format: unknown): TextInput {
  if (format === 'email') return 'email'
  return format === 'uri' || format === 'url' ? 'url' : 'text'
}

/** Long texts get more than a line. */
function isLong({ maxLength, minLength, format, pattern }: Schema): boolean {
  if (typeof format === 'string' || typeof pattern === 'string') return false
  return Number(maxLength) > 300 || Number(minLength) > 100
}
