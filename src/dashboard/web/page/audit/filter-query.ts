import { formatName } from '../../../../job/query/format.js'

/** What a filter may say, and how a query says it. */
const names = ['id', 'state', 'task', 'queue', 'worker', 'owner', 'tag', 'parent'] as const
const bounds: Readonly<Record<string, string>> = {
  createdAfter: 'created>=',
  createdBefore: 'created<',
  startedAfter: 'started>=',
  startedBefore: 'started<',
  finishedAfter: 'ended>=',
  finishedBefore: 'ended<',
  minDuration: 'duration>=',
  maxDuration: 'duration<=',
}
const texts: Readonly<Record<string, string>> = { errorName: 'error.name:', error: 'error:', text: '' }

/**
 * A filter, as it stands in the audit, in the query language: to be read, and to find the same jobs by.
 * @param filter as it has come: anything
 */
export function filterToQuery(filter: unknown): string {
  if (typeof filter !== 'object' || filter === null) return ''
  const said = filter as Readonly<Record<string, unknown>>
  const terms = [
    ...names.flatMap((name) => (name in said ? [`${name}:${tellNames(said[name])}`] : [])),
    ...termsOf(said, bounds, tellBound),
    ...termsOf(said, { minAttempts: 'attempts>=' }, String),
    ...termsOf(said, texts, tellText),
  ]
  const { query } = said
  if (typeof query !== 'string' || query.trim() === '') return terms.join(' ')
  return [...terms, terms.length > 0 ? `(${query.trim()})` : query.trim()].join(' ')
}

function termsOf(
  said: Readonly<Record<string, unknown>>,
  fields: Readonly<Record<string, string>>,
  tell: (value: unknown) => string,
): string[] {
  return Object.entries(fields).flatMap(([field, before]) =>
    said[field] === undefined ? [] : [`${before}${tell(said[field])}`],
  )
}

function tellNames(value: unknown): string {
  if (value === null) return 'none'
  return [value]
    .flat()
    .map((each) => formatName(String(each)))
    .join(',')
}

function tellBound(value: unknown): string {
  return typeof value === 'number' ? `${value}ms` : String(value).replace(/\.000Z$/, 'Z')
}

function tellText(value: unknown): string {
  return `"${String(value).replace(/["\\*]/g, '\\$&')}"`
}
