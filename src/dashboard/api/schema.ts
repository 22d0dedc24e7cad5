/** A piece of JSON Schema. */
export type Schema = Readonly<Record<string, unknown>>

/** As OpenAPI allows it: `Answer<unknown>` is `Answer`. */
export function schemaName(name: string): string {
  return name.replace(/<.*$/, '')
}

/** With its references to where OpenAPI keeps what is shared, and its comments as Markdown. */
export function toShared(schema: unknown): Schema {
  const text = JSON.stringify(schema, (key, value: unknown) => {
    if (isObject(value)) return withoutAbsent(value)
    if (typeof value !== 'string') return value
    if (key === '$ref') return value.replace(/^#\/definitions\/(.*)$/, (_, name: string) => refTo(name))
    return key === 'description' ? toMarkdown(value) : value
  })
  return JSON.parse(text) as Schema
}

/** What may be anything may be `undefined`, and JSON leaves that out. */
function withoutAbsent(schema: Schema): Schema {
  const { required, properties } = schema
  if (!Array.isArray(required) || !isObject(properties)) return schema
  return { ...schema, required: required.filter((name) => !isAnything(properties[String(name)])) }
}

function isAnything(schema: unknown): boolean {
  return isObject(schema) && Object.keys(schema).every((key) => key === 'description')
}

function refTo(name: string): string {
  return `#/components/schemas/${schemaName(decodeURIComponent(name))}`
}

function toMarkdown(comment: string): string {
  return comment.replace(/\s*\{@link\s+(\S+)\s*\}(?:\s+(?=[.,;:]))?/g, ' `$1`').replace(/\s*\n\s*/g, ' ')
}

export function isObject(value: unknown): value is Schema {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
