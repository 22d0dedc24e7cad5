import type { PathStep, PathTerm } from '../job/query/query.js'

/** Bytes of JSON that are looked into by a path. What is larger has no values there. */
export const largestSearchedJson = 262_144

/** A path of a query as PostgreSQL's jsonpath, with its values beside it. */
export interface JsonPath {
  readonly path: string
  /** JSON text. */
  readonly variables: string
}

/**
 * PostgreSQL takes a list for each of its elements on the way along a path, and where it compares. Names are written as
 * texts, and values are variables, so that neither can be anything else.
 */
export function toJsonPath({ path, is, value }: PathTerm): JsonPath {
  const way = `$${path.map(toStep).join('')}`
  if ('like' in value) {
    const isPresent = value.like.every((piece) => piece === '')
    return {
      path: isPresent ? way : `${way} ? (@ like_regex ${likeRegex(value.like)} flag "s")`,
      variables: '{}',
    }
  }
  const number = value.isText ? undefined : toLiteral(value.text)
  const variables = JSON.stringify({ text: value.text, ...(number === undefined ? {} : { value: number }) })
  if (is !== '=') {
    const name = typeof number === 'number' ? 'value' : 'text'
    return { path: `${way} ? (@ ${is} $${name})`, variables }
  }
  const other = number === undefined ? '' : ' || @ == $value'
  return { path: `${way} ? (@ == $text${other})`, variables }
}

function toStep(step: PathStep): string {
  if (step === null) return '[*]'
  return typeof step === 'number' ? `[${step}]` : `.${JSON.stringify(step)}`
}

function likeRegex(pieces: readonly string[]): string {
  const plain = pieces.map((piece) => piece.replace(/[.*+?^$(){}[\]|\\]/g, '\\$&'))
  return JSON.stringify(`^${plain.join('.*')}$`)
}

/** The value of JSON that a text is, beside a text: a number, `true`, `false` or `null`. */
export function toLiteral(text: string): number | boolean | null | undefined {
  if (text === 'true' || text === 'false') return text === 'true'
  if (text === 'null') return null
  const number = /^-?\d+(\.\d+)?(e[+-]?\d+)?$/i.test(text) ? Number(text) : Number.NaN
  return Number.isFinite(number) ? number : undefined
}

/**
 * What JSON text with such a value has, whoever wrote it: for a look before it is read, which costs ten times as much.
 * The value comes first, for the names of fields are mostly there.
 */
export interface Traces {
  readonly value?: string
  /** How it stands there: a regular expression. */
  readonly pattern?: string
  readonly names: readonly string[]
}

export function tracesOf({ path, is, value }: PathTerm): Traces {
  const names = path.flatMap((step) => (typeof step === 'string' && isSimple(step) ? [`"${step}"`] : []))
  if (is !== '=' || 'like' in value || !isSimple(value.text)) return { names }
  const literal = value.isText ? undefined : toLiteral(value.text)
  if (literal === undefined) return { value: `"${value.text}"`, names }
  // 42 may be written 4.2e1.
  if (String(literal) !== value.text || value.text.includes('e+')) return { names }
  const zeros = typeof literal !== 'number' ? '' : Number.isInteger(literal) ? '(\\.0+)?' : '0*'
  const plain = `${value.text.replaceAll('.', '\\.')}${zeros}`
  return { value: value.text, pattern: `(^|[\\s:,["])${plain}($|[\\s,"}]|\\])`, names }
}

/** Letters that no JSON writes in another way. */
function isSimple(text: string): boolean {
  return /^[\w .@:+-]+$/.test(text)
}
