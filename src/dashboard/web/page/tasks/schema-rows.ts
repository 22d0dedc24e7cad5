import { fieldsOf, isSchema, type Schema, shapeOf } from './schema.js'
import { constraintsOf, typeWord } from './schema-words.js'

/** A field of a payload, as a table has it. */
export interface SchemaRow {
  /** As `customer.id`; of the items of a list `lines[].sku`. Empty: the payload itself. */
  readonly path: string
  readonly type: string
  readonly isRequired: boolean
  readonly isNullable: boolean
  /** As JSON. */
  readonly standard: string | undefined
  readonly constraints: string
  readonly about: string
}

const deepest = 6
const mostRows = 300

/** All fields of a schema, an object's own after it. */
export function schemaRows(root: Schema): SchemaRow[] {
  const rows: SchemaRow[] = []
  collect(root, { path: '', isRequired: true, depth: 0 })
  return rows

  function collect(
    given: unknown,
    {
      path,
      isRequired,
      depth,
    }: { readonly path: string; readonly isRequired: boolean; readonly depth: number },
  ): void {
    if (rows.length >= mostRows) return
    const { schema, isNullable } = shapeOf(given, root)
    const fields = fieldsOf(schema)
    // The payload itself is no field, where it has some.
    if (path !== '' || fields.length === 0) rows.push(toRow(path, schema, isRequired, isNullable, root))
    if (depth >= deepest) return
    const before = path === '' ? '' : `${path}.`
    for (const field of fields)
      collect(field.schema, { ...field, path: `${before}${field.name}`, depth: depth + 1 })
    if (schema.type === 'array' && isSchema(schema.items) && hasFields(schema.items, root))
      for (const field of fieldsOf(shapeOf(schema.items, root).schema))
        collect(field.schema, { ...field, path: `${path}[].${field.name}`, depth: depth + 1 })
  }
}

function hasFields(schema: Schema, root: Schema): boolean {
  return fieldsOf(shapeOf(schema, root).schema).length > 0
}

function toRow(
  path: string,
  schema: Schema,
  isRequired: boolean,
  isNullable: boolean,
  root: Schema,
): SchemaRow {
  return {
    ...{ path, type: typeWord(schema, root), isRequired, isNullable },
    standard: schema.default === undefined ? undefined : JSON.stringify(schema.default),
    constraints: constraintsOf(schema),
    about: [schema.title, schema.description].filter((each) => typeof each === 'string').join(': '),
  }
}
