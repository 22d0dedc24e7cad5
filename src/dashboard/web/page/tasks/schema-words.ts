import { tellCount } from '../../ui/format.js'
import { isSchema, type Schema, shapeOf, valuesOf } from './schema.js'

/** What kind of value it is: `text`, `whole number`, `list of text`, `pdf or csv`. */
export function typeWord(schema: Schema, root: Schema): string {
  const values = valuesOf(schema)
  if (values) return values.map((each) => JSON.stringify(each)).join(' or ')
  const { type } = schema
  if (type === 'array') return isSchema(schema.items) ? `list of ${inner(schema.items, root)}` : 'list'
  if (Array.isArray(schema.anyOf) || Array.isArray(schema.oneOf))
    return [schema.anyOf ?? schema.oneOf]
      .flat()
      .map((each) => inner(each, root))
      .join(' or ')
  return [type].flat().map(wordOf).join(' or ')
}

function inner(schema: unknown, root: Schema): string {
  const shape = shapeOf(schema, root)
  // A schema may refer to itself.
  const { anyOf, oneOf, items } = shape.schema
  if (anyOf !== undefined || oneOf !== undefined || items !== undefined) return wordOf(shape.schema.type)
  return typeWord(shape.schema, root)
}

const words: Readonly<Record<string, string>> = {
  string: 'text',
  number: 'number',
  integer: 'whole number',
  boolean: 'yes or no',
  object: 'object',
  array: 'list',
  null: 'null',
}

function wordOf(type: unknown): string {
  return typeof type === 'string' && Object.hasOwn(words, type) ? (words[type] ?? type) : 'anything'
}

/** What else holds for it, in words. Empty: nothing. */
export function constraintsOf(schema: Schema): string {
  const { pattern, format, multipleOf, uniqueItems } = schema
  return [
    bounds(schema.minLength, schema.maxLength, 'characters'),
    bounds(least(schema), most(schema)),
    bounds(schema.minItems, schema.maxItems, 'items'),
    ...(typeof multipleOf === 'number' ? [`a multiple of ${multipleOf}`] : []),
    ...(uniqueItems === true ? ['no two alike'] : []),
    ...(typeof format === 'string' ? [formatWord(format)] : []),
    // Libraries give a pattern along with a format: nobody reads it.
    ...(typeof pattern === 'string' && typeof format !== 'string' ? [`matches ${pattern}`] : []),
  ]
    .filter((part) => part !== '')
    .join(', ')
}

const formats: Readonly<Record<string, string>> = {
  email: 'an e-mail address',
  uri: 'an address, as https://example.com',
  url: 'an address, as https://example.com',
  uuid: 'a UUID',
  date: 'a day, as 2030-01-31',
  'date-time': 'a moment, as 2030-01-31T08:00:00Z',
  time: 'a time, as 08:00:00',
  ipv4: 'an IPv4 address',
  ipv6: 'an IPv6 address',
}

function formatWord(format: string): string {
  return Object.hasOwn(formats, format) ? (formats[format] ?? format) : format
}

/** The bounds of safe integers are those of JSON, and no word about this one. */
function least({ minimum, exclusiveMinimum }: Schema): unknown {
  if (typeof exclusiveMinimum === 'number') return `more than ${tellCount(exclusiveMinimum)}`
  return minimum === Number.MIN_SAFE_INTEGER ? undefined : minimum
}

function most({ maximum, exclusiveMaximum }: Schema): unknown {
  if (typeof exclusiveMaximum === 'number') return `less than ${tellCount(exclusiveMaximum)}`
  return maximum === Number.MAX_SAFE_INTEGER ? undefined : maximum
}

function bounds(from: unknown, to: unknown, unit = ''): string {
  if (typeof from === 'string' || typeof to === 'string')
    return [from, to]
      .filter((each) => each !== undefined)
      .map((each, at) => tellBound(each, at))
      .join(', ')
  if (typeof from === 'number' && typeof to === 'number')
    return from === to ? `exactly ${many(to, unit)}` : `${tellCount(from)} to ${many(to, unit)}`
  if (typeof from === 'number') return from === 0 && unit !== '' ? '' : `at least ${many(from, unit)}`
  return typeof to === 'number' ? `at most ${many(to, unit)}` : ''
}

/** @param unit of several; empty: none */
function many(count: number, unit: string): string {
  if (unit === '') return tellCount(count)
  return `${tellCount(count)} ${count === 1 ? unit.slice(0, -1) : unit}`
}

function tellBound(bound: unknown, at: number): string {
  if (typeof bound === 'string') return bound
  return `${at === 0 ? 'at least' : 'at most'} ${typeof bound === 'number' ? tellCount(bound) : String(bound)}`
}
