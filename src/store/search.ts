import type { Pool, PoolClient } from 'pg'
import type { Values } from '../job/codec.js'
import type { FoundJobs, MatchCount } from '../job/filter.js'
import type { Job } from '../job/job.js'
import { withClient } from './connection.js'
import { errorHeadLength, readErrorHead } from './error-head.js'
import type { Job as JobRow } from './generated/prisma/client.js'
import { jobColumns, largestListed, shortValue } from './lists.js'
import { toJob } from './rows.js'
import { narrowed } from './search-narrow.js'
import { fromCursor, type JobPlace, orderOf, statesOf, timeOf, toCursor } from './search-order.js'
import { countStatement, type Look, lookStatement } from './search-sql.js'
import type { FoundErrors, FoundIds, JobError, StoredFilter, StoredPage } from './search-store.js'

/** How long a search may take. */
export const searchMs = 2000
const firstSize = 100
const firstCountedSize = 1000
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

export async function searchErrors(pool: Pool, filter: StoredFilter, page: StoredPage): Promise<FoundErrors> {
  const { ids, ...found } = await searchIds(pool, filter, page)
  return { errors: await readErrors(pool, ids), ...found }
}

async function readErrors(pool: Pool, ids: readonly string[]): Promise<JobError[]> {
  if (ids.length === 0) return []
  const { rows } = await pool.query<Omit<JobError, 'error'> & { readonly head: string | null }>(
    `SELECT id, started_at AS "startedAt", finished_at AS "finishedAt", left(error, ${errorHeadLength}) AS head
     FROM celeriac.job WHERE id = ANY($1::uuid[])`,
    [ids],
  )
  const errors = new Map(
    rows.map(({ head, ...job }) => [job.id, { ...job, error: head === null ? null : readErrorHead(head) }]),
  )
  return ids.flatMap((id) => errors.get(id) ?? [])
}

export async function searchIds(pool: Pool, asked: StoredFilter, page: StoredPage): Promise<FoundIds> {
  const { cursor, withinMs = searchMs } = page
  const filter = narrowed(asked)
  const { since = null } = filter
  const from = cursor === undefined ? undefined : fromCursor(cursor, orderOf(filter), page)
  const ids: string[] = []
  if (statesOf(filter).length === 0) return { ids, cursor: null, isCut: false, lookedTo: null, since }
  const walked = await walk(pool, withinMs, { wanted: page.limit, from }, async (client, look) => {
    const { rows } = await client.query<LookRow>(
      lookStatement(filter, page, { ...look, most: page.limit - ids.length }),
    )
    const { seen = 0, isDone = true, last = null, hits = [] } = rows[0] ?? {}
    ids.push(...hits.map(({ id }) => id))
    const isFull = ids.length === page.limit
    return { seen, isDone, next: (isFull ? hits.at(-1) : last) ?? undefined, isFull }
  })
  return { ids, ...toPage(walked, page), since }
}

interface LookRow extends Omit<Step, 'next' | 'isFull'> {
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
  let passed = 0
  // What is left to be counted, where as many match as so far.
  const enough = () => Math.max(firstCountedSize, ((most + 1 - count) * (passed + 1)) / (count + 1))
  const range = { wanted: firstCountedSize, from: undefined, enough }
  const { isDone } = await walk(pool, searchMs, range, async (client, look) => {
    const { rows } = await client.query<CountRow>(countStatement(filter, look))
    const { seen = 0, isDone = true, hits = 0, last = null } = rows[0] ?? {}
    count += hits
    passed += seen
    return { seen, isDone, next: last ?? undefined, isFull: count > most }
  })
  return { count: Math.min(count, most), isMore: !isDone || count > most }
}

interface CountRow extends Omit<Step, 'next' | 'isFull'> {
  readonly hits: number
  readonly last: JobPlace | null
}

interface Step {
  /** Rows that were walked past. */
  readonly seen: number
  /** There are no more behind them. */
  readonly isDone: boolean
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

interface WalkRange {
  /** Matches. */
  readonly wanted: number
  readonly from: JobPlace | undefined
  /** More rows than this need not be looked at together. */
  enough?(): number
}

/** Looks at more and more rows at once, as long as that is quick, until there is enough or time is over. */
async function walk(
  pool: Pool,
  withinMs: number,
  { wanted, from, enough }: WalkRange,
  step: (client: PoolClient, look: Look) => Promise<Step>,
): Promise<Walked> {
  const until = performance.now() + withinMs
  let place = from
  for (let most = Math.max(firstSize, wanted); ; ) {
    const size = Math.ceil(Math.min(most, enough?.() ?? most))
    const begun = performance.now()
    const leftMs = Math.max(until - begun, shortestMs)
    const taken = await inTime(pool, leftMs, (client) => step(client, { size, most: wanted, from: place }))
    const now = performance.now()
    if (taken === 'late') {
      if (size <= smallestSize || (now > until && place !== from))
        return { place, isDone: false, isFull: false }
      most = Math.max(smallestSize, Math.floor(size / 8))
      continue
    }
    place = taken.next ?? place
    if (taken.isFull) return { place, isDone: false, isFull: true }
    if (taken.isDone) return { place, isDone: true, isFull: false }
    if (now > until) return { place, isDone: false, isFull: false }
    most = nextSize(size, now - begun)
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
