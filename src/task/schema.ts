import type { StandardJSONSchemaV1, StandardSchemaV1 } from '@standard-schema/spec'
import { toStoredError } from '../job/json.js'

/** What a payload looks like. */
export interface PayloadSchema {
  /** The library that the schema is of; `null` where the task has none. */
  readonly library: string | null
  /** `null` where the library gives none. */
  readonly jsonSchema: JsonSchema | null
  /** Why there is none. */
  readonly note?: string
}

export type JsonSchema = Readonly<Record<string, unknown>>

/** By Standard JSON Schema, which zod and arktype have in themselves, and valibot by `@valibot/to-json-schema`. */
export function payloadSchemaOf(schema: StandardSchemaV1 | undefined): PayloadSchema {
  if (!schema) return { library: null, jsonSchema: null, note: 'The task checks no payload.' }
  const standard = schema['~standard'] as StandardSchemaV1.Props & Partial<StandardJSONSchemaV1.Props>
  const library = standard.vendor
  if (!standard.jsonSchema)
    return { library, jsonSchema: null, note: `${library} gives no JSON Schema by itself.` }
  try {
    return { library, jsonSchema: standard.jsonSchema.input({ target: 'draft-2020-12' }) }
  } catch (error) {
    const { message } = toStoredError(error)
    return { library, jsonSchema: null, note: `${library} cannot tell it as JSON Schema: ${message}` }
  }
}

const deepest = 8

/** A small payload of this shape: what is required, with the first of everything that may be chosen. */
export function exampleOf(schema: unknown, depth = 0): unknown {
  if (!isSchema(schema) || depth > deepest) return {}
  if ('default' in schema) return schema.default
  if ('const' in schema) return schema.const
  for (const key of ['examples', 'enum']) {
    const list = schema[key]
    if (Array.isArray(list) && list.length > 0) return list[0]
  }
  const choice = firstOf(schema.anyOf) ?? firstOf(schema.oneOf) ?? firstOf(schema.allOf)
  if (choice !== undefined && schema.type === undefined) return exampleOf(choice, depth + 1)
  return ofType(schema, Array.isArray(schema.type) ? schema.type[0] : schema.type, depth)
}

function ofType(schema: JsonSchema, type: unknown, depth: number): unknown {
  if (type === 'object' || isSchema(schema.properties)) return ofObject(schema, depth)
  if (type === 'array') return Number(schema.minItems ?? 0) > 0 ? [exampleOf(schema.items, depth + 1)] : []
  if (type === 'integer' || type === 'number') return numberOf(schema)
  if (type === 'boolean') return true
  if (type === 'null') return null
  return type === 'string' ? textOf(schema) : {}
}

function ofObject({ properties, required }: JsonSchema, depth: number): unknown {
  if (!isSchema(properties)) return {}
  const names = Array.isArray(required) ? required.map(String) : []
  return Object.fromEntries(names.map((name) => [name, exampleOf(properties[name], depth + 1)]))
}

function numberOf({ minimum, exclusiveMinimum, maximum }: JsonSchema): number {
  const least = typeof exclusiveMinimum === 'number' ? exclusiveMinimum + 1 : Number(minimum ?? 1)
  const safe = least <= Number.MIN_SAFE_INTEGER ? 1 : least
  return typeof maximum === 'number' ? Math.min(safe, maximum) : safe
}

const textsOf: Readonly<Record<string, string>> = {
  email: 'ada@example.com',
  uri: 'https://example.com',
  uuid: '01890a5d-ac96-774b-bcce-b302099a8057',
  date: '2030-01-31',
  'date-time': '2030-01-31T08:00:00Z',
}

function textOf({ format, minLength }: JsonSchema): string {
  return textsOf[String(format)] ?? 'text'.padEnd(Number(minLength ?? 0), '.')
}

function firstOf(list: unknown): unknown {
  return Array.isArray(list) ? list[0] : undefined
}

function isSchema(value: unknown): value is JsonSchema {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
