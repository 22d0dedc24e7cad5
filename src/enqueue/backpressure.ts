import { QueueFullError, QuotaExceededError } from '../errors.js'
import type { NewJob, QueueLoad, Store } from '../store/store.js'
import { within } from '../waiting.js'
import { Gauge } from './gauge.js'

/** What requests may put into one queue. Undefined: no limit. */
export interface QueueLimits {
  /** Jobs that are due and wait for a worker. */
  readonly waiting: number | undefined
  /** How long the oldest of them may have been due. */
  readonly ageMs: number | undefined
  /** Jobs of one owner that wait, due or not. */
  readonly share: number | undefined
}

/** By queue; `*` stands for each that is not named. */
export type Limits = ReadonlyMap<string, QueueLimits>

/** Room for jobs that are about to be written. */
export interface Place {
  /** They are written, or will not be. */
  leave(): void
}

/** Refuses what a request would enqueue where a queue, or its owner's share of it, is full. */
export interface Backpressure {
  /**
   * A place for so many jobs like this one; at once where the queue was looked at a moment ago.
   * @throws {QueueFullError} the queue is full
   * @throws {QuotaExceededError} the owner's share is full
   */
  enter(job: Pick<NewJob, 'queue' | 'owner' | 'delayMs' | 'runAt'>, jobs: number): Place | Promise<Place>
}

export interface BackpressureDeps {
  readonly limits: Limits
  readonly load: Store['load']
  /** Milliseconds of a clock that never goes back. Default: that of the process. */
  readonly now?: () => number
}

/** The shortest time between two looks. */
const leastIntervalMs = 1000
const longestIntervalMs = 60_000
/** A look may cost one part in so many of the time. */
const costShare = 20
/** How long a look is good for after the next one is due. */
const graceMs = 1000
/** How long a request waits for a look when nothing is known. */
const patienceMs = 250
/** Due jobs that are read to find the one that waits longest. */
const ageReach = 1000
/** Queues and owners that were not asked for longest are forgotten first. */
const mostQueues = 100
const mostOwners = 1000
const anyQueue = '*'

/** What is known of one queue. */
interface Watched {
  readonly queue: string
  readonly limits: QueueLimits
  readonly waiting: Gauge
  readonly owners: Map<string, Gauge>
  /** Owners whose share was full, of whom nobody asked here. */
  over: ReadonlyMap<string, number>
  ageMs: number
  /** When the look that told it began. */
  knownAt: number
}

/**
 * One look at the store serves all requests of a second, and of longer where it is slow; between two looks, what this
 * process lets in is added. While nothing is enqueued, nothing is asked. While the store is away nothing is known, and
 * so nothing is refused: the enqueue itself will fail.
 */
export function createBackpressure({ limits, load, now = monotonic }: BackpressureDeps): Backpressure {
  const watched = new Map<string, Watched>()
  let looking: Promise<void> | undefined
  let lookedAt = Number.NEGATIVE_INFINITY
  let intervalMs = leastIntervalMs

  return { enter }

  function enter(job: Parameters<Backpressure['enter']>[0], jobs: number): Place | Promise<Place> {
    const found = limits.get(job.queue) ?? limits.get(anyQueue)
    if (!found) return nowhere
    const queue = watch(job.queue, found)
    // What is due later waits for no worker yet.
    const isDue = !job.delayMs && (job.runAt === null || job.runAt.getTime() <= Date.now())
    const owner = found.share === undefined || job.owner === null ? undefined : ownerIn(queue, job.owner)
    const admit = () => {
      if (isKnown(queue)) judge(queue, isDue, owner, jobs)
      return takePlace([isDue ? queue.waiting : undefined, owner], jobs)
    }
    if (now() - lookedAt >= intervalMs) looking ??= look()
    const patience = patienceMs - (now() - lookedAt)
    if (isKnown(queue) || !looking || patience <= 0) return admit()
    return within(patience, looking).then(admit)
  }

  function watch(queue: string, found: QueueLimits): Watched {
    const present = watched.get(queue)
    const entry: Watched = present ?? {
      queue,
      limits: found,
      waiting: new Gauge(),
      owners: new Map(),
      over: new Map(),
      ageMs: 0,
      knownAt: Number.NEGATIVE_INFINITY,
    }
    putLast(watched, queue, entry, mostQueues)
    return entry
  }

  function ownerIn(queue: Watched, owner: string): Gauge {
    const gauge = queue.owners.get(owner) ?? newGauge(queue.over.get(owner) ?? 0)
    putLast(queue.owners, owner, gauge, mostOwners)
    return gauge
  }

  function isKnown({ knownAt }: Watched): boolean {
    return now() - knownAt < intervalMs + graceMs
  }

  function judge(queue: Watched, isDue: boolean, owner: Gauge | undefined, jobs: number): void {
    const { waiting, ageMs, share } = queue.limits
    if (share !== undefined && owner && owner.expected(now(), intervalMs) + jobs > share)
      throw new QuotaExceededError(queue.queue, share)
    if (!isDue) return
    const expected = queue.waiting.expected(now(), intervalMs)
    if (waiting !== undefined && expected + jobs > waiting)
      throw new QueueFullError(queue.queue, `${expected} jobs wait for a worker, and ${waiting} may`)
    if (ageMs !== undefined && queue.ageMs >= ageMs)
      throw new QueueFullError(queue.queue, `its oldest job has waited for ${Math.round(queue.ageMs)} ms`)
  }

  async function look(): Promise<void> {
    const began = now()
    const queues = [...watched.values()]
    lookedAt = began
    for (const gauge of queues.flatMap(gaugesOf)) gauge.beginLook(began)
    try {
      const loads = new Map((await load(queues.map(toQuestion))).map((each) => [each.queue, each]))
      intervalMs = Math.min(Math.max(leastIntervalMs, (now() - began) * costShare), longestIntervalMs)
      for (const queue of queues) learn(queue, loads.get(queue.queue), began)
    } catch {
      intervalMs = leastIntervalMs
      for (const gauge of queues.flatMap(gaugesOf)) gauge.abandonLook()
    } finally {
      looking = undefined
    }
  }

  function learn(queue: Watched, told: QueueLoad | undefined, began: number): void {
    if (!told) return
    const isRecent = began - queue.knownAt < intervalMs + graceMs
    const jobsOf = new Map(told.owners)
    queue.waiting.endLook(told.waiting, isRecent)
    for (const [owner, gauge] of queue.owners) gauge.endLook(jobsOf.get(owner) ?? 0, isRecent)
    queue.over = jobsOf
    queue.ageMs = told.ageMs ?? 0
    queue.knownAt = began
  }
}

function toQuestion({ queue, limits, owners }: Watched) {
  const { waiting, ageMs, share } = limits
  return {
    queue,
    waiting: waiting === undefined ? (ageMs === undefined ? 0 : ageReach) : waiting + 1,
    share: share ?? null,
    owners: share === undefined ? [] : [...owners.keys()],
  }
}

function gaugesOf({ waiting, owners }: Watched): Gauge[] {
  return [waiting, ...owners.values()]
}

function newGauge(counted: number): Gauge {
  const gauge = new Gauge()
  if (counted > 0) {
    gauge.beginLook(Number.NEGATIVE_INFINITY)
    gauge.endLook(counted, false)
  }
  return gauge
}

const nowhere: Place = { leave() {} }

function takePlace(gauges: readonly (Gauge | undefined)[], jobs: number): Place {
  for (const gauge of gauges) gauge?.enter(jobs)
  return {
    leave() {
      for (const gauge of gauges) gauge?.leave(jobs)
    },
  }
}

/** Puts an entry behind all others, and lets the first go where there are too many. */
function putLast<Value>(map: Map<string, Value>, key: string, value: Value, most: number): void {
  map.delete(key)
  map.set(key, value)
  if (map.size <= most) return
  const [first] = map.keys()
  if (first !== undefined) map.delete(first)
}

function monotonic(): number {
  return performance.now()
}
