import { setTimeout as sleep } from 'node:timers/promises'
import type { ChangeClock, ChangedJob, ChangePlace, ChangeStore } from '../store/store.js'
import { type ClusterEvent, createSightings, type Sightings } from './sightings.js'

export interface WatchOptions {
  /** What happened before then is not told. Default: now, by the database's clock. */
  readonly since?: (now: Date) => Date
  /** Default 1 s. */
  readonly everyMs?: number
  readonly signal: AbortSignal
  /** The store is away, or is back (`undefined`): it goes on where it was. */
  readonly onTrouble?: (error: unknown) => void
}

const pageSize = 1000
/** Open jobs that are looked at by their ids, each time. */
const mostTracked = 2000
const mostCommands = 1000
/** Clocks of processes that enqueue may differ by so much; and rows carry whole milliseconds. */
const slackMs = 2000
/** Who holds a transaction open for longer may write an end that is not told. */
const longestOverlapMs = 30_000

/**
 * What happens to jobs and workers anywhere, from what the store shows: a look each second over short ranges of its
 * indexes, and nothing at all while nobody watches. Each end is told exactly once. A job that starts and ends between
 * two looks is told as both.
 *
 * Rows that change again between two looks show their attempts afterwards, from the list that each carries. Of a job
 * that keeps no row (`retain: 0`) only what was seen in time is told.
 */
export async function* watchCluster(
  store: ChangeStore,
  { since, everyMs = 1000, signal, onTrouble = () => {} }: WatchOptions,
): AsyncGenerator<readonly ClusterEvent[]> {
  let watch: { sightings: Sightings; from: Date } | undefined
  let isAway = false
  while (!signal.aborted) {
    try {
      const clock = await store.changeClock()
      if (!watch) watch = await begin(store, since?.(clock.now) ?? clock.now)
      const { sightings, from } = watch
      for await (const events of look(store, sightings, from)) yield events
      watch.from = nextFrom(clock)
      sightings.forget(new Date(watch.from.getTime() - longestOverlapMs))
      if (isAway) onTrouble(undefined)
      isAway = false
    } catch (error) {
      if (!isAway) onTrouble(error)
      isAway = true
    }
    // Aborted, it ends.
    await sleep(everyMs, undefined, { signal }).catch(() => {})
  }
}

async function begin(store: ChangeStore, since: Date) {
  const sightings = createSightings(since)
  // Their names.
  for (const worker of await store.workersSince(new Date(0))) sightings.ofWorker(worker)
  return { sightings, from: since }
}

/** What is open may yet write an end of the time at which it began. */
function nextFrom({ now, oldest }: ChangeClock): Date {
  return new Date(Math.max(oldest.getTime(), now.getTime() - longestOverlapMs) - slackMs)
}

/** Page by page, each in the order of its times. */
async function* look(store: ChangeStore, sightings: Sightings, from: Date): AsyncGenerator<ClusterEvent[]> {
  const workers = (await store.workersSince(from)).flatMap(sightings.ofWorker)
  const commands = (await store.commandsSince(from, mostCommands)).flatMap(sightings.ofCommand)
  if (workers.length + commands.length > 0) yield inOrder([...workers, ...commands])
  for await (const jobs of pages(
    (after: string | undefined) => store.openedSince(from, after, pageSize),
    ({ id }) => id,
  ))
    yield told(jobs)
  yield told(await store.movedSince(from, sightings.nextOpen(mostTracked)))
  for await (const jobs of pages(
    (after: ChangePlace | undefined) => store.endedSince(from, after, pageSize),
    toPlace,
  ))
    yield told(jobs)

  function told(jobs: readonly ChangedJob[]): ClusterEvent[] {
    return inOrder(jobs.flatMap(sightings.ofJob))
  }
}

async function* pages<Place>(
  read: (after: Place | undefined) => Promise<ChangedJob[]>,
  toPlace: (job: ChangedJob) => Place | undefined,
): AsyncGenerator<ChangedJob[]> {
  let after: Place | undefined
  for (;;) {
    const page = await read(after)
    yield page
    const last = page.at(-1)
    if (!last || page.length < pageSize) return
    after = toPlace(last)
  }
}

function toPlace({ id, finishedAt }: ChangedJob): ChangePlace | undefined {
  return finishedAt ? { id, finishedAt } : undefined
}

/** Of one moment, as they were found. */
function inOrder(events: ClusterEvent[]): ClusterEvent[] {
  return events.sort((a, b) => a.at.getTime() - b.at.getTime())
}
