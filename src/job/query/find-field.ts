import { hint } from '../suggest.js'
import { at, QueryRefusal, quoted, type Span } from './fault.js'
import { fieldOf, fieldWords, type QueryField, queryFields } from './fields.js'
import type { PathStep, QueriedPart } from './query.js'
import { readPath } from './tokens.js'

/** A field, or a part of one by its path. */
export type FoundField =
  | { readonly field: QueryField; readonly path: undefined }
  | { readonly field: QueryField; readonly path: readonly PathStep[]; readonly in: QueriedPart }

interface FieldToken extends Span {
  readonly text: string
}

/**
 * @param query all of it, of which the token is a part
 * @throws {QueryRefusal} when there is no such field
 */
export function findField(token: FieldToken, query: string): FoundField {
  const known = fieldOf(token.text)
  if (known) return { field: known, path: undefined }
  const head = /^[a-z]+(?=[.[])/i.exec(token.text)?.[0]
  const part = head === undefined ? undefined : fieldOf(head)
  if (!part) throw unknownField(token, query)
  return findPart(token, part)
}

function findPart(token: FieldToken, part: QueryField): FoundField {
  if (part.kind !== 'text' || part.in === 'any')
    throw new QueryRefusal(
      `"${part.name}" has no parts, and ${quoted(token.text)} came, ${at(token)}. Only payload, result and error have.`,
      token,
    )
  const path = readPath(token.text)
  if (!path)
    throw new QueryRefusal(
      `${quoted(token.text)}, ${at(token)}, is no path. Paths look like ${part.name}.customer.id, ${part.name}.items[0].price or ${part.name}."odd name".`,
      token,
    )
  if (part.in === 'error') return findErrorPart(token, part, path)
  return { field: part, path, in: part.in }
}

const errorParts = ['name', 'message', 'code', 'stack', 'workers']

function findErrorPart(token: FieldToken, field: QueryField, path: readonly PathStep[]): FoundField {
  const [first, ...others] = path
  const name = String(first).toLowerCase()
  if (!errorParts.includes(name))
    throw new QueryRefusal(
      `Errors have no ${quoted(String(first))}, ${at(token)}.${hint(name, errorParts)} They have ${errorParts.join(', ')}.`,
      token,
    )
  // The class stands at the beginning, where it is found without reading all of it.
  const named = others.length === 0 ? fieldOf(`error.${name}`) : undefined
  return named ? { field: named, path: undefined } : { field, path: [name, ...others], in: 'error' }
}

function unknownField(token: FieldToken, query: string): QueryRefusal {
  const names = queryFields.map(({ name }) => name).join(', ')
  const rest = query.slice(token.from, token.from + 100).trim()
  return new QueryRefusal(
    `There is no field ${quoted(token.text)}, ${at(token)}.${hint(token.text, fieldWords)} The fields are ${names}. To look for the text itself, put it into quotes: "${rest.replace(/["\\*]/g, '\\$&')}"`,
    token,
  )
}
