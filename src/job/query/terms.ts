import { toMs } from '../duration.js'
import { hint } from '../suggest.js'
import { at, QueryRefusal, quoted, type Span } from './fault.js'
import type { QueryField } from './fields.js'
import { readMoment } from './moment.js'
import {
  allOf,
  type Comparison,
  type NameMatch,
  type NameTerm,
  type NoneTerm,
  notOf,
  oneOf,
  type PathTerm,
  type PathValue,
  type QueryTree,
} from './query.js'
import { jobStates, statesOfWord } from './states.js'
import { plainText, type Written } from './tokens.js'

/** A value as it is written, and where. */
export interface WrittenValue extends Span {
  readonly written: Written
}

/** Behind a field and an operator: one value, or several by comma, of which one is to hold. */
export interface WrittenTerm {
  readonly field: QueryField
  readonly is: Comparison
  readonly values: readonly WrittenValue[]
}

/** @throws {QueryRefusal} when a value is none for the field */
export function toTerm({ field, is, values }: WrittenTerm): QueryTree {
  if (field.kind === 'state') return { kind: 'state', among: unique(values.flatMap(toStates)) }
  if (field.kind === 'name') return toNames(field.name, values)
  if (field.kind === 'id') return toIds(field.name, values)
  return oneOf(values.map((value) => toSingle(field, is, value)))
}

type SingleField = Extract<QueryField, { readonly kind: 'text' | 'number' | 'duration' | 'time' }>

function toSingle(field: SingleField, is: Comparison, value: WrittenValue): QueryTree {
  if (field.kind === 'text') return toText(field, value)
  if (field.kind === 'number')
    return { kind: 'number', field: field.name, is, value: toNumber(field.name, value) }
  if (field.kind === 'time') return toTime(field.name, is, value)
  const ms = toDuration(field.name, value)
  if (is !== '=') return { kind: 'duration', field: field.name, is, ms }
  const text = plainText(value.written)
  throw new QueryRefusal(
    `No duration is ${quoted(text)} to the millisecond, ${at(value)}. Write ${field.name}>${text} or ${field.name}<${text}.`,
    value,
  )
}

function toStates(value: WrittenValue) {
  const word = plainText(value.written)
  const states = statesOfWord(word)
  if (states) return states
  throw new QueryRefusal(
    `${quoted(word)}, ${at(value)}, is no state.${hint(word, jobStates)} The states are ${jobStates.join(', ')}; open, waiting and ended are several.`,
    value,
  )
}

function toNames(field: NameTerm['field'], values: readonly WrittenValue[]): QueryTree {
  const names: NameMatch[] = []
  const others: QueryTree[] = []
  for (const value of values) {
    const { pieces, isQuoted } = value.written
    if (mayBeNone(field) && isAnything(value.written)) others.push(notOf({ kind: 'none', field }))
    else if (mayBeNone(field) && !isQuoted && isNone(value.written)) others.push({ kind: 'none', field })
    else
      names.push(pieces.length === 1 ? checkEmpty(plainText(value.written), value) : { like: merged(pieces) })
  }
  const among = uniqueNames(names)
  return oneOf([...(among.length > 0 ? [{ kind: 'name', field, among } as const] : []), ...others])
}

function mayBeNone(field: string): field is NoneTerm['field'] {
  return ['owner', 'worker', 'tag', 'parent', 'result', 'error'].includes(field)
}

function isNone(written: Written): boolean {
  return plainText(written).toLowerCase() === 'none'
}

/** `*` alone. */
export function isAnything({ pieces }: Written): boolean {
  return pieces.length > 1 && pieces.every((piece) => piece === '')
}

/** Two `*` beside each other are one. */
function merged(pieces: readonly string[]): readonly string[] {
  return pieces.filter((piece, place) => piece !== '' || place === 0 || place === pieces.length - 1)
}

function checkEmpty(text: string, value: Span): string {
  if (text !== '') return text
  throw new QueryRefusal(
    `Expected text between the quotes ${at(value)}, and there is none. Write some, or leave the term out.`,
    value,
  )
}

const uuidPattern = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i

function toIds(field: 'id' | 'parent', values: readonly WrittenValue[]): QueryTree {
  const ids: string[] = []
  const others: QueryTree[] = []
  for (const value of values) {
    if (field === 'parent' && isAnything(value.written)) others.push(notOf({ kind: 'none', field }))
    else if (field === 'parent' && isNone(value.written)) others.push({ kind: 'none', field })
    else ids.push(toId(value))
  }
  return oneOf([...(ids.length > 0 ? [{ kind: 'id', field, among: unique(ids) } as const] : []), ...others])
}

function toId(value: WrittenValue): string {
  const text = plainText(value.written)
  if (uuidPattern.test(text)) return text.toLowerCase()
  const isPart = /^[0-9a-f]{4,}[0-9a-f-]*\*?$/i.test(text) && text.length < 36
  throw new QueryRefusal(
    isPart
      ? `${quoted(text)}, ${at(value)}, is a part of an id. Write all of it, or its last 8 digits as a word by itself: ids begin with the time, so many jobs share their beginnings.`
      : `${quoted(text)}, ${at(value)}, is no id of a job. Ids look like 01987a3c-5d1e-7b60-8f11-2c9d6e4ab001.`,
    value,
  )
}

/** Ids of jobs are UUIDs of version 7. */
export function isJobId(text: string): boolean {
  return uuidPattern.test(text) && text[14] === '7'
}

function toText(field: Extract<QueryField, { readonly kind: 'text' }>, value: WrittenValue): QueryTree {
  const text = plainText(value.written)
  if (field.name !== 'text' && field.name !== 'payload') {
    if (isAnything(value.written)) return notOf({ kind: 'none', field: field.name })
    if (!value.written.isQuoted && isNone(value.written)) return { kind: 'none', field: field.name }
  }
  return { kind: 'text', in: field.in, text: checkText(value.written, checkEmpty(text, value), value) }
}

/** @throws {QueryRefusal} where every job would match */
export function checkText(written: Written, text: string, place: Span): string {
  if (!isAnything(written)) return text
  throw new QueryRefusal(
    `"${text}", ${at(place)}, alone means every job. Leave it out; in quotes, as "\\*", it means the character.`,
    place,
  )
}

function toNumber(name: string, value: WrittenValue): number {
  const text = plainText(value.written)
  const number = Number(text)
  if (/^\d+$/.test(text) && Number.isSafeInteger(number)) return number
  throw new QueryRefusal(
    `"${name}" is compared with a whole number, as ${name}>=3. ${quoted(text)}, ${at(value)}, is none.`,
    value,
  )
}

function toDuration(name: string, value: WrittenValue): number {
  const text = plainText(value.written)
  const ms = /^\d+$/.test(text) ? undefined : toMs(text)
  if (ms !== undefined) return ms
  throw new QueryRefusal(
    `"${name}" is compared with a duration, as ${name}>30s. ${quoted(text)}, ${at(value)}, is none: the units are ms, s, m, h and d.`,
    value,
  )
}

function toTime(
  field: 'created' | 'started' | 'ended' | 'due',
  is: Comparison,
  value: WrittenValue,
): QueryTree {
  const text = plainText(value.written)
  const moment = readMoment(text)
  if (!moment)
    throw new QueryRefusal(
      `"${field}" is compared with a moment, as ${field}>1h (within the last hour) or ${field}<2026-11-01. ${quoted(text)}, ${at(value)}, is none.`,
      value,
    )
  const term = { kind: 'time', field } as const
  if (!('day' in moment)) {
    // Behind a colon, so long ago means: since then.
    if (is !== '=') return { ...term, is, moment }
    if ('agoMs' in moment) return { ...term, is: moment.agoMs < 0 ? '<=' : '>=', moment }
    return allOf([
      { ...term, is: '>=', moment },
      { ...term, is: '<=', moment },
    ])
  }
  const start = { at: moment.day }
  const end = { at: moment.until }
  if (is === '=')
    return allOf([
      { ...term, is: '>=', moment: start },
      { ...term, is: '<', moment: end },
    ])
  // Up to a day is up to its end; after it begins where it is over.
  if (is === '<=') return { ...term, is: '<', moment: end }
  return is === '>' ? { ...term, is: '>=', moment: end } : { ...term, is, moment: start }
}

export function toPathTerm(
  about: Pick<PathTerm, 'in' | 'path' | 'is'>,
  values: readonly WrittenValue[],
): QueryTree {
  return oneOf(values.map((value) => ({ kind: 'path', ...about, value: toPathValue(about.is, value) })))
}

function toPathValue(is: Comparison, value: WrittenValue): PathValue {
  const { pieces, isQuoted } = value.written
  if (pieces.length === 1) return { text: plainText(value.written), isText: isQuoted }
  if (is === '=') return { like: merged(pieces) }
  throw new QueryRefusal(
    `Nothing is less or greater than a text with "*", ${at(value)}. Write a number or a text, or use ":".`,
    value,
  )
}

function unique<T>(list: readonly T[]): readonly T[] {
  return [...new Set(list)]
}

function uniqueNames(names: readonly NameMatch[]): readonly NameMatch[] {
  const keyOf = (name: NameMatch) => JSON.stringify(name)
  return names.filter((name, place) => names.findIndex((each) => keyOf(each) === keyOf(name)) === place)
}
