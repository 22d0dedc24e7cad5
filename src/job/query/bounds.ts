import type { JobState } from '../state.js'
import { momentOf, type NameTerm, type QueryTerm, type QueryTree, type TimeTerm } from './query.js'
import { jobStates } from './states.js'

/**
 * What every job has that a query means, so far as an index knows it. What is absent is not bounded. A job within these
 * bounds need not be meant: each must still be looked at.
 */
export interface QueryBounds {
  readonly states?: readonly JobState[]
  readonly tasks?: readonly string[]
  readonly queues?: readonly string[]
  readonly ids?: readonly string[]
  readonly parents?: readonly string[]
  readonly created?: TimeBounds
  readonly started?: TimeBounds
  readonly ended?: TimeBounds
}

/** From a moment on, and before another. */
export interface TimeBounds {
  readonly from?: Date
  readonly before?: Date
}

/** @param now of which its moments are so long ago */
export function boundsOf(tree: QueryTree, now: Date, isNot = false): QueryBounds {
  if (tree.kind === 'not') return boundsOf(tree.of, now, !isNot)
  if (tree.kind === 'and' || tree.kind === 'or') {
    const all = tree.of.map((each) => boundsOf(each, now, isNot))
    // Not one of them: none of them. Not all of them: one is not.
    return all.reduce((tree.kind === 'and') === isNot ? either : both)
  }
  return isNot ? withoutTerm(tree, now) : ofTerm(tree, now)
}

function ofTerm(term: QueryTerm, now: Date): QueryBounds {
  if (term.kind === 'state') return { states: term.among }
  if (term.kind === 'name') return ofNames(term)
  if (term.kind === 'id') return term.field === 'id' ? { ids: term.among } : { parents: term.among }
  return term.kind === 'time' ? ofTime(term, now) : {}
}

function ofNames({ field, among }: NameTerm): QueryBounds {
  const names = among.filter((each) => typeof each === 'string')
  if (names.length < among.length) return {}
  if (field === 'task') return { tasks: names }
  return field === 'queue' ? { queues: names } : {}
}

function ofTime(term: TimeTerm, now: Date): QueryBounds {
  if (term.field === 'due') return {}
  const moment = momentOf(term, now)
  const after = new Date(moment.getTime() + 1)
  const range = term.is.startsWith('>') ? { from: moment } : { before: term.is === '<=' ? after : moment }
  return { [term.field]: range }
}

/** Every job has a state and was created; all else may be absent. */
function withoutTerm(term: QueryTerm, now: Date): QueryBounds {
  if (term.kind === 'state') return { states: jobStates.filter((state) => !term.among.includes(state)) }
  if (term.kind !== 'time' || term.field !== 'created') return {}
  const opposite = { '<': '>=', '<=': '>', '>': '<=', '>=': '<' } as const
  return ofTime({ ...term, is: opposite[term.is] }, now)
}

/** What both say. */
export function both(one: QueryBounds, other: QueryBounds): QueryBounds {
  return combined(one, other, {
    list: (a, b) => (a && b ? a.filter((each) => b.includes(each)) : (a ?? b)),
    range: (a, b) => (a && b ? overlap(a, b) : (a ?? b)),
  })
}

/** What one of both says, at least. */
function either(one: QueryBounds, other: QueryBounds): QueryBounds {
  return combined(one, other, {
    list: (a, b) => a && b && [...new Set([...a, ...b])],
    range: (a, b) => a && b && hull(a, b),
  })
}

interface Combination {
  list<T>(a: readonly T[] | undefined, b: readonly T[] | undefined): readonly T[] | undefined
  range(a: TimeBounds | undefined, b: TimeBounds | undefined): TimeBounds | undefined
}

function combined(one: QueryBounds, other: QueryBounds, { list, range }: Combination): QueryBounds {
  const bounds = {
    states: list(one.states, other.states),
    tasks: list(one.tasks, other.tasks),
    queues: list(one.queues, other.queues),
    ids: list(one.ids, other.ids),
    parents: list(one.parents, other.parents),
    created: range(one.created, other.created),
    started: range(one.started, other.started),
    ended: range(one.ended, other.ended),
  }
  return Object.fromEntries(Object.entries(bounds).filter(([, value]) => value !== undefined))
}

function hull(a: TimeBounds, b: TimeBounds): TimeBounds | undefined {
  const bounds = {
    ...(a.from && b.from ? { from: earlier(a.from, b.from) } : {}),
    ...(a.before && b.before ? { before: later(a.before, b.before) } : {}),
  }
  return bounds.from || bounds.before ? bounds : undefined
}

function overlap(a: TimeBounds, b: TimeBounds): TimeBounds {
  const from = a.from && b.from ? later(a.from, b.from) : (a.from ?? b.from)
  const before = a.before && b.before ? earlier(a.before, b.before) : (a.before ?? b.before)
  return { ...(from && { from }), ...(before && { before }) }
}

function earlier(a: Date, b: Date): Date {
  return new Date(Math.min(a.getTime(), b.getTime()))
}

function later(a: Date, b: Date): Date {
  return new Date(Math.max(a.getTime(), b.getTime()))
}
