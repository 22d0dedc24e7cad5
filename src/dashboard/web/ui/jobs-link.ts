import { formatQuery } from '../../../job/query/format.js'
import type { QueryTree } from '../../../job/query/query.js'
import type { JobsQuery, Range } from '../../api/contract.js'

type Linked = Pick<
  JobsQuery,
  | 'query'
  | 'id'
  | 'state'
  | 'task'
  | 'queue'
  | 'worker'
  | 'owner'
  | 'tag'
  | 'parent'
  | 'minDuration'
  | 'maxDuration'
>

/** How far back the list of jobs looks. */
export type JobsRange = Range | 'all'

/** Which jobs a link leads to: what the page of jobs has in its address. */
export interface JobsLink extends Linked {
  range?: JobsRange
  sort?: 'oldest'
}

/** The page of those jobs: `<Link href={jobsLink({ state: ['failed'], task: [name], range })}>`. */
export function jobsLink(link: JobsLink): string {
  const params = new URLSearchParams()
  for (const [name, value] of Object.entries(link))
    for (const each of value === undefined ? [] : [value].flat()) params.append(name, each)
  const text = params.toString()
  return text === '' ? '/jobs' : `/jobs?${text}`
}

/** The jobs that an action meant, by what the audit has of it: a filter, or ids. `undefined`: it says none. */
export function linkToArgs(args: unknown): string | undefined {
  const { filter, ids } = fieldsOf(args)
  if (Array.isArray(ids)) return jobsLink({ id: textsOf(ids) })
  const said = fieldsOf(filter)
  return Object.keys(said).length === 0 ? undefined : jobsLink(toLink(said))
}

type Fields = Readonly<Record<string, unknown>>

function fieldsOf(value: unknown): Fields {
  return typeof value === 'object' && value !== null ? (value as Fields) : {}
}

const names = ['id', 'state', 'task', 'queue', 'worker', 'owner', 'tag'] as const
const texts = ['parent', 'minDuration', 'maxDuration'] as const

/** The page has a field for most of what a filter says; the rest is written. */
function toLink(filter: Fields): JobsLink {
  const listed = names.flatMap((name) => {
    const all = textsOf([filter[name]].flat())
    return all.length === 0 ? [] : [[name, all] as const]
  })
  const single = texts.flatMap((name) =>
    textsOf([filter[name]]).map((text) => [name, /^\d+$/.test(text) ? `${text}ms` : text] as const),
  )
  const [query = ''] = textsOf([filter.query])
  const rest = written(filter)
  const all = rest.length === 0 ? query : [...(query === '' ? [] : [`(${query})`]), ...rest].join(' ')
  return {
    ...Object.fromEntries([...listed, ...single]),
    ...(all === '' ? {} : { query: all }),
    range: 'all',
  }
}

/** As terms of a query. */
function written(filter: Fields): string[] {
  const trees: QueryTree[] = []
  const [errorName] = textsOf([filter.errorName])
  if (errorName !== undefined) trees.push({ kind: 'name', field: 'error.name', among: [errorName] })
  for (const [part, field] of [
    ['error', 'error'],
    ['any', 'text'],
  ] as const)
    for (const text of textsOf([filter[field]])) trees.push({ kind: 'text', in: part, text })
  const moments = times.flatMap(([field, term, is]) =>
    textsOf([filter[field]]).map((moment) => `${term}${is}${moment}`),
  )
  return [
    ...trees.map(formatQuery),
    ...moments,
    ...textsOf([filter.minAttempts]).map((least) => `attempts>=${least}`),
  ]
}

const times = [
  ['createdAfter', 'created', '>='],
  ['createdBefore', 'created', '<'],
  ['startedAfter', 'started', '>='],
  ['startedBefore', 'started', '<'],
  ['finishedAfter', 'ended', '>='],
  ['finishedBefore', 'ended', '<'],
] as const

function textsOf(values: readonly unknown[]): string[] {
  return values.flatMap((value) =>
    typeof value === 'string' || typeof value === 'number' ? [String(value)] : [],
  )
}
