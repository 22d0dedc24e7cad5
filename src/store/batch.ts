/**
 * Group commit: concurrent calls share one statement.
 *
 * Flushes when idle and gathers while a flush is in flight and to the end of the event loop's turn, so a lone call waits
 * for nobody and a crowd pays for one round trip. A batch that is refused for its data is split in halves until the bad item fails alone. A lost
 * connection or a deadlock is tried again, which needs `run` to be safe to repeat.
 */
export interface Batch<Item, Answer> {
  add(item: Item): Promise<Answer>
  /** Items that have no answer yet. */
  readonly pending: number
}

export interface BatchOptions<Item, Answer> {
  readonly maxSize: number
  /** Rows that an item brings. Default 1. */
  readonly sizeOf?: (item: Item) => number
  /** Answers in the order of the items. */
  readonly run: (items: readonly Item[]) => Promise<readonly Answer[]>
  readonly isRetryable: (error: unknown) => boolean
  /** Whether nothing that gathered meanwhile would fare better. */
  readonly isOutage: (error: unknown) => boolean
  /** Whether a smaller batch might pass. */
  readonly isDataError: (error: unknown) => boolean
  /** How long an item waits for its answer, whatever becomes of its statement. Default: for as long as that takes. */
  readonly patience?: Patience
}

export interface Patience {
  readonly ms: number
  /** What an item fails with that has waited for so long. It may be done all the same, if its statement was sent. */
  readonly error: () => Error
}

interface Waiting<Item, Answer> {
  readonly item: Item
  readonly since: number
  late: boolean
  readonly resolve: (answer: Answer) => void
  readonly reject: (error: unknown) => void
}

const tries = 3
const leastWatchMs = 5

export function createBatch<Item, Answer>(options: BatchOptions<Item, Answer>): Batch<Item, Answer> {
  const { maxSize, run, isRetryable, isOutage, isDataError, sizeOf, patience } = options
  let queue: Waiting<Item, Answer>[] = []
  let inFlight: readonly Waiting<Item, Answer>[] = []
  let flushing = false
  let watching = false

  return {
    add(item) {
      return new Promise((resolve, reject) => {
        queue.push({ item, since: patience ? performance.now() : 0, late: false, resolve, reject })
        if (patience && !watching) watch(patience, patience.ms)
        if (flushing) return
        flushing = true
        setImmediate(flushAll)
      })
    },
    get pending() {
      return queue.length + inFlight.length
    },
  }

  async function flushAll(): Promise<void> {
    while (queue.length > 0) {
      const batch = takeBatch()
      inFlight = batch
      await flush(batch)
      inFlight = []
      if (queue.length > 0) await endOfTurn()
    }
    flushing = false
  }

  function takeBatch(): Waiting<Item, Answer>[] {
    if (!sizeOf && queue.length <= maxSize) {
      const all = queue
      queue = []
      return all
    }
    let count = 0
    for (let size = 0; count < queue.length; count += 1) {
      const next = queue[count]
      size += next && sizeOf ? sizeOf(next.item) : 1
      if (count > 0 && size > maxSize) break
    }
    return queue.splice(0, count)
  }

  async function flush(batch: readonly Waiting<Item, Answer>[]): Promise<void> {
    try {
      const answers = await runWithRetries(batch)
      for (const [at, waiting] of batch.entries()) waiting.resolve(answers[at] as Answer)
    } catch (error) {
      if (batch.length > 1 && isDataError(error)) {
        const half = batch.length >> 1
        await flush(batch.slice(0, half))
        await flush(batch.slice(half))
      } else {
        // Whoever came while the server was silent has waited, too; the deadline is one, not two.
        const alike = isOutage(error) ? queue.splice(0) : []
        for (const waiting of [...batch, ...alike]) waiting.reject(error)
      }
    }
  }

  async function runWithRetries(batch: readonly Waiting<Item, Answer>[]): Promise<readonly Answer[]> {
    const items = batch.map((waiting) => waiting.item)
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await run(items)
      } catch (error) {
        if (attempt === tries || !isRetryable(error) || batch.every(({ late }) => late)) throw error
      }
    }
  }

  /** One timer for all, and none while nothing waits. */
  function watch(patience: Patience, ms: number): void {
    watching = true
    setTimeout(() => {
      refuseLate(patience)
      const [oldest] = [...inFlight.filter(({ late }) => !late), ...queue]
      if (oldest) watch(patience, Math.max(leastWatchMs, oldest.since + patience.ms - performance.now()))
      else watching = false
    }, ms).unref()
  }

  function refuseLate({ ms, error }: Patience): void {
    const before = performance.now() - ms
    const late = [...inFlight, ...queue].filter((waiting) => !waiting.late && waiting.since <= before)
    if (late.length === 0) return
    const cause = error()
    for (const waiting of late) {
      waiting.late = true
      waiting.reject(cause)
    }
    queue = queue.filter((waiting) => !waiting.late)
  }
}

/** What else came in with this turn of the event loop, such as requests on other sockets, goes along. */
function endOfTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
