import type { Pool, PoolClient } from 'pg'
import type { Values } from '../job/codec.js'
import type { FoundJobs, MatchCount } from '../job/filter.js'
import type { Job } from '../job/job.js'
import { withClient } from './connection.js'
import type { Job as JobRow } from './generated/prisma/client.js'
import { jobColumns, largestListed, shortValue } from './lists.js'
import { toJob } from './rows.js'
import { narrowed } from './search-narrow.js'
import { fromCursor, type JobPlace, orderOf, statesOf, timeOf, toCursor } from './search-order.js'
import { countStatement, type Look, lookStatement } from './search-sql.js'
import type { FoundIds, StoredFilter, StoredPage } from './search-store.js'

/** How long a search may take. */
export const searchMs = 2000
const firstSize = 100
const largestSize = 20_000
const smallestSize = 20
/** A look gets so long, however late it is: each call comes farther than the one before. */
const shortestMs = 100
/** A statement that takes longer than this looks at fewer rows next time. */
const longStatementMs = 200

export async function searchJobs(
  pool: Pool,
  filter: StoredFilter,
  page: StoredPage,
  values?: Values,
): Promise<FoundJobs> {
  const { ids, ...found } = await searchIds(pool, filter, page)
  return { jobs: await readJobs(pool, ids, page.largestValue ?? largestListed, values), ...found }
}

/** In the order of their ids in the list. One that went meanwhile is left out. */
async function readJobs(
  pool: Pool,
  ids: readonly string[],
  largestValue: number,
  values?: Values,
): Promise<Job[]> {
  if (ids.length === 0) return []
  const { rows } = await pool.query<JobRow>(
    `SELECT ${jobColumns((column) => shortValue(column, largestValue))} FROM celeriac.job WHERE id = ANY($1::uuid[])`,
    [ids],
  )
  const jobs = new Map(rows.map((row) => [row.id, toJob(row, values)]))
  return ids.flatMap((id) => jobs.get(id) ?? [])
}

export async function searchIds(pool: Pool, asked: StoredFilter, page: StoredPage): Promise<FoundIds> {
  const { cursor, withinMs = searchMs } = page
  const filter = narrowed(asked)
  const { since = null } = filter
  const from = cursor === undefined ? undefined : fromCursor(cursor, orderOf(filter), page)
  const ids: string[] = []
  if (statesOf(filter).length === 0) return { ids, cursor: null, isCut: false, lookedTo: null, since }
  const walked = await walk(pool, withinMs, page.limit, from, async (client, look) => {
    const { rows } = await client.query<LookRow>(
      lookStatement(filter, page, { ...look, most: page.limit - ids.length }),
    )
    const { seen = 0, last = null, hits = [] } = rows[0] ?? {}
    ids.push(...hits.map(({ id }) => id))
    const isFull = ids.length === page.limit
    return { seen, next: (isFull ? hits.at(-1) : last) ?? undefined, isFull }
  })
  return { ids, ...toPage(walked, page), since }
}

interface LookRow {
  readonly seen: number
  readonly last: JobPlace | null
  readonly hits: readonly JobPlace[]
}

function toPage({ place, isDone, isFull }: Walked, page: StoredPage): Omit<FoundIds, 'ids' | 'since'> {
  if (isDone) return { cursor: null, isCut: false, lookedTo: null }
  return {
    cursor: place ? toCursor(place, page) : null,
    isCut: !isFull,
    lookedTo: place ? timeOf(place) : new Date(),
  }
}

export async function countMatching(pool: Pool, asked: StoredFilter, most: number): Promise<MatchCount> {
  const filter = narrowed(asked)
  if (statesOf(filter).length === 0) return { count: 0, isMore: false }
  let count = 0
  const { isDone } = await walk(pool, searchMs, firstSize, undefined, async (client, look) => {
    const { rows } = await client.query<{ seen: number; hits: number; last: JobPlace | null }>(
      countStatement(filter, look),
    )
    const { seen = 0, hits = 0, last = null } = rows[0] ?? {}
    count += hits
    return { seen, next: last ?? undefined, isFull: count > most }
  })
  return { count: Math.min(count, most), isMore: !isDone || count > most }
}

interface Step {
  /** Rows that were walked past. */
  readonly seen: number
  readonly next: JobPlace | undefined
  readonly isFull: boolean
}

interface Walked {
  /** How far it came. */
  readonly place: JobPlace | undefined
  /** There are no more rows. */
  readonly isDone: boolean
  readonly isFull: boolean
}

/** Looks at more and more rows at once, as long as that is quick, until there is enough or time is over. */
async function walk(
  pool: Pool,
  withinMs: number,
  wanted: number,
  from: JobPlace | undefined,
  step: (client: PoolClient, look: Omit<Look, 'most'> & { readonly most: number }) => Promise<Step>,
): Promise<Walked> {
  const until = performance.now() + withinMs
  let place = from
  for (let size = Math.max(firstSize, wanted); ; ) {
    const begun = performance.now()
    const leftMs = Math.max(until - begun, shortestMs)
    const taken = await inTime(pool, leftMs, (client) => step(client, { size, most: wanted, from: place }))
    const now = performance.now()
    if (taken === 'late') {
      if (size <= smallestSize || (now > until && place !== from))
        return { place, isDone: false, isFull: false }
      size = Math.max(smallestSize, Math.floor(size / 8))
      continue
    }
    place = taken.next ?? place
    if (taken.isFull) return { place, isDone: false, isFull: true }
    if (taken.seen < size) return { place, isDone: true, isFull: false }
    if (now > until) return { place, isDone: false, isFull: false }
    size = nextSize(size, now - begun)
  }
}

function nextSize(size: number, tookMs: number): number {
  if (tookMs > longStatementMs) return Math.max(smallestSize, Math.floor(size / 2))
  return Math.min(largestSize, size * 4)
}

/** The server ends a statement that takes too long. Settings are the transaction's, so they pass a pooler. */
export async function inTime<T>(
  pool: Pool,
  ms: number,
  work: (client: PoolClient) => Promise<T>,
): Promise<T | 'late'> {
  return withClient(pool, async (client) => {
    try {
      await client.query(`BEGIN READ ONLY; SET LOCAL statement_timeout = ${Math.ceil(ms)};
        SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off; SET LOCAL jit = off`)
      const done = await work(client)
      await client.query('COMMIT')
      return done
    } catch (error) {
      if ((error as { code?: string }).code !== '57014') throw error
      await client.query('ROLLBACK')
      return 'late'
    }
  })
}
