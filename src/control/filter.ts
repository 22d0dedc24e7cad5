import { validate as isUuid } from 'uuid'
import { ConfigError } from '../errors.js'
import { toMs } from '../job/duration.js'
import type { JobFilter, Moment, SearchPage } from '../job/filter.js'
import { parseQuery } from '../job/query/parse.js'
import {
  fixMoments,
  type NameMatch,
  type QueryTerm,
  type QueryTree,
  termsOf,
  withTerms,
} from '../job/query/query.js'
import { type JobState, moves } from '../job/state.js'
import { hint } from '../job/suggest.js'
import type { StoredFilter, StoredPage, TimeRange } from '../store/store.js'
import { checkDuration, checkInteger, checkKeys, checkText, wrong } from '../task/check.js'

const filterKeys = [
  ...['id', 'state', 'task', 'queue', 'worker', 'owner', 'tag', 'parent'],
  ...['createdAfter', 'createdBefore', 'startedAfter', 'startedBefore', 'finishedAfter', 'finishedBefore'],
  ...['minDuration', 'maxDuration', 'minAttempts', 'errorName', 'error', 'text', 'query'],
] as readonly (keyof JobFilter)[]

const mostListed = 10_000
const longestText = 1000
const states = Object.keys(moves) as JobState[]

/** @throws {ConfigError} when it makes no sense: what was expected, what came */
export function toStoredFilter(filter: JobFilter): StoredFilter {
  checkKeys(filter as unknown, filterKeys, 'A filter of jobs')
  const ids = listOf(filter.id, '"id"')
  for (const id of ids ?? []) checkId(id)
  const stored: { -readonly [Key in keyof StoredFilter]: StoredFilter[Key] | undefined } = {
    ids: ids?.map((id) => id.toLowerCase()),
    states: listOf(filter.state, '"state"')?.map(checkState),
    tasks: listOf(filter.task, '"task"'),
    queues: listOf(filter.queue, '"queue"'),
    workers: listOf(filter.worker, '"worker"'),
    owners: filter.owner === null ? null : listOf(filter.owner, '"owner"'),
    tags: listOf(filter.tag, '"tag"'),
    parentId: filter.parent === undefined ? undefined : checkId(filter.parent).toLowerCase(),
    created: rangeOf(filter.createdAfter, filter.createdBefore, 'created'),
    started: rangeOf(filter.startedAfter, filter.startedBefore, 'started'),
    finished: rangeOf(filter.finishedAfter, filter.finishedBefore, 'finished'),
    minDurationMs: durationOf(filter.minDuration, '"minDuration"'),
    maxDurationMs: durationOf(filter.maxDuration, '"maxDuration"'),
    minAttempts:
      filter.minAttempts === undefined
        ? undefined
        : checkInteger(filter.minAttempts, 0, '"minAttempts"', 'a whole number'),
    errorName: textOf(filter.errorName, '"errorName"'),
    error: textOf(filter.error, '"error"'),
    text: textOf(filter.text, '"text"'),
    query: queryOf(filter.query),
  }
  const said = Object.fromEntries(
    Object.entries(stored).filter(([, value]) => value !== undefined),
  ) as StoredFilter
  const since = sinceOf(said)
  return since ? { ...said, since } : said
}

function queryOf(value: unknown): QueryTree | undefined {
  if (value === undefined) return undefined
  if (typeof value !== 'string') throw wrong('"query"', 'a written query, as state:failed', value)
  const parsed = parseQuery(value)
  if ('fault' in parsed) throw new ConfigError(`"query" makes no sense. ${parsed.fault.message}`)
  return parsed.tree ? fixMoments(parsed.tree, new Date()) : undefined
}

/** How far a search for text looks where no time is said: it reads each job that it passes. */
const textSearchMs = 86_400_000

function sinceOf({ created, started, finished, text, error, query }: StoredFilter): Date | undefined {
  const terms = query ? termsOf(query) : []
  const isText = text ?? error ?? terms.find(({ kind }) => kind === 'text' || kind === 'path')
  const isTimed =
    created ?? started ?? finished ?? terms.find((term) => term.kind === 'time' && term.field !== 'due')
  return isText !== undefined && isTimed === undefined ? new Date(Date.now() - textSearchMs) : undefined
}

/** A task by all its names. */
export function toNamedTasks(
  filter: StoredFilter,
  namesOf: (task: string) => readonly string[],
): StoredFilter {
  const { tasks, query } = filter
  return {
    ...filter,
    ...(tasks && { tasks: tasks.flatMap(namesOf) }),
    ...(query && { query: withTerms(query, (term) => withNames(term, namesOf)) }),
  }
}

function withNames(term: QueryTerm, namesOf: (task: string) => readonly string[]): QueryTerm {
  if (term.kind !== 'name' || term.field !== 'task') return term
  return {
    ...term,
    among: term.among.flatMap<NameMatch>((name) => (typeof name === 'string' ? namesOf(name) : name)),
  }
}

const pageKeys = ['limit', 'cursor', 'sort'] as const satisfies (keyof SearchPage)[]
const largestPage = 1000
const defaultPage = 50

export function toStoredPage(page: SearchPage): StoredPage {
  checkKeys(page as unknown, pageKeys, 'A page of jobs')
  const { limit = defaultPage, sort = 'newest', cursor } = page
  checkInteger(limit, 1, '"limit"', `a whole number from 1 to ${largestPage}`)
  if (limit > largestPage) throw new ConfigError(`"limit" must be at most ${largestPage}. It is ${limit}.`)
  if (sort !== 'newest' && sort !== 'oldest')
    throw new ConfigError(`"sort" must be 'newest' or 'oldest'. It is ${JSON.stringify(sort)}.`)
  return { limit, sort, ...(cursor === undefined ? {} : { cursor: checkText(cursor, '"cursor"') }) }
}

/** @throws {ConfigError} when it is no whole id: the beginnings of ids are times, which many jobs share */
export function checkId(value: unknown): string {
  const id = checkText(value, 'An id')
  if (isUuid(id)) return id
  throw new ConfigError(
    isPartOfId(id)
      ? `"${id}" is a part of an id. Say all of it: ids begin with the time, so many jobs share their beginnings.`
      : `"${id.slice(0, 100)}" is no id of a job. Ids look like 01987a3c-5d1e-7b60-8f11-2c9d6e4ab001.`,
  )
}

export function isPartOfId(text: string): boolean {
  // The length first: of a long text the pattern would try every way to part it.
  return text.length < 36 && /^[0-9a-f]{4,}[0-9a-f-]*$/i.test(text)
}

function listOf(value: unknown, where: string): readonly string[] | undefined {
  if (value === undefined) return undefined
  const list: unknown[] = Array.isArray(value) ? value : [value]
  if (list.length === 0)
    throw new ConfigError(`${where} is an empty list, which no job matches. Leave it out.`)
  if (list.length > mostListed)
    throw new ConfigError(`${where} may name ${mostListed} at most, and names ${list.length}.`)
  return list.map((each) => checkStorable(each, where))
}

/** No text in the store has that character, and PostgreSQL does not even look for it. */
function checkStorable(value: unknown, where: string): string {
  const text = checkText(value, where)
  if (!text.includes('\0')) return text
  throw new ConfigError(`${where} has a NUL character in it, which no job has.`)
}

function checkState(state: string): JobState {
  const known = states.find((each) => each === state)
  if (known) return known
  throw new ConfigError(
    `There is no state "${state.slice(0, 100)}".${hint(state, states)} The states are ${states.join(', ')}.`,
  )
}

function textOf(value: unknown, where: string): string | undefined {
  if (value === undefined) return undefined
  const text = checkStorable(value, where)
  if (text.length > longestText)
    throw new ConfigError(`${where} may have ${longestText} characters at most, and has ${text.length}.`)
  return text
}

function durationOf(value: unknown, where: string): number | undefined {
  return value === undefined ? undefined : checkDuration(value, where)
}

function rangeOf(after: Moment | undefined, before: Moment | undefined, name: string): TimeRange | undefined {
  if (after === undefined && before === undefined) return undefined
  const range = {
    ...(after === undefined ? {} : { from: toMoment(after, `"${name}After"`) }),
    ...(before === undefined ? {} : { before: toMoment(before, `"${name}Before"`) }),
  }
  if (range.from && range.before && range.from >= range.before)
    throw new ConfigError(
      `"${name}After" is ${range.from.toISOString()}, not before "${name}Before", ${range.before.toISOString()}.`,
    )
  return range
}

/** @throws {ConfigError} */
export function toMoment(value: unknown, where: string): Date {
  const ago = typeof value === 'string' || typeof value === 'number' ? toMs(value) : undefined
  const moment = ago !== undefined ? new Date(Date.now() - ago) : value instanceof Date ? value : parse(value)
  if (moment && isStorable(moment)) return moment
  throw new ConfigError(
    `${where} must be a moment: a Date, ISO text such as 2026-11-22T10:00:00Z, or so long ago, as '1h'. It is ${JSON.stringify(value) ?? String(value)}.`,
  )
}

/** PostgreSQL has no year 0, and reads no year beyond 9999 as JavaScript writes it. */
function isStorable(moment: Date): boolean {
  return moment.getUTCFullYear() >= 1 && moment.getUTCFullYear() <= 9999
}

function parse(value: unknown): Date | undefined {
  return typeof value === 'string' && /^\d{4}-\d{2}-\d{2}/.test(value) ? new Date(value) : undefined
}
