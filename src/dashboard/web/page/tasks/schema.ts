/** JSON Schema, as far as pages look into it. Anything may stand in it: it is of some library. */
export type Schema = Readonly<Record<string, unknown>>

export interface Shape {
  /** Without references, and without `null` among what it allows. */
  readonly schema: Schema
  readonly isNullable: boolean
}

/** References of references that are followed. */
const longestTrail = 20

/** What a schema means: references followed, what is said in parts put together, `null` taken out. */
export function shapeOf(schema: unknown, root: Schema): Shape {
  const plain = together(resolved(schema, root), root)
  const choices = choicesOf(plain)
  if (choices) return withoutNull(plain, choices, root)
  if (Array.isArray(plain.type) && plain.type.includes('null')) return withType(plain, plain.type)
  if (Array.isArray(plain.enum) && plain.enum.includes(null))
    return { schema: { ...plain, enum: plain.enum.filter((each) => each !== null) }, isNullable: true }
  return { schema: plain, isNullable: plain.nullable === true }
}

export function isSchema(value: unknown): value is Schema {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** The fields of an object, in their order, and which of them must be there. */
export function fieldsOf({ properties, required }: Schema): readonly {
  readonly name: string
  readonly schema: unknown
  readonly isRequired: boolean
}[] {
  if (!isSchema(properties)) return []
  const names = Array.isArray(required) ? new Set(required) : new Set()
  return Object.entries(properties).map(([name, schema]) => ({ name, schema, isRequired: names.has(name) }))
}

/** Values that are listed, if nothing else is allowed. */
export function valuesOf(schema: Schema): readonly unknown[] | undefined {
  if ('const' in schema) return [schema.const]
  if (Array.isArray(schema.enum)) return schema.enum
  const choices = choicesOf(schema)
  if (!choices?.every((each) => isSchema(each) && 'const' in each)) return undefined
  return choices.map((each) => (isSchema(each) ? each.const : undefined))
}

function resolved(schema: unknown, root: Schema): Schema {
  let at = schema
  for (let step = 0; step < longestTrail; step += 1) {
    if (!isSchema(at)) return {}
    const { $ref, ...beside } = at
    if (typeof $ref !== 'string') return at
    const target = lookUp($ref, root)
    if (!isSchema(target)) return beside
    at = { ...target, ...beside }
  }
  return {}
}

/** Only what stands in the same schema: `#/$defs/Customer`. */
function lookUp(ref: string, root: Schema): unknown {
  if (ref === '#') return root
  if (!ref.startsWith('#/')) return undefined
  let at: unknown = root
  for (const part of ref.slice(2).split('/')) {
    const name = decoded(part).replaceAll('~1', '/').replaceAll('~0', '~')
    if (!isSchema(at) || !Object.hasOwn(at, name)) return undefined
    at = at[name]
  }
  return at
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part)
  } catch {
    return part
  }
}

/** Objects that must all hold become one. */
function together(schema: Schema, root: Schema): Schema {
  const { allOf, ...own } = schema
  if (!Array.isArray(allOf)) return schema
  const parts = [own, ...allOf.map((part) => resolved(part, root))]
  if (allOf.length > 1 && !allOf.every((part) => isSchema(resolved(part, root).properties))) return schema
  return {
    ...Object.assign({}, ...parts),
    ...(parts.some(({ properties }) => isSchema(properties))
      ? {
          properties: Object.assign({}, ...parts.map(({ properties }) => properties)),
          required: parts.flatMap(({ required }) => (Array.isArray(required) ? required : [])),
        }
      : {}),
  }
}

function choicesOf({ anyOf, oneOf }: Schema): readonly unknown[] | undefined {
  if (Array.isArray(anyOf)) return anyOf
  return Array.isArray(oneOf) ? oneOf : undefined
}

function withoutNull(schema: Schema, choices: readonly unknown[], root: Schema): Shape {
  const others = choices.filter((each) => resolved(each, root).type !== 'null')
  const isNullable = others.length < choices.length
  const { anyOf: _, oneOf: __, ...own } = schema
  if (others.length !== 1) return { schema: isNullable ? { ...own, anyOf: others } : schema, isNullable }
  const inner = shapeOf(others[0], root)
  return { schema: { ...inner.schema, ...own }, isNullable: isNullable || inner.isNullable }
}

function withType(schema: Schema, types: readonly unknown[]): Shape {
  const others = types.filter((each) => each !== 'null')
  return { schema: { ...schema, type: others.length === 1 ? others[0] : others }, isNullable: true }
}
