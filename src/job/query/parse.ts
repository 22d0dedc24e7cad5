import { at, type QueryFault, QueryRefusal, quoted, type Span } from './fault.js'
import { operatorsOf, type QueryField } from './fields.js'
import { findField } from './find-field.js'
import { allOf, type Comparison, notOf, oneOf, type QueryTree } from './query.js'
import { checkText, isJobId, toPathTerm, toTerm, type WrittenValue } from './terms.js'
import { type Operator, plainText, type QueryToken, tokenize } from './tokens.js'

/** `tree: null`: the text says nothing, so every job is meant. */
export type ParsedQuery = { readonly tree: QueryTree | null } | { readonly fault: QueryFault }

/** Bounds, so that no text takes long to read, and no query long to ask. */
export const longestQuery = 2000
export const mostTerms = 100
export const deepestQuery = 20

/**
 * Reads a written query: `state:failed task:mail.* (tag:vip or attempts>=3) -"socket hang up"`. What stands beside each
 * other must all hold. See docs/query.md.
 */
export function parseQuery(text: string): ParsedQuery {
  try {
    checkCharacters(text)
    return { tree: createParser(tokenize(text), text).all() }
  } catch (error) {
    if (error instanceof QueryRefusal) return { fault: error.fault }
    throw error
  }
}

function checkCharacters(text: string): void {
  if (text.length > longestQuery)
    throw new QueryRefusal(
      `A query may have ${told(longestQuery)} characters, and this one has ${told(text.length)}. For many ids or names, use a filter.`,
      { from: longestQuery, to: text.length },
    )
  const odd = /\0|\p{Surrogate}/u.exec(text)
  if (odd)
    throw new QueryRefusal(
      `The character ${at({ from: odd.index, to: odd.index })} is none that a text has. Take it out.`,
      { from: odd.index, to: odd.index + 1 },
    )
}

function told(number: number): string {
  return number.toLocaleString('en')
}

type Token<Kind extends QueryToken['kind']> = Extract<QueryToken, { readonly kind: Kind }>

/** or, then and, then not: each knows what binds closer than itself. */
function createParser(tokens: readonly QueryToken[], text: string) {
  let next = 0
  let depth = 0
  let terms = 0

  return {
    all(): QueryTree | null {
      if (tokens.length === 0) return null
      const tree = readOr()
      const left = tokens[next]
      if (left) throw unexpected(left)
      return tree
    },
  }

  function readOr(): QueryTree {
    const trees = [readAnd()]
    while (isKeyword(tokens[next], 'or')) {
      next += 1
      trees.push(readAnd())
    }
    return oneOf(trees)
  }

  function readAnd(): QueryTree {
    const trees = [readNot()]
    for (;;) {
      const token = tokens[next]
      if (!token || token.kind === 'close' || isKeyword(token, 'or')) return allOf(trees)
      if (isKeyword(token, 'and')) next += 1
      trees.push(readNot())
    }
  }

  function readNot(): QueryTree {
    const token = tokens[next]
    if (!token || (token.kind !== 'minus' && !isKeyword(token, 'not'))) return readPrimary()
    next += 1
    return notOf(deeper(token, readNot))
  }

  function readPrimary(): QueryTree {
    const token = tokens[next]
    if (!token || token.kind === 'close' || isKeyword(token, 'or') || isKeyword(token, 'and'))
      throw missing(token)
    next += 1
    if (token.kind === 'open') return readGroup(token)
    count(token)
    if (token.kind === 'word') return readWord(token)
    if (token.kind === 'field') return readField(token)
    throw unexpected(token)
  }

  function readGroup(open: Span): QueryTree {
    if (tokens[next]?.kind === 'close')
      throw new QueryRefusal(
        `There is nothing in the parentheses ${at(open)}. Write a term between them, or leave them out.`,
        { from: open.from, to: tokens[next]?.to ?? open.to },
      )
    const tree = deeper(open, readOr)
    const close = tokens[next]
    if (close?.kind !== 'close')
      throw new QueryRefusal(`The parenthesis ${at(open)} is never closed. Write ")" where it ends.`, open)
    next += 1
    checkGap(close)
    return tree
  }

  function readWord(token: Token<'word'>): QueryTree {
    checkGap(token)
    const { written } = token
    const word = plainText(written)
    if (written.isQuoted && word === '')
      throw new QueryRefusal(
        `Expected text between the quotes ${at(token)}, and there is none. Write some, or leave them out.`,
        token,
      )
    if (!written.isQuoted) {
      if (/^(&&?|\|\|?|-)$/.test(word)) throw notAWord(word, token)
      if (isJobId(word)) return { kind: 'id', field: 'id', among: [word.toLowerCase()] }
    }
    return { kind: 'text', in: 'any', text: checkText(written, word, token) }
  }

  function readField(token: Token<'field'>): QueryTree {
    const operator = tokens[next]
    if (operator?.kind !== 'operator') throw unexpected(token)
    next += 1
    const found = findField(token, text)
    const { is, isNot } = compared(operator.text)
    if (!found.path && !(operatorsOf(found.field) as readonly string[]).includes(is === '=' ? ':' : is))
      checkOperator(found.field, operator)
    const values = readValues(token, operator, found.field)
    const tree = found.path
      ? toPathTerm({ in: found.in, path: found.path, is }, values)
      : (flowerArgument(token, is, values) ?? toTerm({ field: found.field, is, values }))
    return isNot ? notOf(tree) : tree
  }

  function readValues(field: Span, operator: Token<'operator'>, { examples }: QueryField): WrittenValue[] {
    const values: WrittenValue[] = []
    for (let after: Span = operator; ; ) {
      const value = tokens[next]
      if (value?.kind !== 'value') {
        const came = value ? `${quoted(text.slice(value.from, value.to))} came` : 'the query ends there'
        throw new QueryRefusal(
          `Expected a value after ${quoted(text.slice(field.from, after.to))}, ${at({ from: after.to, to: after.to })}, and ${came}. Write it so: ${examples[0]}`,
          { from: field.from, to: value?.to ?? after.to },
        )
      }
      next += 1
      values.push(value)
      if (values.length > 1) count(value)
      const comma = tokens[next]
      if (comma?.kind !== 'comma') {
        checkGap(value)
        return values
      }
      next += 1
      after = comma
    }
  }

  /** A quote and what stands around it are two, and so are a name and a parenthesis: who writes so means something else. */
  function checkGap(
    token: Span & { readonly written?: { readonly isQuoted: boolean; readonly isClosed: boolean } },
  ) {
    if (token.written?.isClosed === false)
      throw new QueryRefusal(
        `The quote ${at(token)} is never closed. Write " where it ends; a quote within is \\".`,
        token,
      )
    const follower = tokens[next]
    if (!follower || follower.from > token.to || follower.kind === 'close') return
    throw new QueryRefusal(
      `Expected a space ${at({ from: token.to, to: token.to })}, and ${quoted(text.slice(follower.from, follower.to))} came. Put text with quotes, parentheses, commas or operators into quotes, as "a (b)".`,
      { from: token.from, to: follower.to },
    )
  }

  function deeper(token: Span, read: () => QueryTree): QueryTree {
    depth += 1
    if (depth > deepestQuery)
      throw new QueryRefusal(
        `More than ${deepestQuery} parentheses and "not" within each other, ${at(token)}. Write it flatter, or use a filter.`,
        token,
      )
    const tree = read()
    depth -= 1
    return tree
  }

  function count(token: Span): void {
    terms += 1
    if (terms > mostTerms)
      throw new QueryRefusal(
        `A query may have ${mostTerms} terms and values, and the next one is ${at(token)}. For many ids or names, use a filter.`,
        token,
      )
  }

  function missing(token: QueryToken | undefined): QueryRefusal {
    const before = tokens[next - 1]
    const place = token ?? { from: text.length, to: text.length }
    const after = before ? ` after ${quoted(text.slice(before.from, before.to))}` : ''
    const came = token ? `${quoted(text.slice(token.from, token.to))} came` : 'the query ends there'
    return new QueryRefusal(
      `Expected a term${after}, ${at(place)}, and ${came}. A term is a word, or a field with a value, as state:failed.`,
      place,
    )
  }

  function unexpected(token: QueryToken): QueryRefusal {
    const came = quoted(text.slice(token.from, token.to))
    if (token.kind === 'close')
      return new QueryRefusal(
        `${came}, ${at(token)}, closes nothing. Leave it out, or write "(" before.`,
        token,
      )
    if (token.kind === 'operator')
      return new QueryRefusal(
        `Expected a field before ${came}, ${at(token)}, as in state:failed. To look for the text itself, put it into quotes.`,
        token,
      )
    return new QueryRefusal(
      `Expected a term, and ${came} came, ${at(token)}. A term is a word, or a field with a value, as state:failed.`,
      token,
    )
  }
}

function isKeyword(token: QueryToken | undefined, keyword: 'and' | 'or' | 'not'): boolean {
  return (
    token?.kind === 'word' && !token.written.isQuoted && plainText(token.written).toLowerCase() === keyword
  )
}

function compared(operator: Operator): { readonly is: Comparison; readonly isNot: boolean } {
  if (operator === '!=') return { is: '=', isNot: true }
  return { is: operator === ':' ? '=' : operator, isNot: false }
}

function checkOperator(field: QueryField, operator: Token<'operator'>): void {
  // What a duration is compared with is told where its value is known.
  if (field.kind === 'duration') return
  throw new QueryRefusal(
    `"${field.name}" has no order, so it takes ":" or "!=", and "${operator.text}" came, ${at(operator)}. Write it so: ${field.examples[0]}`,
    operator,
  )
}

/** Flower's `kwargs:key=value`. */
function flowerArgument(
  token: Token<'field'>,
  is: Comparison,
  values: readonly WrittenValue[],
): QueryTree | undefined {
  const [value] = values
  if (token.text.toLowerCase() !== 'kwargs' || is !== '=' || !value || value.written.isQuoted)
    return undefined
  const [, key, text] = /^([A-Za-z_]\w*)=(.+)$/.exec(plainText(value.written)) ?? []
  if (key === undefined || text === undefined) return undefined
  const written = { ...value.written, pieces: text.split('*') }
  return toPathTerm({ in: 'payload', path: [key], is }, [{ ...value, written }, ...values.slice(1)])
}

function notAWord(word: string, token: Span): QueryRefusal {
  const advice =
    word === '-'
      ? 'Write - right before what is to be left out, as -state:succeeded'
      : `Write ${word.startsWith('&') ? 'and' : 'or'}`
  return new QueryRefusal(
    `"${word}", ${at(token)}, joins nothing. ${advice}. To look for the text itself, put it into quotes.`,
    token,
  )
}
