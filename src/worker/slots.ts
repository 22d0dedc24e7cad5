/**
 * Which claimed job runs next, and how many more the worker should take.
 *
 * More is taken than handlers run, or the statements of the hot path carry too few rows; but a claimed job must not
 * wait behind a slow one. So what is taken ahead is what the handlers finish in 25 ms, by their average time.
 */
export interface Slots<Job> {
  /** How many deliveries of a queue may be on their way at once. */
  limit(): number
  /** Reserves a place for a claim. Resolves `false` when none came free in time. */
  reserve(queue: number): Promise<boolean>
  /** Reserves places of handlers that are free, as many as there are up to `most`. */
  reserveNow(most: number): number
  /** A reserved claim brought nothing. */
  release(): void
  /**
   * A reserved claim brought a job; it starts when a handler is free, those of the first queue first. `false`: nothing
   * starts any more, and the job must be given back.
   */
  fill(queue: number, job: Job): boolean
  /** A handler has returned after so many milliseconds. */
  finish(tookMs: number): void
  /** Jobs that have waited too long for a handler. They are no longer here. */
  takeStale(): Job[]
  /** Everything that has not started. Nothing starts from now on. */
  drain(): Job[]
  readonly running: number
  readonly waiting: number
}

export interface SlotsOptions<Job> {
  readonly concurrency: number
  readonly queues: number
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

interface Ready<Job> {
  readonly job: Job
  readonly since: number
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
  const ready: Ready<Job>[][] = Array.from({ length: queues }, () => [])
  const asking: Reservation[][] = Array.from({ length: queues }, () => [])
  const handlers = concurrency
  let running = 0
  let waiting = 0
  let claiming = 0
  let averageMs = firstGuessMs
  let cautiousUntil = 0
  let drained = false
  let starting = false

  return {
    limit,
    reserve(queue) {
      if (drained) return Promise.resolve(false)
      if (room() > 0) {
        claiming += 1
        return granted
      }
      return new Promise((resolve) => ask(queue, resolve))
    },
    reserveNow(most) {
      if (drained || full()) return 0
      const places = Math.max(0, Math.min(most, handlers - running - waiting - claiming))
      claiming += places
      return places
    },
    release() {
      claiming -= 1
      admit()
    },
    fill(queue, job) {
      claiming -= 1
      if (drained) return false
      waiting += 1
      ready[queue]?.push({ job, since: performance.now() })
      startSoon()
      return true
    },
    finish(tookMs) {
      running -= 1
      averageMs += (tookMs - averageMs) * weight
      startNext()
      admit()
    },
    takeStale() {
      const now = performance.now()
      const stale: Job[] = []
      for (const line of ready) {
        const keep = line.findIndex((each) => now - each.since < patienceMs)
        stale.push(...line.splice(0, keep === -1 ? line.length : keep).map((each) => each.job))
      }
      waiting -= stale.length
      if (stale.length > 0) cautiousUntil = now + cautionMs
      return stale
    },
    drain() {
      drained = true
      for (const line of asking) for (const reservation of line.splice(0)) answer(reservation, false)
      const left = ready.flatMap((line) => line.splice(0)).map((each) => each.job)
      waiting = 0
      return left
    },
    get running() {
      return running
    },
    get waiting() {
      return waiting
    },
  }

  function ahead(): number {
    if (performance.now() < cautiousUntil) return 0
    const most = Math.max(0, mostInFlight - handlers)
    return Math.min(most, Math.floor((handlers * aheadMs) / Math.max(averageMs, 0.01)))
  }

  function room(): number {
    if (drained || full()) return 0
    return Math.max(0, handlers + ahead() - running - waiting - claiming)
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
    while (running < handlers && waiting > 0 && !drained) {
      const next = ready.find((line) => line.length > 0)?.shift()
      if (!next) return
      waiting -= 1
      running += 1
      start(next.job)
    }
  }

  function ask(queue: number, resolve: (granted: boolean) => void): void {
    const reservation: Reservation = {
      grant: resolve,
      timer: setTimeout(() => {
        const line = asking[queue]
        line?.splice(line.indexOf(reservation), 1)
        resolve(false)
      }, patienceMs),
    }
    asking[queue]?.push(reservation)
  }

  function admit(): void {
    for (const line of asking) {
      while (line.length > 0 && room() > 0) {
        const reservation = line.shift()
        if (!reservation) break
        claiming += 1
        answer(reservation, true)
      }
    }
    onChange()
  }
}

const granted = Promise.resolve(true)

function answer({ grant, timer }: Reservation, value: boolean): void {
  clearTimeout(timer)
  grant(value)
}
