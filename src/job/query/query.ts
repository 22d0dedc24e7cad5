import type { JobState } from '../state.js'

/**
 * What a written query means. Plain data: it can be kept and sent, and `formatQuery` writes it again. Nothing in this
 * folder needs Node, for the pages of the dashboard read and complete queries, too.
 */
export type QueryTree = QueryAnd | QueryOr | QueryNot | QueryTerm

export interface QueryAnd {
  readonly kind: 'and'
  readonly of: readonly QueryTree[]
}

export interface QueryOr {
  readonly kind: 'or'
  readonly of: readonly QueryTree[]
}

export interface QueryNot {
  readonly kind: 'not'
  readonly of: QueryTree
}

export type QueryTerm =
  | StateTerm
  | NameTerm
  | IdTerm
  | NoneTerm
  | TextTerm
  | PathTerm
  | NumberTerm
  | DurationTerm
  | TimeTerm

/** In one of these states. */
export interface StateTerm {
  readonly kind: 'state'
  readonly among: readonly JobState[]
}

/** Has one of these names. */
export interface NameTerm {
  readonly kind: 'name'
  readonly field: NameField
  readonly among: readonly NameMatch[]
}

export type NameField = 'task' | 'queue' | 'worker' | 'owner' | 'tag' | 'error.name'

/** A name as it is; or what stands before, between and behind its `*`, each of which is any text. */
export type NameMatch = string | Like

export interface Like {
  readonly like: readonly string[]
}

export interface IdTerm {
  readonly kind: 'id'
  readonly field: 'id' | 'parent'
  readonly among: readonly string[]
}

/** Has nothing there: no owner, no worker yet, no tags, no parent, no result, no error. */
export interface NoneTerm {
  readonly kind: 'none'
  readonly field: 'owner' | 'worker' | 'tag' | 'parent' | 'result' | 'error'
}

/** Has this text there, in any case of letters. */
export interface TextTerm {
  readonly kind: 'text'
  readonly in: 'any' | QueriedPart
  readonly text: string
}

/** The JSON of a job that a query looks into. */
export type QueriedPart = 'payload' | 'result' | 'error'

/** A value somewhere in the JSON. On the way to it, a list is each of its elements. */
export interface PathTerm {
  readonly kind: 'path'
  readonly in: QueriedPart
  readonly path: readonly PathStep[]
  readonly is: Comparison
  readonly value: PathValue
}

/** The name of a field, the place of an element, or `null`: each element. */
export type PathStep = string | number | null

/**
 * With `isText`, texts alone: `"42"`. Without, also the number, `true`, `false` or `null` that is written so: `42`. Only
 * numbers are less or greater than a number, only texts than another text.
 */
export type PathValue = { readonly text: string; readonly isText: boolean } | Like

export interface NumberTerm {
  readonly kind: 'number'
  readonly field: 'attempts' | 'failures' | 'priority'
  readonly is: Comparison
  readonly value: number
}

export interface DurationTerm {
  readonly kind: 'duration'
  readonly field: 'duration' | 'wait'
  readonly is: Exclude<Comparison, '='>
  readonly ms: number
}

export interface TimeTerm {
  readonly kind: 'time'
  readonly field: 'created' | 'started' | 'ended' | 'due'
  readonly is: Exclude<Comparison, '='>
  readonly moment: QueryMoment
}

/** So long before the query is asked (less than 0: after it), or a moment as ISO text in UTC. */
export type QueryMoment = { readonly agoMs: number } | { readonly at: string }

export type Comparison = '=' | '<' | '<=' | '>' | '>='

/** All of them, as flat as can be. */
export function allOf(trees: readonly QueryTree[]): QueryTree {
  return joined('and', trees)
}

/** One of them, as flat as can be. */
export function oneOf(trees: readonly QueryTree[]): QueryTree {
  return joined('or', trees)
}

function joined(kind: 'and' | 'or', trees: readonly QueryTree[]): QueryTree {
  const of = trees.flatMap((tree) => (tree.kind === kind ? tree.of : [tree]))
  const [first] = of
  return first !== undefined && of.length === 1 ? first : { kind, of }
}

export function notOf(tree: QueryTree): QueryTree {
  return tree.kind === 'not' ? tree.of : { kind: 'not', of: tree }
}

/** The terms of a query, from left to right. */
export function termsOf(tree: QueryTree): readonly QueryTerm[] {
  if (tree.kind === 'not') return termsOf(tree.of)
  return tree.kind === 'and' || tree.kind === 'or' ? tree.of.flatMap(termsOf) : [tree]
}

/** The same with each term as `change` gives it. */
export function withTerms(tree: QueryTree, change: (term: QueryTerm) => QueryTree): QueryTree {
  if (tree.kind === 'not') return notOf(withTerms(tree.of, change))
  if (tree.kind === 'and') return allOf(tree.of.map((each) => withTerms(each, change)))
  if (tree.kind === 'or') return oneOf(tree.of.map((each) => withTerms(each, change)))
  return change(tree)
}

/** The same with moments that no longer depend on when it is asked. */
export function fixMoments(tree: QueryTree, now: Date): QueryTree {
  return withTerms(tree, (term) =>
    term.kind === 'time' ? { ...term, moment: { at: momentOf(term, now).toISOString() } } : term,
  )
}

export function momentOf({ moment }: TimeTerm, now: Date): Date {
  return 'at' in moment ? new Date(moment.at) : new Date(now.getTime() - moment.agoMs)
}
