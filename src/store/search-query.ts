import type {
  Comparison,
  DurationTerm,
  IdTerm,
  NameField,
  NameMatch,
  NameTerm,
  NoneTerm,
  NumberTerm,
  PathTerm,
  QueriedPart,
  QueryTerm,
  QueryTree,
  TextTerm,
  TimeTerm,
} from '../job/query/query.js'
import { momentOf, termsOf } from '../job/query/query.js'
import { largestSearchedJson, toJsonPath, tracesOf } from './json-path.js'
import { idEndIn, notHidden, patterns, searchedCharacters, type Value } from './search-text.js'

/** Whether a row is one of those that a query means. Whatever was written in it comes as a value, never as SQL. */
export function queryHit(tree: QueryTree, value: Value): string {
  if (tree.kind === 'not') return `NOT ${queryHit(tree.of, value)}`
  if (tree.kind !== 'and' && tree.kind !== 'or') return `coalesce(${termHit(tree, value)}, false)`
  // What costs more is asked later, for PostgreSQL goes from left to right until it knows.
  const parts = tree.of.toSorted((one, other) => costOf(one) - costOf(other))
  return `(${parts.map((part) => queryHit(part, value)).join(tree.kind === 'and' ? ' AND ' : ' OR ')})`
}

function costOf(tree: QueryTree): number {
  return Math.max(...termsOf(tree).map(({ kind }) => (kind === 'path' ? 2 : kind === 'text' ? 1 : 0)))
}

function termHit(term: QueryTerm, value: Value): string {
  if (term.kind === 'state') return `j.state = ANY(${value(term.among)}::celeriac.job_state[])`
  if (term.kind === 'name') return nameHit(term, value)
  if (term.kind === 'id') return idHit(term, value)
  if (term.kind === 'none') return nothingThere[term.field]
  if (term.kind === 'text') return textHit(term, value)
  if (term.kind === 'path') return pathHit(term, value)
  if (term.kind === 'number') return numberHit(term, value)
  if (term.kind === 'duration') return durationHit(term, value)
  return timeHit(term, value)
}

function nameHit({ field, among }: NameTerm, value: Value): string {
  const names = among.filter((each) => typeof each === 'string')
  const likes = among.flatMap((each) => (typeof each === 'string' ? [] : [likeOf(each.like)]))
  if (field === 'error.name') return errorNameHit(among, value)
  const isAmong = (column: string) =>
    either([
      ...(names.length > 0 ? [`${column} = ANY(${value(names)}::text[])`] : []),
      ...(likes.length > 0 ? [`${column} LIKE ANY(${value(likes)}::text[])`] : []),
    ])
  if (field === 'tag') return `EXISTS (SELECT 1 FROM unnest(j.tags) AS t(tag) WHERE ${isAmong('t.tag')})`
  if (field !== 'worker')
    return isAmong(`j.${field satisfies Exclude<NameField, 'tag' | 'worker' | 'error.name'>}`)
  return `(${isAmong('j.worker_id::text')}
    OR j.worker_id = ANY(ARRAY(SELECT w.id FROM celeriac.worker w WHERE ${isAmong('w.name')})))`
}

/** Errors are JSON text that begins with the name, so that it need not be read whole, which may fail. */
const errorName = `substring(j.error FROM '^\\{"name":"((?:[^"\\\\]|\\\\.)*)"')`

function errorNameHit(among: readonly NameMatch[], value: Value): string {
  const inJson = (text: string) => JSON.stringify(text).slice(1, -1)
  const likes = among.map((each) => likeOf((typeof each === 'string' ? [each] : each.like).map(inJson)))
  return `${errorName} LIKE ANY(${value(likes)}::text[])`
}

function likeOf(pieces: readonly string[]): string {
  return pieces.map((piece) => piece.replace(/[\\%_]/g, '\\$&')).join('%')
}

function idHit({ field, among }: IdTerm, value: Value): string {
  return `${field === 'id' ? 'j.id' : 'j.parent_id'} = ANY(${value(among)}::uuid[])`
}

const nothingThere: Readonly<Record<NoneTerm['field'], string>> = {
  owner: 'j.owner IS NULL',
  worker: 'j.worker_id IS NULL',
  tag: 'coalesce(cardinality(j.tags), 0) = 0',
  parent: 'j.parent_id IS NULL',
  result: 'j.result IS NULL',
  error: 'j.error IS NULL',
}

function textHit({ in: part, text }: TextTerm, value: Value): string {
  const like = `ANY(${value(patterns(text))}::text[])`
  const has = (column: QueriedPart) => `left(j.${column}, ${searchedCharacters}) ILIKE ${like}`
  if (part === 'error') return `j.error ILIKE ${like}`
  if (part !== 'any') return `${notHidden} AND ${has(part)}`
  return `${orIdEnd(text, value)}coalesce(j.error ILIKE ${like}, false)
    OR (${notHidden} AND (${has('payload')} OR coalesce(${has('result')}, false)))`
}

/** To be asked first, for it reads no text of a row. */
export function orIdEnd(text: string, value: Value): string {
  const end = idEndIn(text)
  return end === undefined ? '' : `right(j.id::text, ${end.length}) = ${value(end)}::text OR `
}

/** Most rows are known not to match before their JSON is read. */
function pathHit(term: PathTerm, value: Value): string {
  const column = `j.${term.in}`
  const { path, variables } = toJsonPath(term)
  const { value: trace, pattern, names } = tracesOf(term)
  const has = (text: string) => `position(${value(text)}::text IN ${column}) > 0`
  return [
    ...(term.in === 'error' ? [] : [notHidden]),
    `octet_length(${column}) <= ${largestSearchedJson}`,
    ...(trace === undefined ? [] : [has(trace)]),
    ...(pattern === undefined ? [] : [`${column} ~ ${value(pattern)}`]),
    ...names.map(has),
    `celeriac.json_has(${column}, ${value(path)}::text, ${value(variables)}::text)`,
  ].join(' AND ')
}

const columns: Readonly<Record<NumberTerm['field'] | TimeTerm['field'], string>> = {
  attempts: 'j.attempt',
  failures: 'j.failures',
  priority: 'j.priority',
  created: 'j.created_at',
  started: 'j.started_at',
  ended: 'j.finished_at',
  due: 'j.run_at',
}

function numberHit({ field, is, value: number }: NumberTerm, value: Value): string {
  return `${columns[field]} ${is satisfies Comparison} ${value(number)}::float8`
}

function timeHit(term: TimeTerm, value: Value): string {
  return `${columns[term.field]} ${term.is} ${value(momentOf(term, new Date()))}::timestamptz`
}

/** What waits has no duration. What is not due yet does not wait. */
const lengths: Readonly<Record<DurationTerm['field'], string>> = {
  duration: `CASE WHEN j.finished_at IS NOT NULL OR j.state = 'running' THEN coalesce(j.finished_at, now()) - j.started_at END`,
  wait: `CASE WHEN j.state NOT IN ('scheduled', 'queued', 'retrying')
    THEN greatest(coalesce(j.started_at, j.finished_at) - j.run_at, '0')
    WHEN j.run_at <= now() THEN now() - j.run_at END`,
}

function durationHit({ field, is, ms }: DurationTerm, value: Value): string {
  return `extract(epoch FROM ${lengths[field]}) * 1000 ${is} ${value(ms)}::float8`
}

function either(parts: readonly string[]): string {
  return parts.length === 1 ? (parts[0] ?? '') : `(${parts.join(' OR ')})`
}
