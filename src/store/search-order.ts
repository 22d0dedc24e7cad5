import { ConfigError } from '../errors.js'
import { isEnd, type JobState, moves } from '../job/state.js'
import type { StoredFilter, StoredPage } from './search-store.js'

/** By what the jobs that a filter means are put in order. Ids are UUIDv7: their order is that of their creation. */
export type OrderKey = 'created' | 'finished'

/** Where a job stands in such an order. */
export interface JobPlace {
  readonly id: string
  /** When it ended, as ISO text; `null` in the order of creation. */
  readonly at: string | null
  /** Of a walk through one queue after the other: where it is. */
  readonly line?: string | null
}

const allStates = Object.keys(moves) as JobState[]

/** The states that a job can be in that matches. */
export function statesOf({ states = allStates, finished }: StoredFilter): readonly JobState[] {
  return finished ? states.filter(isEnd) : states
}

export function orderOf(filter: StoredFilter): OrderKey {
  if (filter.ids || filter.parentId) return 'created'
  return statesOf(filter).every(isEnd) ? 'finished' : 'created'
}

type Order = Pick<StoredPage, 'sort' | 'inAnyOrder'>

function nameOf({ sort, inAnyOrder }: Order): string {
  return inAnyOrder ? 'a' : sort === 'newest' ? 'n' : 'o'
}

/** Opaque to whoever hands it back. */
export function toCursor({ id, at, line }: JobPlace, order: Order): string {
  return Buffer.from(JSON.stringify([nameOf(order), id, at, line ?? null])).toString('base64url')
}

/** @throws {ConfigError} when it is none, or that of another kind of search */
export function fromCursor(cursor: string, key: OrderKey, order: Order): JobPlace {
  const [name, id, at, line] = read(cursor)
  if (!isUuid(id) || !(at === null || isTime(at)) || !(line === null || typeof line === 'string'))
    throw new ConfigError(
      `"${cursor.slice(0, 100)}" is no cursor. Take the one that the page before gave, as it is.`,
    )
  if (name !== nameOf(order) || (at !== null) !== (key === 'finished'))
    throw new ConfigError(
      'The cursor is that of another search. Use it with the same filter and the same order, or leave it out.',
    )
  return { id, at, line }
}

function read(cursor: string): unknown[] {
  try {
    const parts: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString())
    return Array.isArray(parts) ? parts : []
  } catch {
    return []
  }
}

const uuidPattern = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i

function isUuid(value: unknown): value is string {
  return typeof value === 'string' && uuidPattern.test(value)
}

function isTime(value: unknown): value is string {
  return typeof value === 'string' && !Number.isNaN(Date.parse(value))
}

/** How far a search has looked. */
export function timeOf({ id, at }: JobPlace): Date {
  return at === null ? new Date(Number.parseInt(id.replaceAll('-', '').slice(0, 12), 16)) : new Date(at)
}

/** Clocks of processes that make ids, and that of the database, may differ by so much. */
const skewMs = 5 * 60_000

/** The lowest id of a moment, and of those before that a clock of another machine may have made in it. */
export function idFrom(moment: Date): string {
  return toId(moment.getTime() - skewMs, '0')
}

export function idBefore(moment: Date): string {
  return toId(moment.getTime() + skewMs, 'f')
}

function toId(ms: number, rest: '0' | 'f'): string {
  const time = Math.max(0, Math.min(ms, 2 ** 48 - 1))
    .toString(16)
    .padStart(12, '0')
  const hex = time + rest.repeat(20)
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
}
