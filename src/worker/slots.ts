/**
 * Which claimed job runs next, and how many more the worker should take.
 *
 * More is taken than handlers run, or the statements of the hot path carry too few rows; but a claimed job must not
 * wait behind a slow one. So what is taken ahead is what the handlers finish in 25 ms, by their average time; those
 * that have run for much longer finish nothing.
 */
export interface Slots<Job> {
  /** How many deliveries of a queue may be on their way at once. */
  limit(): number
  /** Reserves a place for a claim. Resolves `false` when none came free in time, or the queue is not served. */
  reserve(queue: string): Promise<boolean>
  /** Reserves places of handlers that are free, as many as there are up to `most`. */
  reserveNow(most: number): number
  /** A reserved claim brought nothing. */
  release(): void
  /**
   * A reserved claim brought a job; it starts when a handler is free, those of the first queue first. `false`: nothing
   * of this queue starts any more, and the job must be given back.
   */
  fill(queue: string, job: Job): boolean
  /** The handler of a job has returned. */
  finish(job: Job): void
  /** Jobs that have waited too long for a handler. They are no longer here. */
  takeStale(): Job[]
  /** Jobs of these queues start from now on, and of no others. Gives what has not started of those others. */
  serve(queues: readonly string[]): Job[]
  /** How many handlers run at once from now on. What runs goes on. */
  resize(concurrency: number): void
  /** Everything that has not started. Nothing starts from now on. */
  drain(): Job[]
  readonly running: number
  readonly waiting: number
}

export interface SlotsOptions<Job> {
  readonly concurrency: number
  /** In the order in which they are served. */
  readonly queues: readonly string[]
  readonly start: (job: Job) => void
  /** Whether no more may be taken, whatever is free. */
  readonly full: () => boolean
  /** Room or limit may have changed. */
  readonly onChange: () => void
}

const aheadMs = 25
/** More in flight than this gains nothing. */
const mostInFlight = 256
const patienceMs = 250
/** After jobs had to be given back, nothing is taken ahead for this long. */
const cautionMs = 1000
/** What a handler is thought to take before any has returned. */
const firstGuessMs = 50
const weight = 0.05
/** A handler that has run for so many times the average, and longer than a claimed job waits, finishes nothing soon. */
const slowFactor = 4

interface Ready<Job> {
  readonly job: Job
  readonly since: number
}

/** What has come of one queue. */
interface Line<Job> {
  readonly queue: string
  readonly ready: Ready<Job>[]
  readonly asking: Reservation[]
}

interface Reservation {
  readonly grant: (granted: boolean) => void
  readonly timer: NodeJS.Timeout
}

export function createSlots<Job>({
  concurrency,
  queues,
  start,
  full,
  onChange,
}: SlotsOptions<Job>): Slots<Job> {
  let lines: readonly Line<Job>[] = queues.map((queue) => newLine<Job>(queue))
  let lineOf = byQueue(lines)
  let handlers = concurrency
  /** What runs, and since when: the oldest first. */
  const running = new Map<Job, number>()
  let waiting = 0
  let claiming = 0
  let averageMs = firstGuessMs
  let cautiousUntil = 0
  let drained = false
  let starting = false

  return {
    limit,
    reserve(queue) {
      const line = lineOf.get(queue)
      if (drained || !line) return refused
      if (room() > 0) {
        claiming += 1
        return granted
      }
      return new Promise((resolve) => ask(line, resolve))
    },
    reserveNow(most) {
      if (drained || full()) return 0
      const places = Math.max(0, Math.min(most, handlers - running.size - waiting - claiming))
      claiming += places
      return places
    },
    release() {
      claiming -= 1
      admit()
    },
    fill(queue, job) {
      claiming -= 1
      const line = lineOf.get(queue)
      if (drained || !line) return false
      waiting += 1
      line.ready.push({ job, since: performance.now() })
      startSoon()
      return true
    },
    finish(job) {
      const tookMs = performance.now() - (running.get(job) ?? performance.now())
      running.delete(job)
      averageMs += (tookMs - averageMs) * weight
      startNext()
      admit()
    },
    takeStale() {
      const now = performance.now()
      const stale: Job[] = []
      for (const { ready } of lines) {
        const keep = ready.findIndex((each) => now - each.since < patienceMs)
        stale.push(...ready.splice(0, keep === -1 ? ready.length : keep).map((each) => each.job))
      }
      waiting -= stale.length
      if (stale.length > 0) cautiousUntil = now + cautionMs
      return stale
    },
    serve(next) {
      const before = lineOf
      lines = next.map((queue) => before.get(queue) ?? newLine<Job>(queue))
      lineOf = byQueue(lines)
      const left = [...before.values()].filter(({ queue }) => !lineOf.has(queue)).flatMap(clear)
      waiting -= left.length
      admit()
      return left
    },
    resize(next) {
      handlers = next
      startNext()
      admit()
    },
    drain() {
      drained = true
      waiting = 0
      return lines.flatMap(clear)
    },
    get running() {
      return running.size
    },
    get waiting() {
      return waiting
    },
  }

  function ahead(): number {
    const now = performance.now()
    if (now < cautiousUntil) return 0
    const most = Math.max(0, mostInFlight - handlers)
    const quick = Math.max(0, handlers - slow(now))
    return Math.min(most, Math.floor((quick * aheadMs) / Math.max(averageMs, 0.01)))
  }

  function slow(now: number): number {
    const before = now - Math.max(patienceMs, slowFactor * averageMs)
    let count = 0
    for (const since of running.values()) {
      if (since > before) break
      count += 1
    }
    return count
  }

  function room(): number {
    if (drained || full()) return 0
    return Math.max(0, handlers + ahead() - running.size - waiting - claiming)
  }

  /**
   * Where handlers are quick it stays the same: the broker hands out the next delivery with an acknowledgement only
   * while it is within the limit, and fetching one by itself costs another round trip.
   */
  function limit(): number {
    if (drained || full()) return 0
    const more = ahead()
    return more >= handlers ? handlers + more : Math.max(more, claiming + room())
  }

  /** Once all that was claimed together is noted, for a handler may keep the event loop to itself. */
  function startSoon(): void {
    if (starting) return
    starting = true
    queueMicrotask(() => {
      starting = false
      startNext()
    })
  }

  function startNext(): void {
    while (running.size < handlers && waiting > 0 && !drained) {
      const next = lines.find(({ ready }) => ready.length > 0)?.ready.shift()
      if (!next) return
      waiting -= 1
      running.set(next.job, performance.now())
      start(next.job)
    }
  }

  function ask({ asking }: Line<Job>, resolve: (granted: boolean) => void): void {
    const reservation: Reservation = {
      grant: resolve,
      timer: setTimeout(() => {
        asking.splice(asking.indexOf(reservation), 1)
        resolve(false)
      }, patienceMs),
    }
    asking.push(reservation)
  }

  function admit(): void {
    for (const { asking } of lines) {
      while (asking.length > 0 && room() > 0) {
        const reservation = asking.shift()
        if (!reservation) break
        claiming += 1
        answer(reservation, true)
      }
    }
    onChange()
  }
}

const granted = Promise.resolve(true)
const refused = Promise.resolve(false)

function newLine<Job>(queue: string): Line<Job> {
  return { queue, ready: [], asking: [] }
}

function byQueue<Job>(lines: readonly Line<Job>[]): ReadonlyMap<string, Line<Job>> {
  return new Map(lines.map((line) => [line.queue, line]))
}

function clear<Job>({ ready, asking }: Line<Job>): Job[] {
  for (const reservation of asking.splice(0)) answer(reservation, false)
  return ready.splice(0).map((each) => each.job)
}

function answer({ grant, timer }: Reservation, value: boolean): void {
  clearTimeout(timer)
  grant(value)
}
