import { parseQuery } from '../../../../job/query/parse.js'
import { type QueryTerm, termsOf } from '../../../../job/query/query.js'
import { isEnd, type JobState, moves } from '../../../../job/state.js'
import type { JobsQuery } from '../../../api/contract.js'
import type { JobsRange } from '../../ui/jobs-link.js'

export const jobsRanges: readonly JobsRange[] = ['15m', '1h', '6h', '24h', '7d', '30d', 'all']

export const rangeNames: Readonly<Record<JobsRange, string>> = {
  '15m': '15 minutes',
  '1h': '1 hour',
  '6h': '6 hours',
  '24h': '24 hours',
  '7d': '7 days',
  '30d': '30 days',
  all: 'Any time',
}

/** In the order of a job's life. */
export const jobStates = Object.keys(moves) as readonly JobState[]

/** All that the address of the page says. */
export interface JobsView {
  readonly query: string
  readonly ids: readonly string[]
  readonly states: readonly JobState[]
  readonly tasks: readonly string[]
  readonly queues: readonly string[]
  readonly workers: readonly string[]
  readonly owners: readonly string[]
  readonly tags: readonly string[]
  readonly parent: string
  readonly minDuration: string
  readonly maxDuration: string
  /** As it is said, or as is usual for what else is said. */
  readonly range: JobsRange
  readonly isRangeSaid: boolean
  readonly sort: 'newest' | 'oldest'
  readonly size: number
  /** Where the page begins; empty: at the beginning. */
  readonly cursor: string
}

export const sizes: readonly number[] = [25, 50, 100, 200]
export const usualSize = 50

/** What `useSearch` gives. */
export interface Address {
  get(name: string): string
  all(name: string): readonly string[]
}

export function readView(address: Address): JobsView {
  const list = (name: string) => address.all(name).filter((text) => text !== '')
  const words = (name: string) => list(name).flatMap((text) => text.split(','))
  const said = jobsRanges.find((range) => range === address.get('range'))
  const size = Number(address.get('size'))
  const view = {
    query: address.get('query'),
    ids: words('id'),
    states: jobStates.filter((state) => words('state').includes(state)),
    tasks: list('task'),
    queues: list('queue'),
    workers: list('worker'),
    owners: list('owner'),
    tags: list('tag'),
    parent: address.get('parent'),
    minDuration: address.get('minDuration'),
    maxDuration: address.get('maxDuration'),
    isRangeSaid: said !== undefined,
    sort: address.get('sort') === 'oldest' ? ('oldest' as const) : ('newest' as const),
    size: sizes.includes(size) ? size : usualSize,
    cursor: address.get('cursor'),
  }
  return { ...view, range: said ?? usualRange(view) }
}

export interface WholeAddress extends Address {
  readonly names: readonly string[]
}

/** A part of the address that says nothing of which the page knows what it means. */
export interface Strange {
  readonly name: string
  readonly value: string
}

const known: readonly string[] = [
  ...[
    'query',
    'id',
    'state',
    'task',
    'queue',
    'worker',
    'owner',
    'tag',
    'parent',
    'minDuration',
    'maxDuration',
  ],
  ...['range', 'sort', 'size', 'cursor', 'selected', 'columns', 'operation'],
]

/** What of the address was not understood, so that the list is longer than was meant. */
export function strangeIn(address: WholeAddress): readonly Strange[] {
  const oneOf = (name: string, values: readonly string[]) =>
    address
      .all(name)
      .flatMap((text) => text.split(','))
      .filter((value) => value !== '' && !values.includes(value))
      .map((value) => ({ name, value }))
  return [
    ...oneOf('state', jobStates),
    ...oneOf('range', jobsRanges),
    ...oneOf('sort', ['newest', 'oldest']),
    ...oneOf('size', sizes.map(String)),
    ...address.names
      .filter((name) => !known.includes(name))
      .flatMap((name) => address.all(name).map((value) => ({ name, value }))),
  ]
}

/** The address without that. */
export function withoutStrange(address: Address, strange: readonly Strange[]): Record<string, string[]> {
  const names = [...new Set(strange.map(({ name }) => name))]
  return Object.fromEntries(
    names.map((name) => [
      name,
      address
        .all(name)
        .flatMap((text) => (name === 'state' ? text.split(',') : [text]))
        .filter((text) => !strange.some((each) => each.name === name && each.value === text)),
    ]),
  )
}

type Said = Omit<JobsView, 'range'>

/**
 * Jobs that an index finds are listed as far back as there are any, and the counts of states beside the list mean the
 * same jobs. Whatever else is looked for is looked for in the last day, unless the query says a time by itself.
 */
export function usualRange(view: Said): JobsRange {
  if (view.ids.length > 0 || view.parent !== '') return 'all'
  const terms = termsIn(view.query)
  if (terms.some(({ kind }) => kind === 'time' || kind === 'id')) return 'all'
  return isCounted(view) ? 'all' : '24h'
}

/** Whether an index leads to these jobs, so that a page of them costs the same however many there are. */
export function isIndexed(view: JobsView): boolean {
  return isCounted(view) || (view.query.trim() === '' && (view.ids.length > 0 || view.parent !== ''))
}

/** Whether state, task and queue say it all: these are counted. */
function isCounted({ query, workers, owners, tags, minDuration, maxDuration }: Said): boolean {
  const lists = [workers, owners, tags]
  return query.trim() === '' && minDuration === '' && maxDuration === '' && lists.every(isEmpty)
}

function isEmpty(list: readonly unknown[]): boolean {
  return list.length === 0
}

function termsIn(query: string): readonly QueryTerm[] {
  const parsed = parseQuery(query)
  return 'tree' in parsed && parsed.tree ? termsOf(parsed.tree) : []
}

/** Whether the query is one: else nobody is asked, and it stands there with what is wrong. */
export function isAskable({ query }: Pick<JobsView, 'query'>): boolean {
  return 'tree' in parseQuery(query)
}

/** Whether something is looked for in payloads, results and errors. */
export function looksIntoText(query: string): boolean {
  return termsIn(query).some(({ kind }) => kind === 'text' || kind === 'path')
}

/** What the API is asked. */
export function toFilter(view: JobsView): JobsQuery {
  return {
    ...said('query', view.query.trim()),
    ...listed('id', view.ids),
    ...listed('state', view.states),
    ...listed('task', view.tasks),
    ...listed('queue', view.queues),
    ...listed('worker', view.workers),
    ...listed('owner', view.owners),
    ...listed('tag', view.tags),
    ...said('parent', view.parent),
    ...said('minDuration', view.minDuration),
    ...said('maxDuration', view.maxDuration),
    ...within(view),
  }
}

function said<Name extends string>(name: Name, text: string): { [Key in Name]?: string } {
  return text === '' ? {} : ({ [name]: text } as { [Key in Name]: string })
}

function listed<Name extends string, Value>(name: Name, list: readonly Value[]): { [Key in Name]?: Value[] } {
  return isEmpty(list) ? {} : ({ [name]: [...list] } as { [Key in Name]: Value[] })
}

/** Ended jobs by their end, by which they are sorted, too. */
function within({ range, states, query }: JobsView): JobsQuery {
  // Without a word of time the server looks for text in the last day alone.
  if (range === 'all') return looksIntoText(query) ? { createdAfter: '1970-01-01T00:00:00Z' } : {}
  return isByEnd(states) ? { finishedAfter: range } : { createdAfter: range }
}

/** Whether only ended jobs are meant. */
export function isByEnd(states: readonly JobState[]): boolean {
  return states.length > 0 && states.every(isEnd)
}

interface Placed {
  readonly id: string
  readonly finishedAt: string | null
}

/** Whether a job comes before another in the list. `undefined`: a query may say states, and so by what it is sorted. */
export function orderOf({
  query,
  ids,
  parent,
  states,
  sort,
}: Pick<JobsView, 'query' | 'ids' | 'parent' | 'states' | 'sort'>) {
  const isEnds = isByEnd(states) && ids.length === 0 && parent === ''
  if (!isEnds && query.trim() !== '') return undefined
  // Ids are UUIDv7: their order is that of their creation.
  const placeOf = ({ id, finishedAt }: Placed) => (isEnds ? (finishedAt ?? '') : id)
  const isOlder = (one: Placed, other: Placed) => placeOf(one) < placeOf(other)
  return sort === 'oldest' ? isOlder : (one: Placed, other: Placed) => isOlder(other, one)
}

/** Whether all jobs are meant. */
export function isEverything(view: JobsView): boolean {
  return Object.keys(toFilter(view)).length === 0
}
