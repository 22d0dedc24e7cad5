import { EnqueueStreamError } from '../errors.js'
import type { EnqueuedChunk, EnqueuedStream, JobHandle } from '../job/job.js'
import type { PayloadSource } from '../task/binding.js'

export type Source = PayloadSource

export interface StreamSteps<Row> {
  /** Makes a row of a payload. */
  toRow(payload: unknown): Row | Promise<Row>
  /** Characters that a row holds in memory. */
  sizeOf(row: Row): number
  /** Commits rows together. */
  write(rows: readonly Row[]): Promise<readonly JobHandle[]>
  /** Told of each chunk. The source waits for what it returns. */
  readonly onChunk: ((chunk: EnqueuedChunk) => unknown) | undefined
}

/** Large enough that a commit is a small part of the work, small enough that memory is. */
const mostRows = 1000
const mostCharacters = 2_000_000

/**
 * Enqueues what a source gives, a chunk after the other, each a transaction of its own. While one is written the next is
 * gathered; beyond that the source waits, so that memory holds two chunks at most, however long the source is.
 *
 * @throws {EnqueueStreamError} says how many were accepted, with the reason as its cause
 */
export async function enqueueStream<Row>(source: Source, steps: StreamSteps<Row>): Promise<EnqueuedStream> {
  let accepted = 0
  let created = 0
  let read = 0
  let rows: Row[] = []
  let size = 0
  let writing: Promise<void> = Promise.resolve()

  try {
    for await (const payload of source) {
      const row = await steps.toRow(payload)
      read += 1
      rows.push(row)
      size += steps.sizeOf(row)
      if (rows.length >= mostRows || size >= mostCharacters) await flush()
    }
    await flush()
    await writing
  } catch (cause) {
    // What was under way before it may have been accepted.
    await writing.catch(() => {})
    throw new EnqueueStreamError(accepted, read, cause)
  }
  return { accepted, created }

  async function flush(): Promise<void> {
    await writing
    if (rows.length === 0) return
    writing = write(rows)
    // Whoever waits for it next hears of it.
    writing.catch(() => {})
    rows = []
    size = 0
  }

  async function write(chunk: readonly Row[]): Promise<void> {
    const jobs = await steps.write(chunk)
    accepted += jobs.length
    for (const job of jobs) if (job.created) created += 1
    await steps.onChunk?.({ jobs, accepted })
  }
}
