import { StoreUnavailableError } from '../errors.js'
import type { Values } from '../job/codec.js'
import type { JobFilter } from '../job/filter.js'
import type { Job } from '../job/job.js'
import type { Store } from '../store/store.js'
import { checkKeys } from '../task/check.js'
import { checkColumns, type ExportColumn } from './export-columns.js'
import { checkFormat, createFormat, type ExportFormat } from './export-format.js'
import { toNamedTasks, toStoredFilter } from './filter.js'
import type { NamesOf } from './operation-plan.js'
import { stuckMessage } from './operation-source.js'

/**
 * All jobs that match, as text, piece by piece, in the order that is the quickest: newest first, or newest first in each
 * queue. Nothing is held but the page that is under way, so there may be any number.
 *
 * Fields under `redact` stay hidden. Of a value of more than 256 KB only the size is told.
 * @throws {ConfigError} when the filter or the options make no sense
 * @throws {StoreUnavailableError} when the store does not answer
 */
export type Export = (filter?: JobFilter, options?: ExportOptions) => AsyncGenerator<string, void, void>

export interface ExportOptions {
  /** `csv`, as RFC 4180 has it, with a head; or `jsonl`, a JSON document a line. Default `csv`. */
  readonly format?: ExportFormat
  /** Default: what most tables need. */
  readonly columns?: readonly ExportColumn[]
  /** Ends it after the page that is under way. */
  readonly signal?: AbortSignal
  /** Told after each page, and waited for. All that match are counted first, for up to 2 s. */
  onProgress?(progress: ExportProgress): unknown
  /** Told after each page how many jobs there were so far. */
  onPage?(done: number): void
}

export interface ExportProgress {
  /** Jobs so far. */
  readonly done: number
  /** How many match, as far as a count of 2 s tells. */
  readonly matched: number
  /** There are more than `matched`, or may be. */
  readonly isMore: boolean
  /** As `FoundJobs.since`. */
  readonly since: Date | null
}

export type WorkerNames = ReadonlyMap<string, string>

export interface ExportDeps {
  readonly store: () => Promise<Pick<Store, 'searchJobs' | 'countMatching' | 'workerNames'>>
  readonly values: Values
  /** A task goes by its name and its aliases. Default: by what the filter says. */
  readonly namesOf?: NamesOf
}

const optionNames = [
  'format',
  'columns',
  'signal',
  'onProgress',
  'onPage',
] as const satisfies (keyof ExportOptions)[]
const pageSize = 200
const mostCounted = 1_000_000
/** A page of values may be held in memory twice. */
const largestValue = 262_144

export function createExport({ store, values, namesOf = (task) => [task] }: ExportDeps): Export {
  return async function* exportJobs(filter = {}, options = {}) {
    checkKeys(options as unknown, optionNames, 'An export')
    const { signal, onProgress, onPage } = options
    const meant = toNamedTasks(toStoredFilter(filter), namesOf)
    const kind = checkFormat(options.format ?? 'csv')
    const columns = checkColumns(options.columns)
    const opened = await store()
    const workers = new Map<string, string>()
    const format = createFormat(kind, { columns, workers, values })
    const matched = onProgress ? await opened.countMatching(meant, mostCounted) : { count: 0, isMore: true }
    if (format.head !== '') yield format.head
    let done = 0
    for (let cursor: string | null | undefined; cursor !== null && !signal?.aborted; ) {
      const page = { limit: pageSize, sort: 'newest', inAnyOrder: true, largestValue } as const
      const found = await opened.searchJobs(meant, cursor === undefined ? page : { ...page, cursor })
      if (found.isCut && (found.cursor === null || found.cursor === cursor))
        throw new StoreUnavailableError(stuckMessage)
      cursor = found.cursor
      done += found.jobs.length
      if (columns.includes('worker')) await learnNames(opened, found.jobs, workers)
      if (found.jobs.length > 0) yield found.jobs.map(format.toLine).join('')
      onPage?.(done)
      await onProgress?.({
        ...{ done, matched: Math.max(matched.count, done), isMore: matched.isMore },
        since: found.since,
      })
    }
  }
}

/** Of workers that none of the pages before had. */
async function learnNames(
  store: Pick<Store, 'workerNames'>,
  jobs: readonly Job[],
  known: Map<string, string>,
): Promise<void> {
  const ids = new Set(jobs.flatMap(({ workerId }) => workerId ?? []).filter((id) => !known.has(id)))
  for (const [id, name] of await store.workerNames([...ids])) known.set(id, name)
}
